"""The verdict in plain words: the same sentence in the terminal, in JSON and on the page."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.certificate.equivalence import NO_MAP, NONLINEAR, UNDECIDED, Decision, SharedErrors
from ..results.serialization import Interval

DESCRIPTIONS: dict[str, str] = {
    "identity": "already the identity: both languages share one place",
    "shift": "a shift: one constant offset between the languages",
    "rotation": "a rotation",
    "similarity": "a rotation with one scale",
    "linear": "a linear map",
}


def share_text(share: Interval) -> str:
    """Return a share as ``93 % [92, 94]``.

    Examples
    --------
    >>> share_text(Interval(0.93, 0.921, 0.938))
    '93 % [92, 94]'
    """
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


@dataclass(frozen=True, slots=True)
class Reach:
    """What bounds a verdict: the training pairs, the resolution, and what more pairs would bring."""

    training_pairs: int
    detectable: float | None
    limit: Interval | None
    missed: float | None = None  # the largest planted curvature, where even that was not detected

    def still_rising(self, ceiling: Interval) -> bool:
        """Whether held-out R² would surely grow with more pairs."""
        return self.limit is not None and self.limit.low > ceiling.high


def verdict_sentence(names: tuple[str, str], decision: Decision, scores: SharedErrors, reach: Reach) -> str:
    """Say what translation is in this space, with the share that carries the verdict and what bounds it."""
    pair = f"{names[0]} → {names[1]}"
    if decision.verdict == NO_MAP:
        return f"{pair}: no map found predicts held-out translations better than chance."
    ceiling = scores.interval(decision.ceiling)
    rising = reach.still_rising(ceiling)
    as_far = f" as far as {reach.training_pairs} training pairs tell" if rising else ""
    return f"{pair} {_finding(decision, as_far)} {_bounds(decision, ceiling, reach)}"


def _finding(decision: Decision, as_far: str) -> str:
    linear = decision.shares["linear"]
    reached = f"a linear map reaches {share_text(linear)} of what the best map found explains"
    if decision.verdict == NONLINEAR:
        return f"is {'mostly linear' if linear.value >= 0.5 else 'nonlinear'}{as_far}: {reached}."
    if decision.verdict == UNDECIDED:
        return f"is undecided: {reached}, an interval that holds the {100 * (1 - decision.margin):.0f} % asked for."
    name, share = DESCRIPTIONS[decision.verdict], decision.shares[decision.verdict]
    return f"is {name}{as_far}: it reaches {share_text(share)} of what the best map found explains."


def _bounds(decision: Decision, ceiling: Interval, reach: Reach) -> str:
    explained = f"The best map explains {100 * ceiling.value:.0f} % of held-out variance"
    if reach.still_rising(ceiling):
        explained += " and would explain more with more pairs"
    if decision.verdict in DESCRIPTIONS and reach.detectable is not None:
        explained += f"; curvature of {100 * reach.detectable:g} % or more would have been seen"
    elif decision.verdict in DESCRIPTIONS and reach.missed is not None:
        explained += f"; even curvature of {100 * reach.missed:g} % could have been missed"
    return f"{explained}."
