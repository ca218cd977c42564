"""The first screen of a direction: one sentence on search, one on geometry, three numbers, and the picture."""

from __future__ import annotations

from dataclasses import dataclass

from ....probe.results.intervals import Interval
from ....probe.results.linear_map import Direction, Geometry
from ...formatting import capitalized, count, number, percent, percent_interval, shown_verdict
from .hero import Hero, hero
from .wording import SIMPLE, row_words, subject_words

DIFFERENCES = {
    "identity": "the two clouds coincide already",
    "shift": "the clouds differ by one constant vector",
    "rotation": "a rotation takes one cloud to the other",
    "similarity": "a rotation with one scale takes one cloud to the other",
    "linear": "a matrix takes one cloud to the other",
    "nonlinear": "no matrix takes one cloud to the other",
}
REASONS = {
    "pairs may predict no more than permuted pairs": "A map may predict no more than it would from shuffled pairs.",
    "no instruments": "No further language was there to take noise out.",
    "the instruments predict too little of the target": "The other languages say too little to take noise out.",
    "curvature is visible and may exceed the margin": "Curvature is visible and may matter.",
    "a map neither suffices nor falls short": "These pairs do not show which map is enough.",
    "a linear map suffices, but there are too few rows to test curvature": (
        "A matrix is enough, but there are too few pairs to test for curvature."
    ),
    "a linear map suffices, but curvature is not excluded": "A matrix is enough, but curvature is not excluded.",
    "a linear map falls short, but no curvature is visible": "A matrix is not enough, yet no curvature is visible.",
}
PLAINER = ("rotation", "shift", "identity")


@dataclass(frozen=True, slots=True)
class BigNumber:
    """A share of translations found first, with its interval and what found them."""

    value: str
    limits: str
    label: str


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What a reader sees of one direction without scrolling."""

    title: str
    chip: str  # the verdict on search; empty in results that have none
    helps: bool
    sentence: str
    geometry: str
    numbers: tuple[BigNumber, ...]
    unit: str
    hero: Hero | None


def first_screen(direction: Direction, prefix: str, title: str) -> FirstScreen:
    """Return the first screen of a direction, `title` being that of the page."""
    use = direction.use
    return FirstScreen(
        title=title,
        chip="" if use is None else shown_verdict(use.verdict),
        helps=use is not None and use.verdict == "a map helps",
        sentence=use_sentence(direction),
        geometry=geometry_sentence(direction),
        numbers=big_numbers(direction),
        unit=f"translations found first, of {count(direction.pool)}",
        hero=hero(direction, prefix),
    )


def best_map(direction: Direction) -> str:
    """Return the map that the verdict on search rests on, or in results without one the best by P@1."""
    if direction.use is not None and direction.use.best in direction.rungs:
        return direction.use.best
    maps = {name: scores.p_at_1.value for name, scores in direction.rungs.items() if name not in ("mean", "identity")}
    return max(maps, key=lambda name: maps[name])


def best_simple_map(direction: Direction) -> str | None:
    """Return the map of the verdict if it is a simple one, else the simple map with the best P@1."""
    best = best_map(direction)
    simple = [name for name in SIMPLE if name in direction.rungs]
    if best in simple or not simple:
        return best if best in simple else None
    return max(simple, key=lambda name: direction.rungs[name].p_at_1.value)


def big_numbers(direction: Direction) -> tuple[BigNumber, ...]:
    """Return P@1 without a map, with the best simple one and with the linear one, where there are such."""
    simple = best_simple_map(direction)
    shown = [("identity", "no map")]
    if simple is not None:
        shown.append((simple, f"best simple map: {row_words(simple)}"))
    shown.append(("linear", f"linear map: {row_words('linear')}"))
    return tuple(_big(direction.rungs[name].p_at_1, label) for name, label in shown if name in direction.rungs)


def _big(share: Interval, label: str) -> BigNumber:
    return BigNumber(percent(share.value), f"[{number(100 * share.low, 0)}, {number(100 * share.high, 0)}]", label)


def use_sentence(direction: Direction) -> str:
    """Say in at most 15 words what a map does for search."""
    best, verdict = best_map(direction), None if direction.use is None else direction.use.verdict
    found = direction.rungs[best].p_at_1
    plain = direction.rungs["identity"].p_at_1 if "identity" in direction.rungs else None
    if verdict == "no map helps" and found.null_p95 is not None and found.low <= found.null_p95:
        return "No map finds translations better than chance."
    subject = capitalized(subject_words(best))
    if plain is None:
        return f"{subject} finds {percent(found.value)} of translations first."
    without = percent(plain.value)
    if verdict == "no map needed":
        return f"No map is needed: {without} of translations are found first as they are."
    if verdict == "no map helps":
        return f"No map does better than none, which finds {without} of translations first."
    if verdict == "undecided":
        return f"Whether a map helps is not settled: {percent(found.value)} found first with one, {without} without."
    subject = capitalized(subject_words(best))
    return f"{subject} finds {percent(found.value)} of translations first; no map finds {without}."


def geometry_sentence(direction: Direction) -> str:
    """Say what takes one language to the other once noise is out, as far as that was judged."""
    geometry = direction.geometry
    if geometry is None:
        return "Geometry: not judged, since no further language was there to take noise out."
    if geometry.verdict == "no map":
        return "Geometry: translations predict each other no better than shuffled pairs do."
    if geometry.verdict not in DIFFERENCES:
        reason = REASONS.get(geometry.reason, f"{capitalized(geometry.reason)}.")
        return f"Geometry: not settled. {reason} {_explained(geometry)}".strip()
    verdict = f"Geometry: with noise taken out, {DIFFERENCES[geometry.verdict]}."
    plainer = next((name for name in PLAINER if name in geometry.shares), None)
    if geometry.verdict == "nonlinear":
        return f"{verdict} {_explained(geometry)}".strip()
    if geometry.verdict == "linear" and plainer is not None:
        share = percent_interval(geometry.shares[plainer])
        return f"{verdict} {capitalized(subject_words(plainer))} explains only {share} of what is not noise."
    return verdict


def _explained(geometry: Geometry) -> str:
    share = geometry.shares.get("linear")
    return "" if share is None else f"A matrix explains {percent_interval(share)} of what is not noise."
