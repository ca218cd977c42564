"""Layers in two metrics, and the coordinates that one of them rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ....probe.results.intervals import Interval
from ....probe.results.layers import POOLED, Layer, LayersResult
from ...charts.lines import LinePanel, line_panel
from ...formatting import language_name, model_name, percent_interval
from .results import Located, StudyResults, model_of
from .tracks import Cell, Mark, Tracks, columned, points, some

WORTH_A_WARNING = 0.1  # of CKA, that goes with a few coordinates


@dataclass(frozen=True, slots=True)
class ByLayer:
    """Two metrics at every layer, a row of two panels for each model."""

    title: str
    caption: str
    panels: tuple[LinePanel, ...]
    languages: tuple[tuple[str, str], ...]  # name and shade


def by_layer(results: StudyResults) -> ByLayer | None:
    """Return similarity and search at every layer; None without results of layers."""
    if not results.layers:
        return None
    groups: dict[str, list[LayersResult]] = {}
    for one in results.layers:
        groups.setdefault(model_of(one.result.provenance), []).append(one.result)
    panels = []
    for model, some_results in groups.items():
        for name, measure in (("similarity (CKA)", _cka), ("found first, no map", _found)):
            panel = _panel(f"{model_name(model)}: {name}", some_results, measure, results.pivot)
            panels += [panel] if panel.lines else []
    shown = {line.name: line.shade for panel in panels for line in panel.lines}
    return ByLayer(
        title=_title([one.result for one in results.layers]),
        caption=(
            "Every layer of the encoder, 0 being its embedding output; dots mark the highest of each line. Similarity: "
            "debiased linear CKA × 100. Search: translations found first without any map, in percent. A layer that is "
            "most alike by one measure need not be the one to search."
        ),
        panels=tuple(panels),
        languages=tuple(shown.items()),
    )


def _panel(
    title: str, results: Sequence[LayersResult], measure: Callable[[Layer], Interval | None], pivot: str
) -> LinePanel:
    steps = [layer.name for layer in _inner(max(results, key=lambda one: len(one.layers)))]
    series = []
    for one in sorted(results, key=lambda one: _other(one, pivot)):
        found = {layer.name: measure(layer) for layer in _inner(one)}
        values = [found.get(step) for step in steps]
        series.append((_other(one, pivot), [None if value is None else value.value for value in values]))
    return line_panel(title, steps, series)


def _inner(result: LayersResult) -> list[Layer]:
    return [layer for layer in result.layers if layer.name != POOLED]


def _other(result: LayersResult, pivot: str) -> str:
    return language_name(result.target if result.source == pivot else result.source)


def _cka(layer: Layer) -> Interval | None:
    return layer.measures.cka


def _found(layer: Layer) -> Interval | None:
    return layer.measures.p_at_1


def _peak(result: LayersResult, measure: Callable[[Layer], Interval | None]) -> str:
    known = [(measured.value, layer.name) for layer in _inner(result) if (measured := measure(layer)) is not None]
    return max(known)[1] if known else ""


def _title(results: Sequence[LayersResult]) -> str:
    apart = sum(_peak(one, _cka) != _peak(one, _found) for one in results)
    return f"Similarity and search are highest at different layers in {some(apart, len(results))} results"


def rogue(results: StudyResults) -> Tracks | None:
    """Return CKA with and without the coordinates that rule it, where they move it most; None where they never do."""
    cells: dict[tuple[str, str], Cell] = {}
    moved = []
    for one in results.layers:
        layer = max(_inner(one.result), key=_lost, default=None)
        if layer is None:
            continue
        model = model_name(model_of(one.result.provenance))
        moved.append(_lost(layer))
        cells[_other(one.result, results.pivot), model] = _rogue_cell(one, layer, model)
    large = sum(lost > WORTH_A_WARNING for lost in moved)
    if not large:
        return None
    return Tracks(
        id="rogue",
        title=f"Warning: a few coordinates carry up to {100 * max(moved):.0f} points of similarity",
        caption=(
            "CKA × 100 at the layer where it changes most, with all coordinates and without those whose variance or "
            f"share of the cosine stands out. More than {100 * WORTH_A_WARNING:.0f} points go in "
            f"{some(large, len(moved))} results: similarity there says that two languages share a few large "
            "coordinates, not what they mean."
        ),
        columns=tuple(dict.fromkeys(column for _, column in cells)),
        rows=columned(cells, tuple(dict.fromkeys(column for _, column in cells))),
        legend=(("plain", "all coordinates"), ("best", "without those that stand out")),
    )


def _lost(layer: Layer) -> float:
    return layer.measures.cka.value - layer.measures.cka_without_rogue.value


def _rogue_cell(one: Located[LayersResult], layer: Layer, model: str) -> Cell:
    plain, without = layer.measures.cka, layer.measures.cka_without_rogue
    return Cell(
        marks=(Mark("plain", plain.value), Mark("best", without.value)),
        text=f"{points(plain)} → {points(without)}",
        note=f"layer {layer.name}",
        said=(
            f"{model}, {language_name(one.result.source)} and {language_name(one.result.target)}, layer {layer.name}: "
            f"{percent_interval(plain)} with all coordinates, {percent_interval(without)} without"
        ),
        address=one.address,
        join=True,
    )
