"""What becomes of the verdicts with fewer pairs."""

from __future__ import annotations

from ....probe.results.linear_map import Direction, LinearMapResult
from ...formatting import MISSING, count, language_name, model_name, percent_interval, shown_verdict
from ..linear_map.first_screen import best_map
from .matrix import direction_name
from .results import Located, StudyResults, model_of
from .tracks import Cell, Mark, Row, Tracks, points


def fewer(results: StudyResults) -> Tracks | None:
    """Return search and geometry of one direction by the number of pairs; None where there is one number only."""
    if not results.fewer:
        return None
    first, last = (_direction(results.fewer[place], results.pivot) for place in (0, -1))
    model = model_name(model_of(results.fewer[0].result.provenance))
    return Tracks(
        id="pairs",
        title=f"{model}, {direction_name(last)}: {_change(first, last)}",
        caption=(
            "The same direction from samples of the text. Search: found first without a map, and with the best one; "
            "fewer pairs are fewer candidates too, so compare the gap and not the level. Geometry: the share of a "
            "linear map with noise taken out, and its interval."
        ),
        columns=("search", "geometry"),
        rows=tuple(_row(one, results.pivot) for one in results.fewer),
        legend=(("plain", "no map"), ("best", "best map; share of a linear map"), ("hollow", "not settled")),
        enough=None,
    )


def _direction(one: Located[LinearMapResult], pivot: str) -> Direction:
    """Return the direction into the pivot, which is how an index is searched."""
    directions = one.result.directions
    return next((direction for direction in directions if direction.target == pivot), directions[0])


def _change(first: Direction, last: Direction) -> str:
    """Say which verdicts change between the fewest pairs and all, and which stay."""
    span = f"from {count(first.n)} to {count(last.n)} pairs"
    said = []
    for name, verdict in (("search", _search), ("geometry", _geometry)):
        before, after = verdict(first), verdict(last)
        said.append(f"{name} stays “{after}”" if before == after else f"{name} goes from “{before}” to “{after}”")
    return f"{span} {', '.join(said)}"


def _search(direction: Direction) -> str:
    return "not judged" if direction.use is None else shown_verdict(direction.use.verdict)


def _geometry(direction: Direction) -> str:
    return "not judged" if direction.geometry is None else shown_verdict(direction.geometry.verdict)


def _row(one: Located[LinearMapResult], pivot: str) -> Row:
    direction = _direction(one, pivot)
    rungs, best = direction.rungs, best_map(direction)
    unsettled = direction.use is None or direction.use.verdict == "undecided"
    shown = [Mark("plain", rungs["identity"].p_at_1.value, hollow=unsettled)] if "identity" in rungs else []
    shown.append(Mark("best", rungs[best].p_at_1.value, hollow=unsettled))
    values = [f"{100 * mark.value:.0f}" for mark in shown]
    label = f"{count(direction.n)} pairs"
    search = Cell(
        marks=tuple(shown),
        text=" → ".join(values),
        note=_search(direction),
        said=f"{label}: {' to '.join(values)} of 100 found first; {_search(direction)}",
        address=one.address,
        join=len(shown) == 2,
    )
    latent = None if direction.geometry is None else direction.geometry.shares.get("linear")
    settled = direction.geometry is not None and direction.geometry.verdict != "undecided"
    geometry = Cell(
        marks=() if latent is None else (Mark.of("best", latent, hollow=not settled),),
        text=MISSING if latent is None else points(latent),
        note=_geometry(direction),
        said=(
            f"{label}, {language_name(direction.source)}: a linear map explains "
            f"{MISSING if latent is None else percent_interval(latent)} of what is not noise; {_geometry(direction)}"
        ),
        address=one.address,
    )
    return Row(label, (search, geometry))
