import numpy as np
import pytest
import torch
from polyglot.analysis.maps.hashed_words import HashedWords
from polyglot.analysis.maps.ngram_addition import WEIGHT, NgramAddition
from polyglot.analysis.maps.text_transformer import characters
from polyglot.errors import DataError

WORDS = ["[PAD]", "[CLS]", "[SEP]", "dog", "cat", "sleep", "##s", "chien", "chat", "dort", "œuf"]
COUNTED = np.array([word[0] not in "[#" for word in WORDS])
FIRST_NEW = WORDS.index("chien")


@pytest.fixture(scope="module")
def fitted():
    texts = ["chien dort", "chat dort", "œuf", "dog chat", "chien"] * 8
    y = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    y = np.tile(y / np.linalg.norm(y, axis=1, keepdims=True), (8, 1))
    return NgramAddition.fit(texts, y, COUNTED, first_new=FIRST_NEW), texts, y


def features(texts, x):
    rows = [[1, *(WORDS.index(word) for word in text.split()), 2] for text in texts]
    width = max(map(len, rows))
    return {
        "input_ids": torch.tensor([[*row, *[0] * (width - len(row))] for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
        "characters": characters([text.replace(" ##", "") for text in texts]),
        "sentence_embedding": torch.tensor(x, dtype=torch.float32),
    }


def test_the_sum_is_that_of_the_definition(fitted):
    module, _, _ = fitted
    # All words are new, none is, one of four, one of eight, one of two with a suffix, and there is no word.
    texts = ["chien dort", "dog sleep", "dog cat sleep chat", "dog " * 7 + "chat", "œuf dog ##s", ""]
    x = np.random.default_rng(1).standard_normal((6, 6))
    found = module(features(texts, x))["sentence_embedding"].numpy()
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    read = [text.replace(" ##", "") for text in texts]
    words = module.ngrams(module.ngrams.preprocess(read))["sentence_embedding"].numpy()
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    share = WEIGHT * np.array([1.0, 0.0, 1.0, 0.5, 1.0, 0.0])[:, None]
    expected = (1 - share) * x + share * words
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_it_is_fitted_to_the_texts(fitted):
    module, texts, y = fitted
    expected = HashedWords.fit(texts, y)(texts)
    found = module.ngrams(module.ngrams.preprocess(texts))["sentence_embedding"].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_without_the_texts_it_says_so(fitted):
    module, texts, y = fitted
    lacking = features(texts, y)
    del lacking["characters"]
    with pytest.raises(DataError, match="need the texts"):
        module(lacking)


def test_what_is_saved_computes_the_same(fitted, tmp_path):
    module, texts, _ = fitted
    x = np.random.default_rng(2).standard_normal((40, 6))
    module.save(str(tmp_path))
    again = NgramAddition.load(str(tmp_path))
    np.testing.assert_array_equal(
        again(features(texts, x))["sentence_embedding"], module(features(texts, x))["sentence_embedding"]
    )
    (tmp_path / "counted.safetensors").unlink()
    with pytest.raises(DataError, match=r"lacks counted\.safetensors"):
        NgramAddition.load(str(tmp_path))
