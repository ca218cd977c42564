"""The learning curve: held-out R² of the linear rung against the number of training pairs, and its limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maps.ladder import Ladder, Prior
from ..maps.ridge import row_space
from ..resampling import Interval, Resamples, percentile_interval
from ..retrieval.scores import row_squares
from ..splits import group_folds, permute_within_strata
from ..types import Floats

SIZES = 6
SMALLEST = 60
MAX_SUBSETS = 2


@dataclass(frozen=True, slots=True, eq=False)
class CurvePoint:
    """R² of maps fitted on about `pairs` pairs."""

    pairs: int
    r2: Interval
    resampled: Floats  # (b,) over draws of groups that all points of a curve share


@dataclass(frozen=True, slots=True)
class CurvePlan:
    """Folds of each subset, seed of subsets and folds, and whether both sides share a space."""

    n_folds: int = 5
    seed: int = 0
    same_space: bool = False


def learning_curve(
    x: Floats, y: Floats, groups: NDArray[np.int64], plan: CurvePlan = CurvePlan()
) -> tuple[CurvePoint, ...]:
    """Cross-validate the linear rung on random subsets of growing size, its shrinkage chosen within each.

    Small sizes use two disjoint subsets, whose rows are scored together. The null permutes the pairs of each subset
    once. Smaller subsets are parts of larger ones, so that points are correlated: their intervals come from the same
    draws of groups.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    groups : array (n,)
        Concept group of each row.
    plan : CurvePlan
    """
    rng = np.random.default_rng([plan.seed, 7])
    order = rng.permutation(len(x))
    resamples = Resamples.draw(groups, np.random.default_rng([plan.seed, 10]), resamples=300)
    sizes = np.unique(np.geomspace(min(SMALLEST, len(x)), len(x), SIZES).round().astype(int))
    points = []
    for size in sizes.tolist():
        count = min(MAX_SUBSETS, max(1, len(order) // size))
        subsets = [np.sort(order[i * size : (i + 1) * size]) for i in range(count)]
        points.append(_point(x, y, groups, subsets, resamples, plan=plan, rng=rng))
    return tuple(points)


def _point(
    x: Floats,
    y: Floats,
    groups: NDArray[np.int64],
    subsets: list[NDArray[np.intp]],
    resamples: Resamples,
    *,
    plan: CurvePlan,
    rng: np.random.Generator,
) -> CurvePoint:
    """Score disjoint subsets together, each cross-validated on its own rows."""
    errors, totals, null = np.zeros(len(x)), np.zeros(len(x)), []
    for rows in subsets:
        coordinates, basis = row_space(x[rows])
        folds = group_folds(groups[rows], plan.n_folds, rng)
        prior: Prior | Floats = basis.T if plan.same_space else "components"
        ladder = Ladder(coordinates, folds, rungs=("linear",), prior=prior)
        rough = ladder.narrow(rough=True)
        errors[rows], totals[rows] = _scored(rough, y[rows])
        partner = permute_within_strata(groups[rows], np.zeros(len(rows), np.int64), rng)
        error, total = _scored(rough, y[rows][partner])
        null.append(1 - error.sum(dtype=np.float64) / total.sum(dtype=np.float64))
    ratio, drawn = resamples.ratio_of_sums(errors, totals)
    pairs = round(len(subsets[0]) * (plan.n_folds - 1) / plan.n_folds)
    return CurvePoint(pairs, percentile_interval(1 - ratio, 1 - drawn).with_null(null), 1 - drawn)


def _scored(ladder: Ladder, y: Floats) -> tuple[Floats, Floats]:
    """Return squared errors of the linear rung, and squared distances to the training mean, (n,) each."""
    fit = ladder.fit(y)
    return row_squares(y - fit.predictions["linear"]), row_squares(y - fit.reference)


def extrapolated_limit(points: tuple[CurvePoint, ...]) -> Interval | None:
    """Fit R²(n) = a − b n^(−c) and return a with an interval from resampled curves; None with fewer than 5 points.

    The curve is fitted again to every draw of groups. The form is the usual power law of learning curves (Viering and
    Loog, 2023); the limit is an extrapolation and no more, and its interval does not know whether the law holds.
    """
    if len(points) < 5:
        return None
    n = np.array([p.pairs for p in points], np.float64)
    value = np.array([p.r2.value for p in points])
    error = np.maximum(np.array([(p.r2.high - p.r2.low) / 3.92 for p in points]), 1e-4)
    drawn = np.column_stack([p.resampled for p in points])
    limits = _limits(n, np.vstack([value, drawn[np.isfinite(drawn).all(axis=1)]]), error)
    return percentile_interval(float(limits[0]), limits[1:])


def _limits(n: Floats, curves: Floats, error: Floats) -> Floats:
    """Least squares for a, b of every curve (c, points) over a grid of exponents: a ≤ 1 of the best fit, (c,)."""
    best, limits = np.full(len(curves), np.inf), curves[:, -1].copy()
    weighted = curves / error
    for exponent in np.linspace(0.1, 1.5, 29):
        design = np.column_stack([np.ones_like(n), -(n**-exponent)]) / error[:, None]
        fitted = weighted @ np.linalg.pinv(design).T
        misfit = np.sum((fitted @ design.T - weighted) ** 2, axis=1)
        better = (misfit < best) & (fitted[:, 1] >= 0) & (fitted[:, 0] <= 1)
        best[better], limits[better] = misfit[better], fitted[better, 0]
    return limits
