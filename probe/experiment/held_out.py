"""The ladder of one direction: every rung fitted, scored on rows held out of it, and scored on permuted pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.certificate.equivalence import SharedErrors
from ...analysis.certificate.permutation import NullPlan, NullScores, permutation_null
from ...analysis.maps.ladder import SAME_SPACE_RUNGS, Ladder, LadderFit, Prior
from ...analysis.maps.search_stretch import rung_stretches, search_predictions
from ...analysis.resampling import Interval, Resamples, percentile_interval
from ...analysis.retrieval.ranks import MatchRanks
from ...analysis.retrieval.scores import (
    Fidelity,
    fidelity,
    mean_intervals,
    outcomes_in_both_roles,
    retrieve,
    row_squares,
)
from ...analysis.retrieval.stretch import geometry_rows
from ...analysis.splits import deciles, group_folds
from ...analysis.types import Floats, Integers
from ..results.linear_map import RetrievalScores, RungScores
from . import caveats
from .pairs import Pairs

CONSTANT = 1e-6  # standard deviation of a coordinate over the greatest, below which it counts as constant


@dataclass(frozen=True, slots=True, eq=False)
class RungSearches:
    """Searches with the held-out predictions of every rung, stretched as an index is asked, both ways."""

    forward: dict[str, MatchRanks]  # rung → rank of each prediction's target in the pool, (n,)
    backward: dict[str, MatchRanks]  # rung → rank of each pool member's prediction, (pool,)
    groups: Integers  # (n,)
    pool_groups: Integers  # (pool,)

    @classmethod
    def of(cls, pairs: Pairs, predictions: Mapping[str, Floats], targets: Floats | None = None) -> RungSearches:
        """Search the pool with the predictions (n, q) of each rung, and the predictions with the pool.

        Parameters
        ----------
        pairs : Pairs
        predictions : mapping of str to array (n, q)
        targets : array (n, q), optional
            What is searched; y by default.
        """
        rows = pairs.y if targets is None else targets
        ranks = {
            rung: retrieve(prediction, rows, pairs.groups, pairs.pool, influence=True)
            for rung, prediction in predictions.items()
        }
        forward, backward = ({rung: both[way] for rung, both in ranks.items()} for way in (0, 1))
        return cls(forward, backward, pairs.groups, pairs.pool.groups)

    def outcomes(self, rung: str) -> dict[str, Floats]:
        """Return each retrieval score of every query, and of its group as a candidate."""
        return outcomes_in_both_roles(self.forward[rung], self.groups, self.pool_groups)

    def outcomes_backward(self, rung: str) -> dict[str, Floats]:
        """Return the same of the search with every member of the pool among the predictions."""
        return outcomes_in_both_roles(self.backward[rung], self.pool_groups, self.groups)

    def hits(self) -> dict[str, Floats]:
        """Return for every rung whether each query finds its target first, in both roles."""
        return {rung: self.outcomes(rung)["p_at_1"] for rung in self.forward}


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """A fitted ladder and the scores of its held-out predictions."""

    ladder: Ladder
    fit: LadderFit
    fidelity: dict[str, Fidelity]
    errors: SharedErrors
    searches: RungSearches
    stretches: dict[str, tuple[float, ...]]  # of every rung's predictions for these searches, by fold
    centred: RungSearches  # training means taken out of both sides
    standardised: SharedErrors  # of y with every coordinate divided by its standard deviation
    resamples: Resamples  # of the n rows
    pool_resamples: Resamples  # of the pool


def fit_held_out(pairs: Pairs, rungs: tuple[str, ...], *, folds: int, resamples: int, seed: int) -> HeldOut:
    """Fit every rung that the pairs allow and score its held-out predictions.

    Parameters
    ----------
    pairs : Pairs
        n rows.
    rungs : tuple of str
        Those that need one space are left out of pairs from two.
    folds, resamples : int
        Outer folds by group, and cluster-bootstrap resamples.
    seed : int
    """
    numbers = group_folds(pairs.groups, folds, np.random.default_rng(seed))
    allowed = tuple(rung for rung in rungs if pairs.same_space or rung not in SAME_SPACE_RUNGS)
    prior: Prior = "identity" if pairs.same_space else "components"
    ladder = Ladder(pairs.x, numbers, rungs=allowed, prior=prior, seed=seed)
    fit = ladder.fit(pairs.y)
    stretches = rung_stretches(fit, pairs.groups)
    drawn = Resamples.draw(pairs.groups, np.random.default_rng([seed, 1]), resamples)
    return HeldOut(
        ladder,
        fit,
        {rung: fidelity(pairs.y, prediction, fit.reference) for rung, prediction in fit.predictions.items()},
        rung_errors(fit, pairs.y, drawn),
        RungSearches.of(pairs, search_predictions(fit, stretches)),
        stretches,
        centred_searches(pairs, fit),
        rung_errors(fit, pairs.y, drawn, standardised=True),
        drawn,
        Resamples.draw(pairs.pool.groups, np.random.default_rng([seed, 2]), resamples),
    )


def centred_searches(pairs: Pairs, fit: LadderFit) -> RungSearches:
    """Search with the training means taken out of predictions and targets: geometry, whatever the shrinkage."""
    centred = {name: geometry_rows(rows, pairs.y, fit.reference) for name, rows in fit.predictions.items()}
    return RungSearches.of(pairs, {name: rows for name, (rows, _) in centred.items()}, pairs.y - fit.reference)


def rung_errors(fit: LadderFit, y: Floats, resamples: Resamples, *, standardised: bool = False) -> SharedErrors:
    """Sum the squared errors of every rung's predictions of y (n, q) over the same resamples.

    Parameters
    ----------
    fit : LadderFit
    y : array (n, q)
    resamples : Resamples
    standardised : bool
        Divide every coordinate by its standard deviation, so that a rogue one does not decide. One that varies by less
        than a millionth of the most variable one counts 0: some models have coordinates that are 0 but for rounding.
    """
    sizes = y.std(axis=0)
    varies = sizes > CONSTANT * sizes.max()
    unit = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=varies) if standardised else np.ones(y.shape[1])
    errors = {rung: row_squares((y - prediction) * unit) for rung, prediction in fit.predictions.items()}
    return SharedErrors.of(errors, row_squares((y - fit.reference) * unit), resamples)


def permuted_scores(held_out: HeldOut, pairs: Pairs, plan: NullPlan) -> NullScores:
    """Score every rung refitted on pairs that are permuted within deciles of length."""
    strata = deciles(pairs.lengths[0].astype(np.float64))
    return permutation_null(held_out.ladder, pairs.y, pairs.groups, strata, pool=pairs.pool, plan=plan)


def scores_of_rung(held_out: HeldOut, null: NullScores, rung: str, refitted: Interval | None = None) -> RungScores:
    """Return the scores of one rung with their intervals, each beside its null.

    Parameters
    ----------
    held_out : HeldOut
    null : NullScores
        As `permuted_scores` gives it.
    rung : str
    refitted : Interval, optional
        R² with the interval of the block jackknife.
    """
    forward = mean_intervals(held_out.searches.outcomes(rung), held_out.resamples)
    forward["cosine"] = percentile_interval(*held_out.resamples.mean(held_out.fidelity[rung].cosine))
    forward["r2"] = held_out.errors.interval(rung)
    backward = mean_intervals(held_out.searches.outcomes_backward(rung), held_out.pool_resamples)
    return RungScores(
        **{name: score.with_null(null.forward.get(name, {}).get(rung, [])) for name, score in forward.items()},
        backward=RetrievalScores(
            **{name: score.with_null(null.backward.get(name, {}).get(rung, [])) for name, score in backward.items()}
        ),
        r2_refitted=refitted,
        r2_standardised=held_out.standardised.interval(rung),
        p_at_1_centred=mean_intervals(held_out.centred.outcomes(rung), held_out.resamples)["p_at_1"],
        p_at_1_centred_backward=mean_intervals(held_out.centred.outcomes_backward(rung), held_out.pool_resamples)[
            "p_at_1"
        ],
    )


def absent_rungs(held_out: HeldOut, pairs: Pairs, rungs: tuple[str, ...]) -> dict[str, str]:
    """Return why each of the asked rungs that was not fitted is absent."""
    return {rung: pairs.why_not for rung in rungs if rung not in held_out.ladder.rungs}


def ladder_warnings(pairs: Pairs) -> tuple[str, ...]:
    """Return the warnings of a ladder on some pairs."""
    return (
        *caveats.repeated_pairs(pairs.groups),
        *caveats.few_pairs_for_a_ladder(len(pairs.x), max(pairs.x.shape[1], pairs.y.shape[1]), pairs.n_groups),
        *caveats.small_pool(len(pairs.pool.rows)),
        *pairs.warnings,
    )
