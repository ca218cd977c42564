import numpy as np
import pytest
from polyglot.analysis.maps.affine import AffineMap
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.maps.low_rank import choose_rank, rank_errors
from polyglot.analysis.maps.map_spec import MapSpec, fit_spec
from polyglot.analysis.maps.regression import Regression, Split, choose_penalty
from polyglot.analysis.maps.ridge import RELATIVE_PENALTIES
from polyglot.analysis.moments import Moments, fold_moments, merged


def folded(n=60, p=6, q=5, n_folds=5, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * np.arange(1, p + 1) + 4
    y = x @ rng.standard_normal((p, q)) + noise * rng.standard_normal((n, q)) - 3
    folds = rng.permutation(np.arange(n) % n_folds)
    return FoldedTarget.of(FoldedSource.of(x, folds), y), x - x.mean(axis=0), y - y.mean(axis=0), folds


def naive_ridge(x, y, penalty):
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    scale = np.trace(a.T @ a) / x.shape[1]
    weights = np.linalg.solve(a.T @ a + penalty * scale * np.eye(x.shape[1]), a.T @ b)
    return AffineMap(weights, x.mean(axis=0), y.mean(axis=0))


@pytest.mark.parametrize("shape", [(60, 6, 5), (20, 30, 4), (60, 1, 1)])
def test_ridge_errors_are_those_of_explicit_predictions(shape):
    target, x, y, folds = folded(*shape)
    training, held = ~np.isin(folds, (0, 1)), folds == 1
    errors = target.split(frozenset({0, 1}), 1).ridge_errors()
    expected = [np.sum((y[held] - naive_ridge(x[training], y[training], p)(x[held])) ** 2) for p in RELATIVE_PENALTIES]
    np.testing.assert_allclose(errors, expected, rtol=1e-4)


def test_penalty_is_the_best_of_the_inner_folds():
    target, x, y, folds = folded(noise=20.0)
    for outer in range(5):
        totals = np.zeros(len(RELATIVE_PENALTIES))
        for inner in ((outer + 1) % 5, (outer - 1) % 5):
            training, held = ~np.isin(folds, (outer, inner)), folds == inner
            for i, penalty in enumerate(RELATIVE_PENALTIES):
                fitted = naive_ridge(x[training], y[training], penalty)
                totals[i] += np.sum((y[held] - fitted(x[held])) ** 2)
        assert choose_penalty(target.inner_splits(outer)) == RELATIVE_PENALTIES[int(np.argmin(totals))]


def test_choices_do_not_see_the_outer_fold():
    target, _, y, folds = folded(noise=20.0)
    spoiled = y.copy()
    spoiled[folds == 3] = 1000 * np.random.default_rng(5).standard_normal(spoiled[folds == 3].shape)
    other = FoldedTarget.of(target.source, spoiled)
    penalty = choose_penalty(target.inner_splits(3))
    assert choose_penalty(other.inner_splits(3)) == penalty
    rank = choose_rank(target.inner_splits(3), penalty)
    assert choose_rank(other.inner_splits(3), penalty) == rank
    low, low_other = (
        fit_spec(t.regression(frozenset({3})), MapSpec("low_rank", penalty, rank)) for t in (target, other)
    )
    np.testing.assert_allclose(low_other.weights, low.weights, atol=1e-8)


def test_fit_ridge_equals_the_naive_map():
    target, x, y, folds = folded()
    training = target.regression(frozenset({2}))
    fitted, expected = training.ridge(0.1), naive_ridge(x[folds != 2], y[folds != 2], 0.1)
    np.testing.assert_allclose(fitted(x), expected(x), atol=1e-9)
    assert target.regression(frozenset({2})) is training
    assert training.ridge(0.1) is fitted


@pytest.mark.parametrize("penalty", [1e-6, 0.1, 10.0])
def test_moments_and_fold_sums_give_the_same_regression(penalty):
    target, x, y, folds = folded(noise=10.0)
    moments = fold_moments(x, y, folds, dtype="float64")
    training = Regression(merged(moments[fold] for fold in (0, 2, 3)))
    split, other = target.split(frozenset({1, 4}), 1), Split(training, moments[1])
    assert not training.is_factored
    np.testing.assert_allclose(training.ridge(penalty).weights, split.training.ridge(penalty).weights, atol=1e-9)
    np.testing.assert_allclose(training.rotation[0], split.training.rotation[0], atol=1e-9)
    np.testing.assert_allclose(other.ridge_errors(), split.ridge_errors(), rtol=1e-9)
    np.testing.assert_allclose(rank_errors(other, penalty), rank_errors(split, penalty), rtol=1e-9)


def test_any_grid_of_penalties_can_be_searched():
    target, *_ = folded(noise=20.0)
    fine = tuple(np.geomspace(1e-2, 10, 61).tolist())
    splits = target.inner_splits(0)
    errors = sum(split.ridge_errors(fine) for split in splits)
    assert choose_penalty(splits, fine) == fine[int(np.argmin(errors))]
    assert errors.min() <= sum(split.ridge_errors() for split in splits).min() * (1 + 1e-3)


@pytest.mark.parametrize("shape", [(60, 6, 5), (4, 30, 2)])
def test_no_penalty_gives_the_least_norm_solution_on_collinear_columns(shape):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((shape[0], shape[1] // 2)), rng.standard_normal((shape[0], shape[2]))
    x = np.hstack([x, x])
    expected = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(axis=0), rcond=1e-10)[0]
    fitted = Regression(Moments.from_arrays(x, y, dtype="float64")).ridge(0.0)
    np.testing.assert_allclose(fitted.weights, expected, atol=1e-9)
