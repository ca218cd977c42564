"""Held-out outcomes of a rung, row by row, and their mean scores (method §2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..resampling import Interval, Resamples, proportion_interval
from ..types import Floats, Indices, Integers, Rows
from .criteria import Criterion
from .ranks import Gain, MatchRanks, match_ranks


def hit_within(k: int, ranks: Integers) -> Floats:
    """Return 1 where a rank is at most k, else 0, ranks (n,)."""
    return (ranks <= k).astype(np.float64)


def reciprocal(ranks: Integers) -> Floats:
    """Return 1 / rank, ranks (n,)."""
    return 1.0 / ranks


#: The criterion that ranks, and the score of a query of a given rank.
OUTCOMES: dict[str, tuple[Criterion, Callable[[Integers], Floats]]] = {
    "p_at_1": ("cosine", partial(hit_within, 1)),
    "p_at_5": ("cosine", partial(hit_within, 5)),
    "p_at_10": ("cosine", partial(hit_within, 10)),
    "mrr": ("cosine", reciprocal),
    "p_at_1_csls": ("csls", partial(hit_within, 1)),
}
RETRIEVAL_SCORES: tuple[str, ...] = tuple(OUTCOMES)


def gain_of(outcome: Callable[[Integers], Floats], ranks: Integers) -> Floats:
    """Return what each query would gain if one wrong answer ahead of the right one were removed, (n,)."""
    return outcome(np.maximum(ranks - 1, 1)) - outcome(ranks)


GAINS: dict[str, Gain] = {name: (by, partial(gain_of, outcome)) for name, (by, outcome) in OUTCOMES.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The fixed candidate pool: one row for each distinct target."""

    rows: Indices  # (m,) rows of y
    groups: Integers  # (m,) their concept groups

    @classmethod
    def of_vectors(cls, y: Rows, groups: Integers) -> Pool:
        """Select the first row of each distinct vector of y (n, q), groups (n,)."""
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
    groups: Integers,
    pool: Pool,
    *,
    influence: bool = False,
    device: str = "cpu",
) -> tuple[MatchRanks, MatchRanks]:
    """Rank the right targets of every prediction among the pool, and the right predictions of every pool member.

    Parameters
    ----------
    prediction, y : array (n, q)
    groups : array (n,)
        Concept groups.
    pool : Pool
        The candidates.
    influence : bool
        Whether to compute the influence of every candidate, for `outcomes_in_both_roles`.
    device : str
        A torch device.
    """
    gains = GAINS if influence else None
    return match_ranks(prediction, y[pool.rows], groups, pool.groups, gains=gains, device=device)


def found_first(prediction: Floats, y: Floats, groups: Integers, pool: Pool) -> Floats:
    """Return whether each prediction finds its target first, in both roles (see `outcomes_in_both_roles`), (m,).

    Parameters
    ----------
    prediction : array (m, q)
    y : array (n, q)
        Rows of which the pool is made.
    groups : array (m,)
        Concept groups of the predictions.
    pool : Pool
    """
    gains = {"p_at_1": GAINS["p_at_1"]}
    ranks, _ = match_ranks(prediction, y[pool.rows], groups, pool.groups, gains=gains)
    return in_both_roles(hit_within(1, ranks.cosine), ranks.influence["p_at_1"], groups, pool.groups)


def retrieval_outcomes(ranks: MatchRanks) -> dict[str, Floats]:
    """Return the outcome of every query for each of `RETRIEVAL_SCORES`, (n,) each."""
    return {name: outcome(ranks.of(by)) for name, (by, outcome) in OUTCOMES.items()}


def outcomes_in_both_roles(ranks: MatchRanks, queries: Integers, candidates: Integers) -> dict[str, Floats]:
    """Return the outcome of every query less what its group, as a candidate, costs the others; means are unchanged.

    A concept group is sampled both as a query and as a candidate ahead of other right answers. Resampling the pool
    would produce duplicates, and resampling queries alone ignores the second role. To first order, without one group
    the sum loses the group's own outcome and regains what other queries lost to its candidates alone; the bootstrap of
    these adjusted outcomes covers both. The first-order variance of a statistic of pairs is biased upwards (Efron
    and Stein, 1981): with the map fixed, standard errors are 10 to 25 % above the spread over samples; they do not
    include the variance of the fit.

    Parameters
    ----------
    ranks : MatchRanks
        With their influence.
    queries, candidates : array (n,), (m,)
        Concept groups.
    """
    return {
        name: in_both_roles(outcome, ranks.influence[name], queries, candidates)
        for name, outcome in retrieval_outcomes(ranks).items()
    }


def in_both_roles(outcome: Floats, influence: Floats, queries: Integers, candidates: Integers) -> Floats:
    """Return one outcome (n,) less what the query's group costs the others as a candidate, centred.

    Parameters
    ----------
    outcome, influence : array (n,), (m,)
    queries, candidates : array (n,), (m,)
        Concept groups; the influence of a group's candidates is divided equally among its queries.
    """
    names, index, sizes = np.unique(queries, return_inverse=True, return_counts=True)
    place = np.minimum(np.searchsorted(names, candidates), len(names) - 1)
    own = names[place] == candidates
    cost: Floats = (np.bincount(place[own], influence[own], minlength=len(names)) / sizes)[index]
    adjusted: Floats = outcome - (cost - cost.mean())
    return adjusted


def mean_intervals(outcomes: dict[str, Floats], resamples: Resamples) -> dict[str, Interval]:
    """Return the mean of each outcome, a share in [0, 1], with its cluster-bootstrap interval; exact at 0 and 1."""
    totals, resampled = resamples.sums(np.column_stack([*outcomes.values(), np.ones(len(resamples.group_of_row))]))
    means, drawn = totals[:-1] / totals[-1], resampled[:, :-1] / resampled[:, -1:]
    return {
        name: proportion_interval(float(means[i]), drawn[:, i], resamples.n_groups) for i, name in enumerate(outcomes)
    }
