"""What a page is made of, whatever the result: tables, panels, figures, verdicts.

A module of a result type turns its result into these records; the templates turn them into HTML. Nothing here knows a
statistic, and nothing in the templates knows a result type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

#: A figure, a trace or a layout in plotly's own JSON; the schema is plotly's, not ours.
PlotlyJson = dict[str, Any]
Cell = str | float | int | None
CAVEATS_SHOWN = 3  # beside a verdict; the others are folded away, or counted in the terminal


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `form` says how its numbers are printed, the CSV always has them in full."""

    label: str
    form: Literal["text", "number", "count", "percent", "name"] = "number"


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a figure."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(cls, columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]]) -> Table:
        """Return a table without the columns in which no row has anything."""
        kept = [i for i in range(len(columns)) if any(row[i] is not None and row[i] != "" for row in rows)]
        return cls(tuple(columns[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows))


@dataclass(frozen=True, slots=True)
class Panel:
    """One plotly drawing; the panels of a figure stand side by side where there is room."""

    id: str
    label: str
    data: tuple[PlotlyJson, ...]
    layout: PlotlyJson
    height: int


@dataclass(frozen=True, slots=True)
class Figure:
    """Panels under a title that states the finding, with a caption, and the table that they draw."""

    id: str
    title: str
    panels: tuple[Panel, ...]
    caption: str
    method: tuple[int, ...]  # the sections of docs/method.md that define it
    table: Table


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """Figures that answer one question."""

    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """One step of the verdict's scale: a share of the ceiling with its limits, all fractions."""

    name: str
    meaning: str
    value: float
    low: float
    high: float
    decision: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """The verdict's scale, from the plainest map to the best one; `suffices` is the share that is enough."""

    rows: tuple[ScaleRow, ...]
    suffices: float
    caption: str
    column: str = "share of the best"  # what the shares are of


@dataclass(frozen=True, slots=True)
class Verdict:
    """One direction's answer in a sentence, with its scale and its caveats."""

    label: str
    verdict: str
    sentence: str
    second: str  # what another measure says, agreeing or not
    scale: Scale | None
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the provenance: a name and what stands beside it; `code` is set in a fixed-width face."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Headline:
    """A result in one line, for the index of a folder."""

    kind: str
    subject: str
    verdict: str
    models: str
    corpus: str
    rows: int
    time: str


@dataclass(frozen=True, slots=True)
class View:
    """What every page has; the view of a result type adds its own parts."""

    kind: str
    title: str
    question: str
    verdicts: tuple[Verdict, ...]
    figures: tuple[Figure, ...]
    facts: tuple[Fact, ...]
    command: str

    @property
    def year(self) -> str:
        """When it was measured; empty where that is not known."""
        return next((fact.value[:4] for fact in self.facts if fact.name == "time"), "")
