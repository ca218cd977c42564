"""Content fingerprints of tables: the same text has the same fingerprint however it was read, cut or stored."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class TableHash:
    """blake2b over column names and content, fed batch by batch.

    Lengths and bytes of a column are hashed apart, so that batch borders and string widths leave no trace.
    """

    def __init__(self) -> None:
        self._columns: dict[str, tuple[hashlib.blake2b, hashlib.blake2b]] = {}

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch; all batches have the same columns."""
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            lengths, content = self._columns.setdefault(name, (hashlib.blake2b(), hashlib.blake2b()))
            is_text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
            binary = (array if is_text else array.cast(pa.string())).cast(pa.large_binary())
            sizes = pc.fill_null(pc.binary_length(binary), -1).to_numpy(zero_copy_only=False)
            lengths.update(np.ascontiguousarray(sizes, np.int64).tobytes())
            content.update(_content_bytes(binary.drop_null() if binary.null_count else binary))

    def hexdigest(self) -> str:
        """Return the fingerprint of what was added so far, 32 hexadecimal digits."""
        total = hashlib.blake2b(digest_size=16)
        for name in sorted(self._columns):
            lengths, content = self._columns[name]
            total.update(f"{name}\0".encode() + lengths.digest() + content.digest())
        return total.hexdigest()


def table_fingerprint(table: pa.Table) -> str:
    """Return the fingerprint of a table."""
    fingerprint = TableHash()
    empty = pa.RecordBatch.from_arrays([pa.array([], field.type) for field in table.schema], schema=table.schema)
    for batch in [empty, *table.to_batches()]:
        fingerprint.update(batch)
    return fingerprint.hexdigest()


def _content_bytes(binary: pa.LargeBinaryArray) -> memoryview:
    """Return the bytes of an array without nulls, one value after another, without copying them."""
    _, offsets, values = binary.buffers()
    if values is None or len(binary) == 0:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int64)[binary.offset : binary.offset + len(binary) + 1]
    return memoryview(values)[int(ends[0]) : int(ends[-1])]
