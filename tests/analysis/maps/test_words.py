"""Ridge from character n-grams: against the library's kernel ridge, and its own choices."""

import numpy as np
import pytest
from polyglot.analysis.maps.words import (
    PENALTIES,
    WordsMap,
    chosen_penalty,
    held_out_words,
    is_unspaced,
    ngram_vectorizer,
)
from polyglot.errors import DataError
from sklearn.kernel_ridge import KernelRidge

NOUNS = ["chien", "chat", "cheval", "oiseau", "poisson", "mouton", "renard", "loup"]
VERBS = ["mange", "dort", "court", "chante", "nage", "saute"]
PLACES = ["dehors", "ici", "demain", "souvent", "ensemble"]


@pytest.fixture(scope="module")
def planted():
    """Texts whose vectors are the sum of the vectors of their words, and noise."""
    rng = np.random.default_rng(0)
    vectors = {word: rng.standard_normal(12) for word in NOUNS + VERBS + PLACES}
    chosen = [(n, v, p) for n in NOUNS for v in VERBS for p in PLACES]
    texts = [f"le {n} {v} {p}" for n, v, p in chosen]
    y = np.array([sum(vectors[w] for w in words) for words in chosen])
    order = rng.permutation(len(texts))
    return [texts[i] for i in order], (y + 0.3 * rng.standard_normal(y.shape))[order]


def r2(y, predicted):
    return 1 - np.square(y - predicted).sum() / np.square(y - y.mean(axis=0)).sum()


def test_it_is_the_kernel_ridge_of_the_library(planted):
    texts, y = planted
    fitted = WordsMap.fit(texts[:150], y[:150], penalty=0.3)
    vectorizer = ngram_vectorizer(texts[:150])
    train, test = vectorizer.fit_transform(texts[:150]), vectorizer.transform(texts[150:])
    mean = y[:150].mean(axis=0)
    oracle = KernelRidge(alpha=0.3, kernel="precomputed").fit((train @ train.T).toarray(), y[:150] - mean)
    assert np.allclose(fitted(texts[150:]), oracle.predict((test @ train.T).toarray()) + mean)


def test_words_that_carry_the_meaning_are_learned(planted):
    texts, y = planted
    folds = np.arange(len(texts)) % 5
    assert r2(y, held_out_words(texts, y, folds)) > 0.85


def test_held_out_predictions_are_those_of_maps_fitted_to_the_other_folds(planted):
    texts, y = planted
    folds = np.arange(len(texts)) % 4
    predicted = held_out_words(texts, y, folds)
    for fold in range(4):
        outside, inside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        by_penalty = [
            WordsMap.fit([texts[i] for i in outside], y[outside], penalty=penalty)([texts[i] for i in inside])
            for penalty in PENALTIES
        ]
        assert min(np.abs(predicted[inside] - one).max() for one in by_penalty) < 1e-9


def test_a_held_out_row_has_no_part_in_its_prediction(planted):
    texts, y = planted
    folds = np.arange(len(texts)) % 4
    before = held_out_words(texts, y, folds)
    changed = y.copy()
    changed[folds == 2] += 100.0
    after = held_out_words(texts, changed, folds)
    assert np.array_equal(before[folds == 2], after[folds == 2])
    assert not np.allclose(before[folds == 1], after[folds == 1])


def test_vectors_that_words_say_nothing_about_take_the_largest_penalty(planted):
    texts, _ = planted
    noise = np.random.default_rng(1).standard_normal((len(texts), 12))
    assert chosen_penalty(texts, noise) >= PENALTIES[-3]
    assert r2(noise, held_out_words(texts, noise, np.arange(len(texts)) % 5)) < 0.02


def test_repeated_texts_of_one_group_do_not_leak_into_the_choice(planted):
    texts, _ = planted
    noise = np.random.default_rng(2).standard_normal((120, 12))
    doubled, groups = texts[:120] * 2, np.tile(np.arange(120), 2)
    rows = np.vstack([noise, noise])
    assert chosen_penalty(doubled, rows) < chosen_penalty(doubled, rows, groups)


def test_a_text_of_unknown_letters_gets_the_mean(planted):
    texts, y = planted
    fitted = WordsMap.fit(texts, y, penalty=1.0)
    assert np.allclose(fitted(["ωωω", ""]), y.mean(axis=0))


@pytest.mark.parametrize(
    ("text", "unspaced"),
    [("犬が走る", True), ("แมวกินปลา", True), ("le chien", False), ("собака бежит", False), ("", False)],
)
def test_scripts_without_spaces_are_known(text, unspaced):
    assert is_unspaced([text]) is unspaced
    assert ngram_vectorizer([text]).analyzer == ("char" if unspaced else "char_wb")


def test_unusable_input_is_refused(planted):
    texts, y = planted
    with pytest.raises(DataError, match="3 texts and 4 rows"):
        WordsMap.fit(texts[:3], y[:4])
    with pytest.raises(DataError, match="no text holds a character"):
        WordsMap.fit(["", "  "], y[:2], penalty=1.0)
    with pytest.raises(DataError, match="at most 20000"):
        WordsMap.fit(["a"] * 20_001, np.zeros((20_001, 1)))
