"""Parquet and Arrow files, whose rows come in batches already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...errors import DataError
from ..bitext import is_language_column
from ..blank import VISIBLE
from .batches import BATCH_ROWS, Reading, resolved_columns
from .columns import LEFT_OUT, column_meaning
from .lines import BadRows, damaged

OWN_FILE = {b"polyglot": b"corpus"}  # metadata of a file whose columns are all named by canonical codes


def read_columnar(path: Path, wanted: Sequence[str], bad: BadRows, *, given: Sequence[str] = ()) -> Reading:
    """Open a Parquet file, or an Arrow file, which is memory-mapped; a struct `translation` is taken apart.

    Raises
    ------
    DataError
        If the file is missing or damaged, lacks a language, or has a language column that is no text.
    """
    schema, batches = _columnar_batches(path)
    names = [name.removeprefix("translation.") for name in schema.names]
    own = (schema.metadata or {}).items() >= OWN_FILE.items()
    if own and not given:
        given = [name if column_meaning(name, (name,)) else LEFT_OUT for name in names]
    resolved = resolved_columns(path, names, wanted, given)
    picked = [(number, column) for number, column in enumerate(resolved) if column is not None]
    for number, column in picked:
        if is_language_column(column) and not _holds_text(schema.field(number).type):
            raise DataError(
                f"{path}: the column {schema.names[number]} cannot be read as text: it holds "
                f"{schema.field(number).type}. Convert it, or ask for other languages."
            )
    return Reading(tuple(column for _, column in picked), _present(path, picked, batches, bad))


def _holds_text(kind: pa.DataType) -> bool:
    """Tell whether values of a type are texts, and not only turned into some: 3 and [1, 2] are no sentences."""
    if pa.types.is_dictionary(kind):
        return _holds_text(kind.value_type)
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(kind) for test in (*tests, pa.types.is_binary, pa.types.is_large_binary))


def _columnar_batches(path: Path) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
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
    return schema.empty_table().flatten().schema.with_metadata(schema.metadata), map(_flat, batches)


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Take structs apart, after a check: a damaged Arrow file opens without an error and is read beyond its end."""
    batch.validate(full=True)
    has_struct = any(pa.types.is_struct(field.type) for field in batch.schema)
    return pa.Table.from_batches([batch]).flatten().combine_chunks().to_batches()[0] if has_struct else batch


def memory_mapped(path: Path) -> pa.Table:
    """Return the table of an Arrow file or stream without reading it into memory."""
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


def _present(
    path: Path, picked: list[tuple[int, str]], batches: Iterator[pa.RecordBatch], bad: BadRows
) -> Iterator[pa.RecordBatch]:
    """Rename columns, and drop or refuse rows in which a language has no text."""
    row, columns = 0, [column for _, column in picked]
    try:
        for batch in batches:
            texts = [batch.column(number).cast(pa.large_string()) for number, _ in picked]
            sentences = [text for text, name in zip(texts, columns, strict=True) if is_language_column(name)]
            shown = [pc.fill_null(pc.match_substring_regex(text, VISIBLE), False) for text in sentences]
            full = np.all([column.to_numpy(zero_copy_only=False) for column in shown], axis=0)
            for index in np.flatnonzero(~full):
                bad.report(f"{path}, row {row + index + 1}", "empty line")
            renamed = pa.RecordBatch.from_arrays(texts, names=columns)
            yield renamed if full.all() else renamed.filter(pa.array(full))
            row += len(batch)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}, after row {row}: cannot be read as text ({error}). Fetch or convert it again."
        ) from error
