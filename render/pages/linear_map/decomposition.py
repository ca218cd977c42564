"""What the fitted map does: its anatomy, and whether it drifts from region to region."""

from __future__ import annotations

from itertools import zip_longest
from statistics import median

from ....probe.results.linear_map import Anatomy, Direction, Drift
from ...charts.marks import horizontal_band, horizontal_line, over, points
from ...charts.theme import panel, value_axis
from ...formatting import capitalized, number, plain
from ...view import Cell, Column, Figure, Panel, PlotlyJson, Table


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
    rows: list[tuple[Cell, ...]] = [
        (name, value, None, None)
        for name, value in (
            (
                ("shift over spread of the source", parts.shift_to_spread),
                ("mean turning of a row (degrees)", parts.mean_turning),
                ("spread of log stretch", parts.stretch_spread),
                ("effective rank of W − I", parts.rank_of_difference),
                ("distance to orthogonality", parts.distance_to_orthogonality),
                ("distance to a similarity", parts.distance_to_similarity),
            )
        )
    ]
    directions = zip_longest(parts.rotation_angles, parts.stretch)
    rows += [(f"direction {i}", None, angle, stretch) for i, (angle, stretch) in enumerate(directions, start=1)]
    columns = (Column("part", "text"), Column("value"), Column("angle (degrees)"), Column("stretch"))
    table = Table.of(columns, rows)
    return Figure(f"{prefix}-anatomy", anatomy_title(parts), tuple(panels), _anatomy_caption(parts), (6,), table)


def anatomy_title(parts: Anatomy) -> str:
    """Print the two numbers that say most; they carry no intervals, so nothing is concluded."""
    distance = f"the map's distance to a pure rotation is {number(parts.distance_to_orthogonality, 2)}"
    if parts.mean_turning is None:
        return capitalized(distance)
    if not parts.rotation_angles:
        return f"A sentence is turned by {number(parts.mean_turning, 0)}° on average; {distance}"
    return f"Half of the directions are turned by more than {number(median(parts.rotation_angles), 0)}°; {distance}"


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
        angles, stretch = f"First panel: {_lowered(angles)}", f"Second panel: {_lowered(stretch)}"
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
    layout = {
        "xaxis": value_axis("direction, most stretched first"),
        "yaxis": value_axis("stretch (singular value of W)", rangemode="tozero"),
        **over(horizontal_line(1.0, "a rotation")),
    }
    return panel(f"{prefix}-stretch", "singular values of the map", data, layout, 280)


def drift(direction: Direction, prefix: str) -> Figure | None:
    """Whether maps fitted in different regions differ more than sampling noise explains."""
    moved = direction.drift
    if moved is None or not moved.points:
        return None
    ordered = sorted(moved.points, key=lambda p: p.distance)
    rows: list[tuple[Cell, ...]] = [("pair of regions", p.distance, p.difference) for p in ordered]
    rows += [
        ("statistic", None, moved.statistic),
        ("chance, mean", None, moved.null_mean),
        ("chance, 95th percentile", None, moved.null_p95),
        ("p", None, moved.p_value),
    ]
    table = Table.of((Column("what", "text"), Column("distance"), Column("difference")), rows)
    return Figure(
        f"{prefix}-drift",
        drift_title(moved),
        (_drift_panel(moved, prefix),),
        (
            "Each dot is a pair of regions of the source space, with a linear map fitted in each. Local fits differ by "
            f"sampling alone, so compare the mean of the dots ({number(moved.statistic)}) with the grey band: its "
            "distribution if one global map held everywhere, from the mean to the 95th percentile, "
            f"{number(moved.null_mean)} to {number(moved.null_p95)} (p = {plain(moved.p_value)})."
        ),
        (6,),
        table,
    )


def drift_title(moved: Drift) -> str:
    """Name a drift only beyond its null."""
    if moved.statistic > moved.null_p95:
        return "The map drifts from region to region, beyond sampling noise"
    return "No significant drift from region to region"


def _drift_panel(moved: Drift, prefix: str) -> Panel:
    x, y = [p.distance for p in moved.points], [p.difference for p in moved.points]
    text = [f"distance {number(a)}<br>difference {number(b)}" for a, b in zip(x, y, strict=True)]
    chance = horizontal_band(moved.null_mean, moved.null_p95, "@null")
    mean = horizontal_line(moved.statistic, "mean of the dots", dash="dash", color="@accent")
    drawn = [moved.null_mean, moved.null_p95, moved.statistic, *y]
    pad = 0.15 * (max(drawn) - min(drawn)) or 0.1
    layout = {
        "xaxis": value_axis("distance of two regions (spread = 1)"),
        "yaxis": value_axis("difference of maps (global = 1)", range=[max(0.0, min(drawn) - pad), max(drawn) + pad]),
        **over(chance, mean),
    }
    return panel(f"{prefix}-drift", "difference of local maps against distance", [points(x, y, text)], layout)
