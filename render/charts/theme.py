"""How every figure looks: one palette, one template, and axes.

Figures are plotly's JSON written directly, so that no page waits for the plotly package to load. Colours are names
(`@accent`) that the page resolves for light, dark and print; identifiers are given, never drawn at random.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from ...probe.results.intervals import Interval
from ..formatting import drawn_text
from ..view import Figure, Panel, PlotlyJson

FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, "DejaVu Sans", '
    '"Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai", '
    '"Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Hiragino Sans", "Yu Gothic", "Microsoft YaHei", sans-serif'
)
# Blue, vermilion and green of Okabe and Ito (2008), which the three common kinds of colour blindness tell apart, then
# purple and olive for a fourth and fifth series; in the dark their lighter relatives. Shapes always repeat
# what colours say.
LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1e22",
    "muted": "#5a626b",
    "line": "#d9dde1",
    "grid": "#eceef0",
    "accent": "#0a66a8",
    "second": "#c24e00",
    "third": "#00805c",
    "fourth": "#9b3d83",
    "fifth": "#7a6200",
    "faded": "#8a939c",
    "null": "#b4bbc2",
    "band": "rgba(10, 102, 168, 0.10)",
    "low": "#f3f6f9",
    "middle": "#8db8d6",
    "high": "#0a4f85",
}
DARK = {
    "paper": "#15181b",
    "ink": "#e6e8ea",
    "muted": "#a2abb3",
    "line": "#3a4147",
    "grid": "#262b30",
    "accent": "#62b5ea",
    "second": "#f0a13c",
    "third": "#35c99b",
    "fourth": "#e08fcb",
    "fifth": "#d6c04a",
    "faded": "#7d8790",
    "null": "#59626a",
    "band": "rgba(98, 181, 234, 0.14)",
    "low": "#1f252b",
    "middle": "#2f6c96",
    "high": "#8fd0fa",
}
PALETTES = {"light": LIGHT, "dark": DARK}
#: Colour and shape of the first, second, … of several series: no two are alike in both, the first six in neither.
SERIES = (
    ("@accent", "circle"),
    ("@second", "diamond"),
    ("@third", "square"),
    ("@fourth", "triangle-up"),
    ("@fifth", "star"),
    ("@faded", "cross"),
    ("@accent", "triangle-down"),
    ("@second", "hexagon"),
)
SEQUENTIAL = [[0, "@low"], [0.5, "@middle"], [1, "@high"]]
ROW_HEIGHT = 30
HEADING_WIDTH = 78  # letters of a title in a line of an image
ROOM_FOR_LEGEND = {"l": 12, "r": 16, "t": 62, "b": 12}  # two lines, so that panels side by side line up
BELOW_ZERO = 0.3  # how far an axis reaches below zero, in units of its top; what lies beyond is an arrow at the edge

_AXIS: PlotlyJson = {
    "gridcolor": "@grid",
    "linecolor": "@line",
    "zerolinecolor": "@line",
    "tickcolor": "@line",
    "tickfont": {"size": 12.5, "color": "@muted"},
    "title": {"font": {"size": 13, "color": "@muted"}, "standoff": 10},
    "automargin": True,
    "fixedrange": True,
}
TEMPLATE: PlotlyJson = {
    "layout": {
        "font": {"family": FONT, "size": 13, "color": "@ink"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 12, "r": 16, "t": 34, "b": 12},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "@paper",
            "bordercolor": "@line",
            "font": {"size": 13, "color": "@ink"},
            "align": "left",
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12.5},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        "bargap": 0.04,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@faded", "activecolor": "@accent"},
    }
}


def heading(figure: Figure, page: str, version: str) -> PlotlyJson:
    """Return what a figure is called where it leaves its page: its title, and below it the page and the program.

    `height` is the room in pixels that it needs above the drawing.
    """
    lines = textwrap.wrap(figure.title, HEADING_WIDTH)
    title = {
        "text": "<br>".join(drawn_text(line) for line in lines),
        "subtitle": {"text": drawn_text(f"{page} · polyglot {version}"), "font": {"size": 12, "color": "@muted"}},
        "font": {"size": 15, "color": "@ink"},
        "x": 0,
        "xanchor": "left",
        "xref": "container",
        "y": 1,
        "yanchor": "top",
        "yref": "container",
        "pad": {"l": 12, "t": 12},
    }
    return {"title": title, "height": 40 + 20 * len(lines)}


def value_axis(title: str, **settings: object) -> PlotlyJson:
    """Return an axis of values with its title and unit."""
    return {"title": {"text": drawn_text(title)}, **settings}


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an axis of scores reaches; scores may lie far below zero, and those are not worth the room."""

    lowest: float
    highest: float

    @classmethod
    def of(cls, estimates: Sequence[Interval], *, least_top: float = 0.1, most_top: float = 1.02) -> Reach:
        """Return the reach that shows every estimate above zero, and those a little below."""
        known = [e for e in estimates if math.isfinite(e.value)]
        top = min(most_top, 1.06 * max([least_top / 1.06, *(e.high for e in known)]))
        return cls(max(-BELOW_ZERO * top, min([0.0, *(e.low for e in known)]) - 0.02 * top), top)

    def holds(self, estimate: Interval) -> bool:
        """Whether an estimate is drawn as a dot, with its whole interval."""
        return estimate.low >= self.lowest

    @property
    def range(self) -> list[float]:
        """The axis range, with room on the left for the arrows."""
        return [self.lowest - 0.03 * (self.highest - self.lowest), self.highest]


def row_axis(names: Sequence[str]) -> PlotlyJson:
    """Return a vertical axis of named rows, the first on top, a little grid between."""
    return {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [drawn_text(name) for name in names],
        "range": [len(names) - 0.45, -0.55],
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
    }


def row_height(rows: int, extra: int = 96) -> int:
    """Return the height in pixels of a panel with named rows."""
    return extra + ROW_HEIGHT * max(rows, 2)


def panel(panel_id: str, label: str, data: Sequence[PlotlyJson], layout: PlotlyJson, height: int = 320) -> Panel:
    """Return a panel; a legend appears where two or more traces have names."""
    named = sum(bool(trace.get("name")) and trace.get("showlegend", True) for trace in data)
    margin = {} if named > 1 else {"margin": {"l": 12, "r": 16, "t": 14, "b": 12}}
    return Panel(f"{panel_id}-plot", label, tuple(data), {"showlegend": named > 1, **margin, **layout}, height)
