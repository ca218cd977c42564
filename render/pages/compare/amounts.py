"""What stands behind each result: rows, or seconds of training."""

from __future__ import annotations

from ....probe.results.compare import CompareResult
from ...charts.theme import panel, row_axis, value_axis
from ...formatting import count, drawn_text
from ...view import Column, Figure, PlotlyJson, Table
from .marks import height

TRAIN = "polyglot/train/1"


def amounts_figure(result: CompareResult) -> Figure | None:
    """Draw how long training took, or how many rows results rest on where these differ; else None.

    Its table has the numbers that have no interval.
    """
    trained = result.kind == TRAIN
    amounts = [one.seconds if trained else float(one.rows) for one in result.results]
    if not trained and len(set(amounts)) == 1:
        return None
    names = [one.label for one in result.results]
    bars: PlotlyJson = {
        "type": "bar",
        "orientation": "h",
        "x": amounts,
        "y": list(range(len(names))),
        "width": 0.4,
        "marker": {"color": "@middle"},
        "text": [f"{drawn_text(name)}: {count(value)}" for name, value in zip(names, amounts, strict=True)],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    unit = "seconds of training" if trained else "rows"
    span = f"{count(min(amounts))} to {count(max(amounts))}"
    layout = {"xaxis": value_axis(unit, nticks=6), "yaxis": row_axis(names)}
    facts = tuple(dict.fromkeys(name for one in result.results for name in one.facts))
    columns = (Column("result", "name"), Column("corpus", "text"), *(Column(name, "text") for name in facts))
    table = [(one.label, one.corpus, *(one.facts.get(name, "") for name in facts)) for one in result.results]
    return Figure(
        "compare-facts",
        f"{count(amounts[0])} {unit} each" if len(set(amounts)) == 1 else f"{span} {unit}",
        (panel("compare-amounts", unit, [bars], layout, height(len(names), 1)),),
        "What stands behind each result. The table has its corpus, and the numbers that have no interval.",
        (4,),
        Table.of(columns, table),
    )
