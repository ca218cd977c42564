"""Hashed n-grams and their ridge: against a literal reading of texts, and against the dual form."""

from itertools import pairwise

import numpy as np
import pytest
from polyglot.analysis.maps.hashed_ngrams import NgramBuckets, NgramVocabulary
from polyglot.analysis.maps.hashed_words import HashedWords, words_out_of_fold
from polyglot.analysis.maps.sparse_ridge import sparse_ridge
from polyglot.errors import ConfigError, DataError
from scipy.sparse import csr_array


def ngrams(text):
    """Yield the n-grams of a text, literally."""
    for word in text.lower().split():
        for n in range(2, 6):
            padded = f" {word} "
            yield from (padded[i : i + n] for i in range(len(padded) - n + 1))


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(0)
    nouns, verbs = ["chien", "chat", "cheval", "oiseau", "mouton", "loup"], ["mange", "dort", "court", "chante"]
    places = ["dehors", "ici", "demain", "souvent", "ensemble"]
    vectors = {word: rng.standard_normal(8) for word in nouns + verbs + places}
    every = [(n, v, p) for n in nouns for v in verbs for p in places]
    chosen = [every[i] for i in rng.permutation(len(every))]
    texts = [f"le {n} {v} {p}" for n, v, p in chosen]
    return texts, np.array([sum(vectors[w] for w in words) for words in chosen]) + 0.1 * rng.standard_normal((120, 8))


@pytest.mark.parametrize("text", ["Le  chat dort.", "a", "", "  ", "été\tà l'œuf", "Собака 12"])
def test_texts_with_spaces_give_the_ngrams_of_their_words(text):
    expected = list(ngrams(text))
    found = NgramBuckets.of(["autre", text, "encore"], 24)
    own = found.buckets[found.offsets[1] : found.offsets[2]]
    assert len(own) == len(expected)
    assert len(set(own.tolist())) == len(set(expected))


def test_equal_ngrams_share_a_bucket_wherever_they_stand():
    found = NgramBuckets.of(["chat", "un chat", "chats"], 24)
    first, second, third = (set(found.buckets[a:b].tolist()) for a, b in pairwise(found.offsets))
    assert first < second
    assert len(first & third) == len(set(ngrams("chat")) & set(ngrams("chats")))


def test_scripts_without_spaces_give_one_to_three_characters_and_no_mixture():
    assert NgramBuckets.of(["今天天气"], 16).offsets.tolist() == [0, 4 + 3 + 2]
    assert NgramBuckets.of(["今天ab"], 16).offsets.tolist() == [0, 2 + 1 + len(["ab", "b ", "ab "])]
    found = NgramBuckets.of(["今天", "天今"], 24)
    first, second = (set(found.buckets[a:b].tolist()) for a, b in pairwise(found.offsets))
    assert len(first & second) == 2


def test_rows_weigh_logarithms_of_counts_by_document_frequency():
    texts = ["chat chat", "chat noir"]
    vocabulary = NgramVocabulary.of(texts)
    shared, only = set(ngrams("chat")), set(ngrams("noir"))
    assert len(vocabulary) == len(shared | only)
    rare = np.log(3 / 2) + 1
    np.testing.assert_allclose(np.sort(vocabulary.frequencies), [1.0] * len(shared) + [rare] * len(only), rtol=1e-6)
    twice, once = vocabulary.unit_rows(texts).toarray()
    np.testing.assert_allclose(np.sort(twice)[-len(shared) :], 1 / np.sqrt(len(shared)), rtol=1e-6)
    norm = np.sqrt(len(shared) + len(only) * rare**2)
    np.testing.assert_allclose(np.sort(once), np.sort([1 / norm] * len(shared) + [rare / norm] * len(only)), rtol=1e-6)
    mixed = vocabulary.unit_rows(["chat chat chat noir ωω", "ωω", ""])
    weights = [1 + np.log(3)] * len(shared) + [rare] * len(only)
    np.testing.assert_allclose(np.sort(mixed[[0]].toarray()[0]), np.sort(weights) / np.linalg.norm(weights), rtol=1e-6)
    assert mixed[[1, 2]].nnz == 0


def test_a_vocabulary_keeps_the_ngrams_of_most_texts_whatever_the_blocks(monkeypatch):
    texts = ["chat", "chat noir", "noir chat", "chats", "loup"]
    kept = NgramVocabulary.of(texts, len(set(ngrams("chat"))) - 1)
    frequent = NgramBuckets.of(["chat"], 22).buckets
    assert set(kept.buckets.tolist()) < set(frequent.tolist())
    assert (np.diff(kept.buckets) > 0).all()
    monkeypatch.setattr("polyglot.analysis.maps.hashed_ngrams.BLOCK_ROWS", 2)
    again = NgramVocabulary.of(texts, len(kept))
    np.testing.assert_array_equal(again.buckets, kept.buckets)
    np.testing.assert_array_equal(again.frequencies, kept.frequencies)


def test_conjugate_gradients_solve_the_normal_equations_whatever_the_blocks():
    rng = np.random.default_rng(1)
    dense = rng.standard_normal((60, 20)) * (rng.random((60, 20)) < 0.3)
    x, y = csr_array(dense.astype(np.float32)), rng.standard_normal((60, 3)).astype(np.float32)
    oracle = np.linalg.solve(dense.T @ dense + 0.7 * np.eye(20), dense.T @ y)
    for cut in (60, 17):
        blocks = [(x[:cut], y[:cut]), (x[cut:], y[cut:])][: 1 if cut == 60 else 2]
        solved = sparse_ridge(lambda blocks=blocks: iter(blocks), (20, 3), 0.7, tolerance=1e-6)
        np.testing.assert_allclose(solved, oracle, atol=1e-4)


def test_more_steps_leave_less_error():
    rng = np.random.default_rng(2)
    x, y = csr_array(rng.standard_normal((50, 30)).astype(np.float32)), rng.standard_normal((50, 2)).astype(np.float32)
    exact = sparse_ridge(lambda: iter([(x, y)]), (30, 2), 0.1, tolerance=1e-6, most_steps=200)
    errors = [
        np.abs(sparse_ridge(lambda: iter([(x, y)]), (30, 2), 0.1, most_steps=k) - exact).max() for k in (1, 5, 20)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_a_target_that_is_solved_takes_no_more_steps():
    x, y = csr_array(np.eye(4, dtype=np.float32)), np.array([[0, 1], [0, 2], [0, 3], [0, 4]], np.float32)
    np.testing.assert_allclose(sparse_ridge(lambda: iter([(x, y)]), (4, 2), 1.0), y / 2, rtol=1e-5)


def test_it_is_the_dual_ridge_of_the_same_ngrams(planted):
    texts, y = planted
    number = {gram: i for i, gram in enumerate(sorted({gram for text in texts[:90] for gram in ngrams(text)}))}
    counts = np.zeros((120, len(number)))
    for row, text in enumerate(texts):
        for gram in ngrams(text):
            if gram in number:
                counts[row, number[gram]] += 1
    weights = np.log(91 / (1 + (counts[:90] > 0).sum(axis=0))) + 1
    x = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * weights
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    dual = np.linalg.solve(x[:90] @ x[:90].T + 0.3 * np.eye(90), y[:90] - y[:90].mean(axis=0))
    hashed = HashedWords.fit(texts[:90], y[:90], penalty=0.3, tolerance=1e-6)
    np.testing.assert_allclose(hashed(texts), x @ x[:90].T @ dual + y[:90].mean(axis=0), atol=2e-3)


def test_blocks_made_anew_give_the_same_model(planted, monkeypatch):
    texts, y = planted
    whole = HashedWords.fit(texts, y)
    monkeypatch.setattr("polyglot.analysis.maps.hashed_words.KEPT_ROWS", 10)
    monkeypatch.setattr("polyglot.analysis.maps.hashed_words.BLOCK_ROWS", 32)
    in_blocks = HashedWords.fit(texts, y)
    np.testing.assert_allclose(in_blocks.table, whole.table, atol=1e-4)


def test_it_learns_words_repeats_itself_and_gives_the_mean_to_unknown_letters(planted):
    texts, y = planted
    first, second = (HashedWords.fit(texts[:100], y[:100]) for _ in range(2))
    assert np.array_equal(first.table, second.table)
    errors = np.square(first(texts[100:]) - y[100:]).sum() / np.square(y[100:] - y.mean(axis=0)).sum()
    assert errors < 0.3
    np.testing.assert_allclose(first(["", "ωωω"])[0], y[:100].mean(axis=0), atol=1e-5)


def test_unusable_input_is_refused(planted):
    texts, y = planted
    with pytest.raises(DataError, match="3 texts and 4 rows"):
        HashedWords.fit(texts[:3], y[:4])
    with pytest.raises(DataError, match="no text holds a word"):
        HashedWords.fit(["", " "], y[:2])
    with pytest.raises(ConfigError, match="8 … 24 bits"):
        NgramBuckets.of(texts, 30)
    with pytest.raises(ConfigError, match="above 0"):
        HashedWords.fit(texts, y, penalty=0.0)


def test_out_of_fold_vectors_do_not_know_their_own_rows():
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(30), 2)
    texts = [f"w{group:02}x {'abcdef'[group % 6] * 4}" for group in groups]
    y = np.eye(6)[groups % 6] + 0.01 * rng.standard_normal((60, 6))
    found = words_out_of_fold(texts, y, groups)
    np.testing.assert_array_equal(np.argmax(found, axis=1), groups % 6)
    changed = y.copy()
    changed[:2] += 5 * rng.standard_normal(6)  # the first group: nothing of it may reach its own rows
    again = words_out_of_fold(texts, changed, groups)
    other = HashedWords.fit(texts, changed)(texts) - HashedWords.fit(texts, y)(texts)
    assert np.abs(other[:2]).max() > 0.5
    np.testing.assert_array_equal(again[:2], found[:2])


def test_out_of_fold_refuses_what_does_not_belong_together():
    with pytest.raises(DataError, match="one row of y for each text"):
        words_out_of_fold(["a", "b"], np.ones((3, 2)), np.arange(2))
    with pytest.raises(DataError, match="at least 5 groups"):
        words_out_of_fold(["aa", "bb"] * 4, np.ones((8, 2)), np.arange(8) % 2)
