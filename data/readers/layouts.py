"""Files of public corpora as they are downloaded: their names say which languages stand in which column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import langcodes

from ...errors import DataError
from ..hub_corpora import COLUMNS, Layout
from ..languages import find_code
from .columns import LEFT_OUT
from .lines import bare_path

_NLLB = re.compile(r"(?P<source>[a-z]{3}_[A-Z][a-z]{3})-(?P<target>[a-z]{3}_[A-Z][a-z]{3})(\.tsv)?\Z")
_CCMATRIX = re.compile(r"(?P<source>[a-z]{2,3})-(?P<target>[a-z]{2,3})\.bitextf\.tsv\Z")
_TATOEBA = re.compile(r"Sentence pairs in (?P<languages>.+) - \d{4}-\d\d-\d\d\.tsv\Z")
_MANYTHINGS = re.compile(r"(?P<language>[a-z]{3})\.txt\Z")


def has_layout(path: Path) -> bool:
    """Tell whether a file without a suffix of its format is known by its name."""
    return _NLLB.match(bare_path(path).name) is not None


def columns_by_name(path: Path, cells: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...] | None:
    """Return the name of each column, where the name of the file and the width of its first row say so.

    NLLB has nine columns and CCMatrix three (score first); the downloads of Tatoeba are number, sentence, number,
    sentence; those of ManyThings (`fra.txt`) English, the language, and whose sentences they are.

    Raises
    ------
    DataError
        If there are two columns whose order is not sure.

    Examples
    --------
    >>> columns_by_name(Path("Sentence pairs in English-French - 2024-05-01.tsv"), ["1", "Go.", "2", "Va !"], [])
    ('-', 'en', '-', 'fr')
    """
    name = bare_path(path).name
    if (found := _NLLB.match(name)) and len(cells) == len(COLUMNS[Layout.NLLB]):
        return _by_layout(Layout.NLLB, found)
    if (found := _CCMATRIX.match(name)) and len(cells) == len(COLUMNS[Layout.CCMATRIX]):
        return _by_layout(Layout.CCMATRIX, found)
    if (found := _TATOEBA.match(name)) and len(cells) == 4 and (pair := _named_pair(found["languages"])):
        return (LEFT_OUT, pair[0], LEFT_OUT, pair[1])
    if (found := _MANYTHINGS.match(name)) and (code := find_code(found["language"])) and code != "en":
        if len(cells) == 3 and cells[2].startswith("CC-BY"):
            return ("en", code, LEFT_OUT)
        if len(cells) == 2 and set(wanted) == {"en", code}:
            return _in_one_order(path, code, wanted)
    return None


def _in_one_order(path: Path, code: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the two columns of a file without a licence, where its name and the languages asked for agree on them."""
    if list(wanted) == ["en", code]:
        return ("en", code)
    raise DataError(
        f"{path} has two columns without a header: by its name English is the first, as asked for it is the second. "
        f"Give --columns en,{code} or --columns {code},en."
    )


def _by_layout(layout: Layout, found: re.Match[str]) -> tuple[str, ...]:
    return tuple(found[column] if column in ("source", "target") else LEFT_OUT for column in COLUMNS[layout])


def _named_pair(languages: str) -> tuple[str, str] | None:
    """Return two languages by their English names joined with a hyphen, which may stand in a name too."""
    parts = languages.split("-")
    for cut in range(1, len(parts)):
        try:
            first, second = (find_code(langcodes.find("-".join(p)).to_tag()) for p in (parts[:cut], parts[cut:]))
        except LookupError:
            continue
        if first and second:
            return first, second
    return None
