"""Rank correlations against scipy, and resampled languages by hand."""

import numpy as np
import pytest
from polyglot.study.predictors import rank_correlation
from scipy.stats import spearmanr


def test_the_estimate_is_spearmans_ties_included():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 30).astype(float), rng.standard_normal(30)
    found = rank_correlation(x, y, [f"l{number % 7}" for number in range(30)])
    assert found.value == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    assert found.low < found.value < found.high


def test_only_ranks_count():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 20))
    languages = [f"l{number % 5}" for number in range(20)]
    assert rank_correlation(x, y, languages) == rank_correlation(np.exp(x), y**3, languages)
    turned = rank_correlation(-x, y, languages)
    plain = rank_correlation(x, y, languages)
    assert turned.value == -plain.value
    assert (turned.low, turned.high) == pytest.approx((-plain.high, -plain.low))


def test_whole_languages_are_resampled():
    # Two points a language that agree: as many resamples as with one point a language, and the same correlations.
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 8))
    names = list("abcdefgh")
    once, twice = rank_correlation(x, y, names), rank_correlation(np.repeat(x, 2), np.repeat(y, 2), np.repeat(names, 2))
    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high), abs=1e-9)


def test_one_language_alone_has_no_spread():
    found = rank_correlation(np.array([1.0, 2, 3]), np.array([1.0, 3, 2]), ["fr"] * 3)
    assert found.value == found.low == found.high == pytest.approx(0.5)
