"""The figures of a comparison: verdicts, scores side by side, differences, and what was compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...probe.results.compare import SHARE, Compared, CompareResult, Difference, Judgement, Score, score_name
from ...probe.results.intervals import Interval
from ..charts.intervals import INTERVAL_COLUMNS, interval_cells
from ..charts.layers import Series, layer_panel
from ..charts.marks import dots, null_marks, over, scores, vertical_line
from ..charts.theme import ROOM_FOR_LEGEND, ROW_HEIGHT, Reach, panel, row_axis, value_axis
from ..formatting import count, drawn_text, identifier, number, percent, rung_name
from ..view import Cell, Column, Figure, Panel, PlotlyJson, Table

LAYERS = "polyglot/layers/1"
TRAIN = "polyglot/train/1"
POOLED = "pooled"
#: Colour and shape of each result in turn; whether a mark is filled is kept for what it says.
LOOKS = (
    ("@accent", "circle"),
    ("@second", "diamond"),
    ("@third", "square"),
    ("@faded", "triangle-up"),
    ("@accent", "star"),
    ("@second", "cross"),
    ("@third", "triangle-down"),
    ("@faded", "hexagon"),
)
SPREAD = 0.6
MOST_WRITTEN = 2  # results whose values are written beside the arrows at an edge
LEAST_ROW = 13  # pixels that a result needs in a row of its own
UNITS = {"share": "difference", "points": "points of 100"}


@dataclass(frozen=True, slots=True)
class Rows:
    """Named rows of a panel with the estimates of every result that has them."""

    names: tuple[str, ...]
    estimates: tuple[tuple[str, tuple[Interval | None, ...]], ...]  # label → one for each name

    @property
    def known(self) -> list[Interval]:
        """All estimates that there are."""
        return [e for _, some in self.estimates for e in some if e is not None]

    def of(self, place: int) -> tuple[list[float], list[Interval], list[str]]:
        """Return heights, estimates and names of one result."""
        offset = _offset(place, len(self.estimates))
        kept = [(i, e) for i, e in enumerate(self.estimates[place][1]) if e is not None]
        return [i + offset for i, _ in kept], [e for _, e in kept], [self.names[i] for i, _ in kept]


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
        f"verdict of each result. A linear map suffices where the whole interval lies right of {percent(1 - margin)}. "
        "The table says how small a curvature would have been seen: a verdict without it says little.",
        "4",
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
    judged = [j for j in one.judgements if j.share is not None and j.margin is not None]
    return bool(judged) and all(_clears(j) for j in judged)


def _clears(judgement: Judgement) -> bool:
    return judgement.share is not None and judgement.share.low > 1 - (judgement.margin or 0.0)


def _shares_panel(result: CompareResult, part: str, enough: float, key: str) -> Panel:
    names, data = [], []
    for place, one in enumerate(result.results):
        judged = next((j for j in one.judgements if j.part == part), None)
        names.append(one.label if judged is None else f"{one.label}: {judged.verdict}")
        if judged is not None and judged.share is not None:
            color, symbol = LOOKS[place]
            trace = dots(one.label, [place], [judged.share], [names[-1]], color=color, symbol=symbol)
            data.append({**trace, "showlegend": False})
    layout = {
        "xaxis": value_axis(f"share of the best R², {part}", tickformat=".0%", nticks=6),
        "yaxis": row_axis(names),
        **over(vertical_line(enough, "enough")),
    }
    return panel(key, f"Share of the linear map, {part}", data, layout, _height(len(names), 1))


def measures_figures(result: CompareResult) -> tuple[Figure, ...]:
    """Draw one figure a measure, with a panel for each part; the share that verdicts rest on has its own."""
    measures = [m for m in dict.fromkeys(s.measure for one in result.results for s in one.scores) if m != SHARE]
    return tuple(_measure_figure(result, measure, place) for place, measure in enumerate(measures))


def _measure_figure(result: CompareResult, measure: str, place: int) -> Figure:
    some = [s for one in result.results for s in one.scores if s.measure == measure]
    parts = tuple(dict.fromkeys(s.part for s in some))
    key = f"compare-{identifier(measure) or 'measure'}-{place}"
    draw = _layers_panel if result.kind == LAYERS else _rows_panel
    panels = tuple(draw(result, measure, part, f"{key}-{i}") for i, part in enumerate(parts))
    columns = (Column("result", "name"), Column("part", "text"), Column("row", "text"), *INTERVAL_COLUMNS)
    rows: list[tuple[Cell, ...]] = [
        (one.label, s.part, rung_name(s.row), *interval_cells(s.estimate))
        for one in result.results
        for s in one.scores
        if s.measure == measure
    ]
    return Figure(
        key, measure_title(result, measure), panels, _caption(result, measure), "2–3", Table.of(columns, rows)
    )


def measure_title(result: CompareResult, measure: str) -> str:
    """State the leading score of a measure in every result; from least to most where there are many."""
    of_measure = [s for one in result.results for s in one.scores if s.measure == measure]
    score = next((s for s in of_measure if s.tested), of_measure[0])
    found = [(one.label, s) for one in result.results for s in one.scores if _same(s, score)]
    name = f"{_capital(score_name(measure, score.row))}, {score.part}"
    if len(found) > 3:
        found = [min(found, key=lambda pair: pair[1].estimate.value), max(found, key=lambda p: p[1].estimate.value)]
        name += ", least and most"
    digits = 1 if score.unit == "points" else 2
    return f"{name}: " + ", ".join(f"{number(s.estimate.value, digits)} in {label}" for label, s in found)


def _same(one: Score, other: Score) -> bool:
    return (one.part, one.measure, one.row) == (other.part, other.measure, other.row)


def _caption(result: CompareResult, measure: str) -> str:
    level = percent(result.results[0].scores[0].estimate.level)
    text = f"{_capital(measure)} in every result, with {level} intervals"
    if result.kind == LAYERS:
        return f"{text}, layer by layer; the pooled output stands apart. Layers of models of other depth do not align."
    nulls = any(s.estimate.null_p95 is not None for one in result.results for s in one.scores if s.measure == measure)
    return f"{text}. Grey bars: chance, from the mean to the 95th percentile." if nulls else f"{text}."


def _rows_of(result: CompareResult, measure: str, part: str) -> Rows:
    by_result = [
        (one.label, {s.row: s.estimate for s in one.scores if s.measure == measure and s.part == part})
        for one in result.results
    ]
    names = tuple(dict.fromkeys(name for _, found in by_result for name in found))
    return Rows(names, tuple((label, tuple(found.get(name) for name in names)) for label, found in by_result))


def _rows_panel(result: CompareResult, measure: str, part: str, key: str) -> Panel:
    rows = _rows_of(result, measure, part)
    lowest = min(e.low for e in rows.known)
    points = any(s.unit == "points" for one in result.results for s in one.scores if s.measure == measure)
    reach = Reach.of(rows.known, most_top=100.0 if points else 1.02)
    if points:
        reach = Reach(lowest - 0.05 * (reach.highest - lowest), reach.highest)
    data = [_chance(rows, reach)]
    for place, (label, _) in enumerate(rows.estimates):
        data += _drawn(label, rows, place, reach)
    layout = {
        "xaxis": value_axis(f"{measure}, {part}", range=reach.range),
        "yaxis": row_axis([rung_name(name) for name in rows.names]),
        "margin": ROOM_FOR_LEGEND,
    }
    height = _height(len(rows.names), len(rows.estimates))
    return panel(key, f"{measure}, {part}", [trace for trace in data if trace], layout, height)


def _drawn(label: str, rows: Rows, place: int, reach: Reach) -> list[PlotlyJson]:
    """Draw one result: dots with intervals, and arrows at the edge for what lies beyond."""
    heights, estimates, names = rows.of(place)
    color, symbol = LOOKS[place]
    inside = [i for i, e in enumerate(estimates) if reach.holds(e)]
    outside = [i for i in range(len(estimates)) if i not in inside]
    said = [f"{label}: {rung_name(name)}" for name in names]
    drawn = dots(
        drawn_text(label),
        [heights[i] for i in inside],
        [estimates[i] for i in inside],
        [said[i] for i in inside],
        color=color,
        symbol=symbol,
    )
    if not outside:
        return [drawn]
    taken = [[some[i] for i in outside] for some in (heights, estimates, said)]
    arrows = scores(label, *taken, reach=reach)[1]  # type: ignore[arg-type]
    crowded = {"mode": "markers"} if len(rows.estimates) > MOST_WRITTEN else {}
    return [drawn, {**arrows, **crowded, "marker": {**arrows["marker"], "color": color}}]


def _chance(rows: Rows, reach: Reach) -> PlotlyJson | None:
    heights: list[float] = []
    estimates: list[Interval] = []
    for place in range(len(rows.estimates)):
        more, some, _ = rows.of(place)
        heights += more
        estimates += some
    return null_marks(heights, estimates, reach)


def _layers_panel(result: CompareResult, measure: str, part: str, key: str) -> Panel:
    rows = _rows_of(result, measure, part)
    names = sorted(rows.names, key=lambda name: (name == POOLED, int(name) if name.isdigit() else 0))
    order = [rows.names.index(name) for name in names]
    series = [Series(label, tuple(some[i] for i in order)) for label, some in rows.estimates]
    return layer_panel(key, f"{measure}, {part}", names, series)


def differences_figure(result: CompareResult) -> Figure:
    """Draw every difference from the reference; those that do not hold are hollow."""
    groups = tuple(dict.fromkeys((one.part, one.unit) for one in result.differences))
    panels = tuple(_differences_panel(result, part, unit, i) for i, (part, unit) in enumerate(groups))
    columns = (
        Column("result", "name"),
        Column("part", "text"),
        Column("score", "text"),
        Column("difference"),
        Column("low"),
        Column("high"),
        Column("p"),
        Column("p, Holm"),
        Column("holds", "text"),
        Column("paired", "text"),
    )
    how = _how(result)
    return Figure(
        "compare-differences",
        differences_title(result),
        panels,
        f"Each score less that of {result.reference}, with its {percent(result.level)} interval; right of zero is "
        f"higher. {how}. Filled: the difference holds after Holm's correction over all {len(result.differences)}; "
        "hollow: it does not.",
        "3",
        Table.of(columns, [_difference_row(one) for one in result.differences]),
    )


def _how(result: CompareResult) -> str:
    """Say how the intervals of differences were made."""
    rows = "outcomes of the same rows, whole groups resampled, the candidates taken as given"
    limits = "limits come from the two intervals, taken as independent (Zou and Donner, 2008)"
    if not result.unpaired:
        return f"Paired: {rows}"
    if any(one.paired for one in result.differences):
        return f"Where the table says paired: {rows}; else {limits}"
    return f"Unpaired, since {result.unpaired}: {limits}"


def _difference_row(one: Difference) -> tuple[Cell, ...]:
    d = one.difference
    named = score_name(one.measure, one.row)
    words = ("yes" if one.holds else "no", "yes" if one.paired else "no")
    return (one.result, one.part, named, d.value, d.low, d.high, one.p_value, one.p_adjusted, *words)


def differences_title(result: CompareResult) -> str:
    """Count the differences that hold, and which way they go."""
    held = [one for one in result.differences if one.holds]
    if not held:
        return f"No difference from {result.reference} can be told"
    up = sum(one.difference.value > 0 for one in held)
    total = len(result.differences)
    return f"{len(held)} of {total} differences from {result.reference} hold: {up} higher, {len(held) - up} lower"


def _differences_panel(result: CompareResult, part: str, unit: str, place: int) -> Panel:
    some = [one for one in result.differences if (one.part, one.unit) == (part, unit)]
    keys = list(dict.fromkeys((one.measure, one.row) for one in some))
    names = [score_name(measure, row) for measure, row in keys]
    others = [one.label for one in result.results[1:]]
    data: list[PlotlyJson] = []
    for i, label in enumerate(others):
        offset = _offset(i, len(others))
        mine = [one for one in some if one.result == label]
        heights = [keys.index((one.measure, one.row)) + offset for one in mine]
        data += _held_and_not(label, mine, heights, LOOKS[i + 1])
    layout = {
        "xaxis": value_axis(
            f"{UNITS[unit]}, {part}",
            rangemode="tozero",
            zerolinecolor="@muted",
            zerolinewidth=1.5,
            nticks=5,
            tickangle=0,
        ),
        "yaxis": row_axis(names),
        **({"margin": ROOM_FOR_LEGEND} if len(others) > 1 else {}),
    }
    return panel(f"compare-differences-{place}", f"Differences, {part}", data, layout, _height(len(names), len(others)))


def _held_and_not(
    label: str, some: Sequence[Difference], heights: Sequence[float], look: tuple[str, str]
) -> list[PlotlyJson]:
    traces: list[PlotlyJson] = []
    for holds in (True, False):
        places = [i for i, one in enumerate(some) if one.holds == holds]
        if places:
            trace = dots(
                drawn_text(label),
                [heights[i] for i in places],
                [some[i].difference for i in places],
                [f"{label}: {score_name(some[i].measure, some[i].row)}" for i in places],
                color=look[0],
                symbol=look[1],
                hollow=not holds,
            )
            traces.append({**trace, "showlegend": not traces})
    return traces


def facts_figure(result: CompareResult) -> Figure | None:
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
        (panel("compare-amounts", unit, [bars], layout, _height(len(names), 1)),),
        "What stands behind each result. The table has its corpus, and the numbers that have no interval.",
        "3",
        Table.of(columns, table),
    )


def _offset(place: int, results: int) -> float:
    """Return how far below the middle of a row the mark of a result stands."""
    return SPREAD / max(2, results - 1) * (place - (results - 1) / 2)


def _height(rows: int, results: int) -> int:
    return 124 + max(rows, 2) * max(ROW_HEIGHT, LEAST_ROW * results)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
