"""Layers in two metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ....probe.results.intervals import Interval
from ....probe.results.layers import POOLED, Layer, LayersResult
from ...charts.lines import LinePanel, line_panel
from ...formatting import language_name, model_name
from .results import StudyResults, model_of
from .tracks import some


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
