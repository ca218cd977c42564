"""Delimited text in, batches of aligned rows out: TSV without quoting, CSV with it.

A reader gives its columns at once and its rows as a stream of record batches, so that nothing needs to fit in memory.
Rows that cannot be used go through `BadRows`: an error that names file, line and reason, or a count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from ...errors import DataError
from .batches import NumberedCells, Reading, resolved_columns, row_batches
from .columns import LEFT_OUT, is_header, language_columns, names_all, names_roles, renames_columns
from .layouts import columns_by_name
from .lines import BadRows, text_lines
from .quoted import csv_records

TAB = "\t"
NAMES = {";": "semicolon", "|": "bar", TAB: "tab", ",": "comma"}  # of what may separate cells


def read_delimited(
    path: Path, wanted: Sequence[str], bad: BadRows, *, separator: str, given: Sequence[str] = ()
) -> Reading:
    """Open lines of sentences separated by tabs (without quoting) or commas (with it).

    A first line that names languages is the header. Without one, the columns are those that `given` names, or that the
    name of the file says, or the wanted languages in their order.

    Raises
    ------
    DataError
        If the file is empty, lacks a language, or has neither a header nor one column for each language.
    """
    records = csv_records(path, bad) if separator == "," else tsv_records(path, bad)
    first = _first_row(path, records, bad)
    if first is None:
        raise DataError(
            f"{path} is empty: expected a line for each pair, its sentences separated by {NAMES[separator]}s."
        )
    names = [cell or "" for cell in first[1]]
    by_name = None if given or names_all(names, wanted) else columns_by_name(path, names, wanted)
    if given:
        resolved = resolved_columns(path, names, wanted, given)
        if not renames_columns(given) and not names_all(names, language_columns(resolved)):
            records = chain([first], records)
    elif by_name:
        resolved = resolved_columns(path, by_name, wanted, by_name)
        records = chain([first], records)
    elif is_header(names, wanted):
        resolved = _from_header(path, names, wanted)
    elif names_roles(names):
        raise _without_languages(path, names, wanted)
    elif wanted and len(names) == len(wanted):
        resolved = tuple(wanted)
        records = chain([first], records)
    else:
        raise _other_separator(path, names, wanted, separator) or _without_header(path, names, wanted)
    columns = tuple(column for column in resolved if column is not None)
    return Reading(columns, row_batches(path, columns, _picked(path, resolved, records, bad), bad))


def _first_row(path: Path, records: Iterator[NumberedCells], bad: BadRows) -> NumberedCells | None:
    """Return the first row that is not empty; those before it are bad."""
    for number, cells in records:
        if any(cells):
            return number, cells
        bad.report(f"{path}, line {number}", "empty line")
    return None


def _from_header(path: Path, names: Sequence[str], wanted: Sequence[str]) -> tuple[str | None, ...]:
    try:
        return resolved_columns(path, names, wanted)
    except DataError as error:
        if len(names) != len(wanted):
            raise
        text = f"If the first line is text and no header, give --columns {','.join(wanted)}."
        raise DataError(f"{error} {text}") from None


def _other_separator(path: Path, names: Sequence[str], wanted: Sequence[str], separator: str) -> DataError | None:
    """Return an error where the first line is one cell that another separator parts as asked.

    Commas stand in sentences too: they count where they part the names of languages.
    """
    for other, name in NAMES.items():
        parts = names[0].split(other)
        parted = len(names) == 1 and len(parts) == max(2, len(wanted)) and other != separator
        if parted and (other != "," or is_header(parts, wanted)):
            suffix = {",": ", or name it .csv", TAB: ", or name it .tsv"}.get(other, "")
            expected = f"{NAMES[separator]}s"
            return DataError(
                f"{path} looks {name}-separated, and its name says {expected}: save it with {expected}{suffix}."
            )
    return None


def _without_languages(path: Path, names: Sequence[str], wanted: Sequence[str]) -> DataError:
    columns = ",".join(f"{name}={code}" for name, code in zip(names, wanted or ("en", "fr"), strict=False))
    return DataError(
        f"{path}: the first line ({', '.join(names)}) is a header that names no languages: give --columns {columns}, "
        "or another order."
    )


def _without_header(path: Path, names: Sequence[str], wanted: Sequence[str]) -> DataError:
    asked = f"{len(wanted)} languages ({', '.join(wanted)}) were asked for" if wanted else "no languages were given"
    columns = [*(wanted or ("en", "fr")), *([LEFT_OUT] * len(names))][: len(names)]
    cells = "1 cell" if len(names) == 1 else f"{len(names)} cells"
    return DataError(
        f"{path}: the first line has {cells} and names no languages, while {asked}. "
        "Put a first line of language codes on top, for example en<tab>fr, or say what stands in each column, "
        f"for example --columns {','.join(columns[:9])} (`polyglot data import` takes it too)."
    )


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
