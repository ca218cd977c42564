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
class PointScores:
    """What one point of a curve rests on; rows outside its subsets have zeros."""

    errors: Floats  # (n,) ‖y − ŷ‖²
    totals: Floats  # (n,) ‖y − μy‖²
    null: Floats  # (b,) R² on permuted pairs

    @property
    def r2(self) -> float:
        """R² of the rows together."""
        return float(1 - self.errors.sum() / self.totals.sum())


def learning_curve(
    x: Floats,
    y: Floats,
    groups: NDArray[np.int64],
    plan: CurvePlan = CurvePlan(),
    *,
    whole: PointScores | None = None,
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
    whole : PointScores, optional
        Of all pairs, which are then not fitted again.
    """
    rng = np.random.default_rng([plan.seed, 7])
    order = rng.permutation(len(x))
    resamples = Resamples.draw(groups, np.random.default_rng([plan.seed, 10]), resamples=300)
    sizes = np.unique(np.geomspace(min(SMALLEST, len(x)), len(x), SIZES).round().astype(int))
    points = []
    for size in sizes.tolist():
        pairs = round(size * (plan.n_folds - 1) / plan.n_folds)
        if whole is not None and size == len(x):
            points.append(CurvePoint(pairs, _r2(whole, resamples)))
            continue
        count = min(MAX_SUBSETS, max(1, len(order) // size))
        subsets = [np.sort(order[i * size : (i + 1) * size]) for i in range(count)]
        points.append(CurvePoint(pairs, _r2(_scores(x, y, groups, subsets, plan=plan, rng=rng), resamples)))
    return tuple(points)


def _r2(scores: PointScores, resamples: Resamples) -> Interval:
    ratio, drawn = resamples.ratio_of_sums(scores.errors, scores.totals)
    return percentile_interval(1 - ratio, 1 - drawn).with_null(scores.null)


def _scores(
    x: Floats,
    y: Floats,
    groups: NDArray[np.int64],
    subsets: list[NDArray[np.intp]],
    *,
    plan: CurvePlan,
    rng: np.random.Generator,
) -> PointScores:
    """Score disjoint subsets together, each cross-validated on its own rows."""
    errors, totals, null = np.zeros(len(x)), np.zeros(len(x)), []
    for rows in subsets:
        coordinates, basis = row_space(x[rows])
        folds = group_folds(groups[rows], plan.n_folds, rng)
        prior: Prior | Floats = basis.T if plan.same_space else "components"
        ladder = Ladder(coordinates, folds, rungs=("linear",), prior=prior)
        unturned = ladder.narrow(unturned=True)
        errors[rows], totals[rows] = _scored(unturned, y[rows])
        partner = permute_within_strata(groups[rows], np.zeros(len(rows), np.int64), rng)
        error, total = _scored(unturned, y[rows][partner])
        null.append(1 - error.sum(dtype=np.float64) / total.sum(dtype=np.float64))
    return PointScores(errors, totals, np.array(null))


def _scored(ladder: Ladder, y: Floats) -> tuple[Floats, Floats]:
    """Return squared errors of the linear rung, and squared distances to the training mean, (n,) each."""
    fit = ladder.fit(y)
    return row_squares(y - fit.predictions["linear"]), row_squares(y - fit.reference)
