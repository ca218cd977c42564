"""The certificate: shares of the best map against the margin, and the verdict for other margins."""

from __future__ import annotations

from itertools import groupby

from ....probe.results.linear_map import Certificate, Direction
from ...charts.marks import over, points, scores, vertical_band, vertical_line
from ...charts.theme import Reach, panel, row_axis, row_height, value_axis
from ...formatting import drawn_text, percent, plain, plain_percent, rung_name
from ...view import Cell, Column, Figure, Panel, Table

VERDICTS = ("identity", "shift", "rotation", "similarity", "linear", "undecided", "nonlinear", "no map")


def certificate(direction: Direction, prefix: str) -> Figure | None:
    """Shares of the best map against the margin, and the verdict that every margin gives."""
    judged = direction.certificate
    panels = []
    if judged.shares:
        panels.append(_shares(judged, prefix))
    if judged.by_margin:
        panels.append(_by_margin(judged, prefix))
    if not panels:
        return None
    points_of_margin = plain(100 * judged.retrieval_margin)
    unit = "point" if points_of_margin == "1" else "points"
    caption = (
        f"First panel: each rung's R² as a share of the best map's. A rung suffices where its whole interval is in the "
        f"tinted region, above {plain_percent(1 - judged.margin)}; it falls short where its whole interval is below; "
        f"else it is undecided. Second panel: the verdict for other margins. By P@1, with a margin of "
        f"{points_of_margin} {unit}, the verdict is “{judged.retrieval_verdict}”."
    )
    return Figure(
        f"{prefix}-certificate", margin_title(judged), tuple(panels), caption, (5,), _certificate_table(judged)
    )


def margins(judged: Certificate) -> list[tuple[float, str]]:
    """Return margins and verdicts, the strictest margin first."""
    return sorted((float(margin), verdict) for margin, verdict in judged.by_margin.items())


def margin_title(judged: Certificate) -> str:
    """Say whether the verdict depends on the margin."""
    pairs = margins(judged)
    runs = [(verdict, [m for m, _ in group]) for verdict, group in groupby(pairs, key=lambda pair: pair[1])]
    if not runs:
        return f"By R², noise included, the verdict at a margin of {plain_percent(judged.margin)} is “{judged.verdict}”"
    if len(runs) == 1:
        first, last = runs[0][1][0], runs[0][1][-1]
        every = f"at every margin from {plain_percent(first)} to {plain_percent(last)}"
        return f"By R², noise included, the verdict is “{runs[0][0]}” {every}"
    parts = [f"“{verdict}” from {plain_percent(values[0])}" for verdict, values in runs[1:]]
    plainest = f"“{runs[0][0]}” at {plain_percent(runs[0][1][0])}"
    return f"By R², noise included, the verdict depends on the margin: {plainest}, " + ", ".join(parts)


def _shares(judged: Certificate, prefix: str) -> Panel:
    names = list(judged.shares)
    shares = list(judged.shares.values())
    drawn = [rung_name(name) for name in names]
    reach = Reach.of(shares, least_top=1.02, most_top=1.5)
    data = scores("share of the best map", range(len(names)), shares, drawn, reach=reach, written=percent)
    layout = {
        "xaxis": value_axis("share of the best map's R²", range=reach.range, tickformat=".0%"),
        "yaxis": row_axis(drawn),
        **over(vertical_band(1 - judged.margin, reach.highest)),
    }
    return panel(
        f"{prefix}-shares",
        "share of the best map that each rung reaches",
        data,
        layout,
        row_height(len(names)),
    )


def _by_margin(judged: Certificate, prefix: str) -> Panel:
    pairs = margins(judged)
    known = [name for name in VERDICTS if any(v == name for _, v in pairs)]
    known += sorted({v for _, v in pairs} - set(known))
    x, y = [100 * m for m, _ in pairs], [known.index(v) for _, v in pairs]
    text = [f"margin {plain_percent(m)}: {drawn_text(v)}" for m, v in pairs]
    data = [points(x, y, text, line="hvh")]
    layout = {
        "xaxis": value_axis("margin δ (% of the best map's R²)", rangemode="tozero"),
        "yaxis": row_axis(known),
        **over(vertical_line(100 * judged.margin, "chosen")),
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
        ("share of the best map's R²", rung_name(n), s.value, s.low, s.high, judged.equivalences.get(n, ""))
        for n, s in judged.shares.items()
    ]
    rows += [
        ("P@1 below the best rung", rung_name(n), g.value, g.low, g.high, "") for n, g in judged.retrieval_gaps.items()
    ]
    if judged.curvature_gain is not None:
        g = judged.curvature_gain
        rows.append(("R² gained by the best map", "over linear", g.value, g.low, g.high, ""))
        if g.null_mean is not None and g.null_p95 is not None:
            rows.append(("R² gained without curvature", "nonlinear over linear", g.null_mean, None, g.null_p95, ""))
    rows += [("verdict at the margin", plain_percent(m), None, None, None, v) for m, v in margins(judged)]
    return Table.of(columns, rows)
