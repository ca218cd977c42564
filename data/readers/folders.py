"""Folders with one language a file: Moses stems (`text.en` + `text.fr`) and sentence-similarity sets in translation.

A similarity set has files `NAME-LANGUAGE-SPLIT.csv` without a header: two sentences and a score, the same rows in every
language. Both sentences are taken, and rows that repeat in all the languages read are dropped.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from ...errors import DataError
from ..languages import find_code, names_a_language
from ..matching import choose
from .batches import NumberedCells, Reading, row_batches, stacked
from .formats import TABLE_SUFFIXES
from .gettext import find_catalogs, read_catalogs
from .lines import BadRows, bare_path
from .moses import read_moses
from .quoted import csv_records

_SIMILARITY_FILE = re.compile(r".+-(?P<language>[A-Za-z]{2,3}(_[A-Za-z]{2,4})*)-(?P<split>[A-Za-z]+)\.csv\Z")
_log = logging.getLogger(__name__)
Named = tuple[Path, str, str]  # a file, its language as it is spelled, and the canonical code
Parts = dict[str, list[Named]]  # by stem or split


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
    if splits := similarity_splits(folder, wanted):
        complete = _complete_parts(folder, part, splits, wanted)
        return _distinct(stacked([_read_split(files, bad) for files in complete]))
    stems = moses_stems(folder, wanted)
    if not stems and part is None and find_catalogs(folder):
        return read_catalogs(folder, wanted, bad)
    return stacked([_read_stem(files, bad) for files in _complete_parts(folder, part, stems, wanted)])


def moses_name(path: Path) -> tuple[str, str] | None:
    """Return stem and language of a file STEM.LANGUAGE, also with .txt, .gz or .zst behind; None for other names.

    Examples
    --------
    >>> moses_name(Path("news.fra-eng.fra")), moses_name(Path("en.txt.gz")), moses_name(Path("notes.tsv"))
    (('news.fra-eng', 'fr'), ('', 'en'), None)
    """
    found = _stem_and_spelling(path)
    return found and (found[0], str(find_code(found[1])))


def _stem_and_spelling(path: Path) -> tuple[str, str] | None:
    bare = bare_path(path)
    bare = bare.with_suffix("") if bare.suffix == ".txt" else bare
    stem, spelling = (bare.stem, bare.suffix[1:]) if bare.suffix else ("", bare.name)
    return None if bare.suffix in TABLE_SUFFIXES or find_code(spelling) is None else (stem, spelling)


def moses_stems(folder: Path, wanted: Sequence[str] = ()) -> Parts:
    """Return the Moses files of a folder by stem; stems of one language are left out.

    An ending is a language where it surely is one, is asked for, or stands in the stem too (`OPUS.en-bak.bak`): the
    `.ids` beside `.en` and `.fr` are no third language.
    """
    stems: Parts = {}
    unsure = []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or (found := _stem_and_spelling(path)) is None:
            continue
        stem, spelling = found
        code = str(find_code(spelling))
        if names_a_language(spelling) or spelling == "id" or code in wanted or spelling in re.split(r"[.-]", stem):
            stems.setdefault(stem, []).append((path, spelling, code))
        else:
            unsure.append((stem, path))
    several = _of_several_languages(stems)
    for stem, path in unsure:
        if not wanted and stem in several:
            _log.warning("%s is not read as a language. Name the languages if it is one.", path)
    return several


def read_stem(files: Sequence[Named], wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open the Moses files of one stem.

    Raises
    ------
    DataError
        If two files could be one language, or as `read_moses` does.
    """
    return _read_stem(_of_languages(files, wanted), bad)


def _read_stem(files: dict[str, Path], bad: BadRows) -> Reading:
    return read_moses(list(files.values()), tuple(files), bad)


def _read_split(files: dict[str, Path], bad: BadRows) -> Reading:
    """Open the similarity files of one split, each row of which gives two sentences."""
    paths, languages = list(files.values()), tuple(files)
    where = " + ".join(str(path) for path in paths)
    return Reading(languages, row_batches(where, languages, _both_sentences(paths, bad), bad))


def similarity_splits(folder: Path, wanted: Sequence[str] = ()) -> Parts:
    """Return the files NAME-LANGUAGE-SPLIT.csv of a folder by split, where there are several languages.

    What stands there is a language where it surely is one, or is asked for: `sales-net-total.csv` has none.
    """
    splits: Parts = {}
    for path in sorted(folder.glob("*.csv")):
        match = _SIMILARITY_FILE.match(path.name)
        code = find_code(match["language"]) if match else None
        if match and code and (code in wanted or code == "id" or names_a_language(match["language"])):
            splits.setdefault(match["split"], []).append((path, match["language"], code))
    return _of_several_languages(splits)


def _of_several_languages(parts: Parts) -> Parts:
    return {name: files for name, files in parts.items() if len({code for _, _, code in files}) > 1}


def _of_languages(files: Sequence[Named], wanted: Sequence[str]) -> dict[str, Path]:
    """Return the file of each language that is there, in the order in which they are asked for."""
    chosen = choose(str(files[0][0].parent), [(path.name, code) for path, _, code in files], wanted)
    return {language: files[place][0] for language, place in chosen.items()}


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
    found = [_of_languages(files, wanted) for _, files in sorted(chosen.items())]
    complete = [files for files in found if set(wanted) <= set(files)]
    if not complete:
        together = " | ".join(sorted({", ".join(sorted({code for _, _, code in f})) for f in chosen.values()}))
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
