"""Held-out outcomes of a rung, row by row, and the scores that they sum to (method §2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..resampling import Interval, Resamples, proportion_interval
from ..types import Floats, Integers
from .search import Criterion, Gain, MatchRanks, match_ranks


def hit_within(k: int, ranks: Integers) -> Floats:
    """Return 1 for a rank among the first k, else 0."""
    return (ranks <= k).astype(np.float64)


def reciprocal(ranks: Integers) -> Floats:
    """Return 1 / rank."""
    return 1.0 / ranks


#: What a query of some rank scores, and by which criterion it is ranked.
OUTCOMES: dict[str, tuple[Criterion, Callable[[Integers], Floats]]] = {
    "p_at_1": ("cosine", partial(hit_within, 1)),
    "p_at_5": ("cosine", partial(hit_within, 5)),
    "p_at_10": ("cosine", partial(hit_within, 10)),
    "mrr": ("cosine", reciprocal),
    "p_at_1_csls": ("csls", partial(hit_within, 1)),
}
RETRIEVAL_SCORES: tuple[str, ...] = tuple(OUTCOMES)


def gain_of(outcome: Callable[[Integers], Floats], ranks: Integers) -> Floats:
    """Return what queries gain where one of the wrong answers ahead of the right one goes."""
    return outcome(np.maximum(ranks - 1, 1)) - outcome(ranks)


GAINS: dict[str, Gain] = {name: (by, partial(gain_of, outcome)) for name, (by, outcome) in OUTCOMES.items()}


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
    prediction: Floats,
    y: Floats,
    groups: NDArray[np.int64],
    pool: Pool,
    *,
    influence: bool = False,
    device: str = "cpu",
) -> tuple[MatchRanks, MatchRanks]:
    """Rank the right targets of every prediction among the pool, and the right predictions of every pool member.

    With `influence` also what every candidate costs the queries, for `outcomes_in_both_roles`.
    """
    gains = GAINS if influence else None
    return match_ranks(prediction, y[pool.rows], groups, pool.groups, gains=gains, device=device)


def found_first(prediction: Floats, y: Floats, groups: NDArray[np.int64], pool: Pool) -> Floats:
    """Return P@1 of each prediction (m, q) among the pool of y (n, q), in both roles, (m,); groups (m,) are theirs."""
    gains = {"p_at_1": GAINS["p_at_1"]}
    ranks, _ = match_ranks(prediction, y[pool.rows], groups, pool.groups, gains=gains)
    return in_both_roles(hit_within(1, ranks.cosine), ranks.influence["p_at_1"], groups, pool.groups)


def retrieval_outcomes(ranks: MatchRanks) -> dict[str, Floats]:
    """Return the outcome of every query for each of `RETRIEVAL_SCORES`, (n,) each."""
    return {name: outcome(ranks.of(by)) for name, (by, outcome) in OUTCOMES.items()}


def outcomes_in_both_roles(
    ranks: MatchRanks, queries: NDArray[np.int64], candidates: NDArray[np.int64]
) -> dict[str, Floats]:
    """Return the outcome of every query less what its group, as a candidate, costs the others; the means are kept.

    A concept group is sampled as a query and as a candidate that may stand in the way of others. Resampling the pool
    would make duplicates, and resampling queries alone leaves the second role out. To first order, a group that had not
    been sampled would take its own outcome with it and give back what the queries lost to it alone; the bootstrap of
    these adjusted outcomes holds both. The first-order variance of a statistic of pairs is too large rather than too
    small (Efron and Stein, 1981): with the map given, standard errors come out 10 to 25 % above the scatter of samples,
    which leaves room for the scatter of the fit, which they do not hold.

    Parameters
    ----------
    ranks : MatchRanks
        Taken with their influence.
    queries, candidates : array (n,), (m,)
        Concept groups.
    """
    return {
        name: in_both_roles(outcome, ranks.influence[name], queries, candidates)
        for name, outcome in retrieval_outcomes(ranks).items()
    }


def in_both_roles(
    outcome: Floats, influence: Floats, queries: NDArray[np.int64], candidates: NDArray[np.int64]
) -> Floats:
    """Return one outcome (n,) less what the query's group costs the others as a candidate, influence (m,)."""
    return outcome - _centred(_borne(influence, queries, candidates))


def _borne(influence: Floats, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> Floats:
    """Share what the candidates of a group cost among the group's queries, (n,)."""
    names, index, sizes = np.unique(queries, return_inverse=True, return_counts=True)
    place = np.minimum(np.searchsorted(names, candidates), len(names) - 1)
    own = names[place] == candidates
    totals = np.bincount(place[own], influence[own], minlength=len(names))
    borne: Floats = (totals / sizes)[index]
    return borne


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean()
    return centred


def mean_intervals(outcomes: dict[str, Floats], resamples: Resamples) -> dict[str, Interval]:
    """Return the mean of each outcome, a share in [0, 1], with its cluster-bootstrap interval; exact at 0 and 1."""
    totals, resampled = resamples.sums(np.column_stack([*outcomes.values(), np.ones(len(resamples.group_of_row))]))
    means, drawn = totals[:-1] / totals[-1], resampled[:, :-1] / resampled[:, -1:]
    return {
        name: proportion_interval(float(means[i]), drawn[:, i], resamples.n_groups) for i, name in enumerate(outcomes)
    }
