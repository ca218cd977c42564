"""Words as models: both forms are what was fitted, load again, and need nothing that they should not."""

import json

import numpy as np
import pytest
from polyglot.analysis.maps.hashed_words import HashedWords
from polyglot.analysis.maps.piece_words import PieceWords
from polyglot.errors import ConfigError, DataError, ModelError
from polyglot.models.encoder import load_encoder
from polyglot.train.insertion.portable_words import piece_tokenizer, pieces_of
from polyglot.train.insertion.words_model import ngram_model, portable_model


@pytest.fixture(scope="module")
def toy(toy_sentences):
    """Texts, and unit vectors that their words add up to."""
    rng = np.random.default_rng(0)
    pairs = toy_sentences(200)
    vectors = {word: rng.standard_normal(16) for _, english in pairs for word in english.split()}
    y = np.array([sum(vectors[word] for word in english.split()) for _, english in pairs])
    return [french for french, _ in pairs], y / np.linalg.norm(y, axis=1, keepdims=True)


def hits(model, texts, y):
    return np.mean(np.argmax(model.encode(texts) @ y.T, axis=1) == np.arange(len(y)))


@pytest.mark.parametrize("make", [ngram_model, portable_model])
def test_a_saved_model_gives_the_vectors_of_the_fitted_one(toy, tmp_path, make):
    texts, y = toy
    model = make(texts[:150], y[:150])
    assert hits(model, texts[150:], y[150:]) > 0.8
    model.save(str(tmp_path / "model"), create_model_card=False)
    encoder = load_encoder(str(tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(encoder.encode(texts).pooled, model.encode(texts).astype(np.float32), atol=2e-3)
    unread = encoder.encode([*texts[:3], "?!", ""])
    assert unread.tokens[-1] == 0
    assert np.isfinite(unread.pooled).all()
    assert np.isfinite(model.encode(["?!"])).all()
    assert encoder.layers == 0
    assert load_encoder(str(tmp_path / "model"), device="cpu").fingerprint == encoder.fingerprint
    with pytest.raises(ConfigError, match="no layers"):
        encoder.encode(texts, layers=(0,))


def test_the_portable_form_loads_by_the_library_alone(toy, tmp_path):
    from sentence_transformers import SentenceTransformer

    texts, y = toy
    portable_model(texts, y).save(str(tmp_path / "model"), create_model_card=False)
    types = [module["type"] for module in json.loads((tmp_path / "model" / "modules.json").read_text())]
    assert all(name.startswith("sentence_transformers.") for name in types)
    assert hits(SentenceTransformer(str(tmp_path / "model"), device="cpu"), texts, y) > 0.8


def test_a_file_of_code_in_the_folder_of_ngrams_is_refused(toy, tmp_path):
    texts, y = toy
    ngram_model(texts, y).save(str(tmp_path / "model"), create_model_card=False)
    (tmp_path / "model" / "polyglot.py").write_text("raise SystemExit('ran')\n")
    with pytest.raises(ModelError, match="Python code of its own"):
        load_encoder(str(tmp_path / "model"), device="cpu")


def test_the_module_of_ngrams_computes_what_the_map_says(toy):
    texts, y = toy
    fitted = HashedWords.fit(texts, y)
    expected = fitted(["le chien dort", "xx", ""])
    found = ngram_model(texts, y).encode(["le chien dort", "xx", ""])
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=2e-3)


def test_frequent_words_are_pieces_with_edges_and_unseen_ones_fall_into_known_parts(toy_sentences):
    texts = [french for french, _ in toy_sentences(300)]
    tokenizer = piece_tokenizer(texts, 200)
    words = {f" {word} " for text in texts for word in text.split()}
    assert words <= set(pieces_of(tokenizer))
    assert tokenizer.encode("Le  CHIEN, mange !", add_special_tokens=False).tokens == ["▁le▁", "▁chien▁", "▁mange▁"]
    unseen = tokenizer.encode("chevaleresque", add_special_tokens=False).tokens
    assert len(unseen) > 1
    assert "".join(unseen) == "▁chevaleresque▁"
    assert tokenizer.encode("?! ", add_special_tokens=False).tokens == ["▁"]


def test_rows_of_pieces_are_a_ridge_of_their_ngrams_and_of_themselves():
    pieces, rng = ["", " chat ", " chats ", " loup "], np.random.default_rng(3)
    texts = [[1], [1, 3], [3], [3, 3], [1, 1, 3]] * 6
    y = rng.standard_normal((30, 3)) * 0.01 + np.array([[t.count(1), t.count(3), 0] for t in texts])
    rows = PieceWords.fit(pieces, texts, y, penalty=0.1).rows
    seen, unseen, other = rows[1] - y.mean(axis=0), rows[2] - y.mean(axis=0), rows[3] - y.mean(axis=0)
    assert seen @ unseen > 0.5 * np.linalg.norm(seen) * np.linalg.norm(unseen)
    assert seen @ other < 0
    with pytest.raises(DataError, match="no text holds a piece"):
        PieceWords.fit(pieces, [[], []], y[:2])
    with pytest.raises(DataError, match="1 texts and 2 rows"):
        PieceWords.fit(pieces, [[1]], y[:2])
