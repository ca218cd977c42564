"""Anatomy of maps that were put together from known parts."""

import numpy as np
import pytest
from polyglot.analysis.maps.decomposition import map_anatomy, polar_factor, rotation_angles
from polyglot.errors import ConfigError, DataError


@pytest.fixture
def rng():
    return np.random.default_rng(29)


def plane_turn(width, angle):
    turn = np.eye(width)
    turn[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    return turn


def orthogonal(rng, width):
    return np.linalg.qr(rng.standard_normal((width, width)))[0]


def test_identity_has_no_parts():
    zero = np.zeros(4)
    parts = map_anatomy(np.eye(4), zero, zero, np.eye(4))
    np.testing.assert_allclose(parts.angles, 0, atol=1e-12)
    np.testing.assert_allclose(parts.stretch, 1)
    assert (parts.shift_length, parts.identity_distance, parts.departure_rank) == (0, 0, 0)
    for value in (parts.mean_turning, parts.stretch_spread, parts.rotation_distance, parts.similarity_distance):
        assert value == pytest.approx(0, abs=1e-7)


def test_shift_is_measured_against_the_spread():
    parts = map_anatomy(np.eye(3), np.zeros(3), np.array([3.0, 4.0, 0.0]), np.diag([50.0, 25.0, 25.0]))
    assert parts.shift_length == pytest.approx(5)
    assert parts.shift_to_spread == pytest.approx(0.5)


def test_a_turn_in_one_plane(rng):
    q = orthogonal(rng, 5)
    turn = q @ plane_turn(5, 0.4) @ q.T
    parts = map_anatomy(2.0 * turn, np.zeros(5), np.zeros(5), np.eye(5), variance=1.0)
    np.testing.assert_allclose(parts.angles, [0, 0, 0, 0.4, 0.4], atol=1e-7)
    np.testing.assert_allclose(parts.stretch, 2)
    assert parts.stretch_spread == pytest.approx(0, abs=1e-12)
    assert parts.mean_turning == pytest.approx(np.arccos((3 + 2 * np.cos(0.4)) / 5))
    assert parts.rotation_distance == pytest.approx(0.5)
    assert parts.similarity_distance == pytest.approx(0, abs=1e-12)


def test_a_turn_departs_from_the_identity_in_two_dimensions(rng):
    q = orthogonal(rng, 6)
    turn = q @ plane_turn(6, 0.7) @ q.T
    parts = map_anatomy(turn, np.zeros(6), np.zeros(6), np.eye(6), variance=1.0)
    assert parts.departure_rank == pytest.approx(2, rel=1e-6)
    assert parts.identity_distance == pytest.approx(np.linalg.norm(turn - np.eye(6)) / np.sqrt(6))


def test_distances_are_those_of_the_mapped_rows(rng):
    x = rng.standard_normal((300, 5)) * np.array([3, 2, 1, 1, 0.5])
    x -= x.mean(0)
    w = rng.standard_normal((5, 5))
    left, _, right = np.linalg.svd(w)
    q = left @ right
    parts = map_anatomy(w, np.zeros(5), np.ones(5), x.T @ x / 300, variance=1.0)
    norm = np.linalg.norm
    assert parts.rotation_distance == pytest.approx(norm(x @ w - x @ q) / norm(x @ w), rel=1e-9)
    assert parts.identity_distance == pytest.approx(norm(x @ w - x) / norm(x), rel=1e-9)
    scales = np.linspace(0, 3, 3001)
    best = min(norm(x @ w - s * x @ q) for s in scales) / norm(x @ w)
    assert parts.similarity_distance == pytest.approx(best, abs=1e-6)
    np.testing.assert_allclose(np.sort(parts.stretch), np.sort(np.linalg.svd(w, compute_uv=False)))
    cosine = np.vdot(x, x @ q) / norm(x) ** 2
    assert parts.mean_turning == pytest.approx(np.arccos(cosine), rel=1e-9)


def test_rotating_both_sides_changes_nothing(rng):
    x = rng.standard_normal((300, 5)) * np.array([3, 2, 1, 1, 0.5])
    sxx, w, q = x.T @ x / 300, rng.standard_normal((5, 5)), orthogonal(rng, 5)
    before = map_anatomy(w, np.zeros(5), np.ones(5), sxx)
    after = map_anatomy(q.T @ w @ q, np.zeros(5), np.ones(5), q.T @ sxx @ q)
    np.testing.assert_allclose(after.angles, before.angles, atol=1e-7)
    np.testing.assert_allclose(after.stretch, before.stretch)
    assert after.departure_rank == pytest.approx(before.departure_rank)
    assert after.similarity_distance == pytest.approx(before.similarity_distance)


def test_only_the_directions_with_data_count():
    w = np.diag([2.0, 2.0, 100.0])
    parts = map_anatomy(w, np.zeros(3), np.zeros(3), np.diag([1.0, 1.0, 1e-6]))
    assert parts.subspace == 2
    np.testing.assert_allclose(parts.stretch, 2)
    assert parts.similarity_distance < 1e-9


@pytest.mark.parametrize(("shape", "same_space"), [((4, 3), True), ((4, 4), False)])
def test_what_compares_with_the_identity_is_absent_between_spaces(rng, shape, same_space):
    w = rng.standard_normal(shape)
    parts = map_anatomy(w, np.zeros(4), np.ones(shape[1]), np.eye(4), same_space=same_space)
    shift = (parts.shift_length, parts.shift_to_spread)
    turning = (parts.angles, parts.mean_turning, parts.departure_rank, parts.identity_distance)
    assert (shift, turning) == ((None,) * 2, (None,) * 4)
    assert parts.rotation_distance > 0


def test_a_reflection_turns_by_pi():
    np.testing.assert_allclose(rotation_angles(np.diag([1.0, -1.0, 1.0])), [0, 0, np.pi])


def test_polar_factor_is_the_nearest_rotation(rng):
    w = rng.standard_normal((4, 4))
    q = polar_factor(w)
    np.testing.assert_allclose(q.T @ q, np.eye(4), atol=1e-12)
    symmetric = q.T @ w
    np.testing.assert_allclose(symmetric, symmetric.T, atol=1e-12)
    assert np.linalg.eigvalsh(symmetric).min() > 0


def test_raises():
    zero = np.zeros(3)
    for variance in (0.0, 1.5):
        with pytest.raises(ConfigError, match="share of variance"):
            map_anatomy(np.eye(3), zero, zero, np.eye(3), variance=variance)
    with pytest.raises(DataError, match="need means"):
        map_anatomy(np.eye(3), np.zeros(2), zero, np.eye(3))
    with pytest.raises(DataError, match="need means"):
        map_anatomy(np.eye(3), zero, zero, np.eye(4))
    with pytest.raises(DataError, match="no variance"):
        map_anatomy(np.eye(3), zero, zero, np.zeros((3, 3)))
    with pytest.raises(DataError, match="one point"):
        map_anatomy(np.zeros((3, 3)), zero, zero, np.eye(3))
