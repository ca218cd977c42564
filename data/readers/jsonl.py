"""JSON lines: objects with a text for each language, as they are or under `translation`."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from ...errors import DataError
from ..bitext import is_language_column
from .batches import NumberedCells, Reading, resolved_columns, row_batches
from .lines import BadRows, text_lines
from .majority import languages_of_most

PEEKED = 1000  # records whose keys are the columns: not all of them need to have every language
Record = dict[str, object]


def read_jsonl(path: Path, wanted: Sequence[str], bad: BadRows, *, given: Sequence[str] = ()) -> Reading:
    """Open JSON lines; a value that is missing, `null` or `NaN` is no text, one that is no text is a bad row.

    Raises
    ------
    DataError
        If the file is empty or its first objects lack a language.
    """
    records = _records(path, bad)
    first = list(islice(records, PEEKED))
    if not first:
        raise DataError(f'{path} is empty: expected one object a line, such as {{"en": "…", "fr": "…"}}.')
    names = list(dict.fromkeys(name for _, record in first for name in record))
    resolved = resolved_columns(path, names, wanted, given)
    keys = [(name, column) for name, column in zip(names, resolved, strict=True) if column is not None]
    if not wanted and not given:
        keys = _keys_of_most(path, keys, [record for _, record in first])
    columns = tuple(column for _, column in keys)
    return Reading(columns, row_batches(path, columns, _rows(path, keys, chain(first, records), bad), bad))


def _keys_of_most(path: Path, keys: list[tuple[str, str]], records: Sequence[Record]) -> list[tuple[str, str]]:
    """Keep the languages that most of the first records have together."""
    texts = [key for key in keys if is_language_column(key[1])]
    held = Counter(tuple(column for name, column in texts if record.get(name) is not None) for record in records)
    several = Counter({languages: rows for languages, rows in held.items() if len(languages) > 1})
    most = languages_of_most(str(path), several) if several else tuple(column for _, column in texts)
    return [key for key in keys if key not in texts or key[1] in most]


def _rows(
    path: Path, keys: Sequence[tuple[str, str]], records: Iterator[tuple[int, Record]], bad: BadRows
) -> Iterator[NumberedCells]:
    for number, record in records:
        values = [_text(record.get(name), column) for name, column in keys]
        strange = next((key for key, value in zip(keys, values, strict=True) if isinstance(value, _NoText)), None)
        if strange is None:
            yield number, tuple(values)  # type: ignore[arg-type]  # none of them is a _NoText
        else:
            kind = type(record[strange[0]]).__name__
            bad.report(f"{path}, line {number}", "not a text", f"{strange[0]} is of type {kind}")


class _NoText:
    """Stands for a value that is there and is no text."""


def _text(value: object, column: str) -> str | _NoText | None:
    """Return a value as a cell; a number is one only where groups are numbered or domains are."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    beside = not is_language_column(column) and isinstance(value, (int, float))
    return str(value) if beside else _NoText()


def _records(path: Path, bad: BadRows) -> Iterator[tuple[int, Record]]:
    for number, line in enumerate(text_lines(path, bad), start=1):
        if not line:
            continue
        try:
            record = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            bad.report(f"{path}, line {number}", "not JSON", str(error))
            continue
        inner = record.get("translation") if isinstance(record, dict) else None
        record = inner if isinstance(inner, dict) else record
        if isinstance(record, dict) and "\\ud" in line.lower() and not _encodable(record):
            bad.report(f"{path}, line {number}", "not UTF-8", "half of a surrogate pair")
        elif isinstance(record, _Repeated):
            bad.report(f"{path}, line {number}", "a key that stands twice", record.key)
        elif isinstance(record, dict):
            yield number, record
        else:
            bad.report(f"{path}, line {number}", "not a JSON object", f"got {type(record).__name__}")


class _Repeated(dict[str, object]):
    """An object one of whose keys stands twice, with one value lost."""

    key: str


def _object(pairs: list[tuple[str, object]]) -> Record:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _Repeated(found)
    repeated.key = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
    return repeated


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _encodable(record: Record) -> bool:
    try:
        return bool("".join(str(part) for item in record.items() for part in item).encode() or True)
    except UnicodeEncodeError:
        return False
