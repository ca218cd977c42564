import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.bitext import Bitext
from polyglot.data.groups import comparison_key, concept_groups
from polyglot.data.near_duplicates import band_shape, jaccard, minhash_signatures, near_equal_labels
from polyglot.errors import ConfigError


def groups_of(sources, targets=None, **options):
    targets = [f"only {i} {'xyz'[i % 3]}{i * 7919}" for i in range(len(sources))] if targets is None else targets
    return concept_groups(Bitext.of("made", ("en", "fr"), sources, targets), **options).tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Où est l'hôtel ?", "où est l’HÔTEL"),
        ("Straße", "STRASSE"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("cafe\u0301", "café"),
        ("ice cream", "icecream"),
        ("火车晚点了。", "火车晚点了"),
    ],
)
def test_equal_after_normalisation(one, other):
    assert comparison_key(one) == comparison_key(other)
    assert groups_of([one, other, "something else"], threshold=None) == [0, 0, 1]


@pytest.mark.parametrize(("one", "other"), [("ou", "où"), ("!!!", "???"), ("की", "का"), ("2+2", "22"), ("a", "b")])
def test_different_after_normalisation(one, other):
    assert comparison_key(one) != comparison_key(other)


def test_groups_join_over_either_side_transitively():
    sources = ["alpha", "beta", "beta", "gamma", "delta"]
    targets = ["un", "un", "deux", "trois", "quatre"]
    assert groups_of(sources, targets, threshold=None) == [0, 0, 0, 1, 2]


def test_given_groups_are_joined_in():
    pair = Bitext.of("made", ("en", "fr"), list("abcd"), list("wxyz"), groups=np.array([5, 9, 5, 2]))
    assert concept_groups(pair, threshold=None).tolist() == [0, 1, 0, 2]


def test_near_duplicates_join_and_the_threshold_decides():
    sources = [
        "The committee postponed the vote on the new harbour until Thursday morning.",
        "The committee postponed the vote on the new harbor until Thursday morning!",
        "Nobody had warned the beekeeper about the carnival.",
    ]
    assert groups_of(sources) == [0, 0, 1]
    assert groups_of(sources, threshold=None) == [0, 1, 2]
    assert groups_of(sources, threshold=1.0) == [0, 1, 2]


def test_numbers_follow_first_appearance():
    assert groups_of(["b", "a", "b", "c", "a"], threshold=None) == [0, 1, 0, 2, 1]


def test_no_rows_give_no_groups():
    assert groups_of([]) == []
    assert groups_of([], threshold=None) == []


@pytest.mark.parametrize("threshold", [0, -0.1, 1.1])
def test_thresholds_out_of_range_are_refused(threshold):
    with pytest.raises(ConfigError, match="threshold"):
        groups_of(["a"], threshold=threshold)


def test_empty_ngrams_are_refused():
    with pytest.raises(ConfigError, match="n-grams"):
        groups_of(["a"], ngram=0)


def naive_components(texts, threshold):
    labels = list(range(len(texts)))
    for i, j in itertools.combinations(range(len(texts)), 2):
        if jaccard(texts[i], texts[j]) >= threshold:
            labels = [labels[i] if label == labels[j] else label for label in labels]
    return labels


def same_partition(first, second):
    return len(set(zip(first, second, strict=True))) == len(set(first)) == len(set(second))


def test_the_index_finds_what_all_pairs_find():
    generator = np.random.default_rng(5)
    words = ["".join(generator.choice(list("abcdefghij"), 6)) for _ in range(300)]
    texts = []
    for _ in range(120):
        base = list(generator.choice(words, 12))
        texts.append("".join(base))
        for _ in range(generator.integers(0, 3)):  # a word is replaced: similarity about .7, .85 or 1
            changed = list(base)
            changed[generator.integers(12)] = str(generator.choice(words))
            texts.append("".join(changed)[: generator.integers(60, 73)])
    for threshold in (0.5, 0.8, 0.95):
        found = near_equal_labels(texts, threshold).tolist()
        assert same_partition(found, naive_components(texts, threshold)), threshold


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("ab ", min_size=1, max_size=8), max_size=12))
def test_components_of_short_texts_equal_all_pairs(texts):
    found = near_equal_labels(texts, 0.99).tolist()
    assert same_partition(found, naive_components(texts, 0.99))


def test_large_buckets_are_joined_through_chains():
    texts = [f"the very same long sentence about the very same long subject number {i}" for i in range(500)]
    assert len(set(near_equal_labels(texts, 0.8).tolist())) == 1


def test_signatures_estimate_jaccard():
    generator = np.random.default_rng(0)
    letters = list("abcdefghijklmnop")
    errors = []
    for trial in range(40):
        base = generator.choice(letters, 200)
        other = np.where(generator.random(200) < 0.03, generator.choice(letters, 200), base)
        one, two = "".join(base), "".join(other)
        signatures = minhash_signatures([one, two], seed=trial)
        errors.append((signatures[0] == signatures[1]).mean() - jaccard(one, two))
    assert abs(np.mean(errors)) < 4 * 0.065 / np.sqrt(40)


def test_signatures_do_not_depend_on_neighbours():
    alone = minhash_signatures(["second text"])
    assert np.array_equal(minhash_signatures(["first", "second text", "x"])[1], alone[0])


def test_texts_shorter_than_an_ngram_are_one_ngram():
    assert jaccard("a", "a") == 1.0
    assert jaccard("a", "b") == 0.0
    assert near_equal_labels(["a", "b", "ab"], 0.8).tolist() == [0, 1, 2]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.9, 1.0])
def test_bands_find_nearly_all_pairs_at_the_threshold(threshold):
    bands, rows = band_shape(threshold)
    assert bands * rows <= 60
    assert 1 - (1 - threshold**rows) ** bands >= 0.99


@pytest.mark.shared
def test_real_text_groups_repeats_across_splits(shared_data):
    from polyglot.data.open import open_corpus

    pair = open_corpus([str(shared_data / "stsb")], ["en", "fr"]).bitext("en", "fr")
    groups = concept_groups(pair)
    lowered = {}
    for row, text in enumerate(pair.sources):
        lowered.setdefault(text.casefold(), set()).add(int(groups[row]))
    assert all(len(found) == 1 for found in lowered.values())
    assert np.bincount(groups).max() < 40
