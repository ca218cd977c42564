"""The permutation null of the ladder: pairs broken within strata, every rung refitted (method §4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maps.ladder import Ladder
from ..retrieval.scores import Pool, fidelity, retrieval_outcomes, retrieve, row_squares
from ..splits import permute_within_strata
from ..types import Floats

PERMUTATIONS = 20
COSTLY_PERMUTATIONS = 5
COSTLY_RUNGS = frozenset({"low_rank", "local", "nonlinear", "mlp"})
MAX_QUERIES = 1500


@dataclass(frozen=True, slots=True)
class NullPlan:
    """How often pairs are permuted: all closed-form rungs `permutations` times, costly rungs and retrieval fewer."""

    permutations: int = PERMUTATIONS
    costly: int = COSTLY_PERMUTATIONS
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class NullScores:
    """Values of every score under permuted pairs: score → rung → one value a permutation."""

    forward: dict[str, dict[str, list[float]]]
    backward: dict[str, dict[str, list[float]]]
    ceiling: tuple[float, ...]  # best R² among the fitted rungs of each permutation
    costly: int  # permutations, the first ones, in which the costly rungs were fitted too

    @property
    def ceiling_p95(self) -> float:
        """95th percentile of the best R²: what a ceiling must clear.

        Most permutations lack the costly rungs; the greatest value of those that have them all counts if it is higher.
        """
        return max([float(np.quantile(self.ceiling, 0.95)), *self.ceiling[: self.costly]])

    @property
    def p_at_1_p95(self) -> float:
        """95th percentile of the best P@1 among all rungs: what retrieval must clear; 0 where none was measured."""
        rungs = list(self.forward.get("p_at_1", {}).values())
        return float(np.quantile(np.max(rungs, axis=0), 0.95)) if rungs else 0.0


def permutation_null(
    ladder: Ladder,
    y: Floats,
    groups: NDArray[np.int64],
    strata: NDArray[np.int64],
    *,
    pool: Pool | None,
    plan: NullPlan,
) -> NullScores:
    """Break the pairs, refit, score; identical candidates as for the observed pairs.

    Parameters
    ----------
    ladder : Ladder
        Of the source; its factorisations are reused, in float32.
    y : array (n, q)
    groups, strata : array (n,)
        Concept groups; strata within which rows change partners (length deciles).
    pool : Pool or None
        Candidates for the retrieval scores; None leaves them out. At most 1 500 queries are searched.
    plan : NullPlan
    """
    rng, ladder = np.random.default_rng(plan.seed), ladder.narrow()
    null = NullScores({}, {}, (), plan.costly)
    best: list[float] = []
    for turn in range(plan.permutations):
        partner = permute_within_strata(groups, strata, rng)
        costly = turn < plan.costly
        rungs = tuple(r for r in ladder.rungs if costly or r not in COSTLY_RUNGS)
        fit = ladder.fit(y[partner], rungs)
        scores = list(_fidelity_scores(fit.predictions, y[partner], fit.reference))
        for rung, name, value in scores:
            null.forward.setdefault(name, {}).setdefault(rung, []).append(value)
        best.append(max(value for rung, name, value in scores if name == "r2"))
        if pool is not None and costly:
            _add_retrieval(null, fit.predictions, y, groups[partner], pool=pool, rng=rng)
    return NullScores(null.forward, null.backward, tuple(best), plan.costly)


def _fidelity_scores(predictions: dict[str, Floats], y: Floats, reference: Floats) -> Iterator[tuple[str, str, float]]:
    total = float(row_squares(y - reference).sum(dtype=np.float64))
    for rung, prediction in predictions.items():
        part = fidelity(y, prediction, reference)
        yield rung, "r2", 1 - float(part.squared_error.sum(dtype=np.float64)) / total
        yield rung, "cosine", float(part.cosine.mean())


def _add_retrieval(
    null: NullScores,
    predictions: dict[str, Floats],
    y: Floats,
    wanted: NDArray[np.int64],
    *,
    pool: Pool,
    rng: np.random.Generator,
) -> None:
    queries = np.sort(rng.permutation(len(y))[:MAX_QUERIES])
    for rung, prediction in predictions.items():
        ranks = retrieve(prediction[queries], y, wanted[queries], pool)
        asked = np.isin(pool.groups, wanted[queries])
        for store, part, rows in ((null.forward, ranks[0], slice(None)), (null.backward, ranks[1], asked)):
            for name, outcome in retrieval_outcomes(part).items():
                store.setdefault(name, {}).setdefault(rung, []).append(float(outcome[rows].mean()))
