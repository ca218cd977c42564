import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polyglot.distributed import Processes
from polyglot.errors import DataError
from polyglot.probe.experiment.all_rows import (
    KeptRows,
    equal_row_labels,
    linked_groups,
    plainly_fine,
    row_keys,
    sample_of_groups,
    scan,
)
from polyglot.probe.experiment.pairs import equal_vector_groups


def groups_of(*sides):
    return linked_groups([equal_row_labels(side, scan("side", side).keys) for side in sides])


@given(st.integers(0, 99), st.integers(2, 40), st.integers(1, 3), st.sampled_from(["float16", "float32", "float64"]))
def test_groups_are_those_of_equal_vectors(seed, values, width, kind):
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(1, values, (60, width)).astype(kind) for _ in range(2))
    expected = equal_vector_groups(x.astype(float), y.astype(float))
    np.testing.assert_array_equal(groups_of(x, y), expected)


def test_a_zero_has_no_sign_and_other_signs_tell_rows_apart():
    x = np.tile(np.array([[1.0, 0.0, 2.0, 3.0]]), (60, 1)).astype(np.float32)
    x[:, 2] = np.arange(60)
    x[1] = [1, -0.0, 0, 3]  # as row 0
    x[2:4] = [[1, 5, 7, 3], [-1, 5, 7, -3]]  # keys may be equal, rows are not
    groups = groups_of(x)
    assert groups[0] == groups[1]
    assert groups[2] != groups[3]
    assert len(set(groups.tolist())) == 59


def test_rows_of_equal_keys_are_compared():
    x = np.random.default_rng(0).standard_normal((60, 3))
    x[[4, 9]] = x[7]
    labels = equal_row_labels(x, np.zeros(60, np.uint64))
    assert labels[4] == labels[7] == labels[9]
    assert len(set(labels.tolist())) == 58


def test_equal_rows_have_equal_keys_wherever_they_stand():
    x = np.random.default_rng(0).standard_normal((50, 5)).astype(np.float32)
    np.testing.assert_array_equal(row_keys(x)[::-1], row_keys(x[::-1]))
    assert len(set(row_keys(x).tolist())) == 50


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("width", [4, 5, 6, 7])
def test_signs_tell_rows_apart(kind, width):
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * width)).reshape(width, -1).T
    assert len(set(row_keys(signs.astype(kind)).tolist())) == 2**width


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_what_is_plainly_fine_is_finite_and_not_zero(kind):
    rows = np.random.default_rng(0).standard_normal((60, 4)).astype(kind)
    assert plainly_fine(rows)
    for bad in (np.nan, np.inf, -np.inf):
        rows[7, 2] = bad
        assert not plainly_fine(rows)
    rows[7] = 0
    assert not plainly_fine(rows)


def test_rows_whose_squares_vanish_or_overflow_are_no_error():
    rows = np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32)
    rows[3], rows[4] = 1e-30, 1e30
    assert not plainly_fine(rows)
    assert len(scan("x", rows).keys) == 60


def test_a_digest_is_that_of_the_numbers():
    x = np.random.default_rng(0).standard_normal((3000, 4))
    other = x.copy()
    other[2999, 3] += 1e-9
    assert scan("x", x).digest == scan("x", x.copy()).digest != scan("x", other).digest
    assert scan("x", x.reshape(6000, 2)).digest != scan("x", x).digest


def test_rows_that_cannot_be_measured_are_named():
    x = np.random.default_rng(0).standard_normal((3000, 4))
    x[2500, 1] = np.nan
    with pytest.raises(DataError, match="source rows 2500 hold NaN or infinity"):
        scan("source", x)
    x[2500] = 0
    with pytest.raises(DataError, match="target rows 2500 are all zeros"):
        scan("target", x)
    with pytest.raises(DataError, match="expected at least 50 pairs, got 49"):
        scan("source", x[:49])


def test_a_sample_holds_whole_groups_and_no_more_rows_than_asked():
    groups = np.random.default_rng(0).integers(0, 500, 2000)
    rows = sample_of_groups(groups, 300, np.random.default_rng(0))
    assert 290 < len(rows) <= 300
    assert (np.diff(rows) > 0).all()
    taken = set(groups[rows].tolist())
    assert set(np.flatnonzero(np.isin(groups, list(taken))).tolist()) == set(rows.tolist())
    np.testing.assert_array_equal(rows, sample_of_groups(groups, 300, np.random.default_rng(0)))
    assert not np.array_equal(rows, sample_of_groups(groups, 300, np.random.default_rng(1)))


def test_every_group_is_as_likely():
    groups = np.arange(200)
    counts = np.zeros(200)
    for seed in range(200):
        counts[sample_of_groups(groups, 100, np.random.default_rng(seed))] += 1
    assert np.abs(counts - 100).max() < 4.5 * np.sqrt(50)


def test_groups_that_are_too_large_for_a_sample_are_refused():
    with pytest.raises(DataError, match="groups of up to 1000 rows leave a sample of 100 pairs too small"):
        sample_of_groups(np.repeat([0, 1], 1000), 100, np.random.default_rng(0))


def test_kept_rows_are_the_asked_ones_in_order():
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10.0).reshape(10, 1)
    kept = KeptRows(np.array([1, 4, 5, 9]), x, y)
    for piece in (slice(0, 4), slice(4, 5), slice(5, 8), slice(8, 10)):
        kept.see(piece, x[piece], y[piece])
    found_x, found_y = kept.sides(Processes())
    np.testing.assert_array_equal(found_x, x[[1, 4, 5, 9]])
    np.testing.assert_array_equal(found_y, y[[1, 4, 5, 9]])
