import numpy as np
import pytest
from polyglot.analysis.maps.fourier_features import FourierFeatures, median_distance


def test_features_are_the_cosines_of_the_formula():
    features = FourierFeatures(np.array([[1.0, 2.0]]), np.array([0.0, 1.0]))
    expected = np.array([[np.cos(0.5), np.cos(2.0)]])
    np.testing.assert_allclose(features(np.array([[0.5]])), expected, rtol=1e-6)


def test_inner_products_approach_the_gaussian_kernel():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 3))
    z = FourierFeatures.draw(3, 40_000, 1.5, rng)(x).astype(np.float64)
    distance = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.testing.assert_allclose(z @ z.T, np.exp(-distance / (2 * 1.5**2)), atol=0.03)


def test_bandwidth_is_in_the_units_of_x():
    x = np.random.default_rng(0).standard_normal((5, 3))
    one = FourierFeatures.draw(3, 8, 1.0, np.random.default_rng(1))
    ten = FourierFeatures.draw(3, 8, 10.0, np.random.default_rng(1))
    np.testing.assert_allclose(one(x), ten(10 * x), atol=1e-5)


def test_median_distance_by_hand_and_by_scale():
    x = np.array([[0.0], [1.0], [3.0]])
    assert median_distance(x, np.random.default_rng(0)) == 2.0
    rows = np.random.default_rng(0).standard_normal((50, 4))
    a, b = (median_distance(s * rows + 5, np.random.default_rng(0)) for s in (1.0, 7.0))
    assert b == pytest.approx(7 * a)


def test_rows_that_coincide_have_unit_distance():
    assert median_distance(np.ones((10, 3)), np.random.default_rng(0)) == 1.0
