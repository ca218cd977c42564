"""Where the map fails: parts of the rows, transfer between domains, and hubs among the targets."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from ....probe.results.intervals import Interval
from ....probe.results.linear_map import Direction, ResidualGroup, Transfer
from ...charts.intervals import INTERVAL_COLUMNS, interval_cells
from ...charts.marks import dots, points
from ...charts.theme import SEQUENTIAL, Reach, panel, row_axis, row_height, value_axis
from ...formatting import count, drawn_text, number, rung_name, shortened, two_digits
from ...view import Cell, Column, Figure, Panel, PlotlyJson, Table

KINDS = ("length", "domain", "shared words")
LEAST_OF_A_HUB = 3  # pairs that share one wrong neighbour
LOWEST_TINT = -0.25  # below it all are equally bad


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
    columns = (Column("by", "text"), Column("part", "name"), Column("rows", "count"), Column("score", "text"))
    rows: list[tuple[Cell, ...]] = [
        (g.kind, g.label, g.rows, score, *interval_cells(estimate))
        for g in groups
        for score, estimate in (("R²", g.r2), ("P@1", g.p_at_1))
    ]
    table = Table.of((*columns, *INTERVAL_COLUMNS), rows)
    return Figure(f"{prefix}-residuals", residual_title(direction), panels, caption, (6,), table)


def residual_title(direction: Direction) -> str:
    """Name the kind of part whose extremes lie furthest apart if their intervals do not meet: in P@1, or else in R²."""
    by_hits = _furthest_apart(direction, "P@1", {g: g.p_at_1 for g in direction.residuals})
    by_r2 = _furthest_apart(direction, "R²", {g: g.r2 for g in direction.residuals})
    return by_hits or by_r2 or "No part of the rows stands out"


def _furthest_apart(direction: Direction, score: str, estimates: dict[ResidualGroup, Interval]) -> str | None:
    widest: tuple[float, str] | None = None
    # No hit at all, or nothing but hits, leaves an interval without width, and that is no evidence.
    judged = [g for g in direction.residuals if estimates[g].high > estimates[g].low]
    for kind, members in groupby(sorted(judged, key=lambda g: g.kind), key=lambda g: g.kind):
        parts = sorted(members, key=lambda g: estimates[g].value)
        worst, best = estimates[parts[0]], estimates[parts[-1]]
        gap = best.low - worst.high
        if gap > 0 and (widest is None or gap > widest[0]):
            low, high = two_digits(worst.value), two_digits(best.value)
            widest = (gap, f"{score} differs most by {kind}: {low} for {parts[0].label}, {high} for {parts[-1].label}")
    return widest[1] if widest else None


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


def worst_lead(direction: Direction) -> str:
    """Say of the pairs found last whether they share a wrong neighbour, a hub, or are better read one by one."""
    wrong = Counter(row.neighbours[0].text for row in direction.worst if row.neighbours and not row.neighbours[0].right)
    text, times = wrong.most_common(1)[0] if wrong else ("", 0)
    begin = f"With the {rung_name(direction.judged)} map."
    if times >= LEAST_OF_A_HUB:
        return (
            f"{begin} {times} of these {len(direction.worst)} find “{shortened(text)}” first: a hub, near to "
            "everything, which is a fault of the space and not of the translations."
        )
    return f"{begin} Read a few: some may be free or wrong translations."


def transfer(direction: Direction, prefix: str) -> Figure | None:
    """Score maps fitted in one domain on another."""
    moved = direction.transfer
    if moved is None or len(moved.domains) < 2:
        return None
    caption = (
        "R² of a linear map fitted on one domain (row) and scored on another (column), about the mean of the latter; "
        "the diagonal, at home, is cross-validated. Below zero the map does worse than the mean would. Single values "
        "without intervals: read the pattern, not the second digit."
    )
    rows = tuple((a, b, moved.r2[i][j]) for i, a in enumerate(moved.domains) for j, b in enumerate(moved.domains))
    table = Table.of((Column("fitted on", "name"), Column("scored on", "name"), Column("R²")), rows)
    title = "How a map fitted in one domain does in another"
    return Figure(f"{prefix}-transfer", title, (_transfer_panel(moved, prefix),), caption, (6,), table)


def _transfer_panel(moved: Transfer, prefix: str) -> Panel:
    names = [drawn_text(d) for d in moved.domains]
    places = list(range(len(names)))
    data: PlotlyJson = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": [list(row) for row in moved.r2],
        "text": [[two_digits(v) for v in row] for row in moved.r2],
        "texttemplate": "%{text}",
        "customdata": [[f"fitted on {a}, scored on {b}" for b in names] for a in names],
        "hovertemplate": "%{customdata}<br>R² %{z:.3f}<extra></extra>",
        "colorscale": SEQUENTIAL,
        "zmin": max(LOWEST_TINT, min(0.0, *(min(row) for row in moved.r2))),
        "zmax": max(0.1, *(max(row) for row in moved.r2)),
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"thickness": 10, "outlinewidth": 0, "title": {"text": "R²", "side": "top"}},
    }
    columns = {"tickvals": places, "ticktext": names, "showgrid": False, "zeroline": False}
    layout = {
        "xaxis": value_axis("scored on", **columns),
        "yaxis": {**row_axis(list(moved.domains)), **value_axis("fitted on")},
    }
    height = 120 + (44 if len(names) <= 8 else 30) * len(names)
    return panel(f"{prefix}-transfer", "R² from each domain to each", [data], layout, height)


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
    panels = tuple(_values(f"{prefix}-hubness-{key}", title, names, values) for key, title, values in kinds)
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
    return Figure(f"{prefix}-hubness", hubness_title(direction), panels, caption, (8,), table)


def hubness_title(direction: Direction) -> str:
    """Print the skews, which carry no intervals, and draw no conclusion."""
    found = direction.hubness.items()
    return "Skew of the neighbour counts: " + ", ".join(f"{number(h.skew, 1)} ({rung_name(n)})" for n, h in found)


def _values(panel_id: str, title: str, names: list[str], values: list[float]) -> Panel:
    written = [two_digits(v) for v in values]
    data = {**points(values, range(len(names)), written), "mode": "markers+text", "textposition": "top center"}
    layout = {
        "xaxis": value_axis(title, range=[min(0.0, *values) * 1.1, max(0.1, *values) * 1.15]),
        "yaxis": row_axis([rung_name(n) for n in names]),
    }
    return panel(panel_id, title, [data], layout, row_height(len(names), 84))
