"""The learning curve of a direction: what fewer pairs reached, and what more would reach (method §6)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ...analysis.certificate.learning_curve import CurvePlan, PointScores, learning_curve
from ...analysis.certificate.more_pairs import MorePairs
from ...analysis.maps.ladder import LadderFit
from ...analysis.resampling import Interval, Resamples
from ...analysis.retrieval.scores import row_squares
from ..experiment.pairs import Pairs
from ..results.linear_map import LearningCurve, LearningPoint, PairsNeeded
from .config import LinearMapConfig

REACH = 5  # times the training pairs: as far as the coverage of the intervals was measured
ROUND = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
FEWEST = 200  # training pairs, and no fewer than columns: below, intervals held in 88 % of planted samples
STEPS = (0.05, 0.02, 0.01)  # of the R² for which the pairs needed are given
AGREEMENT = 0.01  # of R²: by how much the measured rung may differ from what is foreseen for the same pairs
REPEATED = 0.1  # share of rows beyond one a group: rows that repeat each other teach less than as many others
NOT_SEARCH = "What search would gain (P@1) cannot be said."


def learning_of(fit: LadderFit, pairs: Pairs, config: LinearMapConfig, null: Sequence[float] = ()) -> LearningCurve:
    """Score the linear rung on growing subsets, and foresee it for more pairs.

    Parameters
    ----------
    fit : LadderFit
        Of the ladder with its linear rung, on the same pairs.
    pairs : Pairs
    config : LinearMapConfig
    null : sequence of float
        R² of that rung on permuted pairs.
    """
    whole = PointScores(
        row_squares(pairs.y - fit.predictions["linear"]), row_squares(pairs.y - fit.reference), np.array(null)
    )
    plan = CurvePlan(config.folds, config.seed, pairs.same_space)
    points = tuple(
        LearningPoint(p.pairs, p.r2) for p in learning_curve(pairs.x, pairs.y, pairs.groups, plan, whole=whole)
    )
    more = MorePairs(fit.target)
    resamples = Resamples.draw(pairs.groups, np.random.default_rng([config.seed, 10]), config.resamples)
    now, ahead = foreseen_points(more, resamples)
    reason = why_nothing(more, now, ahead, measured=whole.r2, groups=pairs.n_groups)
    if reason or now is None:
        return LearningCurve(points, sentence=f"What more pairs would bring cannot be said: {reason}.")
    needed = pairs_needed((now, *ahead))
    return LearningCurve(points, None, tuple(ahead), needed, learning_sentence(now, ahead[-1], needed))


def foreseen_points(more: MorePairs, resamples: Resamples) -> tuple[LearningPoint | None, list[LearningPoint]]:
    """Return R² foreseen for the pairs that were trained on, and for round numbers of more, where it can be said."""
    now = more.training_pairs
    counts = [now, *round_numbers(now, REACH * now)]
    found = zip(counts, more.foresee(counts, resamples), strict=True)
    first, *ahead = (None if r2 is None else LearningPoint(count, r2) for count, r2 in found)
    return first, [point for point in ahead if point is not None]


def round_numbers(above: int, last: int) -> list[int]:
    """Return the round numbers n with above < n ≤ last, ascending.

    Examples
    --------
    >>> round_numbers(1200, 6000)
    [1500, 2000, 3000, 5000]
    """
    decades = range(len(str(last)))
    return [n for n in (round(10**decade * step) for decade in decades for step in ROUND) if above < n <= last]


def why_nothing(
    more: MorePairs, now: LearningPoint | None, ahead: Sequence[LearningPoint], *, measured: float, groups: int
) -> str:
    """Return why nothing can be foreseen, or an empty string.

    Parameters
    ----------
    more : MorePairs
    now, ahead : LearningPoint, sequence of LearningPoint
        R² foreseen for the pairs that were trained on, and for more.
    measured : float
        R² of the linear rung itself.
    groups : int
        Concept groups of the rows.
    """
    rows, columns = more.target.source.x.shape
    if groups < (1 - REPEATED) * rows:
        return f"the {rows} rows are only {groups} groups, and rows that repeat each other teach less than others"
    if more.training_pairs < max(FEWEST, columns) or now is None or not ahead:
        return f"{more.training_pairs} training pairs are too few for vectors of {columns} columns"
    if abs(measured - now.r2.value) > AGREEMENT:
        return "the linear map leans on a rotation that was fitted too, and how that improves is not known"
    if now.r2.low <= 0:
        return "no map was found"
    return ""


def pairs_needed(points: Sequence[LearningPoint]) -> PairsNeeded | None:
    """Return the pairs needed for the next round R² that more pairs surely reach within what is foreseen, if any.

    Parameters
    ----------
    points : sequence of LearningPoint
        R² for growing numbers of pairs, the present one first.
    """
    for step in STEPS:
        r2 = round(step * (np.floor(points[0].r2.high / step) + 1), 2)
        if r2 <= points[-1].r2.low:
            low = _crossing(points, [p.r2.high for p in points], r2)
            high = _crossing(points, [p.r2.low for p in points], r2)
            return PairsNeeded(float(r2), _two_digits(low, np.floor), _two_digits(high, np.ceil))
    return None


def _crossing(points: Sequence[LearningPoint], values: Sequence[float], r2: float) -> float:
    """Return the pairs at which values reach R², between points on a logarithmic scale."""
    for (left, right), (below, above) in zip(pairwise(points), pairwise(values), strict=True):
        if above >= r2:
            share = (r2 - below) / (above - below) if above > below else 0.0
            return float(left.pairs * (right.pairs / left.pairs) ** share)
    raise AssertionError("the last value reaches R²")


def _two_digits(pairs: float, rounding: np.ufunc) -> int:
    unit = 10 ** max(0, len(str(int(pairs))) - 2)
    return int(rounding(pairs / unit) * unit)


def learning_sentence(now: LearningPoint, last: LearningPoint, needed: PairsNeeded | None) -> str:
    """Return what more pairs of the same kind would bring."""
    said = (
        f"With {_grouped(last.pairs)} pairs like these, {last.pairs / now.pairs:.1f} times as many as were trained on, "
        f"a linear map would explain R² {_range(last.r2)} (now {_range(now.r2)})"
    )
    if needed is not None:
        said += f"; R² {needed.r2:.2f} needs {_grouped(needed.low)} to {_grouped(needed.high)} pairs"
    return f"{said}. {NOT_SEARCH}"


def _range(r2: Interval) -> str:
    return f"{r2.low:.2f}–{r2.high:.2f}"


def _grouped(pairs: int) -> str:
    return f"{pairs:,}".replace(",", " ") if pairs >= 10_000 else str(pairs)
