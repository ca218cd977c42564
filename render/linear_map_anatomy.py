"""Figures of what the fitted map does and where it fails: anatomy, drift, residuals, transfer, hubness."""

from __future__ import annotations

from itertools import groupby, zip_longest

from ..probe.linear_map_result import Anatomy, Direction, Drift, ResidualGroup
from ..probe.results import Interval
from .figures import (
    SEQUENTIAL,
    Reach,
    dots,
    horizontal_band,
    horizontal_line,
    panel,
    row_axis,
    row_height,
    value_axis,
)
from .intervals import INTERVAL_COLUMNS, interval_cells
from .view import Cell, Column, Figure, Panel, PlotlyJson, Table
from .words import count, drawn_text, number, plain, rung_name

KINDS = ("length", "domain", "shared words")


def anatomy(direction: Direction, prefix: str) -> Figure | None:
    """Rotation angles and stretch of the fitted linear map."""
    parts = direction.anatomy
    if parts is None:
        return None
    panels = []
    if parts.rotation_angles:
        panels.append(_angles(parts, prefix))
    if parts.stretch:
        panels.append(_stretch(parts, prefix))
    if not panels:
        return None
    rows: list[tuple[Cell, ...]] = [(name, value, None, None) for name, value in _anatomy_numbers(parts)]
    directions = zip_longest(parts.rotation_angles, parts.stretch)
    rows += [(f"direction {i}", None, angle, stretch) for i, (angle, stretch) in enumerate(directions, start=1)]
    columns = (Column("part", "text"), Column("value"), Column("angle (degrees)"), Column("stretch"))
    table = Table.of(columns, rows)
    return Figure(f"{prefix}-anatomy", anatomy_title(parts), tuple(panels), _anatomy_caption(parts), "5", table)


def anatomy_title(parts: Anatomy) -> str:
    """Print the two numbers that say most; they carry no intervals, so nothing is concluded."""
    distance = f"the map's distance to a pure rotation is {number(parts.distance_to_orthogonality, 2)}"
    if parts.mean_turning is None:
        return distance[0].upper() + distance[1:]
    return f"A sentence is turned by {number(parts.mean_turning, 0)}° on average; {distance}"


def _anatomy_numbers(parts: Anatomy) -> tuple[tuple[str, float | None], ...]:
    return (
        ("shift over spread of the source", parts.shift_to_spread),
        ("mean turning of a row (degrees)", parts.mean_turning),
        ("spread of log stretch", parts.stretch_spread),
        ("effective rank of W − I", parts.rank_of_difference),
        ("distance to orthogonality", parts.distance_to_orthogonality),
        ("distance to a similarity", parts.distance_to_similarity),
    )


def _anatomy_caption(parts: Anatomy) -> str:
    angles = "By how much the orthogonal part of the map turns each direction: 0° leaves it, 180° flips it. "
    stretch = (
        "The singular values of W where the data lie, in order: a rotation has them all at 1, a similarity all at one "
        f"height (here the logarithms spread by {number(parts.stretch_spread, 2)}). "
    )
    shift = (
        ""
        if parts.shift_to_spread is None
        else f"The offset between the two sides is {number(parts.shift_to_spread, 2)} of the spread of the source. "
    )
    if parts.rotation_angles and parts.stretch:
        angles, stretch = f"Left: {_lowered(angles)}", f"Right: {_lowered(stretch)}"
    drawn = (angles if parts.rotation_angles else "") + (stretch if parts.stretch else "")
    return f"{drawn}{shift}These numbers describe one fit on all rows and carry no intervals."


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]


def _angles(parts: Anatomy, prefix: str) -> Panel:
    data: list[PlotlyJson] = [
        {
            "type": "histogram",
            "x": list(parts.rotation_angles),
            "xbins": {"start": 0, "end": 181, "size": 10},
            "marker": {"color": "@accent"},
            "hovertemplate": "%{x}°: %{y} planes<extra></extra>",
        }
    ]
    layout = {
        "xaxis": value_axis("rotation angle (degrees)", range=[0, 180], tickvals=[0, 45, 90, 135, 180]),
        "yaxis": value_axis("directions"),
    }
    return panel(f"{prefix}-angles", "histogram of rotation angles", data, layout, 280)


def _stretch(parts: Anatomy, prefix: str) -> Panel:
    ordered = sorted(parts.stretch, reverse=True)
    data: list[PlotlyJson] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(range(1, len(ordered) + 1)),
            "y": ordered,
            "line": {"color": "@accent", "width": 2},
            "hovertemplate": "direction %{x}: stretched %{y:.3f} times<extra></extra>",
        }
    ]
    shape, label = horizontal_line(1.0, "a rotation")
    layout = {
        "xaxis": value_axis("direction, most stretched first"),
        "yaxis": value_axis("stretch (singular value of W)", rangemode="tozero"),
        "shapes": [shape],
        "annotations": [label],
    }
    return panel(f"{prefix}-stretch", "singular values of the map", data, layout, 280)


def drift(direction: Direction, prefix: str) -> Figure | None:
    """Whether maps fitted in different regions differ more than sampling noise explains."""
    moved = direction.drift
    if moved is None or not moved.points:
        return None
    points = sorted(moved.points, key=lambda p: p.distance)
    data: list[PlotlyJson] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [p.distance for p in points],
            "y": [p.difference for p in points],
            "marker": {"color": "@accent", "size": 8},
            "hovertemplate": "distance %{x:.3f}<br>difference %{y:.3f}<extra></extra>",
        }
    ]
    shape, label = horizontal_line(moved.statistic, "mean of the dots", dash="dash", color="@accent")
    layout = {
        "xaxis": value_axis("distance of two regions (spread = 1)"),
        "yaxis": value_axis("difference of maps (global = 1)", range=_drift_range(moved)),
        "shapes": [horizontal_band(moved.null_mean, moved.null_p95, "@null"), shape],
        "annotations": [label],
    }
    surely = moved.statistic > moved.null_p95
    title = (
        "The map drifts from region to region, beyond sampling noise"
        if surely
        else "No drift from region to region is told from sampling noise"
    )
    caption = (
        "Each dot is a pair of regions of the source space, with a linear map fitted in each. Local fits differ by "
        f"sampling alone, so the mean of the dots ({number(moved.statistic)}) stands beside the grey band: what "
        "it would be if one global map held everywhere, from the mean to the 95th percentile, "
        f"{number(moved.null_mean)} to {number(moved.null_p95)} (p = {plain(moved.p_value)})."
    )
    rows: list[tuple[Cell, ...]] = [("pair of regions", p.distance, p.difference) for p in points]
    rows += [
        ("statistic", None, moved.statistic),
        ("chance, mean", None, moved.null_mean),
        ("chance, 95th percentile", None, moved.null_p95),
        ("p", None, moved.p_value),
    ]
    table = Table.of((Column("what", "text"), Column("distance"), Column("difference")), rows)
    drawn = panel(f"{prefix}-drift", "difference of local maps against distance", data, layout)
    return Figure(f"{prefix}-drift", title, (drawn,), caption, "5", table)


def _drift_range(moved: Drift) -> list[float]:
    values = [moved.null_mean, moved.null_p95, moved.statistic, *(p.difference for p in moved.points)]
    pad = 0.15 * (max(values) - min(values)) or 0.1
    return [max(0.0, min(values) - pad), max(values) + pad]


def residuals(direction: Direction, prefix: str) -> Figure | None:
    """Scores of the judged rung on parts of the rows."""
    groups = list(direction.residuals)
    if not groups:
        return None
    groups.sort(key=lambda g: KINDS.index(g.kind) if g.kind in KINDS else len(KINDS))
    panels = (
        _group_panel(f"{prefix}-residual-r2", "held-out R²", groups, [g.r2 for g in groups], "@accent"),
        _group_panel(f"{prefix}-residual-p1", "P@1", groups, [g.p_at_1 for g in groups], "@second"),
    )
    caption = (
        f"The rung “{rung_name(direction.judged)}” scored on parts of the held-out rows, with intervals; in brackets "
        "the number of rows. Targets vary less in some parts than in others, and R² is relative to that: compare P@1. "
        f"No correction for looking at {len(groups)} parts."
    )
    columns = (
        Column("by", "text"),
        Column("part", "name"),
        Column("rows", "count"),
        Column("score", "text"),
        *INTERVAL_COLUMNS,
    )
    rows: list[tuple[Cell, ...]] = []
    for g in groups:
        rows.append((g.kind, g.label, g.rows, "R²", *interval_cells(g.r2)))
        rows.append((g.kind, g.label, g.rows, "P@1", *interval_cells(g.p_at_1)))
    return Figure(f"{prefix}-residuals", residual_title(direction), panels, caption, "5", Table.of(columns, rows))


def residual_title(direction: Direction) -> str:
    """Name the kind of part whose extremes lie furthest apart, if their intervals do not meet."""
    widest: tuple[float, str] | None = None
    ordered = sorted(direction.residuals, key=lambda g: g.kind)
    for kind, members in groupby(ordered, key=lambda g: g.kind):
        parts = list(members)
        parts = [part for part in parts if part.p_at_1.high > part.p_at_1.low]  # no hit at all leaves no width to judge
        if len(parts) < 2:
            continue
        best, worst = max(parts, key=_p_at_1), min(parts, key=_p_at_1)
        gap = best.p_at_1.low - worst.p_at_1.high
        if gap > 0 and (widest is None or gap > widest[0]):
            text = (
                f"P@1 differs most by {kind}: {number(worst.p_at_1.value, 2)} for {worst.label}, "
                f"{number(best.p_at_1.value, 2)} for {best.label}"
            )
            widest = (gap, text)
    return widest[1] if widest else "No part of the rows stands out"


def _p_at_1(group: ResidualGroup) -> float:
    return group.p_at_1.value


def _group_panel(
    panel_id: str, title: str, groups: list[ResidualGroup], estimates: list[Interval], color: str
) -> Panel:
    reach = Reach.of(estimates)
    names, rows = _headed(groups)
    axis = row_axis(names)
    axis["ticktext"] = [text if i in rows else f"<b>{text}</b>" for i, text in enumerate(axis["ticktext"])]
    layout = {"xaxis": value_axis(title, range=reach.range), "yaxis": axis}
    symbol = "circle" if color == "@accent" else "diamond"
    labels = [f"{g.kind}: {g.label} (n = {g.rows})" for g in groups]
    data = [dots(title, rows, estimates, labels, color=color, symbol=symbol)]
    return panel(panel_id, f"{title} of each part of the rows", data, layout, row_height(len(names), 60))


def _headed(groups: list[ResidualGroup]) -> tuple[list[str], list[int]]:
    """Return the names of rows, each kind headed by its name, and the rows on which the groups stand."""
    names: list[str] = []
    rows: list[int] = []
    kind = None
    for group in groups:
        if group.kind != kind:
            names.append(f"by {group.kind}")
            kind = group.kind
        rows.append(len(names))
        names.append(f"{group.label} ({count(group.rows)})")
    return names, rows


def transfer(direction: Direction, prefix: str) -> Figure | None:
    """Score maps fitted in one domain on another."""
    moved = direction.transfer
    if moved is None or len(moved.domains) < 2:
        return None
    names = [drawn_text(d) for d in moved.domains]
    smallest = min(min(row) for row in moved.r2)
    data: list[PlotlyJson] = [
        {
            "type": "heatmap",
            "x": list(range(len(names))),
            "y": list(range(len(names))),
            "z": [list(row) for row in moved.r2],
            "text": [[number(v, 2) for v in row] for row in moved.r2],
            "texttemplate": "%{text}",
            "customdata": [[f"fitted on {a}, scored on {b}" for b in names] for a in names],
            "hovertemplate": "%{customdata}<br>R² %{z:.3f}<extra></extra>",
            "colorscale": SEQUENTIAL,
            "zmin": max(-0.25, min(0.0, smallest)),
            "zmax": max(0.1, *(max(row) for row in moved.r2)),
            "xgap": 2,
            "ygap": 2,
            "showscale": False,
        }
    ]
    layout = {
        "xaxis": {
            **value_axis("scored on", zeroline=False),
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "showgrid": False,
            "ticks": "",
        },
        "yaxis": {**value_axis("fitted on"), **row_axis(list(moved.domains))},
    }
    layout["yaxis"]["title"] = {"text": "fitted on"}
    caption = (
        "R² of a linear map fitted on one domain (row) and scored on another (column), about the mean of the latter; "
        "the diagonal, at home, is cross-validated. Below zero the map does worse than the mean would. Single values "
        "without intervals: read the pattern, not the second digit."
    )
    rows = tuple((a, b, moved.r2[i][j]) for i, a in enumerate(moved.domains) for j, b in enumerate(moved.domains))
    table = Table.of((Column("fitted on", "name"), Column("scored on", "name"), Column("R²")), rows)
    drawn = panel(
        f"{prefix}-transfer",
        "R² from each domain to each",
        data,
        layout,
        120 + (44 if len(names) <= 8 else 30) * len(names),
    )
    title = "How a map fitted in one domain does in another"
    return Figure(f"{prefix}-transfer", title, (drawn,), caption, "5", table)


def hubness(direction: Direction, prefix: str) -> Figure | None:
    """How unevenly candidates are chosen as neighbours."""
    if not direction.hubness:
        return None
    names = list(direction.hubness)
    found = list(direction.hubness.values())
    kinds = (
        ("skew", "skew (0 = even)", [h.skew for h in found]),
        ("robin", "Robin Hood index", [h.robin_hood for h in found]),
        ("antihubs", "share of antihubs", [h.antihubs for h in found]),
    )
    panels = tuple(_bars(f"{prefix}-hubness-{key}", title, names, values) for key, title, values in kinds)
    caption = (
        f"How often each target is among the {found[0].k} nearest of a prediction. A few targets that are near to "
        f"everything (hubs) crowd out the right ones: the skew is then large. The Robin Hood index is the share of "
        f"neighbourships that would have to move for all targets to be chosen equally often; antihubs are never chosen."
    )
    columns = (
        Column("search", "name"),
        Column("k", "count"),
        Column("skew"),
        Column("Robin Hood index"),
        Column("antihubs", "percent"),
    )
    table = Table.of(columns, tuple((n, h.k, h.skew, h.robin_hood, h.antihubs) for n, h in direction.hubness.items()))
    return Figure(f"{prefix}-hubness", hubness_title(direction), panels, caption, "7", table)


def hubness_title(direction: Direction) -> str:
    """Print the skews, which carry no intervals, and draw no conclusion."""
    found = direction.hubness.items()
    return "Skew of the neighbour counts: " + ", ".join(f"{number(h.skew, 1)} ({rung_name(n)})" for n, h in found)


def _bars(panel_id: str, title: str, names: list[str], values: list[float]) -> Panel:
    data: list[PlotlyJson] = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": values,
            "y": list(range(len(names))),
            "text": [number(v, 2) for v in values],
            "textposition": "top center",
            "cliponaxis": False,
            "marker": {"color": "@accent", "size": 10},
            "hovertemplate": "%{text}<extra></extra>",
        }
    ]
    layout = {
        "xaxis": value_axis(title, range=[min(0.0, *values) * 1.1, max(0.1, *values) * 1.15]),
        "yaxis": row_axis([rung_name(n) for n in names]),
    }
    return panel(panel_id, title, data, layout, row_height(len(names), 84))
