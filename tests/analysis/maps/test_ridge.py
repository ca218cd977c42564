import numpy as np
import pytest
from polyglot.analysis.maps.ridge import RELATIVE_PENALTIES, RidgeFactor


def problem(n, p, q, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * np.arange(1, p + 1)
    return x, x @ rng.standard_normal((p, q)) + rng.standard_normal((n, q))


def naive_weights(x, y, penalty):
    p = x.shape[1]
    return np.linalg.solve(x.T @ x + penalty * np.trace(x.T @ x) / p * np.eye(p), x.T @ y)


def test_one_dimension_by_hand():
    factor = RidgeFactor.of(np.array([[4.0]]))
    weights = factor.weights(factor.rotate(np.array([[2.0]])), 1.0)
    assert weights == pytest.approx(2.0 / (4.0 + 4.0))


def test_penalties_cover_what_the_method_asks():
    assert len(RELATIVE_PENALTIES) >= 13
    assert list(RELATIVE_PENALTIES) == sorted(RELATIVE_PENALTIES)


@pytest.mark.parametrize("penalty", [1e-6, 0.1, 10.0])
@pytest.mark.parametrize("shape", [(40, 5, 3), (12, 20, 4), (30, 1, 2), (30, 4, 1)])
def test_weights_solve_the_normal_equations(shape, penalty):
    x, y = problem(*shape)
    factor = RidgeFactor.of(x.T @ x)
    expected = naive_weights(x, y, penalty)
    np.testing.assert_allclose(factor.weights(factor.rotate(x.T @ y), penalty), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("shape", [(40, 5, 3), (12, 20, 4), (30, 1, 2)])
def test_path_errors_are_those_of_explicit_predictions(shape):
    x, y = problem(*shape)
    validation_x, validation_y = problem(17, *shape[1:], seed=1)
    factor = RidgeFactor.of(x.T @ x)
    rotated = factor.rotate(x.T @ y)
    arguments = (
        factor.rotate(validation_x.T @ validation_y),
        factor.quadratic(validation_x.T @ validation_x),
        float(np.sum(validation_y**2)),
    )
    errors = factor.path_errors(rotated, *arguments)
    expected = [np.sum((validation_y - validation_x @ naive_weights(x, y, p)) ** 2) for p in RELATIVE_PENALTIES]
    np.testing.assert_allclose(errors, expected, rtol=1e-4)
    np.testing.assert_allclose(factor.path_errors(rotated, *arguments, gram=rotated @ rotated.T), errors, rtol=1e-9)


def test_the_greatest_penalty_is_no_map():
    x, y = problem(40, 5, 3)
    factor = RidgeFactor.of(x.T @ x)
    errors = factor.path_errors(
        factor.rotate(x.T @ y), factor.rotate(x.T @ y), factor.quadratic(x.T @ x), float(np.sum(y**2))
    )
    assert errors[-1] == pytest.approx(np.sum(y**2), rel=1e-6)
    assert errors[0] == errors.min()


def test_relative_penalties_do_not_know_the_scale_of_x():
    x, y = problem(40, 5, 3)
    one, ten = RidgeFactor.of(x.T @ x), RidgeFactor.of(100 * x.T @ x)
    a = one.weights(one.rotate(x.T @ y), 0.3)
    np.testing.assert_allclose(10 * ten.weights(ten.rotate(10 * x.T @ y), 0.3), a, rtol=1e-9)


def test_a_scatter_of_zeros_gives_no_map():
    factor = RidgeFactor.of(np.zeros((3, 3)))
    assert factor.unit == 1.0
    assert not factor.weights(factor.rotate(np.zeros((3, 2))), 1e-6).any()


def test_rounding_below_zero_is_cut():
    assert RidgeFactor.of(np.diag([-1e-12, 1.0])).eigenvalues.min() == 0.0


def test_fewer_rows_than_columns_need_no_other_directions():
    rng = np.random.default_rng(0)
    x, y, held_x, held_y = (rng.standard_normal(shape) for shape in ((7, 12), (7, 3), (9, 12), (9, 3)))
    few, full = RidgeFactor.of_rows(x), RidgeFactor.of(x.T @ x)
    assert few.vectors.shape == (12, 7)
    assert few.unit == pytest.approx(full.unit)
    paths = []
    for factor in (few, full):
        weights = factor.weights(factor.rotate(x.T @ y), 0.1)
        np.testing.assert_allclose(x.T @ y, (x.T @ x + 0.1 * full.unit * np.eye(12)) @ weights, atol=1e-9)
        rotated = factor.rotate(x.T @ y), factor.rotate(held_x.T @ held_y)
        paths.append(factor.path_errors(*rotated, factor.quadratic_of_rows(held_x), float(np.sum(held_y**2))))
    np.testing.assert_allclose(paths[0][1:], paths[1][1:], rtol=1e-6)


def test_no_rows_give_no_map():
    factor = RidgeFactor.of_rows(np.empty((0, 4)))
    assert factor.weights(factor.rotate(np.zeros((4, 2))), 1.0).tolist() == np.zeros((4, 2)).tolist()
