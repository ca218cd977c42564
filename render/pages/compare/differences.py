"""The differences of several results from the first."""

from __future__ import annotations

from collections.abc import Sequence

from ....probe.results.compare import CompareResult, Difference, score_name
from ...charts.marks import dots
from ...charts.theme import ROOM_FOR_LEGEND, SERIES, panel, row_axis, value_axis
from ...formatting import drawn_text, percent
from ...view import Cell, Column, Figure, Panel, PlotlyJson, Table
from .marks import height, offset

UNITS = {"share": "difference", "points": "points of 100"}


def differences_figure(result: CompareResult) -> Figure:
    """Draw every difference from the reference; those that do not hold are hollow."""
    groups = tuple(dict.fromkeys((one.part, one.unit) for one in result.differences))
    panels = tuple(_differences_panel(result, part, unit, i) for i, (part, unit) in enumerate(groups))
    columns = (
        Column("result", "name"),
        Column("part", "text"),
        Column("score", "text"),
        Column("difference"),
        Column("low"),
        Column("high"),
        Column("p"),
        Column("p, Holm"),
        Column("holds", "text"),
        Column("paired", "text"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            one.result,
            one.part,
            score_name(one.measure, one.row),
            one.difference.value,
            one.difference.low,
            one.difference.high,
            one.p_value,
            one.p_adjusted,
            "yes" if one.holds else "no",
            "yes" if one.paired else "no",
        )
        for one in result.differences
    ]
    return Figure(
        "compare-differences",
        differences_title(result),
        panels,
        f"Each score less that of {result.reference}, with its {percent(result.level)} interval; right of zero is "
        f"higher. {_how(result)}. Filled: the difference holds after Holm's correction over all "
        f"{len(result.differences)}; "
        "hollow: it does not.",
        (4,),
        Table.of(columns, rows),
    )


def _how(result: CompareResult) -> str:
    """Say how the intervals of differences were made."""
    rows = "outcomes of the same rows, whole groups resampled, the candidates taken as given"
    limits = "limits come from the two intervals, taken as independent (Zou and Donner, 2008)"
    if not result.unpaired:
        return f"Paired: {rows}"
    if any(one.paired for one in result.differences):
        return f"Where the table says paired: {rows}; else {limits}"
    return f"Unpaired, since {result.unpaired}: {limits}"


def differences_title(result: CompareResult) -> str:
    """Count the differences that hold, and which way they go."""
    held = [one for one in result.differences if one.holds]
    if not held:
        return f"No significant difference from {result.reference}"
    up = sum(one.difference.value > 0 for one in held)
    total = len(result.differences)
    return f"{len(held)} of {total} differences from {result.reference} hold: {up} higher, {len(held) - up} lower"


def _differences_panel(result: CompareResult, part: str, unit: str, place: int) -> Panel:
    some = [one for one in result.differences if (one.part, one.unit) == (part, unit)]
    keys = list(dict.fromkeys((one.measure, one.row) for one in some))
    names = [score_name(measure, row) for measure, row in keys]
    others = [one.label for one in result.results[1:]]
    data: list[PlotlyJson] = []
    for i, label in enumerate(others):
        below = offset(i, len(others))
        mine = [one for one in some if one.result == label]
        heights = [keys.index((one.measure, one.row)) + below for one in mine]
        data += _difference_traces(label, mine, heights, SERIES[i + 1])
    layout = {
        "xaxis": value_axis(
            f"{UNITS[unit]}, {part}",
            rangemode="tozero",
            zerolinecolor="@muted",
            zerolinewidth=1.5,
            nticks=5,
            tickangle=0,
        ),
        "yaxis": row_axis(names),
        **({"margin": ROOM_FOR_LEGEND} if len(others) > 1 else {}),
    }
    return panel(f"compare-differences-{place}", f"Differences, {part}", data, layout, height(len(names), len(others)))


def _difference_traces(
    label: str, some: Sequence[Difference], heights: Sequence[float], look: tuple[str, str]
) -> list[PlotlyJson]:
    traces: list[PlotlyJson] = []
    for holds in (True, False):
        places = [i for i, one in enumerate(some) if one.holds == holds]
        if places:
            trace = dots(
                drawn_text(label),
                [heights[i] for i in places],
                [some[i].difference for i in places],
                [f"{label}: {score_name(some[i].measure, some[i].row)}" for i in places],
                color=look[0],
                symbol=look[1],
                hollow=not holds,
            )
            traces.append({**trace, "showlegend": not traces})
    return traces
