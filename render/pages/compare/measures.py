"""The scores of several results side by side, one figure a measure."""

from __future__ import annotations

from dataclasses import dataclass

from ....probe.results.compare import LATENT, SHARE, CompareResult, score_name
from ....probe.results.intervals import Interval
from ...charts.intervals import INTERVAL_COLUMNS, interval_cells
from ...charts.layers import Series, layer_panel
from ...charts.marks import dots, null_marks, scores
from ...charts.theme import ROOM_FOR_LEGEND, SERIES, Reach, panel, row_axis, value_axis
from ...formatting import capitalized, drawn_text, identifier, number, percent, rung_name
from ...view import Cell, Column, Figure, Panel, PlotlyJson, Table
from .marks import height, offset

LAYERS = "polyglot/layers/1"
POOLED = "pooled"
MOST_WRITTEN = 2  # results whose values are written beside the arrows at an edge


@dataclass(frozen=True, slots=True)
class Rows:
    """Named rows of a panel with the estimates of every result that has them."""

    names: tuple[str, ...]
    estimates: tuple[tuple[str, tuple[Interval | None, ...]], ...]  # label → one for each name

    @property
    def every(self) -> list[Interval]:
        """All estimates that there are."""
        return [e for _, some in self.estimates for e in some if e is not None]

    def of(self, place: int) -> tuple[list[float], list[Interval], list[str]]:
        """Return heights, estimates and names of one result."""
        below = offset(place, len(self.estimates))
        known = [(i, e) for i, e in enumerate(self.estimates[place][1]) if e is not None]
        return [i + below for i, _ in known], [e for _, e in known], [self.names[i] for i, _ in known]


def measures_figures(result: CompareResult) -> tuple[Figure, ...]:
    """Draw one figure a measure, with a panel for each part; the shares that verdicts rest on have their own."""
    found = dict.fromkeys(s.measure for one in result.results for s in one.scores)
    measures = [measure for measure in found if measure not in (SHARE, LATENT)]
    return tuple(_measure_figure(result, measure, place) for place, measure in enumerate(measures))


def _measure_figure(result: CompareResult, measure: str, place: int) -> Figure:
    some = [s for one in result.results for s in one.scores if s.measure == measure]
    parts = tuple(dict.fromkeys(s.part for s in some))
    key = f"compare-{identifier(measure) or 'measure'}-{place}"
    draw = _layers_panel if result.kind == LAYERS else rows_panel
    panels = tuple(draw(result, measure, part, f"{key}-{i}") for i, part in enumerate(parts))
    columns = (Column("result", "name"), Column("part", "text"), Column("row", "text"), *INTERVAL_COLUMNS)
    rows: list[tuple[Cell, ...]] = [
        (one.label, s.part, rung_name(s.row), *interval_cells(s.estimate))
        for one in result.results
        for s in one.scores
        if s.measure == measure
    ]
    return Figure(
        key, measure_title(result, measure), panels, _caption(result, measure), (2, 4), Table.of(columns, rows)
    )


def measure_title(result: CompareResult, measure: str) -> str:
    """State the leading score of a measure in every result; from least to most where there are many."""
    of_measure = [s for one in result.results for s in one.scores if s.measure == measure]
    score = next((s for s in of_measure if s.tested), of_measure[0])
    same = (score.part, measure, score.row)
    found = [(one.label, s) for one in result.results for s in one.scores if (s.part, s.measure, s.row) == same]
    name = f"{capitalized(score_name(measure, score.row))}, {score.part}"
    if len(found) > 3:
        found = [min(found, key=lambda pair: pair[1].estimate.value), max(found, key=lambda p: p[1].estimate.value)]
        name += ", least and most"
    digits = 1 if score.unit == "points" else 2
    return f"{name}: " + ", ".join(f"{number(s.estimate.value, digits)} in {label}" for label, s in found)


def _caption(result: CompareResult, measure: str) -> str:
    level = percent(result.results[0].scores[0].estimate.level)
    text = f"{capitalized(measure)} in every result, with {level} intervals"
    if result.kind == LAYERS:
        return f"{text}, layer by layer; the pooled output stands apart. Layers of models of other depth do not align."
    nulls = any(s.estimate.null_p95 is not None for one in result.results for s in one.scores if s.measure == measure)
    return f"{text}. Grey bars: chance, from the mean to the 95th percentile." if nulls else f"{text}."


def _rows_of(result: CompareResult, measure: str, part: str) -> Rows:
    by_result = [
        (one.label, {s.row: s.estimate for s in one.scores if s.measure == measure and s.part == part})
        for one in result.results
    ]
    names = tuple(dict.fromkeys(name for _, found in by_result for name in found))
    return Rows(names, tuple((label, tuple(found.get(name) for name in names)) for label, found in by_result))


def rows_panel(result: CompareResult, measure: str, part: str, key: str) -> Panel:
    """Draw every row of a measure of one part in all results."""
    rows = _rows_of(result, measure, part)
    lowest = min(e.low for e in rows.every)
    points = any(s.unit == "points" for one in result.results for s in one.scores if s.measure == measure)
    reach = Reach.of(rows.every, most_top=100.0 if points else 1.02)
    if points:
        reach = Reach(lowest - 0.05 * (reach.highest - lowest), reach.highest)
    known = [rows.of(place) for place in range(len(rows.estimates))]
    heights = [row for some, _, _ in known for row in some]
    data = [null_marks(heights, [estimate for _, some, _ in known for estimate in some], reach)]
    for place, (label, _) in enumerate(rows.estimates):
        data += _drawn(label, rows, place, reach)
    layout = {
        "xaxis": value_axis(f"{measure}, {part}", range=reach.range),
        "yaxis": row_axis([rung_name(name) for name in rows.names]),
        "margin": ROOM_FOR_LEGEND,
    }
    traces = [trace for trace in data if trace]
    return panel(key, f"{measure}, {part}", traces, layout, height(len(rows.names), len(rows.estimates)))


def _drawn(label: str, rows: Rows, place: int, reach: Reach) -> list[PlotlyJson]:
    """Draw one result: dots with intervals, and arrows at the edge for what lies beyond."""
    heights, estimates, names = rows.of(place)
    color, symbol = SERIES[place]
    inside = [i for i, e in enumerate(estimates) if reach.holds(e)]
    outside = [i for i in range(len(estimates)) if i not in inside]
    said = [f"{label}: {rung_name(name)}" for name in names]
    drawn = dots(
        drawn_text(label),
        [heights[i] for i in inside],
        [estimates[i] for i in inside],
        [said[i] for i in inside],
        color=color,
        symbol=symbol,
    )
    if not outside:
        return [drawn]
    taken = [[some[i] for i in outside] for some in (heights, estimates, said)]
    arrows = scores(label, *taken, reach=reach)[1]  # type: ignore[arg-type]
    crowded = {"mode": "markers"} if len(rows.estimates) > MOST_WRITTEN else {}
    return [drawn, {**arrows, **crowded, "marker": {**arrows["marker"], "color": color}}]


def _layers_panel(result: CompareResult, measure: str, part: str, key: str) -> Panel:
    rows = _rows_of(result, measure, part)
    names = sorted(rows.names, key=lambda name: (name == POOLED, int(name) if name.isdigit() else 0))
    order = [rows.names.index(name) for name in names]
    series = [Series(label, tuple(some[i] for i in order)) for label, some in rows.estimates]
    return layer_panel(key, f"{measure}, {part}", names, series)
