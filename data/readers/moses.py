"""Moses files: text files that are aligned line by line, one for each language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from ...errors import DataError
from .batches import NumberedCells, Reading, row_batches
from .lines import BadRows, text_lines


def read_moses(paths: Sequence[Path], languages: Sequence[str], bad: BadRows) -> Reading:
    """Open text files that are aligned line by line, one for each language.

    Raises
    ------
    DataError
        If the files have different numbers of lines (skipping bad rows does not help: the alignment is lost), or as
        `read_table_file` does.
    """
    columns = tuple(languages)
    rows = _lock_step(paths, bad)
    return Reading(columns, row_batches(" + ".join(str(path) for path in paths), columns, rows, bad))


def _lock_step(paths: Sequence[Path], bad: BadRows) -> Iterator[NumberedCells]:
    ended = object()
    sides = [BadRows(skip=bad.skip) for _ in paths]
    lines_of = [text_lines(path, side) for path, side in zip(paths, sides, strict=True)]
    for number, lines in enumerate(zip_longest(*lines_of, fillvalue=ended), start=1):
        if ended in lines:
            counts = [(path, sum(1 for _ in text_lines(path, BadRows(skip=True)))) for path in paths]
            listed = ", ".join(f"{path} has {count} lines" for path, count in counts)
            raise DataError(
                f"the files are not aligned: {listed}. Line i of each must say the same; fetch or cut them anew."
            )
        if None not in lines:
            yield number, lines  # type: ignore[misc]  # the end marker was refused above
            continue
        # A row that is bad on several sides is lost once.
        reason = next(reason for side in sides for reason in side.counts)
        bad.report(f"{paths[lines.index(None)]}, line {number}", reason)
        for side in sides:
            side.counts.clear()
