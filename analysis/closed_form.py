"""Affine maps solved from `Moments`, and their errors on other moments: no row is visited (METHOD §1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .moments import Moments
from .ridge import RidgeFactor
from .rungs import AffineMap, procrustes, similarity_scale

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a closed-form rung needs besides moments; penalties are relative to tr(Sxx)/p."""

    rung: str
    penalty: float = 0.0
    rank: int | None = None


def solve(moments: Moments, recipe: Recipe) -> AffineMap:
    """Solve a closed-form rung from the moments of its training rows.

    Raises
    ------
    DataError
        If there are no rows, or `shift` is asked for between spaces of different width.
    """
    if moments.n < 1:
        raise DataError("a map cannot be fitted to no rows")
    return AffineMap(_weights(moments, recipe), moments.mean_x, moments.mean_y)


def _weights(moments: Moments, recipe: Recipe) -> Floats:
    if recipe.rung == "shift":
        if moments.centre_x.shape != moments.centre_y.shape:
            raise DataError(f"a shift needs equal widths, got {len(moments.centre_x)} and {len(moments.centre_y)}")
        return np.eye(len(moments.centre_x))
    if recipe.rung in ("rotation", "similarity"):
        rotation, nuclear = procrustes(moments.sxy)
        return rotation * (similarity_scale(moments.sxx, rotation, nuclear) if recipe.rung == "similarity" else 1.0)
    ridge = _ridge(moments, recipe.penalty)
    return ridge if recipe.rank is None else reduced_rank(moments.sxx, ridge, recipe.rank)


def _ridge(moments: Moments, penalty: float) -> Floats:
    factor = RidgeFactor.of(moments.sxx)
    return factor.weights(factor.rotate(moments.sxy), penalty)


def reduced_rank(sxx: Floats, ridge: Floats, rank: int) -> Floats:
    """Project ridge weights (p, q) onto the strongest directions of their fitted values (Izenman, 1975)."""
    directions = np.linalg.eigh(ridge.T @ sxx @ ridge)[1][:, ::-1][:, :rank]
    return ridge @ directions @ directions.T


def squared_error(fitted: AffineMap, moments: Moments) -> float:
    """Return Σ‖y − ŷ‖² of an affine map over the rows behind some moments."""
    sxy = moments.scatter_xy(fitted.mean_x, fitted.mean_y)
    sxx = moments.scatter_xx(fitted.mean_x)
    linear = float(np.einsum("ij,ij->", fitted.weights, sxy))
    quadratic = float(np.einsum("ij,ij->", fitted.weights, sxx @ fitted.weights))
    return moments.total_y(fitted.mean_y) - 2 * linear + quadratic
