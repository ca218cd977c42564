"""Language by direction by model: what is found first without a map, with the best one, a linear one, and words."""

from __future__ import annotations

from collections.abc import Iterator

from ....probe.results.linear_map import Direction
from ...formatting import count, language_name, model_name, percent_interval, shown_verdict
from ..linear_map.first_screen import best_map
from ..linear_map.wording import row_words
from .results import StudyResults, model_of, models_in
from .tracks import Cell, Mark, Tracks, columned, points

PLAIN = {"identity", "shift", "rotation", "similarity", "linear"}


def directions_of(results: StudyResults) -> Iterator[tuple[str, Direction, str]]:
    """Yield model, direction and address of everything that the matrix shows, languages in the order of their names."""
    ordered = sorted(
        results.maps,
        key=lambda one: sorted(map(language_name, {d.source for d in one.result.directions} - {results.pivot})),
    )
    for one in ordered:
        for direction in one.result.directions:
            yield model_of(one.result.provenance), direction, one.address


def direction_name(direction: Direction) -> str:
    """Return a direction in words."""
    return f"{language_name(direction.source)} → {language_name(direction.target)}"


def finding(results: StudyResults) -> str:
    """Return what the study found, as a title."""
    every = [direction for _, direction, _ in directions_of(results)]
    helped = sum(one.use is not None and one.use.verdict == "a map helps" for one in every)
    linear = sum(one.geometry is not None and one.geometry.verdict in PLAIN for one in every)
    total = len(every)
    often = f"all {total} cases" if helped == total else f"{helped or 'none'} of {total} cases"
    shown = "none" if not linear else "all" if linear == total else str(linear)
    return f"A map helps search in {often}; in {shown} is translation shown to be linear"


def matrix(results: StudyResults) -> Tracks:
    """Return P@1 of every direction in every model."""
    cells = {
        (direction_name(direction), model): _cell(direction, model, address)
        for model, direction, address in directions_of(results)
    }
    columns = models_in(results)
    pools = sorted({direction.pool for _, direction, _ in directions_of(results)})
    among = f"{count(pools[0])} to {count(pools[-1])}" if len(pools) > 1 else count(pools[0])
    marks = {mark.look for cell in cells.values() for mark in cell.marks}
    legend = [("plain", "no map"), ("best", "best map"), ("linear", "linear map"), ("words", "words alone")]
    return Tracks(
        id="search",
        title=matrix_title(results),
        caption=(
            f"Share of translations that are found first among {among} candidates, by pairs that no map was fitted "
            "on. Hollow: whether a map helps is not settled. Words alone: a ridge from letter sequences of the source, "
            "with no encoder. Each cell leads to its page."
        ),
        columns=tuple(map(model_name, columns)),
        rows=columned(cells, columns),
        legend=(*((look, name) for look, name in legend if look in marks), ("hollow", "not settled")),
    )


def matrix_title(results: StudyResults) -> str:
    """Say in each model how much the best map adds, from least to most."""
    said = []
    for model in models_in(results):
        gains = [
            one.use.gain.value
            for name, one, _ in directions_of(results)
            if name == model and one.use is not None and one.use.gain is not None
        ]
        if gains:
            ends = dict.fromkeys(f"{100 * gain:+.0f}".replace("-", "−") for gain in (min(gains), max(gains)))
            said.append(f"{' to '.join(ends)} points in {model_name(model)}")
    return f"What a map adds to search: {', '.join(said)}" if said else "Search with and without a map"


def _cell(direction: Direction, model: str, address: str) -> Cell:
    use, rungs, words = direction.use, direction.rungs, direction.controls.words
    hollow = use is None or use.verdict == "undecided"
    best = best_map(direction)
    shown = [("plain", "no map", rungs["identity"].p_at_1)] if "identity" in rungs else []
    shown.append(("best", f"best map ({row_words(best)})", rungs[best].p_at_1))
    if "linear" in rungs:
        shown.append(("linear", "linear map", rungs["linear"].p_at_1))
    if words is not None:
        shown.append(("words", "words alone", words.p_at_1))
    verdict = "" if use is None else f"; {shown_verdict(use.verdict)}"
    said = "; ".join(f"{name} {percent_interval(estimate)}" for _, name, estimate in shown)
    plain = "identity" in rungs
    text = f"{points(rungs['identity'].p_at_1)} → {points(rungs[best].p_at_1)}" if plain else points(rungs[best].p_at_1)
    notes = {"linear": "linear", "words": "words"}
    return Cell(
        marks=tuple(
            Mark(look, estimate.value, hollow=hollow and look in ("plain", "best"))  # type: ignore[arg-type]
            for look, _, estimate in shown
        ),
        text=text,
        note=" · ".join(f"{notes[look]} {points(estimate)}" for look, _, estimate in shown if look in notes),
        said=f"{direction_name(direction)} in {model_name(model)}: {said}{verdict}",
        address=address,
        join=plain,
    )
