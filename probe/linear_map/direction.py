"""One direction of translation, measured: the ladder held out, its certificate, and what the map does where."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...analysis.certificate.equivalence import MARGINS, NO_MAP, Decision, SharedErrors, decide, decide_retrieval
from ...analysis.certificate.jackknife import block_moments_of, refitted_intervals
from ...analysis.certificate.permutation import NullPlan, NullScores
from ...analysis.certificate.power import Planting, PowerCurve, power_curve
from ...analysis.maps.search_stretch import search_predictions
from ...analysis.resampling import Interval
from ...analysis.retrieval.scores import row_squares
from ...analysis.types import Floats
from ...stages import about, stage
from ..experiment.caveats import UNREAD
from ..experiment.held_out import HeldOut, absent_rungs, fit_held_out, ladder_warnings, permuted_scores, scores_of_rung
from ..experiment.pairs import Pairs
from ..experiment.parallel import in_turn, side_by_side
from ..results.linear_map import AllPairs, Certificate, Controls, Direction, LearningCurve, PowerPoint
from .choices import choice_of_fold
from .config import LinearMapConfig
from .controls import controls_of
from .geometry import geometry_of, sampled_geometry
from .heterogeneity import RowScores, anatomy_of, drift_of, residual_groups, transfer_of
from .learning import learning_of
from .noise_ceiling import noise_ceiling
from .picture import picture_of, search_examples
from .sentences import Limits, verdict_sentence
from .shown_rows import explorer_points, hubness_of, worst_rows
from .streamed import PairFit, all_pairs
from .use import use_of

SHOWN_RUNG = "linear"  # whose rows, neighbours and residuals are shown
REFITTED_RUNGS = ("shift", "rotation", "similarity", "linear")


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a certificate rests on besides the held-out ladder."""

    null: NullScores
    power: PowerCurve | None
    learning: LearningCurve | None


def measure_both(
    pairs: Pairs,
    config: LinearMapConfig,
    instruments: dict[str, Floats] | None = None,
    streamed: tuple[PairFit, PairFit] | None = None,
) -> tuple[Direction, Direction]:
    """Measure both directions side by side, or, of a sample, one after the other for want of memory.

    The other parameters are those of `measure_direction`.
    """

    def measured(one: tuple[Pairs, PairFit | None]) -> Direction:
        with about(" → ".join(one[0].names)):
            return measure_direction(one[0], config, instruments, one[1])

    both = list(zip((pairs, pairs.swapped()), streamed or (None, None), strict=True))
    first, second = side_by_side(measured, both) if streamed is None else in_turn(measured, both)
    return first, second


def measure_direction(
    pairs: Pairs,
    config: LinearMapConfig,
    instruments: dict[str, Floats] | None = None,
    streamed: PairFit | None = None,
) -> Direction:
    """Measure one direction of translation.

    Parameters
    ----------
    pairs : Pairs
        n ≥ 50 rows.
    config : LinearMapConfig
    instruments : dict of array (n, w), optional
        Embeddings of the same rows in other languages; without them there is no verdict on geometry.
    streamed : PairFit, optional
        Maps of all pairs, where the rows are a sample of them.

    Returns
    -------
    Direction
    """
    stage("fitting maps")
    held_out = fit_held_out(pairs, config.rungs, folds=config.folds, resamples=config.resamples, seed=config.seed)
    plan = NullPlan(config.permutations, config.costly_permutations, config.seed + 1)
    null = permuted_scores(held_out, pairs, plan)
    chance = null.forward.get("r2", {}).get("linear", [])
    stage("learning curve")
    learning = learning_of(held_out.fit, pairs, config, chance) if config.failure else None
    evidence = Evidence(null, detection_power(held_out, pairs, config), learning)
    refitted = refitted_r2(held_out, pairs) if config.failure else {}
    judge = geometry_of if streamed is None else sampled_geometry
    stage("intervals and details")
    fit, searched = held_out.fit, search_predictions(held_out.fit, held_out.stretches)
    ranks = held_out.searches.forward[SHOWN_RUNG]
    use = use_of(held_out, len(pairs.pool.rows), pairs.names, by_search(held_out, null), null.p_at_1_p95)
    rows = RowScores(held_out.fidelity[SHOWN_RUNG].squared_error, row_squares(pairs.y - fit.reference), ranks)
    return Direction(
        source=pairs.names[0],
        target=pairs.names[1],
        n=len(pairs.x),
        groups=pairs.n_groups,
        dims=(pairs.x.shape[1], pairs.y.shape[1]),
        folds=config.folds,
        pool=len(pairs.pool.rows),
        rungs={rung: scores_of_rung(held_out, null, rung, refitted.get(rung)) for rung in held_out.ladder.rungs},
        absent=absent_rungs(held_out, pairs, config.rungs),
        certificate=certify(held_out, pairs, evidence, config),
        judged=SHOWN_RUNG,
        choices=tuple(map(choice_of_fold, fit.choices)),
        worst=worst_rows(pairs, searched[SHOWN_RUNG], ranks, config),
        warnings=ladder_warnings(pairs),
        anatomy=anatomy_of(fit, pairs),
        drift=drift_of(fit, pairs, config) if config.failure else None,
        learning_curve=learning,
        residuals=residual_groups(pairs, rows, config),
        transfer=transfer_of(pairs, config) if config.failure else None,
        hubness=hubness_of(pairs, searched),
        explorer=explorer_points(pairs, searched[SHOWN_RUNG], config),
        use=use,
        geometry=judge(pairs, instruments or {}, config),
        controls=controls_of(held_out, pairs, instruments or {}, config.seed) if config.controls else Controls(),
        picture=picture_of(held_out, pairs, config),
        examples=search_examples(held_out, pairs, use.best, config),
        streamed=None if streamed is None else of_all_pairs(streamed, held_out, evidence, pairs, config),
    )


def of_all_pairs(
    streamed: PairFit, held_out: HeldOut, evidence: Evidence, pairs: Pairs, config: LinearMapConfig
) -> AllPairs:
    """Return R² of closed-form maps over all pairs, with the curvature that the sample would have shown."""
    limits = replace(limits_of(evidence, streamed.n, config), r2_foreseen=None)
    if max(pairs.unknown) > UNREAD:
        streamed = replace(streamed, latent={})
    return all_pairs(streamed, held_out, evidence.null, config, names=pairs.names, limits=limits)


def by_search(held_out: HeldOut, null: NullScores) -> Decision:
    """Return the verdict by P@1."""
    return decide_retrieval(held_out.searches.hits(), held_out.resamples, null.p_at_1_p95)


def detection_power(held_out: HeldOut, pairs: Pairs, config: LinearMapConfig) -> PowerCurve | None:
    """Return how often planted curvature is detected; None without replicates or without the nonlinear rung."""
    if not config.power_replicates or "nonlinear" not in held_out.ladder.rungs:
        return None
    linear = held_out.fit.predictions["linear"]
    planting = Planting(linear, pairs.y - linear)
    return power_curve(held_out.ladder, planting, replicates=config.power_replicates, seed=config.seed)


def refitted_r2(held_out: HeldOut, pairs: Pairs) -> dict[str, Interval]:
    """Return block-jackknife intervals of R² for the rungs that are refitted in closed form (method §4)."""
    blocks = block_moments_of(pairs.x, pairs.y, pairs.groups, held_out.ladder.source.folds)
    choices = held_out.fit.choices
    return refitted_intervals(
        blocks,
        {rung: [c.spec(rung) for c in choices] for rung in REFITTED_RUNGS if rung in held_out.ladder.rungs},
        held_out.fit.target.prior,
    )


def certify(held_out: HeldOut, pairs: Pairs, evidence: Evidence, config: LinearMapConfig) -> Certificate:
    """Return the verdicts by R² and by P@1, with what they rest on."""
    null, power = evidence.null, evidence.power
    decision = decide(held_out.errors, null.ceiling_p95, config.margin)
    retrieval = by_search(held_out, null)
    limits = limits_of(evidence, len(pairs.x), config)
    noise = noise_ceiling(pairs, held_out.fit, decision.ceiling, config)
    return Certificate(
        verdict=decision.verdict,
        sentence=verdict_sentence(pairs.names, decision, held_out.errors, limits),
        ceiling=decision.ceiling,
        margin=config.margin,
        shares=decision.shares,
        equivalences={name: str(value) for name, value in decision.equivalences.items()},
        ceiling_null_p95=null.ceiling_p95,
        by_margin={f"{m:g}": decide(held_out.errors, null.ceiling_p95, m).verdict for m in MARGINS},
        retrieval_verdict=retrieval.verdict,
        retrieval_margin=retrieval.margin,
        retrieval_gaps=retrieval.shares,
        curvature_gain=None if decision.verdict == NO_MAP else curvature_gain(held_out.errors, power),
        smallest_detectable=limits.detectable,
        power=power_points(power) if power else (),
        noise_ceiling=noise.second_reference,
        noise_ceiling_rows=noise.rows,
        ceiling_on_those_rows=noise.ceiling_rung,
    )


def limits_of(evidence: Evidence, n: int, config: LinearMapConfig) -> Limits:
    """Return the limits of a verdict on n pairs."""
    power, learning = evidence.power, evidence.learning
    detectable = power.smallest_detectable if power else None
    return Limits(
        training_pairs=round(n * (config.folds - 1) / config.folds),
        detectable=detectable,
        r2_foreseen=learning.foreseen[-1].r2 if learning and learning.foreseen else None,
        missed=max(power.shares) if power and detectable is None else None,
    )


def curvature_gain(errors: SharedErrors, power: PowerCurve | None) -> Interval:
    """Return R² of the ceiling less that of the best linear rung, beside the same where nothing is curved."""
    return errors.gain(errors.ceiling, over=errors.best_linear).with_null(power.flat if power else ())


def power_points(power: PowerCurve) -> tuple[PowerPoint, ...]:
    """Return the power curve as a part of the result."""
    points = zip(power.shares, power.detected, power.replicates, strict=True)
    return tuple(PowerPoint(share, detected, tried) for share, detected, tried in points)
