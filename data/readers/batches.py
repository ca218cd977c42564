"""What every reader gives: columns at once, rows as a stream of record batches, bad rows refused or counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ...errors import DataError
from ..bitext import is_language_column
from ..blank import is_blank
from ..languages import describe
from ..matching import serving
from .columns import column_meaning, language_columns, named_columns, resolve_columns
from .lines import BadRows

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


def check_languages(where: Path | str, held: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise unless every language that is asked for is held, in a form that serves it, and at least one is.

    Raises
    ------
    DataError
        Naming what is missing and what the corpus holds.
    """
    if not held:
        raise DataError(f"{where} has no column named by a language: expected names such as en, fra or zho_Hans.")
    if missing := [describe(code) for code, found in serving(tuple(held), tuple(wanted)).items() if not found]:
        raise DataError(
            f"{where} has no {' and no '.join(missing)}: it holds {', '.join(held)}. "
            "Choose among these, or give another --corpus."
        )


def resolved_columns(
    where: Path | str, names: Sequence[str], wanted: Sequence[str], given: Sequence[str] = ()
) -> tuple[str | None, ...]:
    """Resolve column names that must hold what is asked for; `given` are those of `--columns`.

    Raises
    ------
    DataError
        If a language is not held, or two columns could be one.
    """
    names = named_columns(names, given, str(where)) if given else names
    resolved = resolve_columns(names, wanted, str(where), given=bool(given))
    held = language_columns(resolved)
    if not held or not set(wanted) <= set(held):
        named = language_columns([column_meaning(name, wanted) for name in names]) if wanted else held
        check_languages(where, tuple(dict.fromkeys(named)), wanted)
    return resolved


def row_batches(
    where: Path | str, columns: tuple[str, ...], rows: Iterable[NumberedCells], bad: BadRows
) -> Iterator[pa.RecordBatch]:
    """Gather rows into record batches; a row that lacks the text of a language is bad."""
    texts = [i for i, column in enumerate(columns) if is_language_column(column)]
    gathered: list[Cells] = []
    for number, cells in rows:
        stripped = tuple(cell.strip() if cell else None for cell in cells)
        empty = next((columns[i] for i in texts if is_blank(stripped[i])), None)
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


class RowSampler:
    """A uniform sample of a stream, without replacement and in its order, whose memory is that of the sample.

    Each row draws a number; the rows with the smallest are the sample.

    Parameters
    ----------
    limit : int
        Greatest number of rows, ≥ 1.
    seed : int
        Seed of the draws.
    """

    def __init__(self, limit: int, seed: int) -> None:
        self._limit = limit
        self._generator = np.random.default_rng(seed)
        self._table: pa.Table | None = None
        self._draws = np.empty(0)

    def add(self, batch: pa.RecordBatch) -> None:
        """Offer the rows of a batch."""
        rows = pa.Table.from_batches([batch])
        self._table = rows if self._table is None else pa.concat_tables([self._table, rows])
        self._draws = np.concatenate([self._draws, self._generator.random(len(batch))])
        if len(self._draws) > 2 * max(self._limit, BATCH_ROWS):
            self._prune()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the sample."""
        self._prune()
        yield from [] if self._table is None else self._table.to_batches()

    def _prune(self) -> None:
        if self._table is not None and len(self._draws) > self._limit:
            kept = np.sort(np.argpartition(self._draws, self._limit)[: self._limit])
            self._table, self._draws = self._table.take(pa.array(kept)), self._draws[kept]


def sampled(reading: Reading, limit: int | None, seed: int) -> Reading:
    """Return a reading of at most so many rows, drawn with the seed; the reading itself without a limit."""
    if limit is None:
        return reading

    def draw() -> Iterator[pa.RecordBatch]:
        sampler = RowSampler(limit, seed)
        for batch in reading.batches:
            sampler.add(batch)
        yield from sampler.batches()

    return Reading(reading.columns, draw())


def stacked(readings: Sequence[Reading]) -> Reading:
    """Return several readings as one, row under row; columns that one of them lacks are empty there.

    Raises
    ------
    DataError
        If they hold different languages.
    """
    languages = {tuple(sorted(language_columns(reading.columns))) for reading in readings}
    if len(languages) > 1:
        listed = " | ".join(", ".join(codes) for codes in sorted(languages))
        raise DataError(f"files of different languages cannot be stacked: {listed}. Say which languages to read.")
    columns = tuple(dict.fromkeys(column for reading in readings for column in reading.columns))

    def widened() -> Iterator[pa.RecordBatch]:
        for reading in readings:
            for batch in reading.batches:
                empty = pa.nulls(len(batch), pa.large_string())
                held = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield pa.RecordBatch.from_arrays([held.get(c, empty) for c in columns], names=list(columns))

    return Reading(columns, widened())
