from itertools import pairwise

import numpy as np
import pytest
from polyglot.analysis.maps.affine import (
    AffineMap,
    choose_penalty,
    fit_low_rank,
    fit_ridge,
    procrustes,
    rank_errors,
    rank_grid,
    ridge_errors,
    similarity_scale,
)
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.maps.ridge import RELATIVE_PENALTIES
from scipy.linalg import orthogonal_procrustes


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


def test_affine_map_by_hand():
    fitted = AffineMap(np.array([[2.0]]), np.array([1.0]), np.array([10.0]))
    assert fitted(np.array([[1.0], [3.0]])).tolist() == [[10.0], [14.0]]


@pytest.mark.parametrize("widths", [(5, 5), (3, 6), (6, 3), (1, 1)])
def test_procrustes_maximises_over_orthogonal_matrices(widths):
    rng = np.random.default_rng(0)
    sxy = rng.standard_normal(widths)
    rotation, nuclear = procrustes(sxy)
    assert np.trace(rotation.T @ sxy) == pytest.approx(nuclear)
    smaller = rotation @ rotation.T if widths[0] <= widths[1] else rotation.T @ rotation
    np.testing.assert_allclose(smaller, np.eye(min(widths)), atol=1e-12)
    for _ in range(20):
        other = np.linalg.qr(rng.standard_normal((max(widths), min(widths))))[0]
        other = other if widths[0] >= widths[1] else other.T
        assert np.trace(other.T @ sxy) <= nuclear + 1e-9


def test_procrustes_agrees_with_scipy_and_finds_a_planted_rotation():
    rng = np.random.default_rng(1)
    x, q = rng.standard_normal((30, 5)), np.linalg.qr(rng.standard_normal((5, 5)))[0]
    rotation, nuclear = procrustes(x.T @ (x @ q))
    np.testing.assert_allclose(rotation, q, atol=1e-10)
    np.testing.assert_allclose(rotation, orthogonal_procrustes(x, x @ q)[0], atol=1e-10)
    assert similarity_scale(x.T @ x, rotation, 0.3 * nuclear) == pytest.approx(0.3)


def test_scale_is_the_least_squares_one_and_zero_for_no_data():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 6))
    rotation, nuclear = procrustes(x.T @ y)
    fitted = (x @ rotation).ravel()
    expected = np.linalg.lstsq(fitted[:, None], y.ravel(), rcond=None)[0][0]
    assert similarity_scale(x.T @ x, rotation, nuclear) == pytest.approx(expected)
    assert similarity_scale(np.zeros((4, 4)), rotation, 0.0) == 0.0


@pytest.mark.parametrize("shape", [(60, 6, 5), (20, 30, 4), (60, 1, 1)])
def test_ridge_errors_are_those_of_explicit_predictions(shape):
    target, x, y, folds = folded(*shape)
    training, held = ~np.isin(folds, (0, 1)), folds == 1
    errors = ridge_errors(target, frozenset({0, 1}), 1)
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
        assert choose_penalty(target, outer) == RELATIVE_PENALTIES[int(np.argmin(totals))]


def test_choices_do_not_see_the_outer_fold():
    target, _, y, folds = folded(noise=20.0)
    spoiled = y.copy()
    spoiled[folds == 3] = 1000 * np.random.default_rng(5).standard_normal(spoiled[folds == 3].shape)
    other = FoldedTarget.of(target.source, spoiled)
    penalty = choose_penalty(target, 3)
    assert choose_penalty(other, 3) == penalty
    low, rank = fit_low_rank(target, 3, penalty)
    low_other, rank_other = fit_low_rank(other, 3, penalty)
    assert rank == rank_other
    np.testing.assert_allclose(low_other.weights, low.weights, atol=1e-8)


def test_fit_ridge_equals_the_naive_map():
    target, x, y, folds = folded()
    fitted, expected = fit_ridge(target, frozenset({2}), 0.1), naive_ridge(x[folds != 2], y[folds != 2], 0.1)
    np.testing.assert_allclose(fitted(x), expected(x), atol=1e-9)
    assert fit_ridge(target, frozenset({2}), 0.1) is fitted


@pytest.mark.parametrize("width", [1, 2, 5, 48, 384])
def test_rank_grid_runs_from_one_to_the_width(width):
    grid = rank_grid(width)
    assert (grid[0], grid[-1]) == (1, width)
    assert (np.diff(grid) > 0).all()
    assert all(b <= 2 * a for a, b in pairwise(grid))


def test_rank_errors_are_those_of_explicit_projections():
    target, x, y, folds = folded(p=6, q=9, noise=10.0)
    training, held = ~np.isin(folds, (0, 1)), folds == 1
    ridge = naive_ridge(x[training], y[training], 0.2)
    about = x[training] - x[training].mean(axis=0)
    directions = np.linalg.svd(about @ ridge.weights)[2].T
    expected = []
    for rank in rank_grid(6):
        top = directions[:, :rank]
        expected.append(
            np.sum((y[held] - AffineMap(ridge.weights @ top @ top.T, ridge.mean_x, ridge.mean_y)(x[held])) ** 2)
        )
    np.testing.assert_allclose(rank_errors(target, 0, 1, 0.2), expected, rtol=1e-8)


def test_low_rank_recovers_a_map_of_low_rank():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 12))
    weights = rng.standard_normal((12, 2)) @ rng.standard_normal((2, 10))
    y = x @ weights + 3 * rng.standard_normal((400, 10))
    target = FoldedTarget.of(FoldedSource.of(x, np.arange(400) % 5), y)
    fitted, rank = fit_low_rank(target, 0, 1e-6)
    assert rank == 2
    assert np.linalg.matrix_rank(fitted.weights) == 2
    full = fit_ridge(target, frozenset({0}), 1e-6)
    assert np.linalg.norm(fitted.weights - weights) < 0.7 * np.linalg.norm(full.weights - weights)


@pytest.mark.parametrize("rank", [20, 18, 14, 3])
def test_procrustes_of_a_deficient_matrix_is_orthogonal_and_as_good_as_any(rank):
    rng = np.random.default_rng(rank)
    sxy = rng.standard_normal((20, rank)) @ rng.standard_normal((rank, 20))
    rotation, nuclear = procrustes(sxy)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(20), atol=1e-10)
    best = np.linalg.svd(sxy, compute_uv=False).sum()
    assert np.sum(rotation * sxy) == pytest.approx(best, rel=1e-10)
    assert nuclear == pytest.approx(best, rel=1e-10)


@pytest.mark.parametrize("condition", [1e2, 1e5, 1e9])
def test_procrustes_of_an_ill_conditioned_matrix_is_as_good_as_any(condition):
    rng = np.random.default_rng(3)
    left, right = (np.linalg.qr(rng.standard_normal((20, 20)))[0] for _ in range(2))
    singular = np.geomspace(1, 1 / condition, 20)
    rotation, nuclear = procrustes((left * singular) @ right.T)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(20), atol=1e-7)
    assert nuclear == pytest.approx(singular.sum(), rel=1e-9)
    assert np.sum(rotation * ((left * singular) @ right.T)) == pytest.approx(singular.sum(), rel=1e-9)
