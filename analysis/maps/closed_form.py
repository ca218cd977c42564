"""Affine maps solved from `Moments`, and their errors on other moments: no row is visited (method §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve as solve_linear

from ...errors import DataError
from ..moments import Moments
from ..types import Floats
from .affine import AffineMap, procrustes, similarity_scale
from .ridge import RidgeFactor

LEAST_PENALTY = 1e-9  # below it a scatter may be singular in floating point


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a closed-form rung needs besides moments; penalties are relative to tr(Sxx)/p."""

    rung: str
    penalty: float = 0.0
    rank: int | None = None


def solve(moments: Moments, recipes: Sequence[Recipe]) -> list[AffineMap]:
    """Solve closed-form rungs from the moments of their training rows; rotation and similarity share one solution.

    Raises
    ------
    DataError
        If there are no rows, or `shift` is asked for between spaces of different width.
    """
    if moments.n < 1:
        raise DataError("a map cannot be fitted to no rows")
    solver = _Solver(moments)
    return [AffineMap(solver.weights(recipe), moments.mean_x, moments.mean_y) for recipe in recipes]


class _Solver:
    """Solutions from one set of moments, each worked out when first asked for."""

    def __init__(self, moments: Moments) -> None:
        self.moments = moments

    @cached_property
    def sxx(self) -> Floats:
        return self.moments.sxx

    @cached_property
    def rigid(self) -> tuple[Floats, float]:
        return procrustes(self.moments.sxy)

    def weights(self, recipe: Recipe) -> Floats:
        if recipe.rung == "shift":
            return self._shift()
        if recipe.rung == "rotation":
            return self.rigid[0]
        if recipe.rung == "similarity":
            return self.rigid[0] * similarity_scale(self.sxx, *self.rigid)
        ridge = _ridge(self.sxx, self.moments.sxy, recipe.penalty)
        return ridge if recipe.rank is None else reduced_rank(self.sxx, ridge, recipe.rank)

    def _shift(self) -> Floats:
        p, q = len(self.moments.centre_x), len(self.moments.centre_y)
        if p != q:
            raise DataError(f"a shift needs equal widths, got {p} and {q}")
        return np.eye(p)


def _ridge(sxx: Floats, sxy: Floats, penalty: float) -> Floats:
    unit = float(np.trace(sxx)) / len(sxx) or 1.0
    if penalty < LEAST_PENALTY:
        factor = RidgeFactor.of(sxx)
        return factor.weights(factor.rotate(sxy), penalty)
    weights: Floats = solve_linear(sxx + penalty * unit * np.eye(len(sxx)), sxy, assume_a="pos")
    return weights


def reduced_rank(sxx: Floats, ridge: Floats, rank: int) -> Floats:
    """Project ridge weights (p, q) onto the strongest directions of their fitted values (Izenman, 1975)."""
    directions = fitted_directions(sxx, ridge)[:, :rank]
    return ridge @ directions @ directions.T


def fitted_directions(sxx: Floats, ridge: Floats) -> Floats:
    """Return the principal directions of the fitted values of ridge weights (p, q), strongest first, (q, q)."""
    return np.linalg.eigh(ridge.T @ sxx @ ridge)[1][:, ::-1]


def squared_error(fitted: AffineMap, moments: Moments) -> float:
    """Return Σ‖y − ŷ‖² of an affine map over the rows behind some moments."""
    sxy = moments.scatter_xy(fitted.mean_x, fitted.mean_y)
    sxx = moments.scatter_xx(fitted.mean_x)
    linear = float(np.einsum("ij,ij->", fitted.weights, sxy))
    quadratic = float(np.einsum("ij,ij->", fitted.weights, sxx @ fitted.weights))
    return moments.total_y(fitted.mean_y) - 2 * linear + quadratic
