"""Files in, batches of aligned rows out: TSV, CSV, JSONL, Parquet, Arrow and Moses pairs, each plain, .gz or .zst.

A reader gives its columns at once and its rows as a stream of record batches, so that nothing needs to fit in memory.
Rows that cannot be used go through `BadRows`: an error that names file, line and reason, or a count.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import DataError
from .bitext import is_language_column
from .columns import language_columns, resolve_columns
from .languages import describe
from .lines import BadRows, bare_suffix, damaged, text_lines

BATCH_ROWS = 1 << 16
Cells = tuple["str | None", ...]
NumberedCells = tuple[int, Cells]  # the line of a row in its file, and its cells


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """An opened file: the columns it will give and a stream of record batches with just these columns."""

    columns: tuple[str, ...]
    batches: Iterator[pa.RecordBatch]

    def table(self) -> pa.Table:
        """Read all batches into one table."""
        schema = pa.schema([(column, pa.large_string()) for column in self.columns])
        return pa.Table.from_batches((batch.cast(schema) for batch in self.batches), schema)


def read_table_file(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open a file whose format its suffix tells.

    Parameters
    ----------
    path : Path
        `.tsv`, `.txt`, `.csv`, `.jsonl`, `.parquet`, `.arrow`, `.tmx`, `.po` or `.mo`; text formats also `.gz`, `.zst`.
    wanted : sequence of str
        Canonical codes of the languages to read; all that the file names where it is empty.
    bad : BadRows
        What to do with rows that cannot be used.

    Raises
    ------
    DataError
        If the file is missing or damaged, its format unknown, a language absent, or a row bad and not to be skipped.
    """
    suffix = bare_suffix(path)
    if suffix in (".tsv", ".txt", ".csv"):
        return _read_delimited(path, wanted, bad, comma=suffix == ".csv")
    if suffix in (".jsonl", ".ndjson"):
        return _read_jsonl(path, wanted, bad)
    if suffix in (".parquet", ".arrow"):
        return _read_columnar(path, wanted, bad)
    raise DataError(
        f"{path}: unknown format {suffix or '(no suffix)'}: expected one of {', '.join(TABLE_SUFFIXES)}, "
        "or two Moses files given by repeating --corpus."
    )


TABLE_SUFFIXES = (".tsv", ".txt", ".csv", ".jsonl", ".ndjson", ".parquet", ".arrow")


def check_languages(where: Path | str, held: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise unless every language that is asked for is held, and at least one is.

    Raises
    ------
    DataError
        Naming what is missing and what the corpus holds.
    """
    if not held:
        raise DataError(f"{where} has no column named by a language: expected names such as en, fra or zho_Hans.")
    if missing := [describe(code) for code in wanted if code not in held]:
        raise DataError(
            f"{where} has no {' and no '.join(missing)}: it holds {', '.join(held)}. "
            "Choose among these, or give another --corpus."
        )


def _resolved(path: Path, names: Sequence[str], wanted: Sequence[str]) -> tuple[str | None, ...]:
    """Resolve column names that must hold what is asked for."""
    resolved = resolve_columns(names, wanted)
    held = language_columns(resolved)
    check_languages(path, held if held and set(wanted) <= set(held) else _all_languages(names, held), wanted)
    return resolved


def _all_languages(names: Sequence[str], held: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*held, *language_columns(resolve_columns(names, ()))]))


def row_batches(
    where: Path | str, columns: tuple[str, ...], rows: Iterable[NumberedCells], bad: BadRows
) -> Iterator[pa.RecordBatch]:
    """Gather rows into record batches; a row that lacks the text of a language is bad."""
    texts = [i for i, column in enumerate(columns) if is_language_column(column)]
    gathered: list[Cells] = []
    for number, cells in rows:
        stripped = tuple(cell.strip() if cell else None for cell in cells)
        empty = next((columns[i] for i in texts if not stripped[i]), None)
        if empty is not None:
            bad.report(f"{where}, line {number}", "empty line", f"no text in {describe(empty)}")
            continue
        gathered.append(stripped)
        if len(gathered) == BATCH_ROWS:
            yield _batch(columns, gathered)
            gathered = []
    if gathered:
        yield _batch(columns, gathered)


def _batch(columns: tuple[str, ...], rows: list[Cells]) -> pa.RecordBatch:
    arrays = [pa.array(values, pa.large_string()) for values in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


# ---------------------------------------------------------------- delimited text


def _read_delimited(path: Path, wanted: Sequence[str], bad: BadRows, *, comma: bool) -> Reading:
    records = csv_records(path, bad) if comma else _tsv_records(path, bad)
    first = next(records, None)
    if first is None:
        raise DataError(f"{path} is empty: expected lines of {'comma' if comma else 'tab'}-separated sentences.")
    names = [cell or "" for cell in first[1]]
    if len(language_columns(resolve_columns(names, ()))) >= 2 or language_columns(resolve_columns(names, wanted)):
        resolved = _resolved(path, names, wanted)
    else:
        resolved = _columns_without_header(path, len(names), wanted)
        records = chain([first], records)
    columns = tuple(column for column in resolved if column is not None)
    return Reading(columns, row_batches(path, columns, _picked(path, resolved, records, bad), bad))


def _columns_without_header(path: Path, width: int, wanted: Sequence[str]) -> tuple[str | None, ...]:
    if not wanted or width != len(wanted):
        asked = f"{len(wanted)} languages ({', '.join(wanted)}) were asked for" if wanted else "no languages were given"
        raise DataError(
            f"{path}: the first line has {width} cells and names no languages, while {asked}. "
            "Put a first line of language codes on top, for example en<tab>fr, or give as many languages as columns."
        )
    return tuple(wanted)


def _picked(
    path: Path, resolved: Sequence[str | None], records: Iterable[NumberedCells], bad: BadRows
) -> Iterator[NumberedCells]:
    """Keep the cells of resolved columns; a row of another width is bad."""
    kept = [i for i, column in enumerate(resolved) if column is not None]
    width = len(resolved)
    for number, cells in records:
        if len(cells) != width:
            bad.report(f"{path}, line {number}", "wrong number of cells", f"expected {width}, got {len(cells)}")
            continue
        yield number, tuple([cells[i] for i in kept])


def _tsv_records(path: Path, bad: BadRows) -> Iterator[NumberedCells]:
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


def _read_jsonl(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    records = _json_records(path, bad)
    first = next(records, None)
    if first is None:
        raise DataError(f'{path} is empty: expected one object a line, such as {{"en": "…", "fr": "…"}}.')
    names = list(first[1])
    resolved = _resolved(path, names, wanted)
    keys = [(name, column) for name, column in zip(names, resolved, strict=True) if column is not None]
    columns = tuple(column for _, column in keys)
    rows = ((number, tuple(_text(record.get(name)) for name, _ in keys)) for number, record in chain([first], records))
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
        if isinstance(record, dict):
            yield number, record
        else:
            bad.report(f"{path}, line {number}", "not a JSON object", f"got {type(record).__name__}")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


# ---------------------------------------------------------------- Parquet and Arrow


def _read_columnar(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    names, batches = _columnar_batches(path)
    resolved = _resolved(path, names, wanted)
    picked = [(name, column) for name, column in zip(names, resolved, strict=True) if column is not None]
    columns = tuple(column for _, column in picked)
    return Reading(columns, _present(path, picked, batches, bad))


def _columnar_batches(path: Path) -> tuple[list[str], Iterator[pa.RecordBatch]]:
    if not path.is_file():
        raise DataError(f"no such file: {path}. Check the path given to --corpus.")
    try:
        if path.suffix.lower() == ".parquet":
            file = pq.ParquetFile(path, memory_map=True)
            return file.schema_arrow.names, file.iter_batches(BATCH_ROWS)
        table = memory_mapped(path)
        return table.column_names, iter(table.to_batches(BATCH_ROWS))
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error


def memory_mapped(path: Path) -> pa.Table:
    """Return the table of an Arrow file or stream without reading it into memory."""
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


def _present(
    path: Path, picked: list[tuple[str, str]], batches: Iterator[pa.RecordBatch], bad: BadRows
) -> Iterator[pa.RecordBatch]:
    """Rename columns, and drop or refuse rows in which a language has no text."""
    row = 0
    for batch in batches:
        arrays = [batch.column(name).cast(pa.large_string()) for name, _ in picked]
        full = pa.array([True] * len(batch))
        for array, (_, column) in zip(arrays, picked, strict=True):
            if is_language_column(column):
                has_text = pc.fill_null(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(array)), 0), False)
                full = pc.and_(full, has_text)
        for index in (i for i, ok in enumerate(full.to_pylist()) if not ok):
            bad.report(f"{path}, row {row + index + 1}", "empty line")
        renamed = pa.RecordBatch.from_arrays(arrays, names=[column for _, column in picked])
        yield renamed if full.true_count == len(batch) else renamed.filter(full)
        row += len(batch)


# ---------------------------------------------------------------- Moses pairs


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
    for number, lines in enumerate(zip_longest(*(text_lines(p, bad) for p in paths), fillvalue=ended), start=1):
        if ended in lines:
            raise DataError(_length_message(paths))
        if None not in lines:
            yield number, lines  # type: ignore[misc]  # the end marker was refused above


def _length_message(paths: Sequence[Path]) -> str:
    counts = [(path, sum(1 for _ in text_lines(path, BadRows(skip=True)))) for path in paths]
    listed = ", ".join(f"{path} has {count} lines" for path, count in counts)
    return f"the files are not aligned: {listed}. Line i of each must say the same; fetch or cut them anew."
