"""Regression of y on x from sums over the training rows: one engine for every affine rung.

The ladder, the permutation null, the power statement and the learning curve hand it fold sums; the jackknife, the
estimators and streamed work hand it `Moments`. Each part of a solution is computed once, when it is first needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve as solve_linear

from ..types import Floats
from .affine import AffineMap, PairSums
from .procrustes import procrustes
from .ridge import LEAST_PENALTY, RELATIVE_PENALTIES, RidgeFactor


class Regression:
    """Least squares of y on x over some training rows, about their means.

    Parameters
    ----------
    rows : PairSums
        Sums over the training rows.
    """

    def __init__(self, rows: PairSums) -> None:
        self.rows = rows
        self._ridge: dict[float, AffineMap] = {}

    @cached_property
    def mean_x(self) -> Floats:
        """Mean of x, (p,)."""
        return self.rows.mean_x

    @cached_property
    def mean_y(self) -> Floats:
        """Mean of y, (q,)."""
        return self.rows.mean_y

    @cached_property
    def sxx(self) -> Floats:
        """Scatter of x, (p, p)."""
        return self.rows.scatter_xx(self.mean_x)

    @cached_property
    def sxy(self) -> Floats:
        """Cross-scatter of x and y, (p, q)."""
        return self.rows.scatter_xy(self.mean_x, self.mean_y)

    @cached_property
    def rotation(self) -> tuple[Floats, float]:
        """Procrustes solution, (p, q), and the nuclear norm of the cross-scatter."""
        return procrustes(self.sxy)

    @cached_property
    def factor(self) -> RidgeFactor:
        """Eigendecomposition of the scatter of x."""
        return RidgeFactor.of(self.sxx)

    @cached_property
    def rotated(self) -> Floats:
        """Cross-scatter in coordinates of the factor, (p, q)."""
        return self.factor.rotate(self.sxy)

    @cached_property
    def gram(self) -> Floats:
        """Gram matrix of the rows of the rotated cross-scatter, (p, p)."""
        return self.rotated @ self.rotated.T

    @property
    def is_factored(self) -> bool:
        """Whether the factor is there already, or shared with other regressions."""
        return "factor" in vars(self)

    def quadratic(self, held_out: PairSums) -> Floats:
        """Scatter of held-out x about the training mean, in coordinates of the factor, (p, p)."""
        return self.factor.quadratic(held_out.scatter_xx(self.mean_x))

    def affine(self, weights: Floats) -> AffineMap:
        """Return weights (p, q) with the training means."""
        return AffineMap(weights, self.mean_x, self.mean_y)

    def ridge(self, penalty: float) -> AffineMap:
        """Return the ridge map of a relative penalty ≥ 0, the least-norm one of least squares at 0.

        Without a factor at hand it is one Cholesky solve, a tenth of the time of an eigendecomposition.
        """
        if penalty not in self._ridge:
            if self.is_factored or penalty < LEAST_PENALTY:
                weights = self.factor.weights(self.rotated, penalty)
            else:
                width = len(self.sxx)
                unit = float(np.trace(self.sxx)) / width or 1.0
                weights = solve_linear(self.sxx + penalty * unit * np.eye(width), self.sxy, assume_a="pos")
            self._ridge[penalty] = self.affine(weights)
        return self._ridge[penalty]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A regression, and sums over rows that it has not seen."""

    training: Regression
    held_out: PairSums

    def ridge_errors(self, penalties: Sequence[float] = RELATIVE_PENALTIES) -> Floats:
        """Return Σ‖y − ŷ‖² over the held-out rows for every relative penalty, (penalties,)."""
        training = self.training
        return training.factor.path_errors(
            training.rotated,
            training.factor.rotate(self.held_out.scatter_xy(training.mean_x, training.mean_y)),
            training.quadratic(self.held_out),
            self.held_out.total_y(training.mean_y),
            gram=training.gram,
            penalties=penalties,
        )


def choose_penalty(splits: Iterable[Split], penalties: Sequence[float] = RELATIVE_PENALTIES) -> float:
    """Return the relative penalty with the least error over all splits."""
    errors = sum(split.ridge_errors(penalties) for split in splits)
    return penalties[int(np.argmin(errors))]
