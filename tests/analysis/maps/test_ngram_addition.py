import numpy as np
import pytest
import torch
from polyglot.analysis.maps.hashed_words import HashedWords
from polyglot.analysis.maps.ngram_addition import NgramAddition, texts_of_tokens
from polyglot.errors import DataError
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

NEW = ["chien", "chat", "dort", "我", "们"]


@pytest.fixture(scope="module")
def tokenizer():
    vocabulary = {
        token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "dog", "cat", "sleep", "##s"])
    }
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    made.add_tokens([AddedToken(word, normalized=True) for word in NEW])
    return made


@pytest.fixture(scope="module")
def fitted(tokenizer):
    texts = ["chien dort", "chat dort", "我们", "dog chat", "chien"] * 8
    rows = [[2, *tokenizer.encode(text).ids, 3] for text in texts]
    y = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    y = np.tile(y / np.linalg.norm(y, axis=1, keepdims=True), (8, 1))
    return NgramAddition.fit(rows, y, np.arange(40) % 5, tokenizer, first_new=8, seed=0), rows, y


def features(rows, x):
    width = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": mask, "sentence_embedding": torch.tensor(x, dtype=torch.float32)}


def test_tokens_are_read_back_as_the_text_that_they_spell(tokenizer):
    rows = [tokenizer.encode(text).ids for text in ("Dogs  sleep", "我们 chat", "xx dog")]
    assert texts_of_tokens(tokenizer, [[2, *row, 3, 0] for row in rows]) == ["dogs sleep", "我们 chat", "dog"]


def test_the_sum_is_that_of_the_definition(tokenizer, fitted):
    module, _, _ = fitted
    texts = ["chien dort", "dog sleeps", "dog cat sleep chat", ""]
    rows = [[2, *tokenizer.encode(text).ids, 3] for text in texts]
    x = np.random.default_rng(1).standard_normal((4, 6))
    found = module(features(rows, x))["sentence_embedding"].numpy()
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    words = module.ngrams(module.ngrams.preprocess(texts))["sentence_embedding"].numpy()
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    share = 0.4 * np.array([1.0, 0.0, 0.5, 0.0])[:, None]  # all, none, one of four tokens is new
    expected = (1 - share) * x + share * words
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_it_is_fitted_to_what_the_tokens_spell(fitted, tokenizer):
    module, rows, y = fitted
    texts = texts_of_tokens(tokenizer, rows)
    expected = HashedWords.fit(texts, y, groups=np.arange(40) % 5)(texts)
    found = module.ngrams(module.ngrams.preprocess(texts))["sentence_embedding"].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_what_is_saved_computes_the_same(fitted, tmp_path):
    module, rows, _ = fitted
    x = np.random.default_rng(2).standard_normal((40, 6))
    module.save(str(tmp_path))
    again = NgramAddition.load(str(tmp_path))
    np.testing.assert_array_equal(
        again(features(rows, x))["sentence_embedding"], module(features(rows, x))["sentence_embedding"]
    )
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"lacks tokenizer\.json"):
        NgramAddition.load(str(tmp_path))
