"""A result in the terminal, in the same words as its page.

A column that does not fit is never cut or left out: it stands in a further table below, with the names of the rows.
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
    """A column; of those that do not fit, the one with the largest `drop` goes below first, and 0 always stays."""

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
        """Draw the columns that fit, and the others in further tables below."""
        for shown in self.tables(options.max_width):
            yield self._table(shown)

    def _table(self, shown: Sequence[int]) -> Table:
        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
        for i in shown:
            justify: Literal["right", "left"] = "right" if self.columns[i].right else "left"
            table.add_column(Text(self.columns[i].label), justify=justify, overflow="fold")
        for place, row in enumerate(self.rows):
            table.add_row(*(Text(row[i]) for i in shown), style="bold" if place == self.emphasis else "")
        return table

    def tables(self, width: int) -> list[tuple[int, ...]]:
        """Return the columns of every table that a width in character cells needs; all begin with the row names."""
        names, found = self._row_names(), list[tuple[int, ...]]()
        left = [i for i in range(len(self.columns)) if i not in names]
        while left or not found:
            fits = self._fitting(names, left, width)
            found.append((*names, *fits))
            left = [i for i in left if i not in fits]
        return found

    def _row_names(self) -> tuple[int, ...]:
        """Return the fewest first columns whose cells tell the rows apart; the first one where none do."""
        for count in range(1, len(self.columns)):
            if len({row[:count] for row in self.rows}) == len(self.rows):
                return tuple(range(count))
        return (0,)

    def _fitting(self, names: Sequence[int], others: Sequence[int], width: int) -> tuple[int, ...]:
        """Return which of the other columns fit beside the row names: at least one, where there are any."""
        widths = [
            max(cell_len(text) for text in (column.label, *(row[i] for row in self.rows)))
            for i, column in enumerate(self.columns)
        ]
        fits = list(others)
        while len(fits) > 1 and sum(widths[i] + GAP for i in (*names, *fits)) - GAP > width:
            fits.remove(max(fits, key=lambda i: (self.columns[i].drop, i)))
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
        """Draw everything but the verdict."""
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


@dataclass(frozen=True, slots=True)
class Summary:
    """All parts of a result, an empty line between; the verdicts last, where the eye of a terminal reader rests."""

    parts: tuple[SummaryPart, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw part after part, then what comes first of all of them, then what comes second."""
        for part in self.parts:
            yield part
            yield Text("")
        for sentence in (*(part.sentence for part in self.parts), *(part.second for part in self.parts)):
            if sentence:
                yield Text(sentence)
