import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polyglot.analysis.resampling import (
    Interval,
    Resamples,
    blocks_of_groups,
    equivalence,
    holm,
    jackknife_interval,
    percentile_interval,
    permutation_p_value,
)
from polyglot.errors import ConfigError
from scipy import stats


def draw(groups, n=200, seed=0):
    return Resamples.draw(np.asarray(groups), np.random.default_rng(seed), n)


def test_sums_are_those_of_drawn_rows():
    groups, outcomes = np.array([5, 5, 2, 9, 2]), np.random.default_rng(0).standard_normal((5, 2))
    resamples = draw(groups, 20)
    total, drawn = resamples.sums(outcomes)
    np.testing.assert_allclose(total, outcomes.sum(axis=0))
    for weights, found in zip(resamples.weights, drawn, strict=True):
        rows = [
            i for g, w in zip((2, 5, 9), weights, strict=True) for i in np.flatnonzero(groups == g).tolist() * int(w)
        ]
        np.testing.assert_allclose(found, outcomes[rows].sum(axis=0), atol=1e-12)


def test_every_resample_holds_as_many_groups_as_there_are():
    resamples = draw([1, 1, 2, 3, 3, 3])
    assert (resamples.weights.sum(axis=1) == 3).all()
    assert resamples.n_groups == 3


def test_means_and_ratios_are_paired():
    groups, a = np.arange(30), np.random.default_rng(0).random(30)
    resamples = draw(groups)
    mean, drawn = resamples.mean(a)
    assert mean == pytest.approx(a.mean())
    _, double = resamples.mean(2 * a)
    np.testing.assert_allclose(double, 2 * drawn)
    ratio, ratios = resamples.ratio_of_sums(3 * a, a)
    assert ratio == pytest.approx(3)
    np.testing.assert_allclose(ratios, 3)


def test_repeated_rows_widen_the_interval():
    a = np.random.default_rng(0).standard_normal(200)
    alone, tenfold = draw(np.arange(200), 500), draw(np.repeat(np.arange(200), 10), 500)
    width = {}
    for name, resamples, values in (("alone", alone, a), ("tenfold", tenfold, np.repeat(a, 10))):
        width[name] = np.std(resamples.mean(values)[1])
    assert width["tenfold"] == pytest.approx(width["alone"], rel=0.15)


def test_bootstrap_error_of_a_mean_is_the_textbook_one():
    a = np.random.default_rng(1).standard_normal(400)
    assert np.std(draw(np.arange(400), 2000).mean(a)[1]) == pytest.approx(a.std() / 20, rel=0.08)


def test_percentile_interval_takes_quantiles_and_leaves_nan_out():
    values = np.r_[np.arange(101.0), np.nan]
    interval = percentile_interval(50.0, values)
    assert (interval.value, interval.low, interval.high) == pytest.approx((50.0, 2.5, 97.5))
    empty = percentile_interval(1.0, np.full(3, np.nan))
    assert np.isnan(empty.low)
    assert np.isnan(empty.high)


def test_interval_with_a_null_beside_it():
    interval = Interval(0.5, 0.4, 0.6)
    assert interval.with_null([]) is interval
    beside = interval.with_null(np.arange(101.0))
    assert (beside.value, beside.low, beside.null_mean, beside.null_p95) == (0.5, 0.4, 50.0, 95.0)


def test_jackknife_of_a_mean_is_the_t_interval():
    a = np.random.default_rng(0).standard_normal(25)
    without = [np.delete(a, i).mean() for i in range(25)]
    interval = jackknife_interval(a.mean(), without)
    low, high = stats.t.interval(0.95, 24, loc=a.mean(), scale=stats.sem(a))
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_one_block_is_no_jackknife():
    with pytest.raises(ConfigError, match="at least 2 blocks, got 1"):
        jackknife_interval(0.0, [0.0])


def test_equivalence_has_three_outcomes():
    assert equivalence(Interval(0.97, 0.96, 0.98), 0.95) == "suffices"
    assert equivalence(Interval(0.9, 0.89, 0.91), 0.95) == "falls short"
    assert equivalence(Interval(0.95, 0.94, 0.96), 0.95) == "undecided"
    assert equivalence(Interval(0.95, 0.95, 0.95), 0.95) == "undecided"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_the_step_down_rejects(p):
    adjusted = holm(p)
    order = np.argsort(p, kind="stable")
    for level in (0.01, 0.05, 0.3):
        rejected = np.zeros(len(p), bool)
        for step, i in enumerate(order):
            if p[i] * (len(p) - step) > level:
                break
            rejected[i] = True
        np.testing.assert_array_equal(adjusted <= level, rejected)


def test_permutation_p_value_counts_itself():
    assert permutation_p_value(5.0, [1, 2, 3]) == 0.25
    assert permutation_p_value(2.0, [1, 2, 3]) == 0.75


def test_blocks_partition_the_rows_by_whole_groups_within_folds():
    groups = np.repeat(np.arange(40), 2)
    folds = np.repeat(np.arange(40) % 5, 2)
    blocks = list(blocks_of_groups(groups, folds, 15))
    assert len(blocks) == 15
    assert sorted(np.concatenate(blocks).tolist()) == list(range(80))
    for rows in blocks:
        assert len(set(folds[rows])) == 1
    assert sum(len(set(groups[rows])) for rows in blocks) == 40


def test_folds_with_fewer_groups_than_blocks_have_no_empty_block():
    folds = np.repeat(np.arange(5), 10)
    blocks = list(blocks_of_groups(folds, folds, 15))
    assert [len(rows) for rows in blocks] == [10] * 5
