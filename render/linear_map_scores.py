"""Figures of how well each rung does: the ladder, the certificate, its power, and the learning curve."""

from __future__ import annotations

import math
from itertools import groupby

from ..probe.linear_map_result import Certificate, Direction, RungScores
from ..probe.results import Interval
from .figures import (
    curve,
    dots,
    horizontal_band,
    horizontal_line,
    null_marks,
    panel,
    row_axis,
    row_height,
    value_axis,
    vertical_band,
    vertical_line,
)
from .view import Cell, Column, Figure, Panel, PlotlyJson, Table
from .words import drawn_text, interval, number, percent, percent_interval, plain, rung_name

ORDER = ("identity", "shift", "rotation", "similarity", "low_rank", "linear", "local", "nonlinear", "mlp")
LOWEST_DRAWN = -0.25  # a rung that misses by more is drawn at the edge, its value stands in the table
SUFFICES = "suffices"


def rungs_in_order(direction: Direction) -> dict[str, RungScores]:
    """Return the rungs from the plainest to the freest; unknown ones last; the reference is left out."""
    names = [name for name in ORDER if name in direction.rungs]
    names += sorted(name for name in direction.rungs if name not in ORDER and name != "mean")
    return {name: direction.rungs[name] for name in names}


def ladder(direction: Direction, prefix: str) -> Figure:
    """Every rung's R² and P@1 with intervals, chance, and the ceiling."""
    return Figure(
        f"{prefix}-ladder",
        ladder_title(direction),
        (_ladder_r2(direction, prefix), _ladder_retrieval(direction, prefix)),
        _ladder_caption(direction),
        "1–4",
        _ladder_table(direction),
    )


def ladder_title(direction: Direction) -> str:
    """State what the shares support, and nothing where they support nothing."""
    certificate = direction.certificate
    if certificate.verdict == "no map":
        return "No rung is told from chance"
    enough = [n for n in ORDER if certificate.equivalences.get(n) == SUFFICES]
    short = [n for n in ORDER if certificate.equivalences.get(n) == "falls short"]
    if enough:
        below = short[-1] if short else None
        fails = f"; {_article(below)} falls short" if below else ""
        return f"{_article(enough[0]).capitalize()} suffices{fails}"
    linear = certificate.shares.get("linear")
    if linear is None:
        return "Which rung suffices is undecided"
    if certificate.verdict == "nonlinear":
        return f"No linear map suffices: it reaches {percent_interval(linear)} of the best rung"
    return f"Undecided: a linear map reaches {percent_interval(linear)} of the best rung"


def _article(rung: str) -> str:
    return {
        "identity": "the identity",
        "shift": "a shift",
        "rotation": "a rotation",
        "similarity": "a similarity",
        "linear": "a linear map",
    }.get(rung, rung_name(rung))


def _ladder_r2(direction: Direction, prefix: str) -> Panel:
    rungs = rungs_in_order(direction)
    names = [rung_name(name) for name in rungs]
    estimates = [scores.r2 for scores in rungs.values()]
    lowest = max(LOWEST_DRAWN, min([0.0, *(e.low for e in estimates if math.isfinite(e.low))]) - 0.02)
    data = [null_marks(range(len(names)), estimates, lowest=lowest)]
    data.append(dots("held-out R²", range(len(names)), estimates, names))
    data.append(_beyond(names, estimates, lowest))
    refitted = _refitted(rungs)
    data.append(refitted)
    shapes, labels = _ceilings(direction)
    layout = {
        "xaxis": value_axis("held-out R² (1 = every target predicted exactly)", range=[lowest, _top(direction)]),
        "yaxis": row_axis(names),
        "shapes": shapes,
        "annotations": labels,
    }
    drawn = [trace for trace in data if trace]
    label = f"R² of each rung, {direction.source} to {direction.target}"
    return panel(f"{prefix}-ladder-r2", label, drawn, layout, row_height(len(names), 116))


def _top(direction: Direction) -> float:
    values = [s.r2.high for s in direction.rungs.values() if math.isfinite(s.r2.high)]
    ceiling = direction.certificate.noise_ceiling
    if ceiling is not None:
        values.append(ceiling.high)
    return min(1.02, max([0.1, *values]) * 1.08)


def _beyond(names: list[str], estimates: list[Interval], lowest: float) -> PlotlyJson | None:
    rows = [i for i, e in enumerate(estimates) if e.value < lowest]
    if not rows:
        return None
    return {
        "type": "scatter",
        "mode": "markers+text",
        "showlegend": False,
        "x": [lowest] * len(rows),
        "y": rows,
        "cliponaxis": False,
        "marker": {"symbol": "triangle-left", "size": 11, "color": "@accent"},
        "text": [number(estimates[i].value, 2) for i in rows],
        "textposition": "middle right",
        "hovertext": [f"<b>{drawn_text(names[i])}</b><br>{interval(estimates[i])}, left of this axis" for i in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _refitted(rungs: dict[str, RungScores]) -> PlotlyJson | None:
    rows = [(i, name, s.r2_refitted) for i, (name, s) in enumerate(rungs.items()) if s.r2_refitted is not None]
    if not rows:
        return None
    estimates = [e for _, _, e in rows if e is not None]
    labels = [f"{rung_name(name)}, refitted without each block" for _, name, _ in rows]
    trace = dots(
        "refitted (jackknife)", [i + 0.26 for i, _, _ in rows], estimates, labels, color="@faded", symbol="line-ns-open"
    )
    trace["marker"] = {**trace["marker"], "size": 7}
    return trace


def _ceilings(direction: Direction) -> tuple[list[PlotlyJson], list[PlotlyJson]]:
    certificate = direction.certificate
    best = direction.rungs.get(certificate.ceiling)
    lines = []
    if best is not None:
        lines.append(vertical_line(best.r2.value, "ceiling"))
    if certificate.noise_ceiling is not None:
        lines.append(vertical_line(certificate.noise_ceiling.value, "noise ceiling", dash="dash", color="@third"))
    return [shape for shape, _ in lines], [label for _, label in lines]


def _ladder_retrieval(direction: Direction, prefix: str) -> Panel:
    rungs = rungs_in_order(direction)
    names = [rung_name(name) for name in rungs]
    there, back = f"{direction.source} → {direction.target}", f"{direction.target} → {direction.source}"
    kinds = (
        (f"{there}, cosine", -0.27, [s.p_at_1 for s in rungs.values()], "@accent", "circle"),
        (f"{there}, CSLS", -0.09, [s.p_at_1_csls for s in rungs.values()], "@accent", "circle-open"),
        (f"{back}, cosine", 0.09, [s.backward.p_at_1 for s in rungs.values()], "@second", "diamond"),
        (f"{back}, CSLS", 0.27, [s.backward.p_at_1_csls for s in rungs.values()], "@second", "diamond-open"),
    )
    data: list[PlotlyJson] = []
    for name, offset, estimates, color, symbol in kinds:
        rows = [i + offset for i in range(len(names))]
        labels = [f"{rung}, {name}" for rung in names]
        data.append(dots(drawn_text(name), rows, estimates, labels, color=color, symbol=symbol))
    layout = {
        "xaxis": value_axis(f"P@1 among {direction.pool} candidates", range=[-0.02, 1.02], tickformat=".0%"),
        "yaxis": row_axis(names),
    }
    label = f"P@1 of each rung, both ways, {direction.source} and {direction.target}"
    return panel(f"{prefix}-ladder-p1", label, data, layout, row_height(len(names), 116))


def _ladder_caption(direction: Direction) -> str:
    certificate = direction.certificate
    level = percent(next(iter(direction.rungs.values())).r2.level) if direction.rungs else "95 %"
    text = (
        f"Each row is a kind of map, from the plainest on top to the freest. Left: the share of the targets' variance "
        f"that the map predicts on rows it was not fitted on, with {level} intervals; the grey bar is what shuffled "
        f"pairs reach; the dotted line is the ceiling, the best rung ({rung_name(certificate.ceiling)}). Right: how "
        f"often the right sentence is nearest to the prediction. The circles search with the prediction among the "
        f"targets, the diamonds search with a target among the predictions."
    )
    if certificate.noise_ceiling is not None:
        same = certificate.ceiling_on_those_rows
        there = f", where the ceiling reaches {interval(same, 2)}" if same is not None else ""
        text += (
            f" The dashed line is the noise ceiling, {interval(certificate.noise_ceiling, 2)}: what a second translation "
            f"predicts of the first, on {certificate.noise_ceiling_rows} rows that have one{there}."
        )
    if direction.absent:
        text += " " + " ".join(
            f"{rung_name(n).capitalize()} is absent: {why}." for n, why in sorted(direction.absent.items())
        )
    return text


def _ladder_table(direction: Direction) -> Table:
    scores = ("p_at_1", "p_at_1_csls", "p_at_5", "p_at_10", "mrr")
    names = {"p_at_1": "P@1", "p_at_1_csls": "P@1 CSLS", "p_at_5": "P@5", "p_at_10": "P@10", "mrr": "MRR"}
    columns = (
        Column("rung", "name"),
        Column("direction", "text"),
        Column("score", "text"),
        *INTERVAL_COLUMNS,
    )
    rows: list[tuple[Cell, ...]] = []
    there, back = f"{direction.source} → {direction.target}", f"{direction.target} → {direction.source}"
    for rung, s in rungs_in_order(direction).items():
        rows.append((rung_name(rung), there, "R²", *interval_cells(s.r2)))
        if s.r2_refitted is not None:
            rows.append((rung_name(rung), there, "R², refitted", *interval_cells(s.r2_refitted)))
        rows.append((rung_name(rung), there, "cosine", *interval_cells(s.cosine)))
        rows += [(rung_name(rung), there, names[k], *interval_cells(getattr(s, k))) for k in scores]
        rows += [(rung_name(rung), back, names[k], *interval_cells(getattr(s.backward, k))) for k in scores]
    return Table(columns, tuple(rows))


INTERVAL_COLUMNS = (
    Column("value"),
    Column("low"),
    Column("high"),
    Column("chance, mean"),
    Column("chance, 95th percentile"),
)


def interval_cells(estimate: Interval) -> tuple[Cell, ...]:
    """Return an interval as the cells of `INTERVAL_COLUMNS`."""
    return (estimate.value, estimate.low, estimate.high, estimate.null_mean, estimate.null_p95)


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
        f"Left: each rung's R² as a share of the ceiling's. A rung suffices where its whole interval lies in the tinted "
        f"region, above {percent(1 - judged.margin, 1)}; it falls short where its whole interval lies below; else it is "
        f"undecided. Right: the verdict for other margins. By P@1, with a margin of "
        f"{number(100 * judged.retrieval_margin, 1)} points, the verdict is “{judged.retrieval_verdict}”."
    )
    return Figure(
        f"{prefix}-certificate", margin_title(judged), tuple(panels), caption, "4", _certificate_table(judged)
    )


def margins(judged: Certificate) -> list[tuple[float, str]]:
    """Return margins and verdicts, the strictest margin first."""
    return sorted((float(margin), verdict) for margin, verdict in judged.by_margin.items())


def margin_title(judged: Certificate) -> str:
    """Say whether the verdict hangs on the margin."""
    pairs = margins(judged)
    runs = [(verdict, [m for m, _ in group]) for verdict, group in groupby(pairs, key=lambda pair: pair[1])]
    if not runs:
        return f"The verdict at a margin of {percent(judged.margin, 1)} is “{judged.verdict}”"
    if len(runs) == 1:
        first, last = runs[0][1][0], runs[0][1][-1]
        return f"The verdict is “{runs[0][0]}” at every margin from {_margin(first)} to {_margin(last)}"
    parts = [f"“{verdict}” from {_margin(values[0])}" for verdict, values in runs[1:]]
    return f"The verdict hangs on the margin: “{runs[0][0]}” at {_margin(runs[0][1][0])}, " + ", ".join(parts)


def _margin(value: float) -> str:
    return f"{plain(100 * value)} %"


def _shares(judged: Certificate, prefix: str) -> Panel:
    names = list(judged.shares)
    shares = list(judged.shares.values())
    lowest = max(LOWEST_DRAWN, min([0.0, *(s.low for s in shares)]) - 0.02)
    drawn = [rung_name(name) for name in names]
    data = [dots("share of the ceiling", range(len(names)), shares, drawn), _beyond(drawn, shares, lowest)]
    top = max([1.02, *(s.high + 0.02 for s in shares)])
    layout = {
        "xaxis": value_axis("share of the ceiling's R²", range=[lowest, top], tickformat=".0%"),
        "yaxis": row_axis(drawn),
        "shapes": [vertical_band(1 - judged.margin, top)],
        "annotations": [],
    }
    return panel(
        f"{prefix}-shares",
        "share of the ceiling that each rung reaches",
        [t for t in data if t],
        layout,
        row_height(len(names)),
    )


def _by_margin(judged: Certificate, prefix: str) -> Panel:
    pairs = margins(judged)
    order = [*ORDER[:4], "linear", "undecided", "nonlinear", "no map"]
    known = [name for name in order if any(v == name for _, v in pairs)]
    known += sorted({v for _, v in pairs} - set(known))
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [100 * m for m, _ in pairs],
            "y": [known.index(v) for _, v in pairs],
            "line": {"shape": "hvh", "color": "@line", "width": 2},
            "marker": {"size": 10, "color": "@accent", "symbol": "square"},
            "text": [f"margin {_margin(m)}: {drawn_text(v)}" for m, v in pairs],
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
    rows += [("verdict at the margin", _margin(m), None, None, None, v) for m, v in margins(judged)]
    return Table(columns, tuple(rows))


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
        "xaxis": value_axis("planted curvature (% of the explained variance)", rangemode="tozero"),
        "yaxis": value_axis("share of replicates in which it was detected", range=[-0.02, 1.04], tickformat=".0%"),
        "shapes": [shape for shape, _ in lines],
        "annotations": [label for _, label in lines],
    }
    table = Table(
        (Column("planted share", "percent"), Column("detected", "percent"), Column("replicates", "count")),
        tuple((p.share, p.detected, p.replicates) for p in points),
    )
    caption = (
        "Curvature of known size is added to the fitted linear map, with the noise that was observed, and the test is "
        "run again. A verdict of “linear” excludes no departure smaller than the smallest that it would have found in "
        "80 % of the replicates. Only the sizes that the search visited are drawn."
    )
    drawn = panel(f"{prefix}-power", "detection rate of planted curvature", data, layout)
    return Figure(f"{prefix}-power", power_title(judged), (drawn,), caption, "4", table)


def power_title(judged: Certificate) -> str:
    """State the resolution of the verdict."""
    if judged.smallest_detectable is not None:
        coarse = ", more than the margin" if judged.smallest_detectable > judged.margin else ""
        return f"The test resolves curvature of {_margin(judged.smallest_detectable)} of what is explained{coarse}"
    largest = max((p.share for p in judged.power), default=None)
    return (
        "The power of the test is unknown"
        if largest is None
        else f"The test would miss even {_margin(largest)} of curvature"
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
        "The linear rung fitted on fewer pairs and scored on the same held-out rows. Where the dots lie inside the grey "
        "line's range, that many pairs teach nothing; the tinted band is the limit that a power law through the dots "
        "foresees for endlessly many pairs, with its interval."
    )
    rows: list[tuple[Cell, ...]] = [(p.pairs, *interval_cells(p.r2)) for p in points]
    if learned.limit is not None:
        rows.append(("limit", *interval_cells(learned.limit)))
    table = Table((Column("training pairs", "count"), *INTERVAL_COLUMNS), tuple(rows))
    drawn = panel(f"{prefix}-learning", "R² against the number of training pairs", data, layout, 340)
    return Figure(f"{prefix}-learning", learning_title(direction), (drawn,), caption, "5", table)


def learning_title(direction: Direction) -> str:
    """Say what more pairs would bring, where the intervals are apart; else only what was seen."""
    learned = direction.learning_curve
    if learned is None or not learned.points:
        return "No learning curve"
    last = max(learned.points, key=lambda p: p.pairs)
    if learned.limit is not None and learned.limit.low > last.r2.high:
        return f"More pairs would help: R² {number(last.r2.value, 2)} at {last.pairs} pairs, limit {interval(learned.limit, 2)}"
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
        "name": "chance (95th percentile)",
        "x": [n for n, _ in known],
        "y": [v for _, v in known],
        "line": {"color": "@null", "width": 3},
        "hovertemplate": "chance at %{x} pairs: %{y:.3f}<extra></extra>",
    }
