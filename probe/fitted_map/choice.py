"""The rung to fit: by held-out scores and verdicts, measured here or read from a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...analysis.certificate.equivalence import NO_MAP, NONLINEAR, VERDICT_ORDER, decide, decide_retrieval
from ...analysis.certificate.permutation import NullPlan
from ...analysis.maps.ladder import DEFAULT_RUNGS
from ...analysis.resampling import Interval
from ...errors import DataError
from ..experiment.held_out import absent_rungs, fit_held_out, ladder_warnings, permuted_scores, scores_of_rung
from ..experiment.pairs import Pairs
from ..results.linear_map import Direction, LinearMapResult, RungScores
from ..results.provenance import Provenance
from .certificate import certified_direction

ChosenBy = Literal["p_at_1", "r2"]
#: Rungs whose maps a folder can hold.
FITTED_RUNGS: tuple[str, ...] = DEFAULT_RUNGS


@dataclass(frozen=True, slots=True)
class RungEvidence:
    """Held-out scores of the rungs of one direction, and the verdicts on them."""

    names: tuple[str, str]
    n: int
    folds: int
    pool: int
    rungs: dict[str, RungScores]
    absent: dict[str, str]  # rung → why it was not fitted
    verdict: str  # by R²
    retrieval_verdict: str  # by P@1
    ceiling: str
    shares: dict[str, Interval]
    warnings: tuple[str, ...]

    @classmethod
    def of_direction(cls, direction: Direction, warnings: tuple[str, ...] = ()) -> RungEvidence:
        """Take a direction of a certificate, with warnings of its use."""
        certificate = direction.certificate
        return cls(
            (direction.source, direction.target),
            direction.n,
            direction.folds,
            direction.pool,
            direction.rungs,
            direction.absent,
            certificate.verdict,
            certificate.retrieval_verdict,
            certificate.ceiling,
            certificate.shares,
            (*warnings, *direction.warnings),
        )

    @classmethod
    def of_certificate(cls, certificate: LinearMapResult, record: Provenance) -> RungEvidence:
        """Take the direction of a certificate that is of the languages and models of a fit.

        Raises
        ------
        DataError
            If the certificate is of other models or languages.
        """
        direction, made = certified_direction(certificate, record), certificate.provenance
        if made.corpus_fingerprint == record.corpus_fingerprint:
            return cls.of_direction(direction)
        other_rows = (
            f"the rung was chosen, and the held-out scores measured, on {made.corpus} ({direction.n} pairs); the map "
            f"is fitted on {record.corpus}"
        )
        return cls.of_direction(direction, (other_rows,))


def measure_rungs(
    pairs: Pairs, rungs: tuple[str, ...], *, margin: float, folds: int, permutations: int, resamples: int, seed: int
) -> RungEvidence:
    """Score every rung held out and return the verdicts: the quick certificate of a fit.

    Parameters
    ----------
    pairs : Pairs
    rungs : tuple of str
    margin : float
        δ of the verdict on R², 0 < δ < 1.
    folds, permutations, resamples : int
    seed : int
    """
    held_out = fit_held_out(pairs, rungs, folds=folds, resamples=resamples, seed=seed)
    null = permuted_scores(held_out, pairs, NullPlan(permutations, 1, seed + 1))
    by_r2 = decide(held_out.errors, null.ceiling_p95, margin)
    by_p_at_1 = decide_retrieval(held_out.searches.hits(), held_out.resamples, null.p_at_1_p95)
    return RungEvidence(
        pairs.names,
        len(pairs.x),
        folds,
        len(pairs.pool.rows),
        {rung: scores_of_rung(held_out, null, rung) for rung in held_out.ladder.rungs},
        absent_rungs(held_out, pairs, rungs),
        by_r2.verdict,
        by_p_at_1.verdict,
        by_r2.ceiling,
        by_r2.shares,
        ladder_warnings(pairs),
    )


def choose_rung(evidence: RungEvidence, chosen_by: ChosenBy) -> str:
    """Return the rung to fit: the one that the verdict names, and where it names none, the best that it leaves.

    *nonlinear* gives the ceiling, a nonlinear map; *undecided* gives `linear`, which contains all plainer maps.

    Raises
    ------
    DataError
        If the verdict is that there is no map.
    """
    verdict = evidence.retrieval_verdict if chosen_by == "p_at_1" else evidence.verdict
    if NO_MAP in (evidence.verdict, verdict):
        raise DataError(
            f"no map from {evidence.names[0]} to {evidence.names[1]} clears its null on these {evidence.n} pairs: give "
            "more pairs or another model; --rung fits one all the same"
        )
    if verdict in VERDICT_ORDER:
        return verdict
    if verdict == NONLINEAR and chosen_by == "p_at_1":
        fitted = [name for name in evidence.rungs if name in FITTED_RUNGS]
        return max(fitted, key=lambda name: evidence.rungs[name].p_at_1.value)
    return evidence.ceiling if verdict == NONLINEAR else "linear"
