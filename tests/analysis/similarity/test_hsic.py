"""HSIC against its definitions."""

import numpy as np
import pytest
from polyglot.analysis.similarity import hsic
from polyglot.errors import DataError
from scipy.sparse import csr_array

from .gram_forms import naive_unbiased_hsic


def test_unbiased_hsic_is_the_sum_over_different_indices(rng):
    k, l = (a @ a.T for a in rng.standard_normal((2, 9, 4)))  # noqa: E741
    assert hsic.unbiased_hsic(k, l) == pytest.approx(naive_unbiased_hsic(k, l), rel=1e-10)


def test_biased_hsic_is_the_trace_form(rng):
    k, l = (a @ a.T for a in rng.standard_normal((2, 9, 4)))  # noqa: E741
    h = np.eye(9) - 1 / 9
    assert hsic.biased_hsic(k, l) == pytest.approx(np.trace(k @ h @ l @ h) / 64)


def test_sparse_hsic_equals_the_dense_one_without_diagonals(rng):
    k, l = rng.standard_normal((2, 9, 9)) * (rng.uniform(size=(2, 9, 9)) < 0.4)  # noqa: E741
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    assert hsic.sparse_hsic(csr_array(k), csr_array(l), 9) == pytest.approx(hsic.unbiased_hsic(k, l), rel=1e-12)


def test_squared_distances_are_those_of_all_pairs(rng):
    a = rng.standard_normal((5, 3))
    expected = [[np.sum((u - v) ** 2) for v in a] for u in a]
    np.testing.assert_allclose(hsic.squared_distances(a), expected, atol=1e-14)


def test_hsic_refuses_too_few_rows_and_rows_without_variance():
    with pytest.raises(DataError, match="at least 4"):
        hsic.unbiased_hsic(np.eye(3), np.eye(3))
    with pytest.raises(DataError, match="not defined"):
        _ = hsic.Hsics(0.1, -0.1, 1.0).cka
