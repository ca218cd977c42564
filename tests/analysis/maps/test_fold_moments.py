import numpy as np
import pytest
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget, memoized


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((41, 4)) + 3, rng.standard_normal((41, 3)) - 2
    return x, y, rng.permutation(np.arange(41) % 5)


def without(folds, *excluded):
    return ~np.isin(folds, excluded)


def test_means_and_scatters_are_those_of_the_training_rows(data):
    x, y, folds = data
    source = FoldedSource.of(x, folds)
    target = FoldedTarget.of(source, y)
    for excluded in ((), (2,), (1, 4)):
        rows, key = without(folds, *excluded), frozenset(excluded)
        about_x, about_y = x[rows] - x[rows].mean(axis=0), y[rows] - y[rows].mean(axis=0)
        np.testing.assert_allclose(source.mean(key) + x.mean(axis=0), x[rows].mean(axis=0))
        np.testing.assert_allclose(target.regression(key).mean_y + target.centre, y[rows].mean(axis=0))
        np.testing.assert_allclose(target.regression(key).sxy, about_x.T @ about_y, atol=1e-10)
        factor = source.factor(key)
        rebuilt = factor.vectors @ np.diag(factor.eigenvalues) @ factor.vectors.T
        np.testing.assert_allclose(rebuilt, about_x.T @ about_x, atol=1e-9)
        np.testing.assert_allclose(target.regression(key).rotated, factor.vectors.T @ about_x.T @ about_y, atol=1e-10)


def test_sums_of_a_held_out_fold_are_about_the_training_means(data):
    x, y, folds = data
    source = FoldedSource.of(x, folds)
    target = FoldedTarget.of(source, y)
    training, held = without(folds, 0, 3), folds == 3
    key = frozenset({0, 3})
    about_x, about_y = x[held] - x[training].mean(axis=0), y[held] - y[training].mean(axis=0)
    means = source.mean(key), target.regression(key).mean_y
    sums = target.fold_sums([3])
    np.testing.assert_allclose(sums.scatter_xy(*means), about_x.T @ about_y, atol=1e-10)
    np.testing.assert_allclose(sums.scatter_xx(means[0]), about_x.T @ about_x, atol=1e-10)
    assert sums.total_y(means[1]) == pytest.approx(np.sum(about_y**2))
    vectors = source.factor(key).vectors
    expected = vectors.T @ about_x.T @ about_x @ vectors
    np.testing.assert_allclose(source.validation_quadratic(key, 3), expected, atol=1e-9)


def test_a_training_map_does_not_see_the_rows_left_out(data):
    x, y, folds = data
    key = frozenset({2})
    changed_x, changed_y = x.copy(), y.copy()
    changed_x[folds == 2] += 100.0
    changed_y[folds == 2] *= -5.0
    pairs = [(x, y), (changed_x, changed_y)]
    crosses = [FoldedTarget.of(FoldedSource.of(a, folds), b).regression(key).sxy for a, b in pairs]
    np.testing.assert_allclose(crosses[1], crosses[0], atol=1e-8)


@pytest.mark.parametrize("n_folds", [3, 5, 8])
def test_inner_folds_never_hold_the_outer_one(n_folds):
    source = FoldedSource.of(np.zeros((24, 1)), np.arange(24) % n_folds)
    for fold in range(n_folds):
        inner = source.inner_folds(fold)
        assert len(inner) == 2
        assert fold not in inner
        assert all(fold in source.inner_folds(i) for i in inner)


def test_a_memoized_value_is_computed_once():
    store: dict[object, object] = {}
    made = []
    for _ in range(2):
        assert memoized(store, "a", lambda: made.append(1) or 7) == 7
    assert made == [1]
