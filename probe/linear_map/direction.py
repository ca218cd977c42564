"""One direction of translation, measured: ladder, intervals, nulls, certificate, anatomy, failures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.certificate.equivalence import MARGINS, NO_MAP, Decision, SharedErrors, decide, decide_retrieval
from ...analysis.certificate.jackknife import block_moments_of, refitted_intervals
from ...analysis.certificate.permutation import NullPlan, NullScores, permutation_null
from ...analysis.certificate.power import Planting, PowerCurve, power_curve
from ...analysis.maps.ladder import SAME_SPACE_RUNGS, Choices, Ladder, LadderFit, Prior
from ...analysis.maps.map_spec import MapSpec
from ...analysis.maps.search_stretch import search_predictions
from ...analysis.resampling import Interval, Resamples, percentile_interval
from ...analysis.retrieval.scores import (
    Fidelity,
    fidelity,
    mean_intervals,
    outcomes_in_both_roles,
    retrieve,
    row_squares,
)
from ...analysis.retrieval.search import MatchRanks
from ...analysis.splits import deciles, group_folds
from ...analysis.types import Floats
from ..experiment.pairs import Pairs
from ..experiment.parallel import side_by_side
from ..results.linear_map import Certificate, Choice, Direction, LearningCurve, PowerPoint, RetrievalScores, RungScores
from .config import LinearMapConfig
from .heterogeneity import Judged, anatomy_of, drift_of, learning_of, residual_groups, transfer_of
from .noise_ceiling import noise_ceiling
from .rows import explorer_points, hubness_of, worst_rows
from .wording import Reach, verdict_sentence

SMALL_POOL = 200
FEW_A_DIMENSION = 4
FEW_GROUPS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Everything that later steps read: the fit, per-row outcomes, shared resamples."""

    pairs: Pairs
    config: LinearMapConfig
    folds: NDArray[np.int64]
    ladder: Ladder
    fit: LadderFit
    total: Floats  # (n,) ‖y − μy‖²
    fidelity: dict[str, Fidelity]
    forward: dict[str, MatchRanks]
    backward: dict[str, MatchRanks]
    resamples: Resamples
    pool_resamples: Resamples
    scores: SharedErrors

    @property
    def judged(self) -> str:
        """The rung whose rows are shown: the linear one."""
        return "linear"

    @property
    def judged_outcomes(self) -> Judged:
        """Per-row outcomes of the judged rung."""
        return Judged(self.fidelity[self.judged], self.total, self.forward[self.judged])

    def found(self, rung: str) -> dict[str, Floats]:
        """Return what became of every query, and of its group as a candidate, for each retrieval score."""
        return outcomes_in_both_roles(self.forward[rung], self.pairs.groups, self.pairs.pool.groups)

    def found_back(self, rung: str) -> dict[str, Floats]:
        """Return the same of the other search: every member of the pool among the predictions."""
        return outcomes_in_both_roles(self.backward[rung], self.pairs.pool.groups, self.pairs.groups)

    def map_specs(self, rung: str) -> list[MapSpec]:
        """Return what each fold chose for a closed-form rung."""
        return [choices.spec(rung) for choices in self.fit.choices]


def measure_both(pairs: Pairs, config: LinearMapConfig) -> tuple[Direction, Direction]:
    """Measure both directions side by side."""
    first, second = side_by_side(lambda p: measure_direction(p, config), (pairs, pairs.swapped()))
    return first, second


def measure_direction(pairs: Pairs, config: LinearMapConfig) -> Direction:
    """Measure one direction of translation.

    Parameters
    ----------
    pairs : Pairs
        n ≥ 50 rows.
    config : LinearMapConfig

    Returns
    -------
    Direction
    """
    fitted = fit_ladder(pairs, config)
    null = _null(fitted)
    decision = decide(fitted.scores, null.ceiling_p95, config.margin)
    power = _power(fitted)
    refitted = _refitted(fitted)
    learning = learning_of(pairs, config) if config.failure else None
    return Direction(
        source=pairs.names[0],
        target=pairs.names[1],
        n=len(pairs.x),
        groups=len(np.unique(pairs.groups)),
        dims=(pairs.x.shape[1], pairs.y.shape[1]),
        folds=config.folds,
        pool=len(pairs.pool.rows),
        rungs={rung: _rung_scores(fitted, null, rung, refitted.get(rung)) for rung in fitted.ladder.rungs},
        absent={rung: pairs.why_not for rung in config.rungs if rung not in fitted.ladder.rungs},
        certificate=_certificate(fitted, null, decision, power, learning),
        judged=fitted.judged,
        choices=tuple(_choice(c) for c in fitted.fit.choices),
        worst=worst_rows(pairs, fitted.fit.predictions[fitted.judged], fitted.forward[fitted.judged], config),
        warnings=tuple(_warnings(fitted)),
        anatomy=anatomy_of(fitted.ladder, pairs, fitted.fit),
        drift=drift_of(fitted.fit, pairs, config) if config.failure else None,
        learning_curve=learning,
        residuals=residual_groups(pairs, fitted.judged_outcomes, config),
        transfer=transfer_of(pairs, config) if config.failure else None,
        hubness=hubness_of(pairs, fitted.fit.predictions),
        explorer=explorer_points(pairs, fitted.fit.predictions[fitted.judged], config),
    )


def fit_ladder(pairs: Pairs, config: LinearMapConfig) -> Fitted:
    """Fit every rung and gather per-row outcomes."""
    rng = np.random.default_rng(config.seed)
    folds = group_folds(pairs.groups, config.folds, rng)
    rungs = tuple(r for r in config.rungs if pairs.same_space or r not in SAME_SPACE_RUNGS)
    prior: Prior = "identity" if pairs.same_space else "components"
    ladder = Ladder(pairs.x, folds, rungs=rungs, prior=prior, seed=config.seed)
    fit = ladder.fit(pairs.y)
    parts = {rung: fidelity(pairs.y, p, fit.reference) for rung, p in fit.predictions.items()}
    asked = search_predictions(fit, pairs.groups)
    ranks = {rung: retrieve(p, pairs.y, pairs.groups, pairs.pool, influence=True) for rung, p in asked.items()}
    total = row_squares(pairs.y - fit.reference)
    resamples = Resamples.draw(pairs.groups, np.random.default_rng([config.seed, 1]), config.resamples)
    pool_resamples = Resamples.draw(pairs.pool.groups, np.random.default_rng([config.seed, 2]), config.resamples)
    scores = SharedErrors.of({rung: part.squared_error for rung, part in parts.items()}, total, resamples)
    forward = {rung: pair[0] for rung, pair in ranks.items()}
    backward = {rung: pair[1] for rung, pair in ranks.items()}
    return Fitted(pairs, config, folds, ladder, fit, total, parts, forward, backward, resamples, pool_resamples, scores)


def _null(fitted: Fitted) -> NullScores:
    config, pairs = fitted.config, fitted.pairs
    plan = NullPlan(config.permutations, config.costly_permutations, config.seed + 1)
    strata = deciles(pairs.lengths[0].astype(np.float64))
    return permutation_null(fitted.ladder, pairs.y, pairs.groups, strata, pool=pairs.pool, plan=plan)


def _power(fitted: Fitted) -> PowerCurve | None:
    if not fitted.config.power_replicates or "nonlinear" not in fitted.ladder.rungs:
        return None
    linear = fitted.fit.predictions["linear"]
    planting = Planting(linear, fitted.pairs.y - linear)
    return power_curve(fitted.ladder, planting, replicates=fitted.config.power_replicates, seed=fitted.config.seed)


def _rung_scores(fitted: Fitted, null: NullScores, rung: str, refitted: Interval | None) -> RungScores:
    forward = mean_intervals(fitted.found(rung), fitted.resamples)
    backward = mean_intervals(fitted.found_back(rung), fitted.pool_resamples)
    cosine = {"cosine": percentile_interval(*fitted.resamples.mean(fitted.fidelity[rung].cosine))}
    return RungScores(
        r2=fitted.scores.interval(rung).with_null(null.forward["r2"].get(rung, [])),
        **_with_null(cosine | forward, null.forward, rung),
        backward=RetrievalScores(**_with_null(backward, null.backward, rung)),
        r2_refitted=refitted,
    )


def _with_null(scores: dict[str, Interval], null: dict[str, dict[str, list[float]]], rung: str) -> dict[str, Interval]:
    return {name: score.with_null(null.get(name, {}).get(rung, [])) for name, score in scores.items()}


def _refitted(fitted: Fitted) -> dict[str, Interval]:
    """Jackknife intervals of the rungs that refit in closed form (method §4)."""
    rungs = [r for r in ("shift", "rotation", "similarity", "linear") if r in fitted.ladder.rungs]
    if not fitted.config.failure:
        return {}
    pairs = fitted.pairs
    blocks = block_moments_of(pairs.x, pairs.y, pairs.groups, fitted.folds)
    prior = fitted.ladder.target(pairs.y).prior
    return refitted_intervals(blocks, {rung: fitted.map_specs(rung) for rung in rungs}, prior)


def _certificate(
    fitted: Fitted,
    null: NullScores,
    decision: Decision,
    power: PowerCurve | None,
    learning: LearningCurve | None,
) -> Certificate:
    config, scores = fitted.config, fitted.scores
    hits = {rung: fitted.found(rung)["p_at_1"] for rung in fitted.forward}
    retrieval = decide_retrieval(hits, fitted.resamples, null.p_at_1_p95)
    detectable = power.smallest_detectable if power else None
    training = round(len(fitted.pairs.x) * (config.folds - 1) / config.folds)
    missed = max(power.shares) if power and detectable is None else None
    reach = Reach(training, detectable, learning.limit if learning else None, missed)
    ceiling, rows, on_rows = noise_ceiling(fitted.pairs, fitted.fit, decision.ceiling, config)
    return Certificate(
        verdict=decision.verdict,
        sentence=verdict_sentence(fitted.pairs.names, decision, scores, reach),
        ceiling=decision.ceiling,
        margin=config.margin,
        shares=decision.shares,
        equivalences={name: str(value) for name, value in decision.equivalences.items()},
        ceiling_null_p95=null.ceiling_p95,
        by_margin={f"{m:g}": decide(scores, null.ceiling_p95, m).verdict for m in MARGINS},
        retrieval_verdict=retrieval.verdict,
        retrieval_margin=retrieval.margin,
        retrieval_gaps=retrieval.shares,
        curvature_gain=_curvature_gain(scores, decision, power),
        smallest_detectable=detectable,
        power=tuple(_power_points(power)),
        noise_ceiling=ceiling,
        noise_ceiling_rows=rows,
        ceiling_on_those_rows=on_rows,
    )


def _curvature_gain(scores: SharedErrors, decision: Decision, power: PowerCurve | None) -> Interval | None:
    """Return what the ceiling gains over the best linear rung, beside what is gained where nothing is curved."""
    if decision.verdict == NO_MAP:
        return None
    return scores.gain(decision.ceiling, over=scores.best_linear).with_null(power.flat if power else ())


def _power_points(power: PowerCurve | None) -> Iterator[PowerPoint]:
    if power is not None:
        for share, detected, tried in zip(power.shares, power.detected, power.replicates, strict=True):
            yield PowerPoint(share, detected, tried)


def _choice(choices: Choices) -> Choice:
    locality, curvature, shrinkage = choices.locality, choices.curvature, choices.shrinkage
    return Choice(
        penalty=choices.penalty,
        rank=choices.rank,
        regions=locality.regions if locality else None,
        region_penalty=locality.penalty if locality else None,
        bandwidth=curvature.bandwidth if curvature else None,
        curvature_penalty=curvature.penalty if curvature else None,
        kappa=choices.kappa if np.isfinite(choices.kappa) else None,
        scale=shrinkage.scale if shrinkage else None,
        towards=shrinkage.towards if shrinkage else None,
    )


def _warnings(fitted: Fitted) -> Iterator[str]:
    pairs = fitted.pairs
    n, width = len(pairs.x), max(pairs.x.shape[1], pairs.y.shape[1])
    repeated = n - len(np.unique(pairs.groups))
    if repeated:
        yield f"{repeated} of {n} pairs repeat or nearly repeat another: they share its fold and its resamples"
    if n < 2 * width:
        yield f"{n} pairs in {width} dimensions: fewer than two pairs a dimension, the ladder rests on its penalties"
    elif n < FEW_A_DIMENSION * width:
        yield (
            f"{n} pairs in {width} dimensions: with fewer than about {FEW_A_DIMENSION} pairs a dimension a rotation "
            "rests on its prior, so that linear may stand for a rotation"
        )
    if len(np.unique(pairs.groups)) < FEW_GROUPS:
        yield f"{len(np.unique(pairs.groups))} independent groups of pairs: intervals of so few are too short"
    if len(pairs.pool.rows) < SMALL_POOL:
        yield f"the pool holds {len(pairs.pool.rows)} candidates: P@1 is easy, do not compare it with larger pools"
    yield from pairs.warnings
