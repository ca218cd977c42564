"""Tables and text files in, batches of aligned rows out: TSV, CSV, JSONL, Parquet, Arrow, Moses files.

A reader gives its columns at once and its rows as a stream of record batches, so that nothing needs to fit in memory.
Rows that cannot be used go through `BadRows`: an error that names file, line and reason, or a count.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from ...errors import DataError
from .batches import NumberedCells, Reading, resolved_columns, row_batches
from .columns import language_columns, resolve_columns
from .lines import BadRows, text_lines

# ---------------------------------------------------------------- delimited text


def read_delimited(path: Path, wanted: Sequence[str], bad: BadRows, *, separator: str) -> Reading:
    """Open lines of sentences separated by tabs (without quoting) or commas (with it).

    A first line that names languages is the header; without one the columns are the wanted languages in their order.

    Raises
    ------
    DataError
        If the file is empty, lacks a language, or has neither a header nor one column for each language.
    """
    records = csv_records(path, bad) if separator == "," else tsv_records(path, bad)
    first = next(records, None)
    if first is None:
        raise DataError(f"{path} is empty: expected a line for each pair, its sentences separated by {separator!r}.")
    names = [cell or "" for cell in first[1]]
    if len(language_columns(resolve_columns(names, ()))) >= 2 or language_columns(resolve_columns(names, wanted)):
        resolved = resolved_columns(path, names, wanted)
    elif not wanted or len(names) != len(wanted):
        asked = f"{len(wanted)} languages ({', '.join(wanted)}) were asked for" if wanted else "no languages were given"
        raise DataError(
            f"{path}: the first line has {len(names)} cells and names no languages, while {asked}. "
            "Put a first line of language codes on top, for example en<tab>fr, or give as many languages as columns."
        )
    else:
        resolved = tuple(wanted)
        records = chain([first], records)
    columns = tuple(column for column in resolved if column is not None)
    return Reading(columns, row_batches(path, columns, _picked(path, resolved, records, bad), bad))


def _picked(
    path: Path, resolved: Sequence[str | None], records: Iterable[NumberedCells], bad: BadRows
) -> Iterator[NumberedCells]:
    """Keep the cells of resolved columns; a row of another width is bad."""
    kept = [i for i, column in enumerate(resolved) if column is not None]
    width = len(resolved)
    for number, cells in records:
        if not any(cells):
            bad.report(f"{path}, line {number}", "empty line")
            continue
        if len(cells) != width:
            bad.report(f"{path}, line {number}", "wrong number of cells", f"expected {width}, got {len(cells)}")
            continue
        yield number, tuple([cells[i] for i in kept])


def tsv_records(path: Path, bad: BadRows) -> Iterator[NumberedCells]:
    """Yield the rows of a tab-separated file, in which nothing is quoted, with their lines."""
    for number, line in enumerate(text_lines(path, bad), start=1):
        if line is not None:
            yield number, tuple(line.split("\t"))


def csv_records(path: Path, bad: BadRows) -> Iterator[NumberedCells]:
    """Yield the rows of a CSV file with the line on which each ends."""
    lines = _CountedLines(text_lines(path, bad))
    records = csv.reader(lines, strict=True)
    while True:
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            bad.report(f"{path}, line {lines.number}", "not a CSV row", str(error))
            continue
        yield lines.number, tuple(cells)


class _CountedLines:
    """Lines for `csv.reader`, which wants their ends back, and the number of the one that was read last."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        self.lines = lines
        self.number = 0

    def __iter__(self) -> _CountedLines:
        return self

    def __next__(self) -> str:
        for line in self.lines:
            self.number += 1
            if line is not None:
                return line + "\n"
        raise StopIteration


# ---------------------------------------------------------------- JSON lines


def read_jsonl(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open JSON lines: objects with a text for each language, as they are or under `translation`.

    Raises
    ------
    DataError
        If the file is empty or its first object lacks a language.
    """
    records = _json_records(path, bad)
    first = next(records, None)
    if first is None:
        raise DataError(f'{path} is empty: expected one object a line, such as {{"en": "…", "fr": "…"}}.')
    names = list(first[1])
    resolved = resolved_columns(path, names, wanted)
    keys = [(name, column) for name, column in zip(names, resolved, strict=True) if column is not None]
    columns = tuple(column for _, column in keys)
    rows = (
        (number, tuple(None if (value := record.get(name)) is None else str(value) for name, _ in keys))
        for number, record in chain([first], records)
    )
    return Reading(columns, row_batches(path, columns, rows, bad))


def _json_records(path: Path, bad: BadRows) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(text_lines(path, bad), start=1):
        if not line:
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            bad.report(f"{path}, line {number}", "not JSON", str(error))
            continue
        record = record.get("translation", record) if isinstance(record, dict) else record
        if isinstance(record, dict) and "\\ud" in line.lower() and not _encodable(record):
            bad.report(f"{path}, line {number}", "not UTF-8", "half of a surrogate pair")
        elif isinstance(record, dict):
            yield number, record
        else:
            bad.report(f"{path}, line {number}", "not a JSON object", f"got {type(record).__name__}")


def _encodable(record: dict[str, object]) -> bool:
    try:
        return bool("".join(str(part) for item in record.items() for part in item).encode() or True)
    except UnicodeEncodeError:
        return False
