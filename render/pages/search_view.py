"""What the pages of searches share: the view, lists of mistakes, and a panel of scores by way of searching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...probe.results.intervals import Interval
from ..charts.intervals import INTERVAL_COLUMNS, interval_cells
from ..charts.marks import dots, null_marks
from ..charts.theme import Reach, panel, row_axis, row_height, value_axis
from ..formatting import number
from ..view import Cell, Column, FigureGroup, Panel, Table, View

TEMPLATE = "retrieval.html"
CRITERION_NAMES = {"cosine": "cosine", "csls": "CSLS", "margin": "xsim margin"}
STYLES = (
    ("@accent", "circle", False),
    ("@second", "diamond", False),
    ("@third", "square", False),
    ("@accent", "circle", True),
)
ROOM = {"l": 12, "r": 16, "t": 62, "b": 12}
SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class Mistake:
    """A query, its right answer, and what was found in its place."""

    query: str
    right: str
    found: str
    note: str


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The mistakes of one search."""

    id: str
    title: str
    lead: str
    tags: tuple[str, str]  # of the languages, for the browser
    rows: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class RetrievalView(View):
    """The page of a search."""

    rows: str
    groups: tuple[FigureGroup, ...]
    mistakes: tuple[Mistakes, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of searching and its estimates, one for each named score."""

    name: str
    estimates: tuple[Interval, ...]


def score_panel(panel_id: str, label: str, names: Sequence[str], ways: Sequence[Way]) -> Panel:
    """Draw the scores of several ways of searching, a row for each score, with chance behind the first way's."""
    step = SPREAD / max(1, len(ways) - 1)
    everything = [e for way in ways for e in way.estimates]
    data = [null_marks(range(len(names)), ways[0].estimates, Reach(0.0, 1.0))]
    for place, way in enumerate(ways):
        rows = [i - SPREAD / 2 + step * place for i in range(len(names))]
        color, symbol, hollow = STYLES[place % len(STYLES)]
        labels = [f"{name}, {way.name}" for name in names]
        data.append(dots(way.name, rows, way.estimates, labels, color=color, symbol=symbol, hollow=hollow))
    layout = {
        "xaxis": value_axis(
            "share of queries, or mean score",
            range=[-0.02, min(1.02, (1.08 * max([0.1, *(e.high for e in everything)])))],
        ),
        "yaxis": row_axis(names),
        "margin": ROOM,
    }
    return panel(panel_id, label, [trace for trace in data if trace], layout, row_height(len(names), 150))


def score_table(first: str, names: Sequence[str], ways: Sequence[Way]) -> Table:
    """Return the numbers of a panel of scores."""
    columns = (Column(first, "name"), Column("score", "text"), *INTERVAL_COLUMNS)
    rows: list[tuple[Cell, ...]] = [
        (way.name, name, *interval_cells(estimate))
        for way in ways
        for name, estimate in zip(names, way.estimates, strict=True)
    ]
    return Table(columns, tuple(rows))


def points(difference: Interval) -> str:
    """Print a difference of shares in points: 2.3 points [1.2, 3.5]."""
    value, low, high = (number(100 * part, 1) for part in (difference.value, difference.low, difference.high))
    return f"{value} points [{low}, {high}]"
