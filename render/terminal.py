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

from .page import CAVEATS_SHOWN, module_named

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
        kept = self.fitting(options.max_width)
        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
        for i in kept:
            justify: Literal["right", "left"] = "right" if self.columns[i].right else "left"
            table.add_column(Text(self.columns[i].label), justify=justify, overflow="fold")
        for place, row in enumerate(self.rows):
            table.add_row(*(Text(row[i]) for i in kept), style="bold" if place == self.emphasis else "")
        yield table
        missing = [c.label for i, c in enumerate(self.columns) if i not in kept]
        if missing:
            yield Text(f"(too narrow for: {', '.join(missing)}; all of it is in the page and the JSON)", style="dim")

    def fitting(self, width: int) -> tuple[int, ...]:
        """Return the columns that fit a width in character cells."""
        kept = list(range(len(self.columns)))
        while self._width(kept) > width and any(self.columns[i].drop for i in kept):
            kept.remove(max(kept, key=lambda i: self.columns[i].drop))
        return tuple(kept)

    def _width(self, kept: Sequence[int]) -> int:
        cells = (max(cell_len(t) for t in (self.columns[i].label, *(row[i] for row in self.rows))) for i in kept)
        return sum(cells) + GAP * (len(kept) - 1)


@dataclass(frozen=True, slots=True)
class SummaryPart:
    """A verdict with its table and its caveats."""

    heading: str
    sentence: str
    second: str
    table: SummaryTable | None
    caveats: tuple[str, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw the table first and the verdict last, where the eye of a terminal reader rests."""
        yield Text(self.heading, style="bold")
        if self.table is not None:
            yield self.table
        for caveat in self.caveats[:CAVEATS_SHOWN]:
            yield Text(f"! {caveat}", style="yellow")
        if len(self.caveats) > CAVEATS_SHOWN:
            yield Text(f"  and {len(self.caveats) - CAVEATS_SHOWN} more on the page", style="dim")
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


def terminal_summary(result: object) -> Summary:
    """Return what the terminal shows of a result.

    Raises
    ------
    DataError
        If the result is of a kind that this version cannot show.
    """
    return Summary(module_named(str(getattr(result, "schema", ""))).summary_parts(result))
