"""The sentence of a verdict: the same in the terminal, in JSON and on the page."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.certificate.equivalence import NO_MAP, NONLINEAR, UNDECIDED, Decision, SharedErrors
from ..results.intervals import Interval, percent

DESCRIPTIONS: dict[str, str] = {
    "identity": "already the identity: both languages share one place",
    "shift": "a shift: one constant offset between the languages",
    "rotation": "a rotation",
    "similarity": "a rotation with one scale",
    "linear": "a linear map",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a verdict: training pairs, detectable curvature, and R² with more pairs."""

    training_pairs: int
    detectable: float | None
    r2_foreseen: Interval | None  # of the linear rung with the most pairs that can be said
    missed: float | None = None  # the largest planted curvature, where even that was not detected

    def still_rising(self, ceiling: Interval) -> bool:
        """Whether the interval foreseen for more pairs lies above that of the ceiling."""
        return self.r2_foreseen is not None and self.r2_foreseen.low > ceiling.high


def verdict_sentence(names: tuple[str, str], decision: Decision, scores: SharedErrors, limits: Limits) -> str:
    """Return the sentence of a verdict: the map, the share that it rests on, and its limits."""
    pair = f"{names[0]} → {names[1]}"
    if decision.verdict == NO_MAP:
        return f"{pair}: no map found predicts held-out translations better than chance."
    ceiling = scores.interval(decision.ceiling)
    rising = limits.still_rising(ceiling)
    as_far = f" as far as {limits.training_pairs} training pairs tell" if rising else ""
    linear = decision.shares["linear"]
    reached = f"a linear map reaches {percent(linear, 0)} of what the best map found explains"
    if decision.verdict == NONLINEAR:
        found = f"is {'mostly linear' if linear.value >= 0.5 else 'nonlinear'}{as_far}: {reached}."
    elif decision.verdict == UNDECIDED:
        found = f"is undecided: {reached}, an interval that holds the {100 * (1 - decision.margin):.0f} % asked for."
    else:
        share = percent(decision.shares[decision.verdict], 0)
        found = f"is {DESCRIPTIONS[decision.verdict]}{as_far}: it reaches {share} of what the best map found explains."
    return f"{pair} {found} {limits_sentence(decision, ceiling, limits)}"


def limits_sentence(decision: Decision, ceiling: Interval, limits: Limits) -> str:
    """Return what the best map explains, whether more pairs would add to it, and what curvature could be missed."""
    explained = f"The best map explains {100 * ceiling.value:.0f} % of held-out variance"
    if limits.still_rising(ceiling):
        explained += " and would explain more with more pairs"
    if decision.verdict in DESCRIPTIONS and limits.detectable is not None:
        explained += f"; curvature of {100 * limits.detectable:g} % or more would have been seen"
    elif decision.verdict in DESCRIPTIONS and limits.missed is not None:
        explained += f"; even curvature of {100 * limits.missed:g} % could have been missed"
    return f"{explained}."
