"""CSV rows, in which cells may be quoted: a quote that does not close loses its own row, and not those below it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from .batches import NumberedCells
from .lines import BadRows, text_lines

UNCLOSED = "a quote opens here and does not close"
LEAST_SWALLOWED = 3  # whole rows inside of one cell; one or two lines with a comma in them may be a sentence
NumberedLine = tuple[int, str]


def csv_records(path: Path, bad: BadRows) -> Iterator[NumberedCells]:
    """Yield the rows of a CSV file with the line on which each begins.

    A row that cannot be read is bad; where a quote in it swallowed the lines below, these are read again as rows of
    their own, so that what is counted is what is lost. Spaces in front of a quote are no text.
    """
    lines = _Lines(text_lines(path, bad))
    records = csv.reader(lines, strict=True, skipinitialspace=True)
    expected = 0  # cells of the first row
    while True:
        lines.begin_record()
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"{UNCLOSED}: {error}" if len(lines.record) > 1 else str(error)
        else:
            swallowed = _swallowed_rows(lines.record, len(cells), expected or len(cells))
            fault = f"{UNCLOSED}: {swallowed} rows are one" if swallowed else ""
            fault = "a line inside of it cannot be read" if lines.broken else fault
        if not fault:
            expected = expected or len(cells)
            yield lines.record[0][0], tuple(cells)
            continue
        lost = _lost_lines(lines.record)
        bad.report(f"{path}, line {lines.record[lost - 1][0]}", "not a CSV row", fault, rows=lost)
        lines.read_again(lines.record[lost:])


class _Lines:
    """Lines for `csv.reader`, which wants their ends back, with those of the row that is being read."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        self.record: list[NumberedLine] = []
        self.broken = False  # a line of the row was bad, and counted
        self._again: deque[NumberedLine] = deque()
        self._lines = enumerate(lines, start=1)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        number, line = self._again.popleft() if self._again else self._sound_line()
        self.record.append((number, line))
        return line + "\n"

    def begin_record(self) -> None:
        """Forget the lines of the row before."""
        self.record, self.broken = [], False

    def read_again(self, lines: Sequence[NumberedLine]) -> None:
        """Give these lines once more."""
        self._again.extendleft(reversed(lines))

    def _sound_line(self) -> NumberedLine:
        for number, line in self._lines:
            if line is not None:
                return number, line
            self.broken = bool(self.record)
        raise StopIteration


def _swallowed_rows(record: Sequence[NumberedLine], width: int, expected: int) -> int:
    """Return how many lines of a row are rows by themselves, where all between the first and the last are.

    In a row of another width than `expected` two lines are enough, if all of them have its commas.
    """
    lines = [line for _, line in record]
    inside = lines[1:-1] if width == expected else lines[1:]
    if expected < 2 or len(inside) < (LEAST_SWALLOWED if width == expected else 1):
        return 0
    if width != expected and lines[0].count(",") < expected - 1:
        return 0
    alone = all(line.count(",") >= expected - 1 and _width(line) == expected for line in inside)
    return len(record) if alone else 0


def _width(line: str) -> int:
    try:
        return len(next(csv.reader([line], strict=True, skipinitialspace=True), ()))
    except csv.Error:
        return 0


def _lost_lines(record: Sequence[NumberedLine]) -> int:
    """Return how many lines of a row are lost: those up to the last quote that opens in it, before it fails."""
    opened, quoted, begins = 0, False, True  # begins: at the beginning of a cell
    for place, (_, line) in enumerate(record):
        skipped = False
        for at, letter in enumerate(line):
            if skipped:
                skipped = False
            elif quoted and letter == '"':
                following = line[at + 1 : at + 2]
                skipped = quoted = following == '"'
                if not quoted and following not in ("", ","):
                    return opened + 1
            elif not quoted and letter == '"' and begins:
                opened, quoted = place, True
            if not quoted:
                begins = letter == "," or (begins and letter == " ")
        begins = begins or not quoted
    return opened + 1
