"""Figures of the certificate, of its power, and of the learning curve."""

from __future__ import annotations

from itertools import groupby

from ..probe.linear_map_result import Certificate, Direction
from ..probe.results import Interval
from .figures import (
    Reach,
    curve,
    horizontal_band,
    horizontal_line,
    panel,
    row_axis,
    row_height,
    scores,
    value_axis,
    vertical_band,
    vertical_line,
)
from .intervals import INTERVAL_COLUMNS, interval_cells
from .view import Cell, Column, Figure, Panel, PlotlyJson, Table
from .words import drawn_text, interval, number, percent, plain, plain_percent, rung_name

VERDICTS = ("identity", "shift", "rotation", "similarity", "linear", "undecided", "nonlinear", "no map")


def certificate(direction: Direction, prefix: str) -> Figure | None:
    """Shares of the ceiling against the margin, and the verdict that every margin gives."""
    judged = direction.certificate
    panels = []
    if judged.shares:
        panels.append(_shares(judged, prefix))
    if judged.by_margin:
        panels.append(_by_margin(judged, prefix))
    if not panels:
        return None
    caption = (
        f"Left: each rung's R² as a share of the ceiling's. A rung suffices where its whole interval lies in the "
        f"tinted region, above {plain_percent(1 - judged.margin)}; it falls short where its whole interval lies below; "
        f"else it is undecided. Right: the verdict for other margins. By P@1, with a margin of "
        f"{_points(judged.retrieval_margin)}, the verdict is “{judged.retrieval_verdict}”."
    )
    return Figure(
        f"{prefix}-certificate", margin_title(judged), tuple(panels), caption, "4", _certificate_table(judged)
    )


def _points(margin: float) -> str:
    size = plain(100 * margin)
    return f"{size} point" if size == "1" else f"{size} points"


def margins(judged: Certificate) -> list[tuple[float, str]]:
    """Return margins and verdicts, the strictest margin first."""
    return sorted((float(margin), verdict) for margin, verdict in judged.by_margin.items())


def margin_title(judged: Certificate) -> str:
    """Say whether the verdict hangs on the margin."""
    pairs = margins(judged)
    runs = [(verdict, [m for m, _ in group]) for verdict, group in groupby(pairs, key=lambda pair: pair[1])]
    if not runs:
        return f"The verdict at a margin of {plain_percent(judged.margin)} is “{judged.verdict}”"
    if len(runs) == 1:
        first, last = runs[0][1][0], runs[0][1][-1]
        return f"The verdict is “{runs[0][0]}” at every margin from {plain_percent(first)} to {plain_percent(last)}"
    parts = [f"“{verdict}” from {plain_percent(values[0])}" for verdict, values in runs[1:]]
    return f"The verdict hangs on the margin: “{runs[0][0]}” at {plain_percent(runs[0][1][0])}, " + ", ".join(parts)


def _shares(judged: Certificate, prefix: str) -> Panel:
    names = list(judged.shares)
    shares = list(judged.shares.values())
    drawn = [rung_name(name) for name in names]
    reach = Reach.of(shares, least_top=1.02, most_top=1.5)
    data = scores("share of the ceiling", range(len(names)), shares, drawn, reach)
    layout = {
        "xaxis": value_axis("share of the ceiling's R²", range=reach.range, tickformat=".0%"),
        "yaxis": row_axis(drawn),
        "shapes": [vertical_band(1 - judged.margin, reach.highest)],
        "annotations": [],
    }
    return panel(
        f"{prefix}-shares",
        "share of the ceiling that each rung reaches",
        data,
        layout,
        row_height(len(names)),
    )


def _by_margin(judged: Certificate, prefix: str) -> Panel:
    pairs = margins(judged)
    known = [name for name in VERDICTS if any(v == name for _, v in pairs)]
    known += sorted({v for _, v in pairs} - set(known))
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [100 * m for m, _ in pairs],
            "y": [known.index(v) for _, v in pairs],
            "line": {"shape": "hvh", "color": "@line", "width": 2},
            "marker": {"size": 10, "color": "@accent", "symbol": "square"},
            "text": [f"margin {plain_percent(m)}: {drawn_text(v)}" for m, v in pairs],
            "hovertemplate": "%{text}<extra></extra>",
        }
    ]
    shape, label = vertical_line(100 * judged.margin, "chosen")
    layout = {
        "xaxis": value_axis("margin δ (% of the ceiling's R²)", rangemode="tozero"),
        "yaxis": row_axis(known),
        "shapes": [shape],
        "annotations": [label],
    }
    rows = max(len(judged.shares), len(known))
    return panel(f"{prefix}-margins", "verdict for each margin", data, layout, row_height(rows))


def _certificate_table(judged: Certificate) -> Table:
    columns = (
        Column("what", "text"),
        Column("of", "name"),
        Column("value"),
        Column("low"),
        Column("high"),
        Column("verdict", "text"),
    )
    rows: list[tuple[Cell, ...]] = [
        ("share of the ceiling's R²", rung_name(n), s.value, s.low, s.high, judged.equivalences.get(n, ""))
        for n, s in judged.shares.items()
    ]
    rows += [
        ("P@1 below the best rung", rung_name(n), g.value, g.low, g.high, "") for n, g in judged.retrieval_gaps.items()
    ]
    if judged.curvature_gain is not None:
        g = judged.curvature_gain
        rows.append(("R² gained by curvature", "nonlinear over linear", g.value, g.low, g.high, ""))
    rows += [("verdict at the margin", plain_percent(m), None, None, None, v) for m, v in margins(judged)]
    return Table.of(columns, rows)


def power(direction: Direction, prefix: str) -> Figure | None:
    """How much curvature the test would have caught."""
    judged = direction.certificate
    if not judged.power:
        return None
    points = sorted(judged.power, key=lambda p: p.share)
    data: list[PlotlyJson] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [100 * p.share for p in points],
            "y": [p.detected for p in points],
            "line": {"color": "@accent", "width": 1.5},
            "marker": {"color": "@accent", "size": 9},
            "cliponaxis": False,
            "text": [
                f"{percent(p.share, 1)} planted: detected {round(p.detected * p.replicates)} of {p.replicates}"
                for p in points
            ],
            "hovertemplate": "%{text}<extra></extra>",
        }
    ]
    lines = [horizontal_line(0.8, "80 % power")]
    if judged.smallest_detectable is not None:
        lines.append(vertical_line(100 * judged.smallest_detectable, "smallest detectable", color="@second"))
    layout = {
        "xaxis": value_axis("planted share of curvature (%)", rangemode="tozero"),
        "yaxis": value_axis("detected (share of replicates)", range=[-0.02, 1.04], tickformat=".0%"),
        "shapes": [shape for shape, _ in lines],
        "annotations": [label for _, label in lines],
    }
    table = Table.of(
        (Column("planted share", "percent"), Column("detected", "percent"), Column("replicates", "count")),
        tuple((p.share, p.detected, p.replicates) for p in points),
    )
    caption = (
        "Curvature that makes up a known share of what is explained is added to the fitted linear map, with the noise "
        "that was observed, and the test is run again. A verdict of “linear” excludes no departure smaller than the "
        "smallest that is found in 80 % of the replicates. Only the sizes that the search visited are drawn."
    )
    drawn = panel(f"{prefix}-power", "detection rate of planted curvature", data, layout)
    return Figure(f"{prefix}-power", power_title(judged), (drawn,), caption, "4", table)


def power_title(judged: Certificate) -> str:
    """State the resolution of the verdict."""
    if judged.smallest_detectable is not None:
        coarse = ", more than the margin" if judged.smallest_detectable > judged.margin else ""
        return (
            f"The test resolves curvature of {plain_percent(judged.smallest_detectable)} of what is explained{coarse}"
        )
    largest = max((p.share for p in judged.power), default=None)
    return (
        "The power of the test is unknown"
        if largest is None
        else f"The test would miss even {plain_percent(largest)} of curvature"
    )


def learning_curve(direction: Direction, prefix: str) -> Figure | None:
    """R² against the number of training pairs, with chance and the extrapolated limit."""
    learned = direction.learning_curve
    if learned is None or not learned.points:
        return None
    points = sorted(learned.points, key=lambda p: p.pairs)
    pairs = [p.pairs for p in points]
    estimates = [p.r2 for p in points]
    data = [curve("linear", pairs, estimates, [f"{n} pairs" for n in pairs])]
    chance = _chance_curve(pairs, estimates)
    if chance:
        data.append(chance)
    shapes, labels = [], []
    if learned.limit is not None:
        shape, label = horizontal_line(learned.limit.value, "limit", dash="dash", color="@second")
        shapes = [horizontal_band(learned.limit.low, learned.limit.high), shape]
        labels = [label]
    layout = {
        "xaxis": value_axis(
            "training pairs (logarithmic)", type="log", tickvals=pairs, ticktext=[str(n) for n in pairs]
        ),
        "yaxis": value_axis("held-out R²"),
        "shapes": shapes,
        "annotations": labels,
    }
    caption = (
        "The linear rung cross-validated on random subsets of growing size. Where the dots do not clear the grey line, "
        "the 95th percentile of chance, that many pairs teach nothing. The tinted band is the limit for endlessly many "
        "pairs, with its interval, that a power law through the dots foresees: an extrapolation and no more."
    )
    rows: list[tuple[Cell, ...]] = [(p.pairs, *interval_cells(p.r2)) for p in points]
    if learned.limit is not None:
        rows.append(("limit", *interval_cells(learned.limit)))
    table = Table.of((Column("training pairs", "count"), *INTERVAL_COLUMNS), rows)
    drawn = panel(f"{prefix}-learning", "R² against the number of training pairs", data, layout, 340)
    return Figure(f"{prefix}-learning", learning_title(direction), (drawn,), caption, "5", table)


def learning_title(direction: Direction) -> str:
    """Say what more pairs would bring, where the intervals are apart; else only what was seen."""
    learned = direction.learning_curve
    if learned is None or not learned.points:
        return "No learning curve"
    last = max(learned.points, key=lambda p: p.pairs)
    if learned.limit is not None and learned.limit.low > last.r2.high:
        limit = interval(learned.limit, 2)
        return f"More pairs would help: R² {number(last.r2.value, 2)} at {last.pairs} pairs, limit {limit}"
    if learned.limit is not None:
        return f"More than {last.pairs} pairs would bring no gain that is told from none"
    first = min(learned.points, key=lambda p: p.pairs)
    rises = last.r2.low > first.r2.high
    return f"R² {'rises' if rises else 'does not surely rise'} from {first.pairs} to {last.pairs} pairs"


def _chance_curve(pairs: list[int], estimates: list[Interval]) -> PlotlyJson | None:
    known = [(n, e.null_p95) for n, e in zip(pairs, estimates, strict=True) if e.null_p95 is not None]
    if not known:
        return None
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "chance",
        "x": [n for n, _ in known],
        "y": [v for _, v in known],
        "line": {"color": "@null", "width": 3},
        "hovertemplate": "chance at %{x} pairs: %{y:.3f}<extra></extra>",
    }
