"""Uncertainty: cluster bootstrap, block jackknife, equivalence, Holm.

Intervals resample whole concept groups of held-out outcomes; the candidate pool of a retrieval score is never
resampled, since duplicates would bias it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ConfigError
from .types import Floats, Floats32, Indices, Integers, Labels

LEVEL = 0.95
RESAMPLES = 1000
ROUNDING = 1e-12
Equivalence = Literal["suffices", "falls short", "undecided"]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, its limits at a confidence level, and its null where there is one."""

    value: float
    low: float
    high: float
    level: float = LEVEL
    null_mean: float | None = None
    null_p95: float | None = None

    def with_null(self, null: ArrayLike) -> Interval:
        """Return the same interval with the mean and the 95th percentile of null values (b,)."""
        values = np.asarray(null, np.float64)
        if not len(values):
            return self
        return Interval(
            self.value, self.low, self.high, self.level, float(values.mean()), float(np.quantile(values, 0.95))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """Bootstrap weights of groups, the same for every score so that differences and shares are paired."""

    group_of_row: Integers  # (n,) 0 … g − 1
    n_groups: int
    weights: Floats32  # (b, g) how often each group was drawn

    @classmethod
    def draw(cls, groups: Labels, rng: np.random.Generator, resamples: int = RESAMPLES) -> Resamples:
        """Draw `resamples` cluster-bootstrap samples of groups (n,), with replacement."""
        names, index = np.unique(groups, return_inverse=True)
        size = len(names)
        weights = np.empty((resamples, size), np.float32)
        for row in range(resamples):
            weights[row] = np.bincount(rng.integers(size, size=size), minlength=size)
        return cls(index.astype(np.int64), size, weights)

    def sums(self, outcomes: Floats) -> tuple[Floats, Floats]:
        """Return Σ outcome over all rows, (c,), and over the rows of every resample, (b, c), for outcomes (n, c)."""
        by_group = np.zeros((self.n_groups, outcomes.shape[1]))
        np.add.at(by_group, self.group_of_row, outcomes)
        return by_group.sum(axis=0), self.weights.astype(np.float64) @ by_group

    def mean(self, outcome: Floats) -> tuple[float, Floats]:
        """Return the mean of a per-row outcome (n,), and of every resample, (b,)."""
        total, resampled = self.sums(np.column_stack([outcome, np.ones(len(outcome))]))
        return float(total[0] / total[1]), resampled[:, 0] / resampled[:, 1]

    def ratio_of_sums(self, numerator: Floats, denominator: Floats) -> tuple[float, Floats]:
        """Return Σ numerator / Σ denominator over the rows, and over every resample, (b,)."""
        total, resampled = self.sums(np.column_stack([numerator, denominator]))
        return float(total[0] / total[1]), resampled[:, 0] / resampled[:, 1]


def percentile_interval(value: float, resampled: Floats, level: float = LEVEL) -> Interval:
    """Return the percentile interval of resampled values (b,) around an estimate (Efron and Tibshirani, 1993)."""
    tail = (1 - level) / 2
    finite = resampled[np.isfinite(resampled)]
    if not len(finite):
        return Interval(value, float("nan"), float("nan"), level)
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(value, float(low), float(high), level)


def proportion_interval(value: float, resampled: Floats, n: int, level: float = LEVEL) -> Interval:
    """Return the percentile interval of a proportion; at 0 and 1, where no resample differs, the exact binomial limits.

    Parameters
    ----------
    value : float
        Observed proportion of hits.
    resampled : array (b,)
    n : int
        Independent units (groups): the limit at 0 hits is 1 − (α/2)^(1/n) (Clopper and Pearson, 1934).
    """
    reach = 1 - ((1 - level) / 2) ** (1 / n)
    if abs(value) <= ROUNDING:
        return Interval(0.0, 0.0, reach, level)
    if abs(value - 1) <= ROUNDING:
        return Interval(1.0, 1 - reach, 1.0, level)
    interval = percentile_interval(value, resampled, level)
    return Interval(value, max(interval.low, 0.0), min(interval.high, 1.0), level)


def jackknife_interval(value: float, without: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the normal interval of a delete-one-block jackknife (Künsch, 1989).

    Parameters
    ----------
    value : float
        Estimate from all blocks.
    without : array (b,)
        Estimate with each block left out and everything refitted; b ≥ 2.
    """
    from scipy.stats import t

    left_out = np.asarray(without, np.float64)
    blocks = len(left_out)
    if blocks < 2:
        raise ConfigError(f"a jackknife needs at least 2 blocks, got {blocks}")
    error = float(np.sqrt((blocks - 1) / blocks * np.sum((left_out - left_out.mean()) ** 2)))
    reach = float(t.ppf(0.5 + level / 2, blocks - 1)) * error
    return Interval(value, value - reach, value + reach, level)


def equivalence(interval: Interval, bound: float) -> Equivalence:
    """Return whether an interval is above a bound ("suffices"), below it, or includes it."""
    if interval.low > bound:
        return "suffices"
    return "falls short" if interval.high < bound else "undecided"


def holm(p_values: ArrayLike) -> Floats:
    """Return Holm's step-down adjusted p-values (Holm, 1979), in the given order.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    factors = len(p) - np.arange(len(p))
    adjusted = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    result = np.empty_like(adjusted)
    result[order] = adjusted
    return result


def permutation_p_value(observed: float, null: ArrayLike) -> float:
    """Return (1 + #{null ≥ observed}) / (1 + #null), the exact one-sided p-value (Phipson and Smyth, 2010)."""
    values = np.asarray(null, np.float64)
    return float((1 + np.sum(values >= observed)) / (1 + len(values)))


def blocks_of_groups(groups: Labels, folds: Labels, n_blocks: int) -> Iterator[Indices]:
    """Yield the rows of jackknife blocks: whole groups, each block within one fold, about equal in size."""
    n_folds = int(folds.max()) + 1
    for fold in range(n_folds):
        rows = np.flatnonzero(folds == fold)
        names = np.unique(groups[rows])
        for part in np.array_split(names, min(len(names), max(1, n_blocks // n_folds))):
            yield rows[np.isin(groups[rows], part)]
