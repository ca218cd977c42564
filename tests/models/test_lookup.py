"""The words encoder: a mean of vectors, between whose languages the map is planted."""

import numpy as np
import pytest
from polyglot.data.ciphers import code_words
from polyglot.models.lookup import lookup_encoder, planted_vectors, random_vectors

WORDS = ["cat", "dog", "sees", "the", "a"]
TEXTS = ["the cat sees a dog", "a dog sees a cat", "the dog", "cat cat sees"]


@pytest.fixture
def code():
    return code_words(WORDS, 0)


def encoded(planted, code, texts):
    vectors = random_vectors(WORDS, 6, 0)
    return lookup_encoder(planted_vectors(vectors, [code], planted, length=4, seed=1)).encode(texts)


def in_cipher(code):
    return [" ".join(code[word] for word in text.split()) for text in TEXTS]


def test_a_text_has_the_mean_of_its_words_in_any_order_and_case():
    vectors = random_vectors(WORDS, 6, 0)
    given = lookup_encoder(vectors).encode(["the dog", "Dog, the!", "the dog", "unknown"])
    expected = (vectors["the"] + vectors["dog"]) / 2
    np.testing.assert_allclose(given.pooled[:3], np.tile(expected, (3, 1)), atol=1e-6)
    np.testing.assert_allclose(given.pooled[3], 0)
    assert given.unknown.tolist() == [0, 0, 0, 1]
    assert given.tokens.tolist() == [2, 2, 2, 1]


def test_the_map_between_both_sides_is_the_planted_one(code):
    x = {planted: encoded(planted, code, TEXTS).pooled for planted in ("identity", "shift", "rotation", "linear")}
    y = {planted: encoded(planted, code, in_cipher(code)).pooled for planted in x}
    np.testing.assert_allclose(y["identity"], x["identity"], atol=1e-5)
    shifts = y["shift"] - x["shift"]
    np.testing.assert_allclose(shifts, np.tile(shifts[0], (len(TEXTS), 1)), atol=1e-5)
    assert np.linalg.norm(shifts[0]) > 1
    np.testing.assert_allclose(y["rotation"] @ y["rotation"].T, x["rotation"] @ x["rotation"].T, atol=1e-4)
    assert np.abs(y["rotation"] - x["rotation"]).max() > 0.1
    # Of a linear map that is no rotation inner products change, and relations between texts stay.
    assert np.abs(y["linear"] @ y["linear"].T - x["linear"] @ x["linear"].T).max() > 0.1
    relation = np.linalg.lstsq(x["linear"][:3].T, x["linear"][3], rcond=None)[0]
    left = x["linear"][3] - relation @ x["linear"][:3]
    matrix = np.linalg.lstsq(x["linear"], y["linear"], rcond=None)[0]
    np.testing.assert_allclose(y["linear"][3] - relation @ y["linear"][:3], left @ matrix, atol=1e-4)


def test_another_seed_gives_other_vectors():
    assert not np.array_equal(random_vectors(WORDS, 6, 0)["cat"], random_vectors(WORDS, 6, 1)["cat"])
