"""The verdicts of several results: what the linear map reaches of the best one."""

from __future__ import annotations

from collections.abc import Sequence

from ....probe.results.compare import Compared, CompareResult
from ...charts.intervals import INTERVAL_COLUMNS, interval_cells
from ...charts.marks import dots, over, vertical_line
from ...charts.theme import panel, row_axis, value_axis
from ...formatting import percent
from ...view import Column, Figure, Panel, Table
from .marks import STYLES, height


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
        return "A linear map suffices in all"
    if not enough:
        return "A linear map is not shown to suffice in any, both ways"
    return f"A linear map suffices in {_listed(enough)}, and is not shown to in {_listed(others)}"


def _suffices(one: Compared) -> bool:
    judged = [(j.share, j.margin) for j in one.judgements if j.share is not None and j.margin is not None]
    return bool(judged) and all(share.low > 1 - margin for share, margin in judged)


def _shares_panel(result: CompareResult, part: str, enough: float, key: str) -> Panel:
    names, data = [], []
    for place, one in enumerate(result.results):
        judged = next((j for j in one.judgements if j.part == part), None)
        names.append(one.label if judged is None else f"{one.label}: {judged.verdict}")
        if judged is not None and judged.share is not None:
            color, symbol = STYLES[place]
            trace = dots(one.label, [place], [judged.share], [names[-1]], color=color, symbol=symbol)
            data.append({**trace, "showlegend": False})
    layout = {
        "xaxis": value_axis(f"share of the best R², {part}", tickformat=".0%", nticks=6),
        "yaxis": row_axis(names),
        **over(vertical_line(enough, "enough")),
    }
    return panel(key, f"Share of the linear map, {part}", data, layout, height(len(names), 1))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
