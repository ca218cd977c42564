"""Checks of arrays: pairs, finite rows, unit rows."""

import numpy as np
import pytest
from polyglot.analysis.checks import check_pair, paired, unit_rows
from polyglot.errors import DataError


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_paired_widens_and_keeps_values(rng):
    x = rng.standard_normal((5, 3)).astype(np.float32)
    a, b = paired(x, x[:, :2])
    assert a.dtype == b.dtype == np.float64
    np.testing.assert_array_equal(a, x)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros(4), np.zeros((4, 2)), "two matrices"),
        (np.zeros((4, 2)), np.zeros((5, 2)), "one row of y for each row of x"),
        (np.zeros((1, 2)), np.zeros((1, 2)), "at least 2"),
        (np.array([[0.0], [np.nan]]), np.zeros((2, 2)), "row 1 of x"),
        (np.zeros((2, 2)), np.array([[np.inf], [0.0]]), "row 0 of y"),
    ],
)
def test_paired_raises(x, y, words):
    with pytest.raises(DataError, match=words):
        paired(x, y)


def test_a_pair_is_two_matrices_with_equal_rows():
    check_pair(np.zeros((3, 2)), np.zeros((3, 5)))
    with pytest.raises(DataError, match="two matrices"):
        check_pair(np.zeros(3), np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("given", "expected"), [("float16", "float64"), ("float32", "float32"), ("float64", "float64")]
)
def test_unit_rows_have_length_one_and_leave_their_input_alone(rng, given, expected):
    x = rng.standard_normal((6, 4)).astype(given)
    before = x.copy()
    unit = unit_rows(x)
    assert unit.dtype == expected
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(unit * np.linalg.norm(x.astype(float), axis=1)[:, None], x, rtol=1e-5)
    np.testing.assert_array_equal(x, before)


def test_a_row_of_zeros_is_refused_or_kept(rng):
    x = rng.standard_normal((4, 3))
    x[2] = 0
    with pytest.raises(DataError, match="row 2 is zero"):
        unit_rows(x)
    kept = unit_rows(x, zeros="keep")
    assert not kept[2].any()
    np.testing.assert_array_equal(kept[[0, 1, 3]], unit_rows(x[[0, 1, 3]]))
