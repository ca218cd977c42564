"""Affine maps, and their squared errors on sums over rows: no row is visited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ..types import Floats


class PairSums(Protocol):
    """Sums over paired rows of x and y: what is fitted and scored in closed form needs no more of them."""

    @property
    def n(self) -> float:
        """Number of rows."""

    @property
    def mean_x(self) -> Floats:
        """Mean of x, (p,)."""

    @property
    def mean_y(self) -> Floats:
        """Mean of y, (q,)."""

    def scatter_xx(self, about: Floats) -> Floats:
        """Return the scatter of x about a point, (p, p)."""

    def scatter_xy(self, about_x: Floats, about_y: Floats) -> Floats:
        """Return the cross-scatter of x and y about two points, (p, q)."""

    def total_y(self, about: Floats) -> float:
        """Return Σ‖y − about‖²."""


class InstrumentedSums(PairSums, Protocol):
    """Sums in which x̂ = E[x | instrument] stands in for one of the two x, so that the noise of x cancels.

    `scatter_xx` is the symmetric part of Σ x̂xᵀ and `scatter_xy` is Σ x̂yᵀ. Two more sums complete them.
    """

    def rotation_xy(self, about_x: Floats, about_y: Floats) -> Floats:
        """Return Σ xyᵀ about two points, (p, q): noise leaves its polar factor unbiased, x̂ would lose weak axes."""

    def error_xx(self, about: Floats) -> Floats:
        """Return Σ x̂x̂ᵀ about a point, (p, p): the quadratic part of Σ‖y − x̂W‖², by which choices are made.

        Σ x̂xᵀ of a fold is indefinite, and an error built from it has no least value.
        """


def has_instrument(rows: PairSums) -> TypeGuard[InstrumentedSums]:
    """Tell whether sums bring those of an instrument."""
    return hasattr(rows, "error_xx")


@dataclass(frozen=True, slots=True, eq=False)
class AffineMap:
    """ŷ = (x − mean_x) W + mean_y."""

    weights: Floats  # (p, q)
    mean_x: Floats  # (p,)
    mean_y: Floats  # (q,)

    def __call__(self, x: NDArray[np.floating]) -> Floats:
        """Map rows (n, p) to (n, q)."""
        mapped: Floats = x @ self.weights
        mapped += self.mean_y - self.mean_x @ self.weights  # in place: a copy of many rows costs as much as the product
        return mapped


def squared_error(fitted: AffineMap, rows: PairSums) -> float:
    """Return Σ‖y − ŷ‖² of an affine map over the rows behind some sums."""
    sxy = rows.scatter_xy(fitted.mean_x, fitted.mean_y)
    sxx = rows.error_xx(fitted.mean_x) if has_instrument(rows) else rows.scatter_xx(fitted.mean_x)
    linear = float(np.einsum("ij,ij->", fitted.weights, sxy))
    quadratic = float(np.einsum("ij,ij->", fitted.weights, sxx @ fitted.weights))
    return rows.total_y(fitted.mean_y) - 2 * linear + quadratic
