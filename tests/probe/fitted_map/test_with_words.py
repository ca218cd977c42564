"""Words beside vectors in one map: the sum of two kernels, its held-out scores, its folder, and its use."""

import json
import re

import numpy as np
import pytest
from polyglot.analysis.maps.estimators import load_map
from polyglot.analysis.maps.words_and_vectors import WordsAndVectors
from polyglot.errors import ConfigError, DataError, MissingExtraError, OutputError
from polyglot.probe.fitted_map.run import MapFitConfig
from polyglot.probe.fitted_map.use import apply, export, read_lines
from polyglot.probe.fitted_map.with_words import fit_with_words
from polyglot.probe.results.fitted_map import MapFitResult
from polyglot.probe.results.serialization import from_json

NOUNS, VERBS = ["chien", "chat", "cheval", "oiseau", "mouton", "loup"], ["mange", "dort", "court", "chante", "nage"]
CONFIG = MapFitConfig(resamples=100, permutations=2)


@pytest.fixture(scope="module")
def halves():
    """Texts whose noun only the words know and whose rest only the vectors know, and their targets."""
    rng = np.random.default_rng(0)
    nouns = {noun: rng.standard_normal(6) for noun in NOUNS}
    texts = [f"le {noun} {verb}" for _ in range(4) for noun in NOUNS for verb in VERBS]
    x = rng.standard_normal((len(texts), 5))
    y = np.array([nouns[text.split()[1]] for text in texts]) + x @ rng.standard_normal((5, 6))
    return texts, x / np.sqrt(5), y


def error(fitted, texts, x, y):
    return np.square(fitted(texts, x) - y).sum() / np.square(y - y.mean(axis=0)).sum()


def test_it_is_the_ridge_of_both_kinds_of_features(halves):
    texts, x, y = halves
    fitted = WordsAndVectors.fit(texts, x, y, penalty=0.4, tolerance=1e-6)
    words = fitted.vocabulary.unit_rows(texts).toarray()
    features = np.hstack([words, x - x.mean(axis=0)])
    dual = np.linalg.solve(features @ features.T + 0.4 * np.eye(len(y)), y - y.mean(axis=0))
    np.testing.assert_allclose(fitted(texts, x), features @ features.T @ dual + y.mean(axis=0), atol=2e-3)


def test_each_side_adds_what_the_other_lacks(halves):
    texts, x, y = halves
    both = error(WordsAndVectors.fit(texts[:90], x[:90], y[:90]), texts[90:], x[90:], y[90:])
    words = error(WordsAndVectors.fit(texts[:90], 0 * x[:90], y[:90]), texts[90:], 0 * x[90:], y[90:])
    vectors = error(WordsAndVectors.fit(["le"] * 90, x[:90], y[:90]), ["le"] * 30, x[90:], y[90:])
    assert both < 0.5 * min(words, vectors)


def test_it_is_saved_and_read_and_refuses_other_shapes(halves, tmp_path):
    texts, x, y = halves
    fitted = WordsAndVectors.fit(texts, x, y, penalty=0.4)
    fitted.save(tmp_path / "map")
    assert np.array_equal(WordsAndVectors.load(tmp_path / "map")(texts, x), fitted(texts, x))
    with pytest.raises(DataError, match="width 5 for each of 120 texts"):
        fitted(texts, x[:, :3])
    with pytest.raises(DataError, match="as many rows"):
        WordsAndVectors.fit(texts, x[:4], y)
    with pytest.raises(DataError, match="polyglot map apply --texts"):
        load_map(tmp_path / "map")
    (tmp_path / "map" / "map.json").write_text("{}")
    with pytest.raises(DataError, match="no map of words to read"):
        WordsAndVectors.load(tmp_path / "map")


@pytest.fixture(scope="module")
def minilm():
    from polyglot.models.encoder import load_encoder

    try:
        return load_encoder("minilm", device="cpu")
    except MissingExtraError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def written(minilm, tmp_path_factory):
    from polyglot.data.open import open_corpus

    bitext = open_corpus(["builtin:kitchen"], ("fr", "en"), limit=80).bitext("fr", "en")
    folder = tmp_path_factory.mktemp("map") / "fr-en"
    return folder, bitext, fit_with_words((minilm, minilm), bitext, folder, CONFIG)


def test_the_folder_holds_the_map_its_record_and_its_card(written):
    folder, _, result = written
    assert from_json((folder / "fit.json").read_text(), MapFitResult) == result
    assert (result.rung, result.carries_model, result.n) == ("words", False, 80)
    assert result.scores.p_at_1.low <= result.scores.p_at_1.value <= result.scores.p_at_1.high
    assert "by a linear map of the vectors alone" in result.sentence
    both, alone = (float(percent) for percent in re.findall(r"([\d.]+) % \[", result.sentence))
    assert ("fit the map without --with-words" in result.sentence) == (both < alone)
    assert "--texts texts.txt" in (folder / "README.md").read_text()
    assert json.loads((folder / "polyglot.json").read_text())["map"] == "words"


def test_it_is_applied_to_vectors_with_their_texts(written, minilm, tmp_path):
    folder, bitext, _ = written
    vectors = minilm.encode(bitext.sources).pooled
    np.save(tmp_path / "x.npy", vectors)
    (tmp_path / "x.txt").write_text("\n".join(bitext.sources) + "\n", encoding="utf-8")
    assert apply(folder, tmp_path / "x.npy", tmp_path / "y.npy", texts=tmp_path / "x.txt", block_rows=7) == (80, 384)
    mapped = np.load(tmp_path / "y.npy")
    expected = WordsAndVectors.load(folder)(bitext.sources, vectors)
    np.testing.assert_allclose(mapped, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    with pytest.raises(DataError, match="--texts"):
        apply(folder, tmp_path / "x.npy", tmp_path / "z.npy")
    (tmp_path / "few.txt").write_text("un\n")
    with pytest.raises(DataError, match="1 lines, the vectors are 80 rows"):
        apply(folder, tmp_path / "x.npy", tmp_path / "z.npy", texts=tmp_path / "few.txt")
    with pytest.raises(DataError, match="texts cannot be read"):
        apply(folder, tmp_path / "x.npy", tmp_path / "z.npy", texts=tmp_path / "none.txt")
    with pytest.raises(ConfigError, match="without --with-words"):
        export(folder, tmp_path / "dense")


def test_another_folder_is_left_alone(minilm, written, tmp_path):
    (tmp_path / "note").write_text("mine")
    with pytest.raises(OutputError):
        fit_with_words((minilm, minilm), written[1], tmp_path, CONFIG)


def test_only_line_feeds_end_a_text(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes("\ufeffa\r\nb\rc\u2028d\x0ce\n\nf".encode())
    assert read_lines(path) == ["a", "b\rc\u2028d\x0ce", "", "f"]
    path.write_bytes(b"a\n\xff\n")
    with pytest.raises(DataError, match="line 2: not UTF-8"):
        read_lines(path)
    with pytest.raises(DataError, match=r"texts cannot be read from .*no such file"):
        read_lines(tmp_path / "absent.txt")
