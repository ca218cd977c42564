import numpy as np
import pytest
from polyglot.analysis.maps.structural import InstrumentedSums, StructuralFit, parabola_minimum, polar

WIDTH = 6


def orthogonal(rng, d=WIDTH):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def sums(weights, n=400, noise=0.0, seed=0, denoised=None):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, WIDTH)) + 1.0
    y = x @ weights + 3.0 + noise * rng.standard_normal((n, weights.shape[1]))
    return x, y, InstrumentedSums.of(x, y, np.arange(n) % 5, x if denoised is None else denoised)


def test_training_scatter_is_that_of_centred_rows():
    rng = np.random.default_rng(0)
    denoised = rng.standard_normal((400, WIDTH))
    x, y, gathered = sums(orthogonal(rng), noise=1.0, denoised=denoised)
    rows = np.arange(400) % 5 != 1
    a, b, z = x[rows] - x[rows].mean(axis=0), y[rows] - y[rows].mean(axis=0), denoised[rows] - x[rows].mean(axis=0)
    scatter = gathered.training(frozenset({1}))
    np.testing.assert_allclose(scatter.xx, (z.T @ a + a.T @ z) / 2, atol=1e-8)
    np.testing.assert_allclose(scatter.xy, z.T @ b, atol=1e-8)
    np.testing.assert_allclose(scatter.rigid, a.T @ b, atol=1e-8)
    assert scatter.yy == pytest.approx(np.sum(b**2))


def test_validation_loss_is_the_squared_error_of_the_prediction_from_x_hat():
    rng = np.random.default_rng(1)
    denoised, weights = rng.standard_normal((400, WIDTH)), rng.standard_normal((WIDTH, WIDTH))
    x, y, gathered = sums(orthogonal(rng), noise=1.0, denoised=denoised)
    train, test = np.arange(400) % 5 > 1, np.arange(400) % 5 == 0
    residual = y[test] - y[train].mean(axis=0) - (denoised[test] - x[train].mean(axis=0)) @ weights
    held = gathered.validation(frozenset({0, 1}), 0)
    assert held.loss(weights) == pytest.approx(np.sum(residual**2))


def test_polar_factor_is_orthogonal_and_nearest():
    rng = np.random.default_rng(2)
    matrix = rng.standard_normal((5, 5))
    factor = polar(matrix)
    left, _, right = np.linalg.svd(matrix)
    np.testing.assert_allclose(factor, left @ right, atol=1e-10)
    wide = polar(rng.standard_normal((5, 3)))
    np.testing.assert_allclose(wide.T @ wide, np.eye(3), atol=1e-10)


def test_parabola_minimum_is_exact_for_a_parabola():
    at = np.arange(5.0)
    assert parabola_minimum(at, (at - 2.3) ** 2) == pytest.approx(2.3)
    assert parabola_minimum(at, at) == 0.0


@pytest.mark.parametrize("same_space", [True, False])
def test_every_rung_finds_a_rotation_without_noise(same_space):
    rotation = orthogonal(np.random.default_rng(3))
    x, y, gathered = sums(rotation)
    maps = StructuralFit(gathered, 0, same_space).maps()
    assert list(maps) == (["identity", "shift"] if same_space else []) + ["rotation", "similarity", "linear"]
    for rung in ("rotation", "similarity", "linear"):
        np.testing.assert_allclose(maps[rung](x), y, atol=1e-3)


def test_linear_rung_is_instrumental_variables():
    """Noise of x attenuates least squares, not the structural rung."""
    rng = np.random.default_rng(4)
    z, weights = rng.standard_normal((20_000, WIDTH)), rng.standard_normal((WIDTH, WIDTH))
    x, y = z + rng.standard_normal(z.shape), z @ weights + 0.1 * rng.standard_normal(z.shape)
    fit = StructuralFit(InstrumentedSums.of(x, y, np.arange(len(x)) % 5, z), 0, same_space=True)
    np.testing.assert_allclose(fit.maps()["linear"].weights, weights, atol=0.1)
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.abs(least_squares - weights).max() > 0.4


def test_solve_linear_solves_its_equations():
    rng = np.random.default_rng(5)
    _, _, gathered = sums(rng.standard_normal((WIDTH, WIDTH)), noise=2.0)
    fit = StructuralFit(gathered, 0, same_space=True)
    scatter, penalty = gathered.training(frozenset({0})), fit.shrinkage.penalty
    weights = fit.solve_linear(scatter.xy, fit.linear_prior())
    left = scatter.xx @ weights + penalty * weights
    np.testing.assert_allclose(left, scatter.xy + penalty * fit.linear_prior(), atol=1e-8)


def test_rungs_turn_with_the_target():
    rng = np.random.default_rng(6)
    x, y, gathered = sums(rng.standard_normal((WIDTH, WIDTH)), noise=1.0)
    turn = orthogonal(rng)
    turned = InstrumentedSums.of(x, y @ turn, np.arange(len(x)) % 5, x)
    first, second = (StructuralFit(s, 0, same_space=False).maps()["similarity"](x) for s in (gathered, turned))
    np.testing.assert_allclose(first @ turn, second, atol=1e-6)
