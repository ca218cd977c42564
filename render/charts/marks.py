"""What is drawn in a panel: estimates with their intervals and nulls, lines and bands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...probe.results.intervals import Interval
from ..formatting import drawn_text, interval, number, two_digits
from ..view import PlotlyJson
from .theme import Reach

_WIDTH: PlotlyJson = {"xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
_HEIGHT: PlotlyJson = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}


def dots(
    name: str,
    rows: Sequence[float],
    estimates: Sequence[Interval],
    labels: Sequence[str],
    *,
    color: str = "@accent",
    symbol: str = "circle",
    hollow: bool = False,
) -> PlotlyJson:
    """Return estimates as dots with their intervals, one on each named row."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [e.value for e in estimates],
        "y": list(rows),
        "error_x": _limits(estimates, color),
        "marker": {
            "color": "@paper" if hollow else color,
            "symbol": symbol,
            "size": 9,
            "line": {"width": 1.5, "color": color},
        },
        "text": [hover(label, estimate) for label, estimate in zip(labels, estimates, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
    }


def points(x: Sequence[float], y: Sequence[float], text: Sequence[str], *, line: str = "") -> PlotlyJson:
    """Return plain dots with what a pointer shows over each, joined by a line where one is asked for.

    Parameters
    ----------
    x, y : sequence of float
    text : sequence of str
        Safe for plotly (see `formatting.drawn_text`).
    line : str
        How the dots are joined: "linear", "hvh", or empty for not at all.
    """
    joined = {"line": {"color": "@line" if line == "hvh" else "@accent", "width": 1.5, "shape": line}} if line else {}
    return {
        "type": "scatter",
        "mode": "lines+markers" if line else "markers",
        "x": list(x),
        "y": list(y),
        "marker": {"color": "@accent", "size": 9},
        "cliponaxis": False,
        "text": list(text),
        "hovertemplate": "%{text}<extra></extra>",
        **joined,
    }


def curve(
    name: str, x: Sequence[float], estimates: Sequence[Interval], labels: Sequence[str], *, color: str = "@accent"
) -> PlotlyJson:
    """Return estimates as a line of dots with vertical intervals."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": list(x),
        "y": [e.value for e in estimates],
        "error_y": _limits(estimates, color),
        "line": {"color": color, "width": 1.5},
        "marker": {"color": color, "size": 8},
        "text": [hover(label, estimate) for label, estimate in zip(labels, estimates, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
    }


def null_marks(rows: Sequence[float], estimates: Sequence[Interval], reach: Reach) -> PlotlyJson | None:
    """Return the nulls as grey bars from their mean to their 95th percentile; None where no estimate has a null."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for row, estimate in zip(rows, estimates, strict=True):
        if estimate.null_mean is None or estimate.null_p95 is None or estimate.null_p95 < reach.lowest:
            continue
        xs += [max(estimate.null_mean, reach.lowest), max(estimate.null_p95, reach.lowest), None]
        ys += [row, row, None]
    if not xs:
        return None
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "chance",
        "x": xs,
        "y": ys,
        "line": {"color": "@null", "width": 9},
        "hoverinfo": "skip",
        "legendrank": 2000,
    }


def scores(
    name: str,
    rows: Sequence[float],
    estimates: Sequence[Interval],
    labels: Sequence[str],
    *,
    reach: Reach,
    written: Callable[[float], str] = two_digits,
) -> list[PlotlyJson]:
    """Return estimates as dots, and as arrows at the edge with their values where they lie beyond the reach."""
    inside = [i for i, e in enumerate(estimates) if reach.holds(e)]
    drawn = dots(name, [rows[i] for i in inside], [estimates[i] for i in inside], [labels[i] for i in inside])
    outside = [i for i, e in enumerate(estimates) if e.low < reach.lowest]
    if not outside:
        return [drawn]
    arrows: PlotlyJson = {
        "type": "scatter",
        "mode": "markers+text",
        "showlegend": False,
        "x": [reach.lowest] * len(outside),
        "y": [rows[i] for i in outside],
        "cliponaxis": False,
        "marker": {"symbol": "triangle-left", "size": 11, "color": "@accent"},
        "text": [written(estimates[i].value) for i in outside],
        "textposition": "middle right",
        "hovertext": [f"{hover(labels[i], estimates[i])}<br>left of this axis" for i in outside],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    return [drawn, arrows]


@dataclass(frozen=True, slots=True)
class Mark:
    """A line or band over a whole panel, with its label where it has one."""

    shape: PlotlyJson
    label: PlotlyJson | None = None


def over(*marks: Mark) -> PlotlyJson:
    """Return the part of a layout that draws marks."""
    return {"shapes": [m.shape for m in marks], "annotations": [m.label for m in marks if m.label is not None]}


def vertical_line(
    x: float, text: str, *, at: Literal["top", "bottom"] = "bottom", dash: str = "dot", color: str = "@muted"
) -> Mark:
    """Return a line over the height of a panel, with its label at one end."""
    line = {"color": color, "dash": dash, "width": 1.5}
    place = {"x": x, "xanchor": "right", "yref": "paper", "y": 1 if at == "top" else 0, "yanchor": at, "textangle": -90}
    return Mark({"type": "line", **_HEIGHT, "x0": x, "x1": x, "line": line}, {**place, **_label(text, color)})


def horizontal_line(y: float, text: str, *, dash: str = "dot", color: str = "@muted") -> Mark:
    """Return a line over the width of a panel, with its label on the right."""
    line = {"color": color, "dash": dash, "width": 1.5}
    place = {"xref": "paper", "x": 1, "xanchor": "right", "y": y, "yanchor": "bottom"}
    return Mark({"type": "line", **_WIDTH, "y0": y, "y1": y, "line": line}, {**place, **_label(text, color)})


def horizontal_band(low: float, high: float, color: str = "@band") -> Mark:
    """Return a tinted band over the width of a panel."""
    return Mark({"type": "rect", **_WIDTH, "y0": low, "y1": high, "line": {"width": 0}, "fillcolor": color})


def vertical_band(low: float, high: float) -> Mark:
    """Return a tinted band over the height of a panel."""
    return Mark({"type": "rect", **_HEIGHT, "x0": low, "x1": high, "line": {"width": 0}, "fillcolor": "@band"})


def hover(label: str, estimate: Interval) -> str:
    """Return what a pointer shows over an estimate."""
    lines = [f"<b>{drawn_text(label)}</b>", interval(estimate)]
    if estimate.null_p95 is not None:
        lines.append(f"chance: mean {number(estimate.null_mean)}, 95th percentile {number(estimate.null_p95)}")
    return "<br>".join(lines)


def _limits(estimates: Sequence[Interval], color: str) -> PlotlyJson:
    return {
        "type": "data",
        "symmetric": False,
        "array": [e.high - e.value for e in estimates],
        "arrayminus": [e.value - e.low for e in estimates],
        "color": color,
        "thickness": 1.5,
        "width": 0,
    }


def _label(text: str, color: str) -> PlotlyJson:
    return {"text": text, "showarrow": False, "font": {"size": 12, "color": color}}
