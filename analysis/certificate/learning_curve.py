"""The learning curve: held-out R² of the linear rung against the number of training pairs."""

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


@dataclass(frozen=True, slots=True)
class CurvePlan:
    """Folds of each subset, seed of subsets and folds, and whether both sides share a space."""

    n_folds: int = 5
    seed: int = 0
    same_space: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class WholeCurve:
    """Scores of all pairs that are at hand: the last point of a curve."""

    errors: Floats  # (n,) ‖y − ŷ‖²
    totals: Floats  # (n,) ‖y − μy‖²

    @property
    def r2(self) -> float:
        """R² of all pairs."""
        return float(1 - self.errors.sum() / self.totals.sum())


def learning_curve(
    x: Floats,
    y: Floats,
    groups: NDArray[np.int64],
    plan: CurvePlan = CurvePlan(),
    *,
    whole: WholeCurve | None = None,
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
    whole : WholeCurve, optional
        Held-out errors of all pairs, which are then not fitted again.
    """
    rng = np.random.default_rng([plan.seed, 7])
    order = rng.permutation(len(x))
    resamples = Resamples.draw(groups, np.random.default_rng([plan.seed, 10]), resamples=300)
    sizes = np.unique(np.geomspace(min(SMALLEST, len(x)), len(x), SIZES).round().astype(int))
    points = []
    for size in sizes.tolist():
        count = min(MAX_SUBSETS, max(1, len(order) // size))
        subsets = [np.sort(order[i * size : (i + 1) * size]) for i in range(count)]
        points.append(_point(x, y, groups, subsets, resamples, plan=plan, rng=rng, whole=whole))
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
    whole: WholeCurve | None,
) -> CurvePoint:
    """Score disjoint subsets together, each cross-validated on its own rows."""
    errors, totals, null = np.zeros(len(x)), np.zeros(len(x)), []
    for rows in subsets:
        coordinates, basis = row_space(x[rows])
        folds = group_folds(groups[rows], plan.n_folds, rng)
        prior: Prior | Floats = basis.T if plan.same_space else "components"
        ladder = Ladder(coordinates, folds, rungs=("linear",), prior=prior)
        rough = ladder.narrow(rough=True)
        if whole is not None and len(rows) == len(x):
            errors, totals = whole.errors, whole.totals
        else:
            errors[rows], totals[rows] = _scored(rough, y[rows])
        partner = permute_within_strata(groups[rows], np.zeros(len(rows), np.int64), rng)
        error, total = _scored(rough, y[rows][partner])
        null.append(1 - error.sum(dtype=np.float64) / total.sum(dtype=np.float64))
    ratio, drawn = resamples.ratio_of_sums(errors, totals)
    pairs = round(len(subsets[0]) * (plan.n_folds - 1) / plan.n_folds)
    return CurvePoint(pairs, percentile_interval(1 - ratio, 1 - drawn).with_null(null))


def _scored(ladder: Ladder, y: Floats) -> tuple[Floats, Floats]:
    """Return squared errors of the linear rung, and squared distances to the training mean, (n,) each."""
    fit = ladder.fit(y)
    return row_squares(y - fit.predictions["linear"]), row_squares(y - fit.reference)
