"""Predictions as a search asks with them, and as geometry compares them (method §2).

A prediction that is shrunk towards the mean of y points, beside a mean that is large, at the mean. For a search its
deviation from the mean is stretched by a factor chosen on training rows, or asks alone: the limit of a great factor.
Geometry takes the training means out of both sides, so that no factor matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..checks import unit_rows
from ..types import Bools, Floats, Integers

#: Factors of the deviation from the mean of y; infinite for the deviation alone.
STRETCHES: tuple[float, ...] = (1.0, 1.6, 2.5, 4.0, 6.3, 10.0, float("inf"))
TEMPERATURE = 0.25  # of the soft score, in standard deviations of a query's cosines
EQUAL = 1e-9


def search_queries(prediction: Floats, reference: Floats, stretch: float) -> Floats:
    """Return predictions (n, q) with their deviation from a reference (n, q) or (q,) stretched, for uncentred targets.

    An infinite stretch gives the deviation alone.
    """
    deviation = prediction - reference
    return deviation if np.isinf(stretch) else reference + stretch * deviation


def geometry_rows(prediction: Floats, y: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """Return predictions and targets (n, q) about the training mean of each row's fold."""
    return prediction - reference, y - reference


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutQueries:
    """Queries that a map has not seen, and the targets among which they search."""

    deviation: Floats  # (m, q) predictions about the training mean
    mean: Floats  # (q,)
    targets: Floats  # (t, q) unit rows
    right: Bools  # (m, t) which targets are right

    @classmethod
    def of(cls, prediction: Floats, mean: Floats, targets: Floats, groups: tuple[Integers, Integers]) -> HeldOutQueries:
        """Ask with predictions (m, q) about a mean (q,) among targets (t, q); concept groups of both, (m,) and (t,)."""
        right = groups[0][:, None] == groups[1][None, :]
        return cls(prediction - mean, mean, np.asarray(unit_rows(targets, zeros="keep"), np.float64), right)

    def outcomes(self, stretches: Sequence[float] = STRETCHES) -> Floats:
        """Return hits and soft score of every query by stretch, (stretches, 2, m)."""
        at_mean, at_deviation = self.targets @ self.mean, self.deviation @ self.targets.T
        return np.stack([self._outcome(at_mean, at_deviation, stretch) for stretch in stretches])

    def _outcome(self, at_mean: Floats, at_deviation: Floats, stretch: float) -> Floats:
        """Cosines up to the length of the query; the soft score is the log-odds of the right target, bent at 0."""
        scores = at_deviation if np.isinf(stretch) else at_mean + stretch * at_deviation
        best = np.where(self.right, scores, -np.inf).max(axis=1)
        wrong = np.where(self.right, -np.inf, scores).max(axis=1)
        spread = TEMPERATURE * scores.std(axis=1)
        margin = (best - wrong) / np.where(spread > 0, spread, 1.0)
        return np.stack([(margin > EQUAL).astype(np.float64), -np.logaddexp(0.0, -margin)])


def choose_stretch(parts: Sequence[HeldOutQueries], stretches: Sequence[float] = STRETCHES) -> float:
    """Return the stretch with the most hits over all parts.

    Those within half a standard error of the best compete by the soft score, and of equals the least is taken.
    """
    outcomes = np.concatenate([part.outcomes(stretches) for part in parts], axis=2)
    return stretches[best_by_hits(outcomes)]


def best_by_hits(outcomes: Floats) -> int:
    """Return which of some candidates finds most, from hits and soft scores (candidates, 2, queries)."""
    hits, soft = outcomes[:, 0].sum(axis=1), outcomes[:, 1].mean(axis=1)
    top, count = float(hits.max()), outcomes.shape[2]
    near = hits >= top - 0.5 * np.sqrt(max(top * (1 - top / count), 1.0))
    scores = np.where(near, soft, -np.inf)
    return int(np.flatnonzero(scores >= scores.max() - EQUAL)[0])
