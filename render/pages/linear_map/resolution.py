"""What the verdict could have missed: the power of its test, and the learning curve."""

from __future__ import annotations

from ....probe.results.intervals import Interval
from ....probe.results.linear_map import Certificate, Direction, LearningCurve, LearningPoint
from ...charts.intervals import INTERVAL_COLUMNS, interval_cells
from ...charts.marks import curve, horizontal_line, over, points, vertical_line
from ...charts.theme import panel, value_axis
from ...formatting import number, percent, plain_percent
from ...view import Cell, Column, Figure, Panel, PlotlyJson, Table

POWER_CAPTION = (
    "Curvature that makes up a known share of what is explained is added to the fitted linear map, with the noise "
    "that was observed, and the ladder is run again. Detected means that the nonlinear rung gains more than in any of "
    "19 replicates without curvature. A verdict of “linear” excludes no departure smaller than the smallest that is "
    "detected in 80 % of the replicates. Only the sizes that the search visited are drawn."
)
LEARNING_CAPTION = (
    "The linear rung cross-validated on random subsets of growing size. Where the dots do not clear the grey line, "
    "the 95th percentile of chance, that many pairs teach nothing. "
)
FORESEEN_CAPTION = (
    "Open dots are foreseen for more pairs like these: how ridge regression errs with other numbers of rows follows "
    "from its held-out errors along the penalties. Their intervals were tried on planted pairs and on subsamples, to "
    "five times the pairs (known answers)."
)


def power(direction: Direction, prefix: str) -> Figure | None:
    """Detection rate of the test by the size of planted curvature."""
    judged = direction.certificate
    if not judged.power:
        return None
    found = sorted(judged.power, key=lambda p: p.share)
    text = [
        f"{percent(p.share, 1)} planted: detected {round(p.detected * p.replicates)} of {p.replicates}" for p in found
    ]
    data = [points([100 * p.share for p in found], [p.detected for p in found], text, line="linear")]
    lines = [horizontal_line(0.8, "80 % power")]
    if judged.smallest_detectable is not None:
        lines.append(vertical_line(100 * judged.smallest_detectable, "smallest detectable", color="@second"))
    layout = {
        "xaxis": value_axis("planted share of curvature (%)", rangemode="tozero"),
        "yaxis": value_axis("detected (share of replicates)", range=[-0.02, 1.04], tickformat=".0%"),
        **over(*lines),
    }
    table = Table.of(
        (Column("planted share", "percent"), Column("detected", "percent"), Column("replicates", "count")),
        tuple((p.share, p.detected, p.replicates) for p in found),
    )
    drawn = panel(f"{prefix}-power", "detection rate of planted curvature", data, layout)
    return Figure(f"{prefix}-power", power_title(judged), (drawn,), POWER_CAPTION, (5,), table)


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
    """R² against the number of training pairs, with chance and what is foreseen for more."""
    learned = direction.learning_curve
    if learned is None or not learned.points:
        return None
    rows: list[tuple[Cell, ...]] = [(p.pairs, "measured", *interval_cells(p.r2)) for p in _ordered(learned.points)]
    rows += [(p.pairs, "foreseen", *interval_cells(p.r2)) for p in _ordered(learned.foreseen)]
    table = Table.of((Column("training pairs", "count"), Column("how", "text"), *INTERVAL_COLUMNS), rows)
    drawn = _learning_panel(learned, prefix)
    caption = LEARNING_CAPTION + (FORESEEN_CAPTION if learned.foreseen else "")
    if learned.sentence:
        caption = f"{learned.sentence} {caption}"
    return Figure(f"{prefix}-learning", learning_title(direction), (drawn,), caption.strip(), (6,), table)


def _ordered(points: tuple[LearningPoint, ...]) -> list[LearningPoint]:
    return sorted(points, key=lambda p: p.pairs)


def _learning_panel(learned: LearningCurve, prefix: str) -> Panel:
    ordered, ahead = _ordered(learned.points), _ordered(learned.foreseen)
    pairs, estimates = [p.pairs for p in ordered], [p.r2 for p in ordered]
    data = [curve("linear", pairs, estimates, [f"{n} pairs" for n in pairs]), *_chance_curve(pairs, estimates)]
    if ahead:
        data.append(_foreseen_curve(ahead))
    shown = [*pairs, *(p.pairs for p in ahead[-1:])]
    layout = {
        "xaxis": value_axis(
            "training pairs (logarithmic)", type="log", tickvals=shown, ticktext=[str(n) for n in shown]
        ),
        "yaxis": value_axis("held-out R²"),
    }
    return panel(f"{prefix}-learning", "R² against the number of training pairs", data, layout, 340)


def _foreseen_curve(ahead: list[LearningPoint]) -> PlotlyJson:
    labels = [f"{p.pairs} pairs, foreseen" for p in ahead]
    trace = curve("foreseen", [p.pairs for p in ahead], [p.r2 for p in ahead], labels, color="@second")
    return {**trace, "marker": {**trace.get("marker", {}), "symbol": "circle-open"}}


def learning_title(direction: Direction) -> str:
    """Say what more pairs would bring, where that can be said; else only what was seen."""
    learned = direction.learning_curve
    if learned is None or not learned.points:
        return "No learning curve"
    last = max(learned.points, key=lambda p: p.pairs)
    if learned.foreseen:
        ahead = max(learned.foreseen, key=lambda p: p.pairs)
        if ahead.r2.low > last.r2.high:
            reached = f"R² {number(last.r2.value, 2)} at {last.pairs} training pairs"
            return f"More would help: {reached}, {number(ahead.r2.low, 2)}–{number(ahead.r2.high, 2)} at {ahead.pairs}"
        return f"Up to {ahead.pairs} training pairs would bring no sure gain"
    first = min(learned.points, key=lambda p: p.pairs)
    rises = last.r2.low > first.r2.high
    return f"R² {'rises' if rises else 'does not surely rise'} from {first.pairs} to {last.pairs} pairs"


def _chance_curve(pairs: list[int], estimates: list[Interval]) -> list[PlotlyJson]:
    known = [(n, e.null_p95) for n, e in zip(pairs, estimates, strict=True) if e.null_p95 is not None]
    if not known:
        return []
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "chance",
        "x": [n for n, _ in known],
        "y": [v for _, v in known],
        "line": {"color": "@null", "width": 3},
        "hovertemplate": "chance at %{x} pairs: %{y:.3f}<extra></extra>",
    }
    return [trace]
