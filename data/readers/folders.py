"""Folders with one language a file: Moses stems (`text.en` + `text.fr`) and sentence-similarity sets in translation.

A similarity set has files `NAME-LANGUAGE-SPLIT.csv` without a header: two sentences and a score, the same rows in every
language. Both sentences are taken, and rows that repeat in all the languages read are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from ...errors import DataError
from ..languages import find_code
from .batches import NumberedCells, Reading, row_batches, stacked
from .formats import TABLE_SUFFIXES
from .gettext import find_catalogs, read_catalogs
from .lines import BadRows, bare_path
from .moses import read_moses
from .tables import csv_records

_SIMILARITY_FILE = re.compile(r".+-(?P<language>[A-Za-z]{2,3})-(?P<split>[A-Za-z]+)\.csv\Z")
Parts = dict[str, dict[str, Path]]  # stem or split → language → file


def read_folder(folder: Path, part: str | None, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open the files of a folder that hold the wanted languages, one part after another.

    Parameters
    ----------
    folder : Path
        Folder of files with one language each, or a locale tree of message catalogs.
    part : str or None
        The stem or split to read; all parts that hold the wanted languages where it is None.
    wanted : sequence of str
        Canonical codes.
    bad : BadRows
        What to do with rows that cannot be used.

    Raises
    ------
    DataError
        If the folder holds no such files, not that part, or not these languages together; or as `read_moses` does.
    """
    if splits := similarity_splits(folder):
        complete = _complete_parts(folder, part, splits, wanted)
        return _distinct(stacked([read_split(files, wanted, bad) for files in complete]))
    stems = moses_stems(folder)
    if not stems and part is None and find_catalogs(folder):
        return read_catalogs(folder, wanted, bad)
    return stacked([read_stem(files, wanted, bad) for files in _complete_parts(folder, part, stems, wanted)])


def moses_name(path: Path) -> tuple[str, str] | None:
    """Return stem and language of a file STEM.LANGUAGE, also with .txt, .gz or .zst behind; None for other names.

    Examples
    --------
    >>> moses_name(Path("news.fra-eng.fra")), moses_name(Path("en.txt.gz")), moses_name(Path("notes.tsv"))
    (('news.fra-eng', 'fr'), ('', 'en'), None)
    """
    bare = bare_path(path)
    bare = bare.with_suffix("") if bare.suffix == ".txt" else bare
    stem, language = (bare.stem, bare.suffix[1:]) if bare.suffix else ("", bare.name)
    code = None if bare.suffix in TABLE_SUFFIXES else find_code(language)
    return None if code is None else (stem, code)


def moses_stems(folder: Path) -> Parts:
    """Return the Moses files of a folder, by stem and then by language; stems of one language are left out."""
    stems: Parts = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and (name := moses_name(path)):
            stems.setdefault(name[0], {})[name[1]] = path
    return {stem: files for stem, files in stems.items() if len(files) > 1}


def read_stem(files: dict[str, Path], wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open the Moses files of one stem."""
    languages = tuple(wanted) or tuple(files)
    return read_moses([files[language] for language in languages], languages, bad)


def read_split(files: dict[str, Path], wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open the similarity files of one split, each row of which gives two sentences."""
    languages = tuple(wanted) or tuple(files)
    paths = [files[language] for language in languages]
    where = " + ".join(str(path) for path in paths)
    return Reading(languages, row_batches(where, languages, _both_sentences(paths, bad), bad))


def similarity_splits(folder: Path) -> Parts:
    """Return the files NAME-LANGUAGE-SPLIT.csv of a folder, by split and then by language."""
    splits: Parts = {}
    for path in sorted(folder.glob("*.csv")):
        match = _SIMILARITY_FILE.match(path.name)
        if match and (code := find_code(match["language"])):
            splits.setdefault(match["split"], {})[code] = path
    return splits


def _complete_parts(folder: Path, part: str | None, parts: Parts, wanted: Sequence[str]) -> list[dict[str, Path]]:
    """Choose the parts that hold all wanted languages, or name those that there are."""
    if not parts:
        raise DataError(
            f"{folder} holds no files of one language each: expected names such as text.en and text.fr, "
            "or NAME-en-SPLIT.csv and NAME-fr-SPLIT.csv."
        )
    if part is not None and part not in parts:
        raise DataError(f"{folder} has no part {part!r}: it holds {', '.join(sorted(parts))}.")
    chosen = parts if part is None else {part: parts[part]}
    complete = [files for _, files in sorted(chosen.items()) if set(wanted) <= set(files)]
    if not complete:
        together = " | ".join(sorted({", ".join(sorted(files)) for files in chosen.values()}))
        raise DataError(f"{folder} has no {', '.join(wanted)} together: it holds {together}. Choose among these.")
    return complete


def _both_sentences(paths: Sequence[Path], bad: BadRows) -> Iterator[NumberedCells]:
    """Yield the first and then the second sentence of each row, in all languages side by side."""
    ended = (0, ())
    for records in zip_longest(*(csv_records(path, BadRows()) for path in paths), fillvalue=ended):
        if ended in records:
            counts = [(path, sum(1 for _ in csv_records(path, BadRows(skip=True)))) for path in paths]
            listed = ", ".join(f"{path} has {count} rows" for path, count in counts)
            raise DataError(
                f"the files are not aligned: {listed}. Row i of each must say the same; fetch the files anew."
            )
        short = next((path for path, (_, cells) in zip(paths, records, strict=True) if len(cells) < 2), None)
        number = records[0][0]
        if short is not None:
            bad.report(f"{short}, line {number}", "wrong number of cells", "expected two sentences and a score")
            continue
        for sentence in (0, 1):
            yield number, tuple(cells[sentence] for _, cells in records)


def _distinct(reading: Reading) -> Reading:
    """Return a reading without the rows that repeat an earlier one in all columns."""

    def batches() -> Iterator[pa.RecordBatch]:
        seen: set[tuple[object, ...]] = set()
        for batch in reading.batches:
            rows = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
            kept = [number for number, row in enumerate(rows) if row not in seen and not seen.add(row)]  # type: ignore[func-returns-value]
            yield batch.take(pa.array(kept, pa.int64()))

    return Reading(reading.columns, batches())
