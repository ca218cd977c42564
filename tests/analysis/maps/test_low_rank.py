from itertools import pairwise

import numpy as np
import pytest
from polyglot.analysis.maps.affine import AffineMap
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.maps.low_rank import choose_rank, rank_errors, rank_grid
from polyglot.analysis.maps.map_spec import MapSpec, fit_spec
from polyglot.analysis.maps.regression import Shrinkage


@pytest.mark.parametrize("width", [1, 2, 5, 48, 384])
def test_rank_grid_runs_from_one_to_the_width(width):
    grid = rank_grid(width)
    assert (grid[0], grid[-1]) == (1, width)
    assert (np.diff(grid) > 0).all()
    assert all(b <= 2 * a for a, b in pairwise(grid))


def test_rank_errors_are_those_of_explicit_projections():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 6)) * np.arange(1, 7) + 4
    y = x @ rng.standard_normal((6, 9)) + 10 * rng.standard_normal((60, 9)) - 3
    folds = rng.permutation(np.arange(60) % 5)
    training, held = ~np.isin(folds, (0, 1)), folds == 1
    a, b = x[training] - x[training].mean(axis=0), y[training] - y[training].mean(axis=0)
    weights = np.linalg.solve(a.T @ a + 0.2 * np.trace(a.T @ a) / 6 * np.eye(6), a.T @ b)
    ridge = AffineMap(weights, x[training].mean(axis=0), y[training].mean(axis=0))
    directions = np.linalg.svd(a @ weights)[2].T
    expected = []
    for rank in rank_grid(6):
        top = directions[:, :rank]
        expected.append(
            np.sum((y[held] - AffineMap(ridge.weights @ top @ top.T, ridge.mean_x, ridge.mean_y)(x[held])) ** 2)
        )
    split = FoldedTarget.of(FoldedSource.of(x, folds), y).split(frozenset({0, 1}), 1)
    np.testing.assert_allclose(rank_errors(split, Shrinkage(0.2 * training.sum())), expected, rtol=1e-8)


def test_low_rank_recovers_a_map_of_low_rank():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 12))
    weights = rng.standard_normal((12, 2)) @ rng.standard_normal((2, 10))
    y = x @ weights + 3 * rng.standard_normal((400, 10))
    target = FoldedTarget.of(FoldedSource.of(x, np.arange(400) % 5), y)
    training = target.regression(frozenset({0}))
    assert choose_rank(target.inner_splits(0), Shrinkage(1e-4)) == 2
    fitted = fit_spec(training, MapSpec("low_rank", shrinkage=Shrinkage(1e-4), rank=2))
    assert np.linalg.matrix_rank(fitted.weights) == 2
    full = training.linear(Shrinkage(1e-4))
    assert np.linalg.norm(fitted.weights - weights) < 0.7 * np.linalg.norm(full.weights - weights)
