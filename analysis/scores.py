"""Held-out outcomes of a rung, row by row, and the scores that they sum to (METHOD §2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .inference import Interval, Resamples, proportion_interval
from .neighbours import MatchRanks, match_ranks

Floats = NDArray[np.float64]
RETRIEVAL_SCORES: tuple[str, ...] = ("p_at_1", "p_at_5", "p_at_10", "mrr", "p_at_1_csls")


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The fixed candidate pool: one row for each distinct target."""

    rows: NDArray[np.intp]  # (m,) rows of y
    groups: NDArray[np.int64]  # (m,) their concept groups

    @classmethod
    def of_vectors(cls, y: NDArray[np.floating], groups: NDArray[np.int64]) -> Pool:
        """Take the first row of each distinct vector of y, (n, q)."""
        keys = np.ascontiguousarray(y).view(np.dtype((np.void, y.shape[1] * y.itemsize))).ravel()
        rows = np.sort(np.unique(keys, return_index=True)[1])
        return cls(rows, groups[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Fidelity:
    """Errors of a prediction, row by row."""

    squared_error: Floats  # (n,) ‖y − ŷ‖²
    cosine: Floats  # (n,) cos(ŷ − μy, y − μy)


def fidelity(y: Floats, prediction: Floats, reference: Floats) -> Fidelity:
    """Compare predictions with targets about the training mean, all (n, q)."""
    error = y - prediction
    about_y, about_prediction = y - reference, prediction - reference
    norms = np.sqrt(row_squares(about_y) * row_squares(about_prediction))
    inner = np.einsum("ij,ij->i", about_y, about_prediction)
    cosine = np.divide(inner, norms, out=np.zeros(len(y)), where=norms > 0)
    return Fidelity(row_squares(error), cosine)


def row_squares(x: Floats) -> Floats:
    """Return ‖x_i‖² for each row, (n,)."""
    squares: Floats = np.einsum("ij,ij->i", x, x)
    return squares


def retrieve(
    prediction: Floats, y: Floats, groups: NDArray[np.int64], pool: Pool, *, device: str = "cpu"
) -> tuple[MatchRanks, MatchRanks]:
    """Rank the right targets of every prediction among the pool, and the right predictions of every pool member."""
    return match_ranks(prediction, y[pool.rows], groups, pool.groups, device=device)


def retrieval_outcomes(ranks: MatchRanks) -> dict[str, Floats]:
    """Return the outcome of every query for each of `RETRIEVAL_SCORES`, (n,) each."""
    return {
        "p_at_1": (ranks.cosine <= 1).astype(np.float64),
        "p_at_5": (ranks.cosine <= 5).astype(np.float64),
        "p_at_10": (ranks.cosine <= 10).astype(np.float64),
        "mrr": 1.0 / ranks.cosine,
        "p_at_1_csls": (ranks.csls <= 1).astype(np.float64),
    }


def mean_intervals(outcomes: dict[str, Floats], resamples: Resamples) -> dict[str, Interval]:
    """Return the mean of each outcome with its cluster-bootstrap interval; exact limits at 0 and 1."""
    totals, resampled = resamples.sums(np.column_stack([*outcomes.values(), np.ones(len(resamples.group_of_row))]))
    means, drawn = totals[:-1] / totals[-1], resampled[:, :-1] / resampled[:, -1:]
    return {
        name: proportion_interval(float(means[i]), drawn[:, i], resamples.n_groups) for i, name in enumerate(outcomes)
    }
