"""Numbers of one kind on a common axis from 0 to 100 %: one row a case, one column a model, drawn in HTML alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ....probe.results.intervals import Interval
from ...formatting import number

Look = Literal["plain", "best", "linear", "words", "naive"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A number on the axis, with its interval where one is drawn; hollow where it is not settled."""

    look: Look
    value: float
    low: float | None = None
    high: float | None = None
    hollow: bool = False

    @classmethod
    def of(cls, look: Look, estimate: Interval, *, hollow: bool = False) -> Mark:
        """Return an estimate with its interval."""
        return cls(look, estimate.value, estimate.low, estimate.high, hollow)

    @property
    def beyond(self) -> bool:
        """Whether it lies left of the axis."""
        return self.value < 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One case in one model; `join` draws a line between the first two marks."""

    marks: tuple[Mark, ...]
    text: str  # the numbers that matter, as they are read
    note: str = ""
    said: str = ""  # all of it in words, for those who do not see the marks
    address: str = ""  # of its page
    join: bool = False

    @property
    def joined(self) -> tuple[float, float] | None:
        """The ends of the line between the first two marks, on the axis."""
        if not self.join or len(self.marks) < 2:
            return None
        ends = sorted(min(max(mark.value, 0.0), 1.0) for mark in self.marks[:2])
        return ends[0], ends[1]


@dataclass(frozen=True, slots=True)
class Row:
    """A case: its name, and a cell for each column; None where it was not measured."""

    label: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Tracks:
    """A section of the page: a finding, rows of cells, and what the marks mean."""

    id: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    legend: tuple[tuple[Look | Literal["hollow", "band"], str], ...]
    enough: float | None = None  # where the tinted part of the axis begins


def points(estimate: Interval, digits: int = 0) -> str:
    """Return a share in points of 100, without its unit."""
    return number(100 * estimate.value, digits)


def some(count: int, total: int) -> str:
    """Return how many there are of a total, as a sentence says it.

    Examples
    --------
    >>> some(0, 20), some(3, 20), some(20, 20), some(2, 2)
    ('none of 20', '3 of 20', 'all 20', 'both')
    """
    if count == total:
        return "both" if total == 2 else f"all {total}"
    return f"{count} of {total}" if count else f"none of {total}"


def columned(cells: dict[tuple[str, str], Cell], columns: Sequence[str]) -> tuple[Row, ...]:
    """Return rows from cells by row and column, rows in the order in which they are first met."""
    labels = dict.fromkeys(label for label, _ in cells)
    return tuple(Row(label, tuple(cells.get((label, column)) for column in columns)) for label in labels)
