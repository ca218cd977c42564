import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polyglot.analysis.splits import deciles, group_folds, permute_within_strata
from polyglot.errors import DataError


@given(st.lists(st.integers(0, 30), min_size=5, max_size=80), st.integers(2, 5), st.integers(0, 99))
def test_a_group_never_crosses_folds(groups, n_folds, seed):
    groups = np.array([*groups, *range(100, 105)])
    folds = group_folds(groups, n_folds, np.random.default_rng(seed))
    assert all(len(set(folds[groups == g])) == 1 for g in set(groups.tolist()))
    assert set(folds.tolist()) == set(range(n_folds))


def test_single_rows_are_dealt_evenly_and_by_chance():
    folds = group_folds(np.arange(103), 5, np.random.default_rng(0))
    assert sorted(np.bincount(folds).tolist()) == [20, 20, 21, 21, 21]
    assert not np.array_equal(folds, group_folds(np.arange(103), 5, np.random.default_rng(1)))
    np.testing.assert_array_equal(folds, group_folds(np.arange(103), 5, np.random.default_rng(0)))


def test_large_groups_are_dealt_before_small_ones():
    groups = np.repeat(np.arange(20), [40, *[1] * 10, *[5] * 9])
    sizes = np.bincount(group_folds(groups, 3, np.random.default_rng(0)))
    assert sizes.max() == 40
    assert sorted(sizes.tolist())[:2] == [27, 28]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(2, 6), st.integers(0, 99))
def test_each_group_goes_to_the_smallest_fold(sizes, n_folds, seed):
    sizes = np.array([*sizes, *[1] * n_folds])
    folds = group_folds(np.repeat(np.arange(len(sizes)), sizes), n_folds, np.random.default_rng(seed))
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    filled, expected = np.zeros(n_folds), np.empty(len(sizes), int)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        expected[group] = np.argmin(filled)
        filled[expected[group]] += sizes[group]
    np.testing.assert_array_equal(folds, np.repeat(expected, sizes))


def test_names_of_groups_do_not_matter():
    groups = np.repeat(np.arange(12), 3)
    a = group_folds(groups, 4, np.random.default_rng(3))
    np.testing.assert_array_equal(a, group_folds(groups * 1000 - 7, 4, np.random.default_rng(3)))


def test_too_few_groups_are_refused():
    with pytest.raises(DataError, match="at least 5 groups of rows for 5 folds, got 3"):
        group_folds(np.arange(30) % 3, 5, np.random.default_rng(0))


@given(st.integers(20, 80), st.integers(1, 4), st.integers(0, 99))
def test_partners_are_a_permutation_without_own_groups(n, size, seed):
    groups, strata = np.arange(n) // size, np.arange(n) % 3
    partner = permute_within_strata(groups, strata, np.random.default_rng(seed))
    assert sorted(partner.tolist()) == list(range(n))
    assert not (groups == groups[partner]).any()


def test_partners_stay_within_their_stratum_where_groups_allow():
    strata = np.repeat([0, 1, 2], 20)
    partner = permute_within_strata(np.arange(60), strata, np.random.default_rng(0))
    np.testing.assert_array_equal(strata, strata[partner])


def test_every_partner_is_equally_likely():
    rng, n = np.random.default_rng(0), 6
    counts = np.zeros((n, n))
    for _ in range(6000):
        counts[np.arange(n), permute_within_strata(np.arange(n), np.zeros(n, int), rng)] += 1
    assert not counts.diagonal().any()
    off = counts[~np.eye(n, dtype=bool)]
    assert np.abs(off - 1200).max() < 5 * np.sqrt(1200)


def test_a_stratum_of_one_row_finds_a_partner_elsewhere():
    strata = np.array([0] * 19 + [1])
    partner = permute_within_strata(np.arange(20), strata, np.random.default_rng(0))
    assert partner[19] != 19


def test_deciles_hold_equal_shares():
    values = np.random.default_rng(0).permutation(1000).astype(float)
    tenths = deciles(values)
    assert np.bincount(tenths).tolist() == [100] * 10
    assert all(values[tenths == i].max() < values[tenths == i + 1].min() for i in range(9))
    np.testing.assert_array_equal(tenths, deciles(3 * values + 1))


def test_equal_values_share_a_decile():
    assert set(deciles(np.full(30, 7.0)).tolist()) == {0}
