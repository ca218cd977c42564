"""Whether a map helps search, apart from what it says about geometry (method §5)."""

from __future__ import annotations

import numpy as np

from ...analysis.certificate.equivalence import LINEAR, VERDICT_ORDER, Decision
from ...analysis.resampling import Interval, percentile_interval
from ...analysis.types import Floats
from ..experiment.held_out import HeldOut
from ..results.intervals import in_points, percent
from ..results.linear_map import Use

NO_MAP_NEEDED, HELPS, NO_MAP_HELPS, UNDECIDED = "no map needed", "a map helps", "no map helps", "undecided"
SMALL_GAIN = 0.01  # of P@1: a gain below one point is none
GOOD_SEARCH = 0.9  # P@1 above which a search that no map improves needs none
IN_WORDS = {
    "identity": "no map",
    "shift": "a shift",
    "rotation": "a rotation",
    "similarity": "a rotation with one scale",
    "low_rank": "a low-rank linear map",
    "linear": "a linear map",
    "local": "a linear map for each region",
    "nonlinear": "a curved map",
    "mlp": "a small network",
}


def use_of(held_out: HeldOut, pool: int, names: tuple[str, str], retrieval: Decision, null_p95: float) -> Use:
    """Judge whether a map helps search.

    Parameters
    ----------
    held_out : HeldOut
        Searches with the held-out predictions of every rung.
    pool : int
        Number of candidates.
    names : (str, str)
        Of source and target.
    retrieval : Decision
        Verdict by P@1: the plainest rung within a point of the best.
    null_p95 : float
        95th percentile of the best P@1 on permuted pairs.
    """
    hits = held_out.searches.hits()
    best = chosen_rung(retrieval, hits)
    scores = {"best": p_at_1(held_out, hits[best])}
    if "linear" in hits:
        scores["linear"] = p_at_1(held_out, hits["linear"])
    gain = None
    if "identity" in hits:
        scores = {"no map": p_at_1(held_out, hits["identity"]), **scores}
        gain = p_at_1(held_out, hits[best] - hits["identity"])
    verdict = use_verdict(scores, gain, null_p95)
    return Use(verdict, use_sentence(verdict, best, scores, gain, (names, pool)), best, scores, gain)


def chosen_rung(retrieval: Decision, hits: dict[str, Floats]) -> str:
    """Return the plainest rung within a point of the best, else the best; the identity only where it is alone.

    Where that is `linear`, it is the better of the rungs that count for it.
    """
    settled = retrieval.verdict if retrieval.verdict in VERDICT_ORDER else retrieval.ceiling
    among = {"identity": hits.keys() - {"identity"}, "linear": hits.keys() & set(LINEAR)}.get(settled) or {settled}
    return max((rung for rung in hits if rung in among), key=lambda rung: float(np.mean(hits[rung])))


def p_at_1(held_out: HeldOut, outcomes: Floats) -> Interval:
    """Return the mean of outcomes (n,) with its cluster-bootstrap interval."""
    return percentile_interval(*held_out.resamples.mean(outcomes))


def use_verdict(scores: dict[str, Interval], gain: Interval | None, null_p95: float) -> str:
    """Return the verdict on search; undecided where the interval of the gain does not settle it."""
    if scores["best"].low <= null_p95:
        return NO_MAP_HELPS
    if gain is None or gain.low > 0:
        return HELPS
    if gain.high >= SMALL_GAIN:
        return UNDECIDED
    return NO_MAP_NEEDED if scores["no map"].low >= GOOD_SEARCH else NO_MAP_HELPS


def use_sentence(
    verdict: str, best: str, scores: dict[str, Interval], gain: Interval | None, searched: tuple[tuple[str, str], int]
) -> str:
    """Return the verdict on search in a sentence, with what was found first among how many."""
    (source, target), pool = searched
    said = "not settled" if verdict == UNDECIDED else verdict
    found = f"{IN_WORDS.get(best, best)} finds {percent(scores['best'])} of the translations first among {pool}"
    if gain is None:
        return f"Search, {source} → {target}: {said}; {found}."
    return f"Search, {source} → {target}: {said}; {found}, no map {percent(scores['no map'])}: {in_points(gain)}."
