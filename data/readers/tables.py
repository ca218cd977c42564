"""Tables and text files in, batches of aligned rows out: TSV, CSV, JSONL, Parquet, Arrow, Moses files.

A reader gives its columns at once and its rows as a stream of record batches, so that nothing needs to fit in memory.
Rows that cannot be used go through `BadRows`: an error that names file, line and reason, or a count.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...errors import DataError
from ..bitext import is_language_column
from .batches import BATCH_ROWS, NumberedCells, Reading, resolved_columns, row_batches
from .columns import language_columns, resolve_columns
from .lines import BadRows, damaged, text_lines

# ---------------------------------------------------------------- delimited text


def read_delimited(path: Path, wanted: Sequence[str], bad: BadRows, *, separator: str) -> Reading:
    """Open lines of sentences separated by tabs (without quoting) or commas (with it).

    A first line that names languages is the header; without one the columns are the wanted languages in their order.

    Raises
    ------
    DataError
        If the file is empty, lacks a language, or has neither a header nor one column for each language.
    """
    records = csv_records(path, bad) if separator == "," else _tsv_records(path, bad)
    first = next(records, None)
    if first is None:
        raise DataError(f"{path} is empty: expected a line for each pair, its sentences separated by {separator!r}.")
    names = [cell or "" for cell in first[1]]
    if len(language_columns(resolve_columns(names, ()))) >= 2 or language_columns(resolve_columns(names, wanted)):
        resolved = resolved_columns(path, names, wanted)
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
        if not any(cells):
            bad.report(f"{path}, line {number}", "empty line")
            continue
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


def _text(value: object) -> str | None:
    return None if value is None else str(value)


# ---------------------------------------------------------------- Parquet and Arrow


def read_columnar(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open a Parquet file, or an Arrow file, which is memory-mapped; a struct `translation` is taken apart.

    Raises
    ------
    DataError
        If the file is missing or damaged, lacks a language, or has a language column that is no text.
    """
    names, batches = _columnar_batches(path)
    resolved = resolved_columns(path, [name.removeprefix("translation.") for name in names], wanted)
    picked = [(number, column) for number, column in enumerate(resolved) if column is not None]
    return Reading(tuple(column for _, column in picked), _present(path, picked, batches, bad))


def _columnar_batches(path: Path) -> tuple[list[str], Iterator[pa.RecordBatch]]:
    if not path.is_file():
        raise DataError(f"no such file: {path}. Check the path given to --corpus.")
    try:
        if path.suffix.lower() == ".parquet":
            file = pq.ParquetFile(path, memory_map=True)
            schema, batches = file.schema_arrow, file.iter_batches(BATCH_ROWS)
        else:
            table = memory_mapped(path)
            schema, batches = table.schema, iter(table.to_batches(BATCH_ROWS))
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error
    return schema.empty_table().flatten().column_names, (_flattened(_validated(batch)) for batch in batches)


def _validated(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Check offsets and encoding: a damaged Arrow file opens without an error and would be read beyond its end."""
    batch.validate(full=True)
    return batch


def memory_mapped(path: Path) -> pa.Table:
    """Return the table of an Arrow file or stream without reading it into memory."""
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


def _flattened(batch: pa.RecordBatch) -> pa.RecordBatch:
    has_struct = any(pa.types.is_struct(field.type) for field in batch.schema)
    return pa.Table.from_batches([batch]).flatten().combine_chunks().to_batches()[0] if has_struct else batch


def _present(
    path: Path, picked: list[tuple[int, str]], batches: Iterator[pa.RecordBatch], bad: BadRows
) -> Iterator[pa.RecordBatch]:
    """Rename columns, and drop or refuse rows in which a language has no text."""
    row, columns = 0, [column for _, column in picked]
    try:
        for batch in batches:
            texts = [batch.column(number).cast(pa.large_string()) for number, _ in picked]
            full = _all_present([text for text, name in zip(texts, columns, strict=True) if is_language_column(name)])
            for index in np.flatnonzero(~full):
                bad.report(f"{path}, row {row + index + 1}", "empty line")
            renamed = pa.RecordBatch.from_arrays(texts, names=columns)
            yield renamed if full.all() else renamed.filter(pa.array(full))
            row += len(batch)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}, after row {row}: cannot be read as text ({error}). Fetch or convert it again."
        ) from error


def _all_present(texts: list[pa.Array]) -> NDArray[np.bool_]:
    """Tell which rows have text that is not blank in every column, (rows,)."""
    lengths = [pc.fill_null(pc.utf8_length(pc.utf8_trim_whitespace(text)), 0) for text in texts]
    present: NDArray[np.bool_] = np.all([length.to_numpy(zero_copy_only=False) > 0 for length in lengths], axis=0)
    return present


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
