"""What known disturbances do to the measures."""

from __future__ import annotations

from ....probe.results.layers import Stress
from ...charts.theme import SEQUENTIAL, panel, row_axis, row_height, value_axis
from ...formatting import drawn_text, two_digits
from ...view import Column, Figure, Panel, PlotlyJson, Table
from .figures import NAMES


def stress_figure(stress: tuple[Stress, ...]) -> Figure:
    """Draw the measures before and after each disturbance."""
    rows = tuple(
        (
            one.name,
            NAMES[m.name],
            m.plain.value,
            m.plain.low,
            m.plain.high,
            m.stressed.value,
            "moved" if m.moved else "",
        )
        for one in stress
        for m in one.measures
    )
    columns = (
        Column("stress", "name"),
        Column("measure", "text"),
        Column("plain"),
        Column("low"),
        Column("high"),
        Column("stressed"),
        Column("moved", "text"),
    )
    caption = "The pooled output before → after. " + " ".join(
        f"{s.name.capitalize()}: {s.description}." for s in stress
    )
    return Figure(
        "layers-stress", stress_title(stress), (_stress_panel(stress),), caption, (7,), Table.of(columns, rows)
    )


def stress_title(stress: tuple[Stress, ...]) -> str:
    """Name the measures that moved although retrieval did not."""
    moved = {m.name for s in stress if not s.retrieval_moved for m in s.measures if m.moved}
    if not moved:
        return "No measure moved where retrieval did not"
    listed = ", ".join(NAMES[name] for name in NAMES if name in moved)
    return f"Moved while retrieval did not: {listed}"


def _stress_panel(stress: tuple[Stress, ...]) -> Panel:
    names = [m.name for m in stress[0].measures]
    data: PlotlyJson = {
        "type": "heatmap",
        "x": list(range(len(stress))),
        "y": list(range(len(names))),
        "z": [[abs(_at(s, n)[1] - _at(s, n)[0]) for s in stress] for n in names],
        "text": [[" → ".join(map(two_digits, _at(s, n))) for s in stress] for n in names],
        "texttemplate": "%{text}",
        "colorscale": SEQUENTIAL,
        "zmin": 0,
        "zmax": 1,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "hovertemplate": "%{text}<extra></extra>",
    }
    columns = {"tickvals": list(range(len(stress))), "ticktext": [drawn_text(s.name) for s in stress]}
    layout = {
        "xaxis": value_axis("what was done", **columns, showgrid=False),
        "yaxis": row_axis([NAMES[n] for n in names]),
    }
    return panel("layers-stress", "Measures before and after each stress", [data], layout, row_height(len(names), 110))


def _at(stress: Stress, name: str) -> tuple[float, float]:
    found = next(m for m in stress.measures if m.name == name)
    return found.plain.value, found.stressed.value
