"""Anatomy of an affine map ŷ = (x − x̄) W + ȳ: how much of it is shift, rotation, stretch, and change of rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigError, DataError
from ..geometry.isotropy import effective_rank
from ..types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class MapAnatomy:
    """Parts of an affine map, measured where the data lie.

    The parts that compare the map with the identity are None where the widths differ or the two spaces are not one.
    """

    subspace: int  # principal directions of x that hold the asked share of its variance
    shift_length: float | None  # ‖ȳ − x̄‖
    shift_to_spread: float | None  # that over the root of the total variance of x
    angles: Floats | None  # (d,) radians, 0 … π, sorted: turning of the orthogonal polar factor of W
    mean_turning: float | None  # mean angle between a centred row and its rotated image, weighted by variance
    stretch: Floats  # (subspace,) singular values of W on the principal subspace, largest first
    stretch_spread: float  # standard deviation of log stretch: 0 for a similarity
    departure_rank: float | None  # effective rank of W − I, weighted by the data
    identity_distance: float | None  # ‖X (W − I)‖ / ‖X‖
    rotation_distance: float  # ‖X (W − Q)‖ / ‖X W‖, Q the orthogonal polar factor
    similarity_distance: float  # the same against the best scaled polar factor, 0 … 1


def map_anatomy(
    weights: Floats, mean_x: Floats, mean_y: Floats, sxx: Floats, *, variance: float = 0.99, same_space: bool = True
) -> MapAnatomy:
    """Measure the shift, rotation, stretch and rank of an affine map.

    Parameters
    ----------
    weights : array (p, q)
        W: rows of x times W.
    mean_x, mean_y : array (p,), (q,)
        Centres of the two sides, in the units of the embeddings.
    sxx : array (p, p)
        Covariance of x (scatter over n): where the data lie, and how long the shift is against them.
    variance : float
        Share of the variance of x, above 0 and at most 1, that the principal subspace holds. Outside it W is determined
        by the penalty of its fit, not by data.
    same_space : bool
        Whether x and y live in one space, so that shift, angles and W − I mean something.

    Raises
    ------
    ConfigError
        If the share is out of range.
    DataError
        If shapes disagree, or x or the mapped x has no variance.
    """
    if not 0 < variance <= 1:
        raise ConfigError(f"expected a share of variance above 0 and at most 1, got {variance}")
    p, q = weights.shape
    if mean_x.shape != (p,) or mean_y.shape != (q,) or sxx.shape != (p, p):
        raise DataError(
            f"weights {weights.shape} need means ({p},) and ({q},) and a covariance ({p}, {p}), "
            f"got {mean_x.shape}, {mean_y.shape} and {sxx.shape}"
        )
    axes, scales = _principal_subspace(sxx, variance)
    polar = polar_factor(weights)
    comparable = same_space and p == q
    data = axes * scales  # A, with A Aᵀ = Sxx in the subspace: ‖Aᵀ M‖ is ‖X M‖ / √n
    mapped = data.T @ weights
    if not np.linalg.norm(mapped) > 0:
        raise DataError("the map sends every row to one point: fit it on data that vary")
    stretch = _singular_values(axes.T @ weights)
    rotated = data.T @ polar
    scale = np.vdot(mapped, rotated) / np.vdot(rotated, rotated)
    spread = float(np.sqrt(np.trace(sxx)))
    shift = float(np.linalg.norm(mean_y - mean_x)) if comparable else None
    departure = data.T @ (weights - np.eye(p)) if comparable else None
    turning = float(np.vdot(data, polar.T @ data) / np.vdot(data, data)) if comparable else None  # tr(AᵀQA) / tr(AᵀA)
    return MapAnatomy(
        subspace=len(scales),
        shift_length=shift,
        shift_to_spread=None if shift is None else shift / spread,
        angles=rotation_angles(polar) if comparable else None,
        mean_turning=None if turning is None else float(np.arccos(np.clip(turning, -1.0, 1.0))),
        stretch=stretch,
        stretch_spread=float(np.std(np.log(stretch[stretch > 0]))),
        departure_rank=None if departure is None else _rank_of(departure, data),
        identity_distance=None if departure is None else float(np.linalg.norm(departure) / np.linalg.norm(data)),
        rotation_distance=float(np.linalg.norm(mapped - rotated) / np.linalg.norm(mapped)),
        similarity_distance=float(np.linalg.norm(mapped - scale * rotated) / np.linalg.norm(mapped)),
    )


def polar_factor(weights: Floats) -> Floats:
    """Return the nearest (semi-)orthogonal matrix to W (p, q) in Frobenius norm (Higham, 1986)."""
    left, _, right = np.linalg.svd(weights, full_matrices=False)
    return np.asarray(left @ right, np.float64)


def rotation_angles(orthogonal: Floats) -> Floats:
    """Return the turning angles of an orthogonal matrix (d, d) in radians, 0 … π, sorted: arguments of its eigenvalues.

    A plane of rotation gives its angle twice; a reflection gives π.
    """
    return np.sort(np.abs(np.angle(np.linalg.eigvals(orthogonal))))


def _principal_subspace(sxx: Floats, variance: float) -> tuple[Floats, Floats]:
    """Return the axes (p, k), strongest first, and root variances (k,) that hold a share of the variance."""
    values, vectors = np.linalg.eigh(sxx)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    total = float(values.sum())
    if not total > 0:
        raise DataError("x has no variance: a map needs rows that differ")
    count = int(np.sum(np.cumsum(values) < variance * total * (1 - 1e-12))) + 1
    return vectors[:, :count], np.sqrt(values[:count])


def _rank_of(departure: Floats, data: Floats) -> float:
    """Effective rank of the departure, 0 where it is only rounding."""
    singular = _singular_values(departure)
    if singular[0] <= 1e-12 * float(np.linalg.norm(data)):
        return 0.0
    return effective_rank(singular**2)


def _singular_values(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.svd(matrix, compute_uv=False), np.float64)
