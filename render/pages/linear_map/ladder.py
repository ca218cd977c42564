"""The ladder: every rung's R² and P@1 with intervals, chance and the best map."""

from __future__ import annotations

from ....probe.results.linear_map import Direction, RungScores
from ...charts.intervals import INTERVAL_COLUMNS, interval_cells
from ...charts.marks import dots, null_marks, over, scores, vertical_line
from ...charts.theme import ROOM_FOR_LEGEND, Reach, panel, row_axis, row_height, value_axis
from ...formatting import interval, number, percent, percent_interval, rung_name
from ...view import Cell, Column, Figure, Panel, PlotlyJson, Table

ORDER = ("identity", "shift", "rotation", "similarity", "low_rank", "linear", "local", "nonlinear", "mlp")
SUFFICES = "suffices"


def rungs_in_order(direction: Direction) -> dict[str, RungScores]:
    """Return the rungs from the plainest to the freest; unknown ones last; the reference is left out."""
    names = [name for name in ORDER if name in direction.rungs]
    names += sorted(name for name in direction.rungs if name not in ORDER and name != "mean")
    return {name: direction.rungs[name] for name in names}


def ladder(direction: Direction, prefix: str) -> Figure:
    """Every rung's R² and P@1 with intervals, chance, and the best map."""
    return Figure(
        f"{prefix}-ladder",
        ladder_title(direction),
        (_ladder_r2(direction, prefix), _ladder_retrieval(direction, prefix)),
        _ladder_caption(direction),
        (1, 2, 3, 4, 5),
        _ladder_table(direction),
    )


def ladder_title(direction: Direction) -> str:
    """State what the shares support, and nothing where they support nothing."""
    certificate = direction.certificate
    if certificate.verdict == "no map":
        return "No rung differs significantly from chance"
    enough = [n for n in ORDER if certificate.equivalences.get(n) == SUFFICES]
    short = [n for n in ORDER if certificate.equivalences.get(n) == "falls short"]
    if enough:
        below = short[-1] if short else None
        fails = f"; {_article(below)} does not" if below else ""
        r2 = number(direction.rungs[enough[0]].r2.value, 2)
        return f"{_article(enough[0]).capitalize()} predicts as well as any map, with R² {r2}{fails}"
    linear = certificate.shares.get("linear")
    if linear is None:
        return "Which map predicts as well as any is undecided"
    if certificate.verdict == "nonlinear":
        return f"No linear map predicts as well as any: it reaches {percent_interval(linear)} of the best rung"
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
    estimates = [s.r2 for s in rungs.values()]
    judged = direction.certificate
    noise_ceiling = judged.noise_ceiling
    reach = Reach.of(estimates if noise_ceiling is None else [*estimates, noise_ceiling])
    best = direction.rungs.get(judged.ceiling)
    lines = [] if best is None else [vertical_line(best.r2.value, "best map", at="top")]
    if noise_ceiling is not None:
        lines.append(vertical_line(noise_ceiling.value, "second translation", at="top", dash="dash", color="@third"))
    rows = range(len(names))
    data = [null_marks(rows, estimates, reach), *scores("held-out R²", rows, estimates, names, reach=reach)]
    data.append(_refitted(rungs, reach))
    layout = {
        "xaxis": value_axis("held-out R² (1 = exact)", range=reach.range),
        "yaxis": row_axis(names),
        **over(*lines),
        "margin": ROOM_FOR_LEGEND,
    }
    drawn = [trace for trace in data if trace]
    label = f"R² of each rung, {direction.source} to {direction.target}"
    return panel(f"{prefix}-ladder-r2", label, drawn, layout, row_height(len(names), 124))


def _refitted(rungs: dict[str, RungScores], reach: Reach) -> PlotlyJson | None:
    known = [(i, name, s.r2_refitted) for i, (name, s) in enumerate(rungs.items()) if s.r2_refitted is not None]
    rows = [(i, name, estimate) for i, name, estimate in known if reach.holds(estimate)]
    if not rows:
        return None
    estimates = [estimate for _, _, estimate in rows]
    labels = [f"{rung_name(name)}, refitted without each block" for _, name, _ in rows]
    trace = dots("refitted", [i + 0.26 for i, _, _ in rows], estimates, labels, color="@faded", symbol="line-ns-open")
    trace["marker"] = {**trace["marker"], "size": 7}
    return trace


def _ladder_retrieval(direction: Direction, prefix: str) -> Panel:
    rungs = rungs_in_order(direction)
    names = [rung_name(name) for name in rungs]
    kinds = (
        ("forward, cosine", -0.27, [s.p_at_1 for s in rungs.values()], "@accent", "circle", False),
        ("forward, CSLS", -0.09, [s.p_at_1_csls for s in rungs.values()], "@accent", "circle", True),
        ("backward, cosine", 0.09, [s.backward.p_at_1 for s in rungs.values()], "@second", "diamond", False),
        ("backward, CSLS", 0.27, [s.backward.p_at_1_csls for s in rungs.values()], "@second", "diamond", True),
    )
    data: list[PlotlyJson] = []
    for name, offset, estimates, color, symbol, hollow in kinds:
        rows = [i + offset for i in range(len(names))]
        labels = [f"{rung}, {name}" for rung in names]
        data.append(dots(name, rows, estimates, labels, color=color, symbol=symbol, hollow=hollow))
    layout = {
        "xaxis": value_axis(f"P@1 among {direction.pool} candidates", range=[-0.02, 1.02], tickformat=".0%"),
        "yaxis": row_axis(names),
        "margin": ROOM_FOR_LEGEND,
    }
    label = f"P@1 of each rung, both ways, {direction.source} and {direction.target}"
    return panel(f"{prefix}-ladder-p1", label, data, layout, row_height(len(names), 124))


def _ladder_caption(direction: Direction) -> str:
    certificate = direction.certificate
    level = percent(next(iter(direction.rungs.values())).r2.level) if direction.rungs else "95 %"
    text = (
        "Each row is a kind of map, from the plainest on top to the freest. First panel: the share of the targets' "
        f"variance that the map predicts on rows it was not fitted on, with {level} intervals. Grey bars: "
        "chance, what shuffled pairs reach, from the mean to the 95th percentile. Small strokes: "
        "refitted without each block of rows. "
        f"Dotted line: the best map ({rung_name(certificate.ceiling)}). Second panel: how often the right "
        "sentence is nearest. Forward searches the targets with a prediction, backward the predictions with a target."
    )
    if certificate.noise_ceiling is not None:
        same = certificate.ceiling_on_those_rows
        there = f", where the best map reaches {interval(same, 2)}" if same is not None else ""
        text += (
            f" The dashed line is at {interval(certificate.noise_ceiling, 2)}: what a second "
            f"translation predicts of the first, on {certificate.noise_ceiling_rows} rows that have one{there}."
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
        Column("search", "text"),
        Column("score", "text"),
        *INTERVAL_COLUMNS,
    )
    rows: list[tuple[Cell, ...]] = []
    there, back = "forward", "backward"
    for rung, s in rungs_in_order(direction).items():
        rows.append((rung_name(rung), "", "R²", *interval_cells(s.r2)))
        if s.r2_refitted is not None:
            rows.append((rung_name(rung), "", "R², refitted", *interval_cells(s.r2_refitted)))
        if s.r2_standardised is not None:
            rows.append((rung_name(rung), "", "R², standardised coordinates", *interval_cells(s.r2_standardised)))
        rows.append((rung_name(rung), "", "cosine", *interval_cells(s.cosine)))
        rows += [(rung_name(rung), there, names[k], *interval_cells(getattr(s, k))) for k in scores]
        rows += [(rung_name(rung), back, names[k], *interval_cells(getattr(s.backward, k))) for k in scores]
        for way, centred in ((there, s.p_at_1_centred), (back, s.p_at_1_centred_backward)):
            if centred is not None:
                rows.append((rung_name(rung), way, "P@1, both sides centred", *interval_cells(centred)))
    return Table.of(columns, rows)
