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
UNSURE = 0.5  # standard error of a correction, as a part of it: what planted truths show


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


def pair_terms(smoother: Smoother, groups: Integers, residual: Callable[[int, Indices], Floats]) -> PairTerms:
    """Gather h_ij r_i·r_j over pairs of rows.

    Parameters
    ----------
    smoother : Smoother
    groups : array (n,)
        Concept groups, over which terms are summed.
    residual : callable
        Gives residuals (m, q) of some rows under the map fitted without a fold.
    """
    pairs = np.zeros((len(groups), len(groups)))
    for fold, test in enumerate(smoother.rows):
        train, (a, b) = smoother.outside(fold), smoother.factors(fold)
        pairs[np.ix_(test, train)] = (a @ b) * (residual(fold, test) @ residual(fold, train).T)
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


def map_terms(smoother: Smoother, groups: Integers, x: Floats, y: Floats, maps: Sequence[AffineMap]) -> PairTerms:
    """Terms of what a map, fitted once for each fold, misses of y (n, q) from x (n, p)."""
    return pair_terms(smoother, groups, lambda fold, rows: y[rows] - maps[fold](x[rows]))


def total_terms(smoother: Smoother, groups: Integers, y: Floats) -> PairTerms:
    """Terms of y (n, q) about its training means: the denominator of shares."""
    means = [y[smoother.outside(k)].mean(axis=0) for k in range(len(smoother.rows))]
    return pair_terms(smoother, groups, lambda fold, rows: y[rows] - means[fold])


@dataclass(frozen=True, slots=True)
class Correction:
    """What fitting leaves in Σ r·Π(r), in the units of that sum."""

    noise: float = 0.0  # of the fit, which the next sample would draw anew
    pull: float = 0.0  # towards the prior


def latent_share(missed: PairTerms, total: PairTerms, correction: Correction | None = None) -> Interval:
    """Return 1 − (missed − correction) / total with its 95 % interval.

    The error is that of a ratio of quadratic forms, and half of each part of the correction.
    """
    correction = correction or Correction()
    ratio = missed.total / total.total
    error = PairTerms(missed.pairs - ratio * total.pairs).error
    spread = float(np.linalg.norm([error, UNSURE * correction.noise, UNSURE * correction.pull])) / abs(total.total)
    value = 1 - ratio + (correction.noise + correction.pull) / total.total
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
