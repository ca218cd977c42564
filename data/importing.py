"""Import: any text that `--corpus` takes is written to one Parquet or Arrow file, with a report of what was dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError, OutputError
from ..files import output_errors, replacing
from .fingerprint import TableHash
from .languages import canonical_codes
from .open import CorpusSource
from .readers.batches import Reading, sampled
from .readers.columnar import OWN_FILE
from .readers.columns import language_columns
from .readers.lines import BadRows, Dropped


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import wrote.

    Parameters
    ----------
    path : Path
        The file written.
    languages : tuple of str
        Canonical codes of its languages.
    rows : int
        Rows written.
    fingerprint : str
        Fingerprint of its content, the one that `open_corpus` gives for the file.
    dropped : tuple of Dropped
        Rows that were left out by reason, the most frequent first.
    """

    path: Path
    languages: tuple[str, ...]
    rows: int
    fingerprint: str
    dropped: tuple[Dropped, ...]


def import_corpus(
    corpus: Sequence[str | Path],
    out: str | Path,
    languages: Sequence[str] = (),
    *,
    columns: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
) -> ImportReport:
    """Write a corpus to one file, in memory that does not grow with it, and never leave half of it behind.

    Parameters
    ----------
    corpus : sequence of str or Path
        As `open_corpus` takes it: files, a folder, or a name.
    out : str or Path
        `.parquet` (small), or `.arrow` (memory-mapped when opened, for corpora larger than memory). An existing file
        is replaced in one step, once all is written.
    languages : sequence of str
        Languages wanted, in any spelling; all that the corpus names where it is empty.
    columns : sequence of str
        What stands in each column of a file, as `open_corpus` takes it.
    limit : int, optional
        Greatest number of rows, sampled with the seed.
    seed : int
        Seed of that sample.
    skip_bad : bool
        Count rows that cannot be used and go on, instead of raising.

    Raises
    ------
    DataError
        As `open_corpus` does, or if no rows are left.
    OutputError
        If the file cannot be written there.
    """
    out = Path(out)
    names = [str(name) for name in corpus]
    _check_output(out, names)
    bad = BadRows(skip=skip_bad)
    source = CorpusSource.find(names, canonical_codes(languages), columns)
    reading = sampled(source.read(bad, limit=limit, seed=seed), limit, seed)
    rows, fingerprint = _write(reading, out)
    return ImportReport(out, language_columns(reading.columns), rows, fingerprint, bad.dropped())


def _check_output(out: Path, names: list[str]) -> None:
    if not names:
        raise DataError("nothing to import: give at least one file.")
    if out.suffix.lower() not in (".parquet", ".arrow"):
        raise OutputError(f"cannot write {out}: expected a name that ends in .parquet or .arrow.")
    if not out.parent.is_dir():
        raise OutputError(f"cannot write {out}: there is no folder {out.parent}. Make it first.")
    if out.is_dir() or any(Path(name).exists() and out.exists() and Path(name).samefile(out) for name in names):
        raise OutputError(f"cannot write {out}: it is what is read, or a folder. Choose another --out.")


def _write(reading: Reading, out: Path) -> tuple[int, str]:
    """Write all batches; return the number of rows and the fingerprint."""
    schema = pa.schema([(column, pa.large_string()) for column in reading.columns], metadata=OWN_FILE)
    fingerprint, rows = TableHash(), 0
    with output_errors(out, "choose another --out"), replacing(out) as scratch:
        parquet = out.suffix.lower() == ".parquet"
        opened = pq.ParquetWriter(scratch, schema, compression="zstd") if parquet else pa.ipc.new_file(scratch, schema)
        with opened as writer:
            for batch in reading.batches:
                writer.write_batch(batch.cast(schema))
                fingerprint.update(batch)
                rows += len(batch)
        if rows == 0:
            raise DataError(f"no pairs are left to write to {out}: check the files and the languages.")
    return rows, fingerprint.hexdigest()
