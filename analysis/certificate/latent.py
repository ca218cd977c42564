"""Latent shares: how much of what instruments can predict of y a map explains (method §3).

share(f) = 1 − Σ r·Π(r) / Σ (y − μ)·Π(y − μ) with r = y − f(x). In fold k both r come from the map fitted without k: the
test row's is out of sample, the training rows' are in sample. Products of test noise with the fit then vanish, and
errors of estimation through x̂ cancel to first order (out-of-fold residuals everywhere would give shares above 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..maps.affine import AffineMap
from ..maps.instruments import Smoother
from ..resampling import Interval
from ..types import Floats, Indices, Integers

LEVEL_Z = 1.959964


@dataclass(frozen=True, slots=True, eq=False)
class PairTerms:
    """h_ij r_i·r_j of every pair of groups, symmetrised, (g, g)."""

    pairs: Floats

    @property
    def total(self) -> float:
        """Σ r·Π(r)."""
        return float(self.pairs.sum())

    @property
    def error(self) -> float:
        """Standard error of the sum over samples of groups.

        Var = 4 Σᵢ(Σⱼ q_ij)² − 2 Σ q_ij²: the influence of a group in both roles, less what that counts twice where
        the form is degenerate (Efron and Stein, 1981). A bootstrap of rows given Π has half of it, one of pairs three
        times as much.
        """
        degenerate = 2 * float(np.sum(self.pairs**2))
        return float(np.sqrt(max(4 * float(np.sum(self.pairs.sum(axis=1) ** 2)) - degenerate, degenerate)))


def smoother_weights(smoother: Smoother) -> Floats:
    """Return H (n, n) with Π(y) = Hy."""
    n = sum(map(len, smoother.rows))
    weights = np.zeros((n, n))
    for fold, test in enumerate(smoother.rows):
        a, b = smoother.factors(fold)
        weights[np.ix_(test, smoother.outside(fold))] = a @ b
    return weights


def pair_terms(weights: Floats, products: Floats, groups: Integers) -> PairTerms:
    """Gather h_ij r_i·r_j from H (n, n) and products of residuals (n, n), summed over groups (n,)."""
    pairs = weights * products
    return PairTerms(_by_group((pairs + pairs.T) / 2, groups))


def _by_group(pairs: Floats, groups: Integers) -> Floats:
    """Sum a matrix of pairs of rows (n, n) within groups, (g, g)."""
    names, index = np.unique(groups, return_inverse=True)
    if len(names) == len(groups):
        return pairs
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(names)))
    summed: Floats = np.add.reduceat(np.add.reduceat(pairs[order][:, order], starts, axis=0), starts, axis=1)
    return summed


def products(rows: tuple[Indices, ...], residual: Callable[[int], Floats], scored: int) -> Floats:
    """Return r_i·r_j for rows i of scored folds and all rows j, under the map fitted without the fold of i, (n, n).

    Parameters
    ----------
    rows : tuple of arrays
        Rows of each fold.
    residual : callable
        Gives the residuals (n, q) of the map fitted without a fold.
    scored : int
        Folds that are scored, the first ones; rows i of the others are left at zero, and add nothing.
    """
    n = sum(map(len, rows))
    found = np.zeros((n, n))
    for fold, test in enumerate(rows[:scored]):
        left = residual(fold)
        found[test] = left[test] @ left.T
    return found


def map_products(rows: tuple[Indices, ...], x: Floats, y: Floats, maps: Sequence[AffineMap]) -> Floats:
    """Products of what a map, fitted once for each scored fold, misses of y (n, q) from x (n, p), (n, n)."""
    return products(rows, lambda fold: y - maps[fold](x), len(maps))


def total_products(rows: tuple[Indices, ...], y: Floats, scored: int | None = None) -> Floats:
    """Products of y (n, q) about its training means, (n, n): those of the denominator of shares; all folds if None."""
    about = len(rows) if scored is None else scored
    return products(rows, lambda fold: y - np.delete(y, rows[fold], axis=0).mean(axis=0), about)


@dataclass(frozen=True, slots=True)
class Correction:
    """What fitting leaves in Σ r·Π(r), in the units of that sum, and its standard error."""

    value: float = 0.0
    error: float = 0.0

    def scaled(self, factor: float) -> Correction:
        """Return the same in other units."""
        return Correction(self.value * factor, self.error * abs(factor))


def latent_share(missed: PairTerms, total: PairTerms, correction: Correction | None = None) -> Interval:
    """Return 1 − (missed − correction) / total with its 95 % interval.

    The error is that of a ratio of quadratic forms, and that of the correction.
    """
    correction = correction or Correction()
    ratio = missed.total / total.total
    error = PairTerms(missed.pairs - ratio * total.pairs).error
    spread = float(np.hypot(error, correction.error)) / abs(total.total)
    value = 1 - ratio + correction.value / total.total
    return Interval(value, value - LEVEL_Z * spread, value + LEVEL_Z * spread)


def second_reference_share(residuals: tuple[Floats, Floats], deviations: tuple[Floats, Floats]) -> float:
    """Return 1 − Σ r₁·r₂ / Σ d₁·d₂ for two renderings of both sides (method §3b).

    Parameters
    ----------
    residuals : two arrays (n, q)
        y₁ − f(x₁) and y₂ − f(x₂) of held-out rows, whose noise is independent.
    deviations : two arrays (n, q)
        y₁ and y₂ about the training mean.
    """
    return 1 - float(np.sum(residuals[0] * residuals[1])) / float(np.sum(deviations[0] * deviations[1]))
