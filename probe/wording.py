"""The verdict in plain words: the same sentence in the terminal, in JSON and on the page."""

from __future__ import annotations

from ..analysis.certificate import NO_MAP, NONLINEAR, UNDECIDED, Decision, SharedErrors
from .results import Interval

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


def verdict_sentence(names: tuple[str, str], decision: Decision, scores: SharedErrors, detectable: float | None) -> str:
    """Say what translation is in this space, with the share that carries the verdict."""
    pair = f"{names[0]} → {names[1]}"
    if decision.verdict == NO_MAP:
        return f"{pair}: no map found predicts held-out translations better than chance."
    linear = decision.shares["linear"]
    if decision.verdict == NONLINEAR:
        degree = "mostly linear" if linear.value >= 0.5 else "nonlinear"
        return f"{pair} is {degree}: a linear map reaches {share_text(linear)} of what the best map found explains."
    if decision.verdict == UNDECIDED:
        return (
            f"{pair} is undecided: a linear map reaches {share_text(linear)} of what the best map found explains, "
            f"and {100 * (1 - decision.margin):.0f} % lies inside that interval; more pairs would decide."
        )
    share = decision.shares[decision.verdict]
    resolution = "" if detectable is None else f" Curvature of {100 * detectable:g} % would have been seen."
    return (
        f"{pair} is {DESCRIPTIONS[decision.verdict]}: it reaches {share_text(share)} of what the best map found "
        f"explains (held-out R² {scores.interval(decision.verdict).value:.2f}).{resolution}"
    )
