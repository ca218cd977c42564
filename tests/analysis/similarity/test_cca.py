"""Canonical correlations and regression against literal forms."""

import numpy as np
import pytest
from polyglot.analysis.similarity import cca
from polyglot.errors import ConfigError, DataError
from scipy.linalg import sqrtm


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def pair(rng):
    x = rng.standard_normal((80, 6)) + 1
    return x, x @ rng.standard_normal((6, 4)) + 2 * rng.standard_normal((80, 4))


def inverse_root(covariance):
    return np.linalg.inv(np.real(sqrtm(covariance)))


def naive_whitened(x, y):
    a, b = x - x.mean(0), y - y.mean(0)
    return inverse_root(a.T @ a) @ (a.T @ b) @ inverse_root(b.T @ b)


def test_correlations_are_those_of_the_whitened_cross_covariance(pair):
    rho = cca.canonical_correlations(*pair)
    assert rho.shape == (4,)
    np.testing.assert_allclose(rho, np.linalg.svd(naive_whitened(*pair), compute_uv=False), rtol=1e-9)
    assert cca.mean_cca(*pair) == pytest.approx(rho.mean())
    assert cca.mean_squared_cca(*pair) == pytest.approx(np.mean(rho**2))


def test_exact_values():
    t = np.linspace(0, 2 * np.pi, 9)[:-1]
    x = np.stack([np.cos(t), np.sin(t)], axis=1)
    y = np.stack([np.cos(t) + np.cos(2 * t), np.sin(3 * t)], axis=1)  # ρ = 1/√2 and 0
    np.testing.assert_allclose(cca.canonical_correlations(x, y), [np.sqrt(0.5), 0], atol=1e-12)
    assert cca.mean_squared_cca(x, y) == pytest.approx(0.25)
    assert cca.gulp(x, y) == pytest.approx(2 + 2 - 2 * 0.5)
    assert cca.regression_r2(x, y) == pytest.approx(1 / 3)


def test_invertible_maps_change_nothing(rng, pair):
    x, y = pair
    moved = x @ rng.standard_normal((6, 6)) + rng.standard_normal(6)
    assert cca.mean_cca(moved, y) == pytest.approx(cca.mean_cca(x, y), rel=1e-9)
    assert cca.gulp(moved, y) == pytest.approx(cca.gulp(x, y), rel=1e-9)
    assert cca.regression_r2(moved, y) == pytest.approx(cca.regression_r2(x, y), rel=1e-9)
    assert cca.gulp(x, moved) == pytest.approx(0, abs=1e-9)


def test_uncentred_are_the_angles_of_raw_columns(pair):
    x, y = pair
    q, r = np.linalg.qr(x)[0], np.linalg.qr(y)[0]
    expected = np.linalg.svd(q.T @ r, compute_uv=False)
    np.testing.assert_allclose(cca.canonical_correlations(x, y, centring="none"), expected, rtol=1e-10)


def test_rank_deficiency_is_seen(rng, pair):
    x, y = pair
    doubled = np.hstack([x, x])
    np.testing.assert_allclose(cca.canonical_correlations(doubled, y), cca.canonical_correlations(x, y), rtol=1e-9)


def test_svcca_is_cca_of_principal_components(rng, pair):
    x, y = pair
    x = x * np.array([10, 10, 10, 0.1, 0.1, 0.1])
    a, b = x - x.mean(0), y - y.mean(0)
    left = np.linalg.svd(a)[0][:, :3]
    energy = np.cumsum(np.linalg.svd(b, compute_uv=False) ** 2)
    right = np.linalg.svd(b)[0][:, : int(np.argmax(energy >= 0.99 * energy[-1])) + 1]
    expected = np.linalg.svd(left.T @ right, compute_uv=False).mean()
    assert cca.svcca(x, y) == pytest.approx(expected, rel=1e-10)
    assert cca.svcca(x, y, variance=1.0) == pytest.approx(cca.mean_cca(x, y), rel=1e-9)
    q = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    assert cca.svcca(3 * x @ q + 1, y) == pytest.approx(cca.svcca(x, y), rel=1e-9)


def test_pwcca_is_its_literal_form(pair):
    x, y = pair
    a, b = x - x.mean(0), y - y.mean(0)
    left, rho, _ = np.linalg.svd(naive_whitened(x, y))
    weights = []
    for i in range(4):
        variate = a @ inverse_root(a.T @ a) @ left[:, i]
        weights.append(sum(abs(variate @ a[:, j]) for j in range(6)))
    assert cca.pwcca(x, y) == pytest.approx(np.dot(weights, rho) / np.sum(weights), rel=1e-9)
    assert cca.pwcca(x, y + 5) == pytest.approx(cca.pwcca(x, y), rel=1e-9)
    assert cca.pwcca(x, b @ np.diag([1, 2, 3, 4])) == pytest.approx(cca.pwcca(x, y), rel=1e-9)


def test_regression_is_least_squares(pair):
    x, y = pair
    design = np.hstack([x, np.ones((80, 1))])
    residual = y - design @ np.linalg.lstsq(design, y)[0]
    expected = 1 - np.sum(residual**2) / np.sum((y - y.mean(0)) ** 2)
    assert cca.regression_r2(x, y) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_gulp_is_the_distance_of_the_smoothers(pair, penalty):
    smoothers = []
    for rows in pair:
        a = rows - rows.mean(0)
        smoothers.append(a @ np.linalg.inv(a.T @ a / 80 + penalty * np.eye(a.shape[1])) @ a.T / 80)
    expected = np.linalg.norm(smoothers[0] - smoothers[1]) ** 2
    assert cca.gulp(*pair, penalty=penalty) == pytest.approx(expected, rel=1e-9)


def test_raises(pair):
    x, y = pair
    for variance in (0.0, 1.1):
        with pytest.raises(ConfigError, match="share of variance"):
            cca.svcca(x, y, variance=variance)
    with pytest.raises(ConfigError, match="penalty"):
        cca.gulp(x, y, penalty=-1.0)
    with pytest.raises(DataError, match="all entries are 0"):
        cca.canonical_correlations(np.zeros((80, 2)), y, centring="none")
    with pytest.raises(DataError, match="rows of x are the same"):
        cca.mean_cca(np.ones((80, 2)), y)
