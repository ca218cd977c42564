"""Language identification on planted languages, with its controls."""

import numpy as np
import pytest
from polyglot.analysis.geometry.erasure import Leace
from polyglot.analysis.geometry.language_probe import (
    Selectivity,
    control_labels,
    description_length,
    held_out_hits,
    selectivity,
)
from polyglot.errors import ConfigError, DataError
from sklearn.linear_model import LogisticRegression


@pytest.fixture
def rng():
    return np.random.default_rng(37)


@pytest.fixture
def planted(rng):
    """60 sentences in 3 languages: rows, labels, groups, folds."""
    groups = np.tile(np.arange(60), 3)
    labels = np.repeat([0, 1, 2], 60)
    x = rng.standard_normal((60, 10))[groups] + 4 * rng.standard_normal((3, 10))[labels]
    return x + 0.3 * rng.standard_normal(x.shape), labels, groups, groups % 5


def test_planted_languages_are_told_apart_and_not_after_erasure(planted):
    x, labels, _, folds = planted
    assert held_out_hits(x, labels, folds).mean() > 0.98
    assert held_out_hits(Leace.fit(x, labels)(x), labels, folds).mean() < 0.5


def test_hits_are_those_of_refits_by_hand(planted):
    x, labels, _, folds = planted
    noisy = x + 8 * np.random.default_rng(0).standard_normal(x.shape)
    expected = np.empty(180, bool)
    for fold in range(5):
        train = folds != fold
        mean, scale = noisy[train].mean(0), noisy[train].std(0)
        fitted = LogisticRegression(C=0.5, max_iter=1000).fit((noisy[train] - mean) / scale, labels[train])
        expected[~train] = fitted.predict((noisy[~train] - mean) / scale) == labels[~train]
    hits = held_out_hits(noisy, labels, folds, penalty=2.0)
    np.testing.assert_array_equal(hits, expected)
    assert 0.3 < hits.mean() < 1
    np.testing.assert_array_equal(held_out_hits(5 * noisy + 3, labels, folds, penalty=2.0), expected)


def test_plain_features_serve_as_baseline(planted):
    _, labels, _, folds = planted
    length = (labels * 10 + np.arange(180) % 3)[:, None]
    assert held_out_hits(length.astype(float), labels, folds).mean() == 1


def test_equal_texts_share_a_control_label(rng):
    types = rng.integers(40, size=500)
    controls = control_labels(types, 4, rng)
    assert set(controls.tolist()) == {0, 1, 2, 3}
    for kind in np.unique(types):
        assert len(set(controls[types == kind].tolist())) == 1


def test_selectivity_is_accuracy_less_control_accuracy(planted, rng):
    x, labels, groups, folds = planted
    result = selectivity(x, labels, np.arange(180), folds, rng)
    assert result.accuracy > 0.98
    assert result.control_accuracy < 0.5
    assert result.selectivity == pytest.approx(result.accuracy - result.control_accuracy)
    hits = Selectivity(np.array([True, True, False, False]), np.array([True, False, False, False]))
    assert (hits.accuracy, hits.control_accuracy, hits.selectivity) == (0.5, 0.25, 0.25)
    assert len(groups) == len(result.task_hits)


def test_description_is_short_for_planted_languages_and_long_for_none(planted, rng):
    x, labels, groups, _ = planted
    planted_length = description_length(x, labels, groups, rng)
    assert planted_length.uniform_bits == pytest.approx(180 * np.log2(3))
    assert planted_length.compression > 3
    noise = description_length(rng.standard_normal((180, 2)), labels, groups, rng, penalty=1e4)
    assert noise.compression == pytest.approx(1, abs=0.05)


def test_description_is_the_sum_of_refits_by_hand(planted):
    x, labels, groups, _ = planted
    x = x + 5 * np.random.default_rng(0).standard_normal(x.shape)
    order = np.random.default_rng(8).permutation(60)
    rank = {group: place for place, group in enumerate(order)}
    rows = sorted(range(180), key=lambda i: (rank[groups[i]], i))
    bits = 30 * np.log2(3)
    for start, end in ((30, 90), (90, 180)):
        known, sent = rows[:start], rows[start:end]
        mean, scale = x[known].mean(0), x[known].std(0)
        fitted = LogisticRegression(max_iter=1000).fit((x[known] - mean) / scale, labels[known])
        probabilities = fitted.predict_proba((x[sent] - mean) / scale)
        bits -= sum(np.log2(probabilities[i, labels[row]]) for i, row in enumerate(sent))
    result = description_length(x, labels, groups, np.random.default_rng(8), portions=(1 / 6, 0.5, 1.0))
    assert result.bits == pytest.approx(bits, rel=1e-6)
    np.testing.assert_array_equal(result.portions, [30, 90, 180])
    assert result.step_bits.sum() == pytest.approx(result.bits)


def test_portions_start_when_every_class_was_seen(rng):
    labels = np.array([0] * 30 + [1] * 30)
    result = description_length(rng.standard_normal((60, 2)), labels, np.arange(60), rng, portions=(0.01, 0.5, 1.0))
    assert result.portions.tolist() == [30, 60]


def test_raises(planted, rng):
    x, labels, groups, folds = planted
    with pytest.raises(ConfigError, match="penalty above 0"):
        held_out_hits(x, labels, folds, penalty=0.0)
    for bad in (folds[:-1], np.zeros(180, int)):
        with pytest.raises(DataError, match="two folds"):
            held_out_hits(x, labels, bad)
    with pytest.raises(DataError, match="class is missing"):
        held_out_hits(x, labels, labels)
    with pytest.raises(ConfigError, match="at least 2 classes"):
        control_labels(groups, 1, rng)
    with pytest.raises(DataError, match="group for each"):
        description_length(x, labels, groups[:-1], rng)
    for portions in ((1.0,), (0.5, 0.4, 1.0), (0.0, 1.0), (0.1, 0.9)):
        with pytest.raises(ConfigError, match="increasing portions"):
            description_length(x, labels, groups, rng, portions=portions)
    with pytest.raises(DataError, match="last portion"):
        description_length(x, labels, labels, rng, portions=(0.1, 0.2, 1.0))
