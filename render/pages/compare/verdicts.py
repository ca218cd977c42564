"""The verdicts of several results: on search and geometry, and what the linear map reaches of the best one."""

from __future__ import annotations

from collections.abc import Sequence

from ....probe.results.compare import LATENT, Compared, CompareResult
from ...charts.intervals import INTERVAL_COLUMNS, interval_cells
from ...charts.marks import dots, over, vertical_line
from ...charts.theme import SERIES, Reach, panel, row_axis, value_axis
from ...formatting import percent, rung_name, shown_verdict
from ...view import Cell, Column, Figure, Panel, Table
from .marks import height
from .measures import rows_panel


def geometry_figure(result: CompareResult) -> Figure | None:
    """Draw the latent shares beside the verdicts on search and geometry; None for results without them."""
    shares = [(one, s) for one in result.results for s in one.scores if s.measure == LATENT]
    if not shares:
        return None
    judged = {(one.label, j.part): j for one in result.results for j in one.judgements}
    columns = (
        Column("result", "name"),
        Column("part", "text"),
        Column("search", "text"),
        Column("geometry", "text"),
        Column("map", "text"),
        *INTERVAL_COLUMNS,
        Column("geometry in words", "text"),
    )
    rows: list[tuple[Cell, ...]] = []
    for one, score in shares:
        judgement = judged[one.label, score.part]
        verdicts = (shown_verdict(judgement.search), shown_verdict(judgement.geometry))
        cells = (rung_name(score.row), *interval_cells(score.estimate), judgement.geometry_sentence)
        rows.append((one.label, score.part, *verdicts, *cells))
    parts = tuple(dict.fromkeys(score.part for _, score in shares))
    return Figure(
        "compare-geometry",
        geometry_title(result),
        tuple(rows_panel(result, LATENT, part, f"compare-geometry-{i}") for i, part in enumerate(parts)),
        "Latent shares: what each map explains of what further languages of the same rows predict of the target, noise "
        "of both sides taken out. The verdict on geometry names the plainest map that suffices and is not settled by "
        "default; the verdict on search says whether a map is needed to find translations.",
        (3, 5),
        Table.of(columns, rows),
    )


def geometry_title(result: CompareResult) -> str:
    """Say which verdicts on geometry the results reach, in all their parts."""
    of: dict[str, list[str]] = {}
    for one in result.results:
        verdicts = dict.fromkeys(shown_verdict(j.geometry) or "not judged" for j in one.judgements)
        of.setdefault(" and ".join(verdicts), []).append(one.label)
    if len(of) == 1:
        return f"Noise aside, the map is {next(iter(of))} in all"
    return "Noise aside, the map is " + ", ".join(f"{verdict} in {_listed(labels)}" for verdict, labels in of.items())


def shares_figure(result: CompareResult) -> Figure | None:
    """Draw what the linear map reaches of the best one; None for results without verdicts on it."""
    judged = [(one, j) for one in result.results for j in one.judgements if j.share is not None]
    if not judged:
        return None
    parts = tuple(dict.fromkeys(j.part for _, j in judged))
    margin = judged[0][1].margin or 0.0
    columns = (
        Column("result", "name"),
        Column("part", "text"),
        Column("verdict", "text"),
        Column("verdict by P@1", "text"),
        *INTERVAL_COLUMNS,
        Column("least curvature that would be seen", "percent"),
        Column("in words", "text"),
    )
    rows = [
        (one.label, j.part, j.verdict, j.by_retrieval, *interval_cells(j.share), j.smallest_detectable, j.sentence)
        for one, j in judged
        if j.share is not None
    ]
    return Figure(
        "compare-shares",
        shares_title(result),
        tuple(_shares_panel(result, part, 1 - margin, f"compare-shares-{i}") for i, part in enumerate(parts)),
        "Held-out R² of the linear map as a share of the best map's, with intervals from shared resamples, and the "
        f"verdict of each result. A linear map suffices where the whole interval is right of {percent(1 - margin)}. "
        "The table says how small a curvature would have been seen: a verdict without it says little.",
        (5,),
        Table.of(columns, rows),
    )


def shares_title(result: CompareResult) -> str:
    """Say in which results a linear map suffices, in all their parts."""
    enough = [one.label for one in result.results if _suffices(one)]
    others = [one.label for one in result.results if not _suffices(one)]
    if not others:
        return "By R² alone, a linear map suffices in all"
    if not enough:
        return "By R² alone, a linear map is not shown to suffice in any, both ways"
    return f"By R² alone, a linear map suffices in {_listed(enough)}, and is not shown to in {_listed(others)}"


def _suffices(one: Compared) -> bool:
    judged = [(j.share, j.margin) for j in one.judgements if j.share is not None and j.margin is not None]
    return bool(judged) and all(share.low > 1 - margin for share, margin in judged)


def _shares_panel(result: CompareResult, part: str, enough: float, key: str) -> Panel:
    names, data = [], []
    for place, one in enumerate(result.results):
        judged = next((j for j in one.judgements if j.part == part), None)
        names.append(one.label if judged is None else f"{one.label}: {judged.verdict}")
        if judged is not None and judged.share is not None:
            color, symbol = SERIES[place]
            trace = dots(one.label, [place], [judged.share], [names[-1]], color=color, symbol=symbol)
            data.append({**trace, "showlegend": False})
    # From zero: an axis from 95 to 100 % would make much of nothing.
    reach = Reach.of(
        [j.share for one in result.results for j in one.judgements if j.share], least_top=1.02, most_top=1.5
    )
    layout = {
        "xaxis": value_axis(f"share of the best R², {part}", tickformat=".0%", nticks=6, range=reach.range),
        "yaxis": row_axis(names),
        **over(vertical_line(enough, "enough")),
    }
    return panel(key, f"Share of the linear map, {part}", data, layout, height(len(names), 1))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
