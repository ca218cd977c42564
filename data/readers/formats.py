"""Files that hold all languages: the suffix decides the format, and the format the reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import DataError
from .batches import Reading
from .columnar import read_columnar
from .gettext import CATALOG_SUFFIXES, read_catalog
from .jsonl import read_jsonl
from .layouts import has_layout
from .lines import BadRows, bare_suffix
from .tables import read_delimited
from .tmx import read_tmx

_DELIMITED = (".tsv", ".txt", ".csv")
_JSON_LINES = (".jsonl", ".ndjson")
_COLUMNAR = (".parquet", ".arrow")
TABLE_SUFFIXES = (*_DELIMITED, *_JSON_LINES, *_COLUMNAR, ".tmx", *CATALOG_SUFFIXES)


def read_file(path: Path, wanted: Sequence[str], bad: BadRows, *, given: Sequence[str] = ()) -> Reading:
    """Open a file in the format of its suffix.

    Parameters
    ----------
    path : Path
        `.tsv`, `.txt`, `.csv`, `.jsonl`, `.parquet`, `.arrow`, `.tmx`, `.po` or `.mo`; all but Parquet and Arrow also
        with `.gz` or `.zst` behind. Or a file of NLLB, such as `eng_Latn-fra_Latn.gz`.
    wanted : sequence of str
        Canonical codes of the languages to read; all that the file names where it is empty.
    bad : BadRows
        What to do with rows that cannot be used.
    given : sequence of str
        What stands in each column, as `named_columns` takes it; by default the file says it.

    Raises
    ------
    DataError
        If the file is missing or damaged, its format unknown, a language absent, or a row bad and not to be skipped.
    """
    suffix = bare_suffix(path)
    if suffix in _DELIMITED or has_layout(path):
        return read_delimited(path, wanted, bad, separator="," if suffix == ".csv" else "\t", given=given)
    if suffix in _JSON_LINES:
        return read_jsonl(path, wanted, bad, given=given)
    if suffix in _COLUMNAR:
        return read_columnar(path, wanted, bad, given=given)
    if given:
        raise DataError(f"{path} has no columns: leave --columns out.")
    if suffix == ".tmx":
        return read_tmx(path, wanted, bad)
    if suffix in CATALOG_SUFFIXES:
        return read_catalog(path, wanted, bad)
    raise DataError(
        f"{path}: unknown format {suffix or '(no suffix)'}: expected one of {', '.join(TABLE_SUFFIXES)}, "
        "or two Moses files given by repeating --corpus."
    )
