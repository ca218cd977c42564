"""Translation memories (TMX 1.4), streamed: the file is never held in memory, and entities are refused.

Native codes of the original document (`bpt`, `ept`, `ph`, `it`, `ut`) and footnotes (`sub`) are left out of the text,
highlighted text (`hi`) is kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ...errors import DataError
from ..languages import describe, find_code
from .batches import NumberedCells, Reading, check_languages, row_batches
from .lines import LONGEST_LINE, BadRows, damaged, open_binary

_LEFT_OUT = frozenset(("bpt", "ept", "ph", "it", "ut", "sub"))
_CHUNK = 1 << 16


@dataclass(slots=True)
class Unit:
    """One translation unit: the line where it starts and its text by canonical language code."""

    line: int
    texts: dict[str, str] = field(default_factory=dict)
    too_long: bool = False

    def text_in(self, language: str) -> str | None:
        """Return the text in a language, or in a regional form of it (`en-US` where `en` is asked for)."""
        if language in self.texts:
            return self.texts[language]
        return next((text for code, text in self.texts.items() if code.split("-")[0] == language), None)


def read_tmx(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open a translation memory.

    Units that lack one of the languages are counted as left out and are no error: memories are seldom complete.

    Parameters
    ----------
    path : Path
        `.tmx`, also `.gz` or `.zst`.
    wanted : sequence of str
        Canonical codes; the languages of the first unit where it is empty.
    bad : BadRows
        What to do with rows that cannot be used.

    Raises
    ------
    DataError
        If it is not XML, declares entities, or no unit holds the languages.
    """
    several = (tuple(unit.texts) for unit in units(path, BadRows(skip=True)) if len(unit.texts) > 1)
    columns = tuple(wanted) or next(several, ())
    if not columns:
        raise DataError(f"{path} has no translation unit (<tu>) in two languages: is it a translation memory?")
    return Reading(columns, row_batches(path, columns, _rows(path, columns, bad), bad))


def _rows(path: Path, columns: tuple[str, ...], bad: BadRows) -> Iterator[NumberedCells]:
    seen: set[str] = set()
    found = False
    for unit in units(path, bad):
        if unit.too_long:
            bad.report(
                f"{path}, line {unit.line}", "line too long", f"a segment of more than {LONGEST_LINE} characters"
            )
            continue
        texts = {column: unit.text_in(column) for column in columns}
        if missing := [column for column, text in texts.items() if text is None]:
            seen |= set(unit.texts)
            bad.leave_out(f"no {describe(missing[0])} in the unit")
            continue
        found = True
        yield unit.line, tuple(texts.values())
    if seen and not found:
        check_languages(path, tuple(sorted(seen)), columns)


def units(path: Path, bad: BadRows) -> Iterator[Unit]:
    """Yield the translation units of a memory one by one.

    Raises
    ------
    DataError
        If the XML is broken (an error even where bad rows are skipped would lose the rest silently: the loss is
        counted), or if it declares entities (never skipped).
    """
    handler = _Handler(path)
    with open_binary(path) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                handler.parser.Parse(chunk, False)
                yield from handler.take()
            handler.parser.Parse(b"", True)
        except expat.ExpatError as error:
            yield from handler.take()
            bad.report(f"{path}, line {error.lineno}", "broken XML, the rest of the file is lost", str(error))
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(path, error) from error


class _Handler:
    """Callbacks of the XML parser: gathers the segments of units."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._entity
        self.parser.ExternalEntityRefHandler = self._entity
        self._done: list[Unit] = []
        self._unit: Unit | None = None
        self._language: str | None = None
        self._pieces: list[str] | None = None  # of the segment that is open
        self._size = 0
        self._silent = 0  # depth of elements whose text is left out

    def take(self) -> list[Unit]:
        """Return the units that were completed since the last call."""
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "tu":
            self._unit = Unit(self.parser.CurrentLineNumber)
        elif name == "tuv":
            self._language = find_code(attributes.get("xml:lang") or attributes.get("lang") or "")
        elif name == "seg":
            self._pieces, self._size, self._silent = [], 0, 0
        elif self._silent or name in _LEFT_OUT:
            self._silent += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._pieces is not None:
            if self._unit is not None and self._language is not None:
                self._unit.texts.setdefault(self._language, " ".join("".join(self._pieces).split()))
            self._pieces = None
        elif name == "tu" and self._unit is not None:
            self._done.append(self._unit)
            self._unit = None
        elif self._silent:
            self._silent -= 1

    def _characters(self, text: str) -> None:
        if self._pieces is None or self._silent:
            return
        self._size += len(text)
        if self._size <= LONGEST_LINE:
            self._pieces.append(text)
        elif self._unit is not None:
            self._unit.too_long = True

    def _entity(self, *_: object) -> int:
        raise DataError(
            f"{self.path}, line {self.parser.CurrentLineNumber}: the file declares entities, which can read other "
            "files or fill the memory. Remove the declarations (<!ENTITY …>) and write the text itself."
        )
