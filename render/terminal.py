"""A result in the terminal, in the same words as its page.

It is honest about the width: a column that does not fit is left out whole and named below the table, never cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from ..probe.results.layers import ConstantLayer
from .view import CAVEATS_SHOWN

GAP = 2


@dataclass(frozen=True, slots=True)
class SummaryColumn:
    """A column; of those that do not fit, the one with the largest `drop` goes first, and 0 always stays."""

    label: str
    drop: int = 0
    right: bool = True


@dataclass(frozen=True, slots=True)
class SummaryTable:
    """Rows of text under columns; `emphasis` is the row in bold."""

    columns: tuple[SummaryColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    emphasis: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw the columns that fit, and name those that do not."""
        shown = self.fitting(options.max_width)
        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
        for i in shown:
            justify: Literal["right", "left"] = "right" if self.columns[i].right else "left"
            table.add_column(Text(self.columns[i].label), justify=justify, overflow="fold")
        for place, row in enumerate(self.rows):
            table.add_row(*(Text(row[i]) for i in shown), style="bold" if place == self.emphasis else "")
        yield table
        missing = [c.label for i, c in enumerate(self.columns) if i not in shown]
        if missing:
            yield Text(f"(too narrow for: {', '.join(missing)}; all of it is in the page and the JSON)", style="dim")

    def fitting(self, width: int) -> tuple[int, ...]:
        """Return the columns that fit a width in character cells."""
        widths = [
            max(cell_len(text) for text in (column.label, *(row[i] for row in self.rows)))
            for i, column in enumerate(self.columns)
        ]
        fits = list(range(len(widths)))
        while sum(widths[i] + GAP for i in fits) - GAP > width and any(self.columns[i].drop for i in fits):
            fits.remove(max(fits, key=lambda i: self.columns[i].drop))
        return tuple(fits)


def rows_with_constant(
    rows: Sequence[tuple[str, ...]], constant: Sequence[ConstantLayer]
) -> tuple[tuple[str, ...], ...]:
    """Put the constant layers where they stand in the model into rows that begin with the name of a layer."""
    shown = list(rows)
    for layer in constant:
        shown.insert(layer.place, (layer.name, "constant", *[""] * (len(rows[0]) - 2)))
    return tuple(shown)


@dataclass(frozen=True, slots=True)
class SummaryPart:
    """A verdict with its table and its caveats."""

    heading: str
    sentence: str
    second: str
    table: SummaryTable | None
    caveats: tuple[str, ...]
    note: str = ""
    beside: SummaryTable | None = None  # what the table is to be held against

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw the table first and the verdict last, where the eye of a terminal reader rests."""
        yield Text(self.heading, style="bold")
        if self.table is not None:
            yield self.table
        if self.beside is not None:
            yield self.beside
        for caveat in self.caveats[:CAVEATS_SHOWN]:
            yield Text(f"! {caveat}", style="yellow")
        if len(self.caveats) > CAVEATS_SHOWN:
            yield Text(f"  and {len(self.caveats) - CAVEATS_SHOWN} more on the page", style="dim")
        if self.note:
            yield Text(self.note)
        if self.second:
            yield Text(self.second)
        if self.sentence:
            yield Text(self.sentence)


@dataclass(frozen=True, slots=True)
class Summary:
    """All parts of a result, an empty line between."""

    parts: tuple[SummaryPart, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw part after part."""
        for place, part in enumerate(self.parts):
            if place:
                yield Text("")
            yield part
