"""Message catalogs of gettext, PO and MO: a single file, or a locale tree such as /usr/share/locale.

The messages themselves are English. Untranslated, fuzzy and obsolete entries and plural forms are left out and counted.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polib

from ...errors import DataError
from ..bitext import DOMAIN
from ..blank import is_blank
from ..languages import find_code, names_a_language
from ..matching import distance
from .batches import NumberedCells, Reading, check_languages, row_batches
from .lines import BadRows, bare_path, bare_suffix, damaged, open_binary

CATALOG_SUFFIXES = (".po", ".mo")
SOURCE = "en"
_SAME = (0, 1)  # distances of `en` and `en-US`: the messages themselves
_MESSAGE = re.compile(rb"^msgid ", re.M)
_OTHER_LINE_ENDS = dict.fromkeys(map(ord, "\v\f\x1c\x1d\x1e\x85\u2028\u2029"), " ")


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalog file, the language it translates to, and its text domain (usually the name of a program)."""

    path: Path
    language: str
    domain: str


def read_catalog(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open one PO or MO file; its language is in its header, its name or its place in a locale tree.

    Raises
    ------
    DataError
        If the file is damaged, or its language is not the one asked for or is not known.
    """
    others = tuple(code for code in wanted if distance(SOURCE, code) not in _SAME)
    peeked = BadRows(skip=bad.skip)
    placed = _placed(path, path.parent, others)
    held = _header_language(path, peeked) or (placed.language if placed else None) or next(iter(others), None)
    if held is None:
        reasons = "".join(f" {what}." for what in peeked.first.values())
        raise DataError(
            f"{path} does not name its language: put it in the header (Language:) or as LANGUAGE.po.{reasons}"
        )
    check_languages(path, (SOURCE, held), wanted)
    columns = tuple(wanted) or (SOURCE, held)
    asked = next((code for code in columns if code in others), held)
    return Reading(columns, row_batches(path, columns, _rows([{asked: path}], columns, [""], bad), bad))


def read_catalogs(root: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open all catalogs of a locale tree that hold the wanted languages, a domain for each text domain.

    Raises
    ------
    DataError
        If no languages are given, or one of them has no catalogs.
    """
    others = [code for code in wanted if distance(SOURCE, code) not in _SAME]
    catalogs = find_catalogs(root, others)
    if not others:
        held = ", ".join(sorted({catalog.language for catalog in catalogs}))
        raise DataError(f"{root} holds message catalogs in {held}: say which languages to read.")
    by_domain: dict[str, dict[str, Path]] = {}
    for code in others:
        # The language itself comes before regional forms of it.
        found = [(far, c) for c in catalogs if (far := distance(c.language, code)) is not None]
        for _, catalog in sorted(found, key=lambda pair: (pair[0], pair[1].language, pair[1].path)):
            by_domain.setdefault(catalog.domain, {}).setdefault(code, catalog.path)
    complete = {name: files for name, files in sorted(by_domain.items()) if len(files) == len(others)}
    if not complete:
        check_languages(root, (SOURCE, *sorted({catalog.language for catalog in catalogs})), wanted)
        raise DataError(f"{root} has no program that is translated to {' and '.join(others)}. Choose other languages.")
    columns = (*wanted, DOMAIN)
    rows = _rows(list(complete.values()), tuple(wanted), list(complete), bad)
    return Reading(columns, row_batches(root, columns, rows, bad))


def find_catalogs(root: Path, wanted: Sequence[str] = ()) -> list[Catalog]:
    """Return the catalogs below a folder whose place or name has a language, in order."""
    # os.walk passes over folders that vanish or cannot be read, where Path.rglob raises.
    found = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    paths = sorted(path for path in found if bare_suffix(path) in CATALOG_SUFFIXES and path.is_file())
    return [catalog for path in paths if (catalog := _placed(path, root, wanted)) is not None]


def _placed(path: Path, root: Path, wanted: Sequence[str]) -> Catalog | None:
    """Return language and domain by LANGUAGE/LC_MESSAGES/DOMAIN.mo, DOMAIN.LANGUAGE.po or LANGUAGE.po.

    The name of a file is a language where it surely is one, or is asked for: `app.po` is no catalog in Apma.
    """
    stem = bare_path(path).stem
    if path.parent.name == "LC_MESSAGES":
        code = locale_language(path.parent.parent.name)
        return Catalog(path, code, stem) if code else None
    domain, _, name = stem.rpartition(".")
    code = locale_language(name)
    if code is None or not (code in wanted or "@" in name or names_a_language(name)):
        return None
    return Catalog(path, code, domain or path.parent.relative_to(root).as_posix())


def locale_language(name: str) -> str | None:
    """Return the language of a locale name, or None.

    Examples
    --------
    >>> [locale_language(name) for name in ("fr", "pt_BR", "zh_CN.UTF-8", "sr@latin", "C")]
    ['fr', 'pt-BR', 'zh-CN', 'sr-Latn', None]
    """
    place, _, modifier = name.partition("@")
    script = {"latin": "_Latn", "cyrillic": "_Cyrl"}.get(modifier, "")
    language, _, territory = place.partition(".")[0].partition("_")
    return find_code(language + script + (f"_{territory}" if territory else ""))


def _rows(
    files: Sequence[dict[str, Path]], columns: tuple[str, ...], domains: Sequence[str], bad: BadRows
) -> Iterator[NumberedCells]:
    """Yield each message with its translations, where all languages have it."""
    for paths, domain in zip(files, domains, strict=True):
        translations = {code: messages(path, bad) for code, path in paths.items()}
        first, *rest = translations.values()
        for number, (key, _) in enumerate(first.items(), start=1):
            if all(key in other for other in rest):
                texts = {code: found[key] for code, found in translations.items()}
                yield number, tuple(texts.get(column, key[1]) for column in columns) + ((domain,) if domain else ())


def messages(path: Path, bad: BadRows) -> dict[tuple[str, str], str]:
    """Return the translated messages of a catalog, by context and English text, spaces and line ends joined.

    Raises
    ------
    DataError
        If the file is damaged; where bad rows are skipped it is counted and gives nothing.
    """
    entries = _entries(path, bad)
    if entries is None:
        return {}
    found: dict[tuple[str, str], str] = {}
    for entry in entries:
        if isinstance(entry, polib.POEntry) and (entry.obsolete or entry.fuzzy):
            bad.leave_out("obsolete or fuzzy message")
        elif entry.msgid_plural:
            bad.leave_out("plural form")
        elif is_blank(entry.msgid) or is_blank(entry.msgstr):
            bad.leave_out("untranslated message")
        elif (key := (entry.msgctxt or "", " ".join(entry.msgid.split()))) in found:
            bad.leave_out("message that stands twice")
        else:
            found[key] = " ".join(entry.msgstr.split())
    return found


def _entries(path: Path, bad: BadRows) -> polib.POFile | polib.MOFile | None:
    """Parse a catalog; None where it is damaged, all its messages are counted, and bad rows are skipped."""
    with open_binary(path) as stream:
        try:
            raw = stream.read()
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(path, error) from error
    try:
        return _parsed(path, raw)
    except (OSError, ValueError, struct.error, LookupError) as error:
        lost = len(_MESSAGE.findall(raw)) - raw.startswith(b'msgid ""') if bare_suffix(path) == ".po" else 1
        where = f"{path}, line {raw[: error.start].count(10) + 1}" if isinstance(error, UnicodeDecodeError) else path
        bad.report(str(where), "not a message catalog", f"{type(error).__name__}: {error}", rows=max(lost, 1))
        return None


def _parsed(path: Path, raw: bytes) -> polib.POFile | polib.MOFile:
    """Parse a catalog, decoded as its header says; only line feeds may end the lines of a PO file."""
    if bare_suffix(path) == ".mo":
        return polib.mofile(raw)
    encoding = polib.detect_encoding(raw)
    text = raw.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding)
    if "\0" in text:
        raise ValueError("it holds NUL bytes")
    return polib.pofile(text.translate(_OTHER_LINE_ENDS) + "\n")


def _header_language(path: Path, bad: BadRows) -> str | None:
    """Return the language that the header of a catalog names, or None."""
    entries = _entries(path, bad)
    return None if entries is None else locale_language(entries.metadata.get("Language", ""))
