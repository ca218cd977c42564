"""Shape distances: invariances, metric axioms, and the literal optimum over rotations."""

import numpy as np
import pytest
from polyglot.analysis.similarity.shape import bures_similarity, procrustes_angle, procrustes_score, shape_distance
from polyglot.errors import ConfigError, DataError
from scipy.linalg import sqrtm

ALPHAS = [0.0, 0.3, 1.0]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def rotation(rng, width):
    return np.linalg.qr(rng.standard_normal((width, width)))[0]


def test_score_of_two_known_clouds():
    x = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    y = x * [3.0, 1.0]
    assert procrustes_score(x, y) == pytest.approx((6 + 2) / np.sqrt(4 * 20))
    assert procrustes_angle(x, y) == pytest.approx(np.arccos(8 / np.sqrt(80)))


def test_no_rotation_does_better_in_the_plane(rng):
    x, y = rng.standard_normal((2, 40, 2))
    a, b = x - x.mean(0), y - y.mean(0)
    best = 0.0
    for angle in np.linspace(0, 2 * np.pi, 4001):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        for flip in (np.eye(2), np.diag([1.0, -1.0])):
            best = max(best, np.vdot(a @ turn @ flip, b) / np.linalg.norm(a) / np.linalg.norm(b))
    assert procrustes_score(x, y) == pytest.approx(best, abs=1e-6)
    assert procrustes_score(x, y) >= best - 1e-12


@pytest.mark.parametrize("alpha", ALPHAS)
def test_rotation_scale_and_offset_are_forgiven(rng, alpha):
    x = rng.standard_normal((100, 10)) * np.linspace(0.2, 3, 10)
    moved = 4 * x @ rotation(rng, 10) + rng.standard_normal(10)
    assert shape_distance(x, moved, alpha=alpha) < 1e-10
    y = rng.standard_normal((100, 10))
    assert shape_distance(moved, y, alpha=alpha) == pytest.approx(shape_distance(x, y, alpha=alpha), rel=1e-9)


def test_only_full_whitening_forgives_a_shear(rng):
    x = rng.standard_normal((100, 10))
    sheared = x @ rng.standard_normal((10, 10))
    assert shape_distance(x, sheared, alpha=0.0) < 1e-10
    assert shape_distance(x, sheared, alpha=0.5) > 0.1
    assert shape_distance(x, sheared, alpha=1.0) > shape_distance(x, sheared, alpha=0.5)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_metric_axioms(rng, alpha):
    for _ in range(30):
        a, b, c = rng.standard_normal((3, 100, 10))
        ab, bc, ac = (shape_distance(u, v, alpha=alpha) for u, v in ((a, b), (b, c), (a, c)))
        assert ac <= ab + bc + 1e-6
        assert ab == pytest.approx(shape_distance(b, a, alpha=alpha), rel=1e-9)
        assert 0 < ab < np.pi / 2


def test_partial_whitening_is_its_literal_form(rng):
    x, y = rng.standard_normal((2, 50, 4)) * np.array([3, 1, 0.5, 0.2])
    clouds = []
    for rows in (x, y):
        a = rows - rows.mean(0)
        a = a * np.sqrt(4 / np.trace(a.T @ a))
        clouds.append(a @ (0.3 * np.eye(4) + 0.7 * np.linalg.inv(np.real(sqrtm(a.T @ a)))))
    a, b = clouds
    score = np.linalg.svd(a.T @ b, compute_uv=False).sum() / np.linalg.norm(a) / np.linalg.norm(b)
    assert shape_distance(x, y, alpha=0.3) == pytest.approx(np.arccos(score), rel=1e-9)


def test_alpha_one_is_the_procrustes_angle(rng):
    x, y = rng.standard_normal((2, 30, 6))
    assert shape_distance(x, y) == pytest.approx(procrustes_angle(x, y), rel=1e-12)


def test_small_angles_keep_their_digits(rng):
    x = rng.standard_normal((200, 6))
    noise = rng.standard_normal((200, 6))
    angles = [procrustes_angle(x, x + size * noise) for size in (1e-3, 1e-6, 1e-9)]
    assert angles[1] / angles[0] == pytest.approx(1e-3, rel=1e-2)
    assert angles[2] / angles[1] == pytest.approx(1e-3, rel=1e-2)


def test_widths_may_differ(rng):
    x = rng.standard_normal((80, 3))
    wider = x @ np.linalg.qr(rng.standard_normal((7, 3)))[0].T
    assert procrustes_angle(x, wider) < 1e-10
    assert shape_distance(wider, x, alpha=0.0) < 1e-10


def test_bures_is_the_literal_fidelity_and_the_procrustes_score(rng):
    x, y = rng.standard_normal((12, 4)), rng.standard_normal((12, 3)) + 2
    a, b = x - x.mean(0), y - y.mean(0)
    k, l = a @ a.T + 1e-13 * np.eye(12), b @ b.T + 1e-13 * np.eye(12)  # noqa: E741
    literal = np.real(np.trace(sqrtm(sqrtm(k) @ l @ sqrtm(k)))) / np.sqrt(np.trace(k) * np.trace(l))
    assert bures_similarity(x, y) == pytest.approx(literal, abs=1e-5)
    assert bures_similarity(x, y) == pytest.approx(procrustes_score(x, y), rel=1e-12)


def test_raises(rng):
    x = rng.standard_normal((9, 2))
    for alpha in (-0.1, 1.1):
        with pytest.raises(ConfigError, match="alpha from 0"):
            shape_distance(x, x, alpha=alpha)
    for measure in (shape_distance, procrustes_score, procrustes_angle, bures_similarity):
        with pytest.raises(DataError, match="one row of y for each"):
            measure(x, x[:-1])
        with pytest.raises(DataError, match="are the same"):
            measure(x, np.ones((9, 2)))
