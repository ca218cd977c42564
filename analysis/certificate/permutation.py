"""The permutation null of the ladder: pairs permuted within strata, every rung refitted (method §4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...stages import counted
from ..maps.ladder import Ladder, LadderFit
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
    ceiling: tuple[float, ...]  # best R² among the rungs fitted in each permutation
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
    """Permute the pairs, refit and score every rung; the candidates are those of the observed pairs.

    Parameters
    ----------
    ladder : Ladder
        Of the source; its factorisations are reused, in float32.
    y : array (n, q)
    groups, strata : array (n,)
        Concept groups; strata within which pairs are permuted (length deciles).
    pool : Pool or None
        Candidates for the retrieval scores; None leaves them out. At most 1 500 queries are searched.
    plan : NullPlan
    """
    rng, ladder = np.random.default_rng(plan.seed), ladder.narrow(unturned=True)
    null = NullScores({}, {}, (), plan.costly)
    best: list[float] = []
    for turn in counted(range(plan.permutations), "shuffling pairs"):
        partner = permute_within_strata(groups, strata, rng)
        costly = turn < plan.costly
        rungs = tuple(r for r in ladder.rungs if costly or r not in COSTLY_RUNGS)
        fit = ladder.fit(y[partner], rungs)
        best.append(_add_fidelity(null, fit, y[partner]))
        if pool is not None and costly:
            _add_retrieval(null, fit.predictions, y, groups[partner], pool=pool, rng=rng)
    return NullScores(null.forward, null.backward, tuple(best), plan.costly)


def _add_fidelity(null: NullScores, fit: LadderFit, y: Floats) -> float:
    """Add R² and cosine of every rung for permuted targets, and return the best R²."""
    total = float(row_squares(y - fit.reference).sum(dtype=np.float64))
    values = []
    for rung, prediction in fit.predictions.items():
        part = fidelity(y, prediction, fit.reference)
        values.append(1 - float(part.squared_error.sum(dtype=np.float64)) / total)
        null.forward.setdefault("r2", {}).setdefault(rung, []).append(values[-1])
        null.forward.setdefault("cosine", {}).setdefault(rung, []).append(float(part.cosine.mean()))
    return max(values)


def _add_retrieval(
    null: NullScores,
    predictions: dict[str, Floats],
    y: Floats,
    wanted: NDArray[np.int64],
    *,
    pool: Pool,
    rng: np.random.Generator,
) -> None:
    """Add the retrieval scores of every rung, both ways."""
    queries = np.sort(rng.permutation(len(y))[:MAX_QUERIES])
    for rung, prediction in predictions.items():
        ranks = retrieve(prediction[queries], y, wanted[queries], pool)
        asked = np.isin(pool.groups, wanted[queries])
        for store, part, rows in ((null.forward, ranks[0], slice(None)), (null.backward, ranks[1], asked)):
            for name, outcome in retrieval_outcomes(part).items():
                store.setdefault(name, {}).setdefault(rung, []).append(float(outcome[rows].mean()))
