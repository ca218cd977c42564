"""Which column of a file holds what: language codes in any spelling, and the few names with a meaning of their own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache

from ...errors import DataError
from ..bitext import DOMAIN, GROUP, REFERENCE, is_language_column
from ..languages import canonical_code, display_name, find_code, names_a_language
from ..matching import choose, serving

LEFT_OUT = "-"  # the name, in --columns, of a column that is not read
_REFERENCE_ENDINGS = (REFERENCE, "_alt")
_OWN_NAMES = ("english", "non_english")
_ROLES = frozenset(
    f"{role}{ending}"
    for role in ("source", "target", "src", "tgt", "trg", "text", "sentence", "translation", "sent", "input", "output")
    for ending in ("", "_text", "_sentence", "_lang", "1", "2", "_1", "_2")
)
_log = logging.getLogger(__name__)


def resolve_columns(
    names: Sequence[str], wanted: Sequence[str], where: str = "the table", *, given: bool = False
) -> tuple[str | None, ...]:
    """Return the name of each column of a file in a corpus table, None for a column that is left out.

    Parameters
    ----------
    names : sequence of str
        Column names of the file: language codes in any spelling, `group`, `domain`,
        `<language>_reference` (or `<language>_alt`), `english` and `non_english`.
    wanted : sequence of str
        Canonical codes that are asked for; where it is empty, all columns that surely name a language are kept. `id`
        is the number of a row unless Indonesian is asked for.
    where : str
        The file, for messages.
    given : bool
        Whether the names come from the user, so that every code among them is a language.

    Raises
    ------
    DataError
        If two columns could be one language, or have one meaning; the message names both.

    Examples
    --------
    >>> resolve_columns(["id", "eng", "fra_Latn", "en_alt", "score"], [])
    (None, 'en', 'fr', 'en_reference', None)
    >>> resolve_columns(["english", "non_english"], ["fr", "en"])
    ('en', 'fr')
    >>> resolve_columns(["en-US", "fr-FR", "en-US_alt"], ["en", "fr"])
    ('en', 'fr', 'en_reference')
    """
    meanings = [column_meaning(name, wanted) for name in names]
    if given:  # `id` from the user is Indonesian, never the number of a row
        meanings = [
            "id" if name.strip().lower() == "id" else meaning for name, meaning in zip(names, meanings, strict=True)
        ]
    elif not wanted:
        meanings = _sure(names, meanings, where)
    places = [place for place, meaning in enumerate(meanings) if meaning and is_language_column(meaning)]
    named = [(names[place], str(meanings[place])) for place in places]
    chosen = choose(where, named, wanted, fix=_without_second(meanings))
    served = {named[number][1]: asked for asked, number in chosen.items()}
    by_place = {places[number]: asked for asked, number in chosen.items()}
    resolved: list[str | None] = []
    for place, meaning in enumerate(meanings):
        column = by_place.get(place) if meaning and is_language_column(meaning) else _beside(meaning, served, wanted)
        if column is not None and column in resolved:
            first = names[resolved.index(column)]
            raise DataError(f"{where}: {first} and {names[place]} both mean {column}. Rename one of them.")
        resolved.append(column)
    return tuple(resolved)


def language_columns(resolved: Sequence[str | None]) -> tuple[str, ...]:
    """Return the languages among resolved columns."""
    return tuple(column for column in resolved if column is not None and is_language_column(column))


def is_header(cells: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether the first row of a file names its columns, and is no text.

    It does where it names all languages asked for. A row of other codes, spelled as codes are, is a header too, which
    then lacks a language: an error is better than a row of codes among the sentences. `Yes`, `Oui` is text.

    Examples
    --------
    >>> is_header(["en", "fr"], ["en", "fr"]), is_header(["Yes", "Oui"], ["en", "fr"]), is_header(["de", "es"], ["en"])
    (True, False, True)
    """
    if names_all(cells, wanted):
        return True
    meanings = [column_meaning(cell, wanted) for cell in cells]
    codes = {cell: code for cell, code in zip(cells, meanings, strict=True) if code and is_language_column(code)}
    found = any(serving(tuple(codes.values()), tuple(wanted)).values())
    if not all(map(_spelled_as_a_code, codes)):
        return False
    several = len(set(codes.values())) >= 2 and any(map(names_a_language, codes))
    return found or (several and (not wanted or all(meanings)))


def names_all(cells: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether there are languages that are asked for, and the cells of a row name all of them."""
    named = [cell for cell in cells if len(wanted) > 1 or _spelled_as_a_code(cell)]  # a file of Norwegian may begin: No
    held = language_columns([column_meaning(cell, wanted) for cell in named])
    return bool(wanted) and all(serving(held, tuple(wanted)).values())


def names_roles(cells: Sequence[str]) -> bool:
    """Tell whether the first row of a file is a header that says no languages.

    Examples
    --------
    >>> names_roles(["source", "target"]), names_roles(["Source", "Cible"])
    (True, False)
    """
    return len(set(cells)) > 1 and all(cell.strip().lower() in _ROLES for cell in cells)


def _spelled_as_a_code(cell: str) -> bool:
    return cell.islower() or cell.isupper() or not cell.isalpha()


def named_columns(names: Sequence[str], given: Sequence[str], where: str) -> list[str]:
    """Return the names of columns with those that the user gives in their places.

    Parameters
    ----------
    names : sequence of str
        Names, or the cells of the first row, in the file.
    given : sequence of str
        A name for each column, or `NAME=LANGUAGE` for some of them.
    where : str
        The file, for messages.

    Raises
    ------
    DataError
        If their number is another, a name is not there, or one has no meaning.

    Examples
    --------
    >>> named_columns(["0", "1", "2"], ["-", "en", "fr"], "a.tsv"), named_columns(["q", "a"], ["a=fr", "q=en"], "a.csv")
    (['-', 'en', 'fr'], ['en', 'fr'])
    """
    meanings = [name.rpartition("=")[2] for name in given]
    if unknown := [name for name in meanings if name != LEFT_OUT and column_meaning(name, [name]) is None]:
        raise DataError(
            f"--columns: {unknown[0]!r} is no column. Expected for each a language code, {GROUP}, {DOMAIN}, "
            f"<language>{REFERENCE}, or {LEFT_OUT} for one that is left out."
        )
    if renames_columns(given):
        renamed = dict(zip((name.rpartition("=")[0] for name in given), meanings, strict=True))
        if missing := [name for name in renamed if name not in names]:
            raise DataError(f"{where} has no column {missing[0]!r}: it holds {', '.join(names)}. Mend --columns.")
        return [renamed.get(name, LEFT_OUT) for name in names]
    if len(given) != len(names):
        raise DataError(
            f"{where} has {len(names)} columns, and --columns names {len(given)}: {','.join(given)}. "
            f"Give a name for each, {LEFT_OUT} for one that is left out."
        )
    return meanings


def renames_columns(given: Sequence[str]) -> bool:
    """Tell whether `--columns` says which names of the file mean what, and not what stands in which place."""
    return bool(given) and all("=" in name for name in given)


def column_meaning(name: str, wanted: Sequence[str]) -> str | None:
    """Return what a column of this name holds in a corpus table: a canonical code, or `group`, or another such name.

    None where it is no such name. `non_english` is the one other language asked for, and `French` is `fr` where that is
    asked for.
    """
    name = name.strip()
    lowered = name.lower()
    if lowered in (GROUP, DOMAIN):
        return lowered
    for ending in _REFERENCE_ENDINGS:
        if lowered.endswith(ending) and (code := find_code(name[: -len(ending)])):
            return f"{code}{REFERENCE}"
    if lowered == "english":
        return "en"
    if code := _by_english_name(tuple(wanted)).get(name.casefold()):
        return code
    if lowered == "non_english":
        others = [code for code in wanted if canonical_code(code) != "en"]
        return others[0] if len(others) == 1 else None
    return None if lowered == "id" and "id" not in wanted else find_code(name)


@lru_cache(maxsize=64)
def _by_english_name(wanted: tuple[str, ...]) -> dict[str, str]:
    return {display_name(code).casefold(): code for code in wanted if find_code(code)}


def _sure(names: Sequence[str], meanings: Sequence[str | None], where: str) -> list[str | None]:
    """Leave out columns whose names are codes by chance, with a line that says so."""
    unsure = [
        name
        for name, meaning in zip(names, meanings, strict=True)
        if meaning and is_language_column(meaning) and not names_a_language(name) and name.lower() not in _OWN_NAMES
    ]
    if unsure:
        _log.warning("%s: not read as a language: %s. Name the languages if it is one.", where, ", ".join(unsure))
    return [None if name in unsure else meaning for name, meaning in zip(names, meanings, strict=True)]


def _beside(meaning: str | None, served: dict[str, str], wanted: Sequence[str]) -> str | None:
    """Return the name of a column that holds no sentences: a reference is named as its language is."""
    if meaning is None or not meaning.endswith(REFERENCE):
        return meaning
    code = served.get(meaning.removesuffix(REFERENCE))
    return f"{code}{REFERENCE}" if code else None if wanted else meaning


def _without_second(meanings: Sequence[str | None]) -> str:
    """Return the option that keeps the first of several columns of one language."""
    columns = [LEFT_OUT if m is None or m in meanings[:place] else m for place, m in enumerate(meanings)]
    return f"Say which to read: --columns {','.join(columns)}"
