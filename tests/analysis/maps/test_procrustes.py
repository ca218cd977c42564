import numpy as np
import pytest
from polyglot.analysis.maps.procrustes import procrustes, similarity_scale
from scipy.linalg import orthogonal_procrustes


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
    rotation, _ = procrustes(x.T @ (x @ q))
    np.testing.assert_allclose(rotation, q, atol=1e-10)
    np.testing.assert_allclose(rotation, orthogonal_procrustes(x, x @ q)[0], atol=1e-10)
    assert similarity_scale(x.T @ x, 0.3 * x.T @ (x @ q), rotation) == pytest.approx(0.3)


def test_scale_is_the_least_squares_one_and_zero_for_no_data():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 6))
    rotation, _ = procrustes(x.T @ y)
    fitted = (x @ rotation).ravel()
    expected = np.linalg.lstsq(fitted[:, None], y.ravel(), rcond=None)[0][0]
    assert similarity_scale(x.T @ x, x.T @ y, rotation) == pytest.approx(expected)
    assert similarity_scale(np.zeros((4, 4)), np.zeros((4, 6)), rotation) == 0.0


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
