import numpy as np
import pytest
from polyglot.analysis.maps.affine import squared_error
from polyglot.analysis.maps.low_rank import reduced_rank
from polyglot.analysis.maps.map_spec import MapSpec, solve
from polyglot.analysis.maps.regression import Shrinkage
from polyglot.analysis.moments import Moments
from polyglot.errors import DataError
from scipy.linalg import orthogonal_procrustes


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 5)) * np.arange(1, 6) + 2
    return x, x @ rng.standard_normal((5, 5)) + rng.standard_normal((50, 5)) - 1


def solved(m, spec):
    (fitted,) = solve(m, [spec])
    return fitted


def moments(x, y):
    return Moments.from_arrays(x, y, dtype="float64")


def literal(x, y, spec):
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    if spec.rung == "shift":
        return np.eye(x.shape[1])
    if spec.rung in ("rotation", "similarity"):
        q, scale = orthogonal_procrustes(a, b)
        return q * (scale / np.sum(a**2) if spec.rung == "similarity" else 1.0)
    p = x.shape[1]
    weights = np.linalg.solve(a.T @ a + spec.shrinkage.penalty * np.trace(a.T @ a) / p / len(x) * np.eye(p), a.T @ b)
    if spec.rank is None:
        return weights
    top = np.linalg.svd(a @ weights)[2][: spec.rank].T
    return weights @ top @ top.T


SPECS = [
    MapSpec("shift"),
    MapSpec("rotation"),
    MapSpec("similarity"),
    MapSpec("linear", shrinkage=Shrinkage(15.0)),
    MapSpec("low_rank", shrinkage=Shrinkage(15.0), rank=2),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda r: r.rung)
def test_maps_from_moments_are_maps_from_rows(data, spec):
    x, y = data
    fitted = solved(moments(x, y), spec)
    np.testing.assert_allclose(fitted.weights, literal(x, y, spec), atol=1e-9)
    other_x, other_y = x[:20] * 1.3 + 0.2, y[:20] - 0.7
    expected = np.sum((other_y - fitted(other_x)) ** 2)
    assert squared_error(fitted, moments(other_x, other_y)) == pytest.approx(expected)


@pytest.mark.parametrize("spec", SPECS, ids=lambda r: r.rung)
def test_moving_either_cloud_moves_no_weights(data, spec):
    x, y = data
    np.testing.assert_allclose(
        solved(moments(x + 5, y - 9), spec).weights, solved(moments(x, y), spec).weights, atol=1e-8
    )


def test_a_planted_similarity_is_found_exactly():
    rng = np.random.default_rng(1)
    x, q = rng.standard_normal((40, 6)), np.linalg.qr(rng.standard_normal((6, 6)))[0]
    m = moments(x, 0.4 * x @ q + 3)
    assert squared_error(solved(m, MapSpec("similarity")), m) == pytest.approx(0, abs=1e-9)
    assert squared_error(solved(m, MapSpec("rotation")), m) > 1


def test_full_rank_changes_nothing(data):
    x, y = data
    m = moments(x, y)
    ridge = solved(m, MapSpec("linear", shrinkage=Shrinkage(5.0))).weights
    np.testing.assert_allclose(reduced_rank(m.sxx, ridge, 5), ridge, atol=1e-10)


def test_widths_may_differ_unless_the_map_is_a_shift():
    rng = np.random.default_rng(2)
    m = moments(rng.standard_normal((30, 3)), rng.standard_normal((30, 5)))
    assert solved(m, MapSpec("rotation")).weights.shape == (3, 5)
    with pytest.raises(DataError, match="equal widths, got 3 and 5"):
        solved(m, MapSpec("shift"))


def test_rungs_solved_together_are_those_solved_alone(data):
    m = moments(*data)
    for fitted, spec in zip(solve(m, SPECS), SPECS, strict=True):
        np.testing.assert_array_equal(fitted.weights, solved(m, spec).weights)


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="no rows"):
        solve(Moments.zeros([0.0], [0.0]), [MapSpec("rotation")])
