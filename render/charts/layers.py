"""What the pages of layers, tables and clouds share: a view with groups of figures, curves over layers, matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...probe.results.intervals import Interval
from ...probe.results.layers import POOLED, ChanceBand, ConstantLayer
from ..formatting import drawn_text, two_digits
from ..view import Cell, Column, FigureGroup, Panel, PlotlyJson, Table, View
from .intervals import INTERVAL_COLUMNS, interval_cells
from .marks import curve, horizontal_band, over
from .theme import SEQUENTIAL, SERIES, panel, row_axis, row_height, value_axis

TEMPLATE = "findings.html"
MOST_WRITTEN = 9


@dataclass(frozen=True, slots=True)
class FindingsView(View):
    """A page of sentences and groups of figures."""

    rows: str  # what was measured, in a line
    groups: tuple[FigureGroup, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One measure at every layer; None where it was not taken."""

    name: str
    estimates: tuple[Interval | None, ...]


def with_constant(
    names: Sequence[str], series: Sequence[Series], constant: Sequence[ConstantLayer]
) -> tuple[list[str], list[Series]]:
    """Put the constant layers where they stand in the model, marked and without values, into curves over layers.

    Parameters
    ----------
    names : sequence of str
        Of the layers that were measured.
    series : sequence of Series
        Their values.
    constant : sequence of ConstantLayer
        In the order of their places.
    """
    shown, values = list(names), [list(one.estimates) for one in series]
    for layer in constant:
        shown.insert(layer.place, f"{layer.name} (constant)")
        for estimates in values:
            estimates.insert(layer.place, None)
    return shown, [Series(one.name, tuple(v)) for one, v in zip(series, values, strict=True)]


def layer_axis(names: Sequence[str], title: str = "layer (0 = embedding output)") -> PlotlyJson:
    """Return the axis of layers, in their order."""
    return value_axis(
        title,
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=[drawn_text(name) for name in names],
        range=[-0.4, len(names) - 0.6],
    )


def layer_panel(
    panel_id: str,
    title: str,
    names: Sequence[str],
    series: Sequence[Series],
    *,
    band: ChanceBand | None = None,
    **axis: object,
) -> Panel:
    """Return curves over the layers with their intervals; the pooled output stands apart from the line.

    Parameters
    ----------
    band : ChanceBand, optional
        Drawn in grey: the maximum over layers under permuted pairs, from its mean to its 95th percentile.
    axis
        Settings of the vertical axis.
    """
    data: list[PlotlyJson] = []
    for one, (color, symbol) in zip(series, SERIES * len(series), strict=False):
        data += _traces(one, names, color, symbol)
    marks = over(horizontal_band(band.mean, band.p95, "@null")) if band is not None else {}
    layout = {"xaxis": layer_axis(names), "yaxis": value_axis(title, **axis), **marks}
    return panel(panel_id, f"{title}, layer by layer", data, layout, 340)


def _traces(series: Series, names: Sequence[str], color: str, symbol: str) -> list[PlotlyJson]:
    known = [(i, e) for i, e in enumerate(series.estimates) if e is not None and math.isfinite(e.value)]
    parts = (
        [(i, e) for i, e in known if names[i] != POOLED],
        [(i, e) for i, e in known if names[i] == POOLED],
    )
    traces: list[PlotlyJson] = []
    for part in parts:
        if part:
            labels = [f"{series.name}, {'layer ' if names[i] != POOLED else ''}{names[i]}" for i, _ in part]
            trace = curve(series.name, [i for i, _ in part], [e for _, e in part], labels, color=color)
            trace["marker"] = {**trace["marker"], "symbol": symbol}
            trace["showlegend"] = not traces
            traces.append(trace)
    return traces


def layer_table(names: Sequence[str], series: Sequence[Series]) -> Table:
    """Return the numbers behind curves over layers."""
    rows: list[tuple[Cell, ...]] = [
        (one.name, name, *interval_cells(estimate))
        for one in series
        for name, estimate in zip(names, one.estimates, strict=True)
        if estimate is not None
    ]
    return Table.of((Column("measure", "name"), Column("layer", "text"), *INTERVAL_COLUMNS), rows)


def matrix_panel(
    panel_id: str,
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    axes: tuple[str, str] = ("", ""),
) -> Panel:
    """Return a heat map with its values written where there is room; `axes` are the titles of columns and rows."""
    known = [v for row in values for v in row if v is not None and math.isfinite(v)]
    data: PlotlyJson = {
        "type": "heatmap",
        "x": list(range(len(columns))),
        "y": list(range(len(rows))),
        "z": [list(row) for row in values],
        "text": [["" if v is None else two_digits(v) for v in row] for row in values],
        "colorscale": SEQUENTIAL,
        "zmin": min([0.0, *known]),
        "zmax": max([*known, 0.01]),
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 10, "outlinewidth": 0},
        "customdata": [[f"{drawn_text(r)}, {drawn_text(c)}" for c in columns] for r in rows],
        "hovertemplate": "%{customdata}: %{z:.3f}<extra></extra>",
    }
    if len(columns) <= MOST_WRITTEN:
        data["texttemplate"] = "%{text}"
    across = value_axis(
        axes[0],
        tickmode="array",
        tickvals=list(range(len(columns))),
        ticktext=[drawn_text(name) for name in columns],
        showgrid=False,
        zeroline=False,
    )
    down = {**row_axis(rows), "title": {"text": drawn_text(axes[1])}}
    above = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom"}
    heading = {**above, "text": drawn_text(title), "showarrow": False, "font": {"size": 13, "color": "@muted"}}
    layout = {"xaxis": across, "yaxis": down, "annotations": [heading], "margin": {"l": 12, "r": 16, "t": 30, "b": 12}}
    return panel(panel_id, title, [data], layout, row_height(len(rows), 126))


def matrix_table(
    label: tuple[str, str], rows: Sequence[str], columns: Sequence[str], parts: dict[str, Sequence[Sequence[Interval]]]
) -> Table:
    """Return the numbers behind matrices: one line a cell and measure."""
    cells: list[tuple[Cell, ...]] = [
        (name, row, column, *interval_cells(values[i][j]))
        for name, values in parts.items()
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    ]
    heads = (Column("measure", "name"), Column(label[0], "text"), Column(label[1], "text"))
    return Table.of((*heads, *INTERVAL_COLUMNS), cells)


def where(name: str) -> str:
    """Return a layer as a reader calls it."""
    return "the pooled output" if name == POOLED else f"layer {name}"
