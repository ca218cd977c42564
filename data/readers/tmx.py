"""Translation memories (TMX 1.4), streamed: the file is never held in memory, and entities are refused.

Native codes of the original document (`bpt`, `ept`, `ph`, `it`, `ut`) and footnotes (`sub`) are left out of the text,
highlighted text (`hi`) is kept. Where a code stands between two words these stay two words.
"""

from __future__ import annotations

import html.entities
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ...errors import DataError
from ..languages import describe, find_code
from ..matching import serving
from .batches import NumberedCells, Reading, check_languages, row_batches
from .inline import Segment
from .lines import LONGEST_LINE, BadRows
from .majority import languages_of_most
from .xml_text import NotInEncoding, count_in_text, xml_chunks, xml_encoding

_BROKEN = "broken XML, the rest of the file is lost"
_UNIT = re.compile(r"<(?:[\w.-]{1,20}:)?tu[\s>]")
MOST_NAMED = 5  # languages that are no codes, in a message
_LONGEST_START = 26  # of what `_UNIT` matches


@dataclass(slots=True)
class Unit:
    """A translation unit: the line where it starts, its text by canonical code, and what is wrong in it."""

    line: int
    texts: dict[str, str] = field(default_factory=dict)
    faults: dict[str, tuple[str, str]] = field(default_factory=dict)  # by language: reason and detail
    unknown: list[str] = field(default_factory=list)  # names of languages that are no codes
    repeated: bool = False  # a language has several texts, of which the first is taken


def read_tmx(path: Path, wanted: Sequence[str], bad: BadRows) -> Reading:
    """Open a translation memory.

    Units that lack one of the languages are counted as left out and are no error: memories are seldom complete.

    Parameters
    ----------
    path : Path
        `.tmx`, also `.gz` or `.zst`.
    wanted : sequence of str
        Canonical codes; where it is empty those languages that keep the most text.
    bad : BadRows
        What to do with rows that cannot be used.

    Raises
    ------
    DataError
        If it is not XML, declares entities or an unknown encoding, or no unit holds the languages.
    """
    columns = tuple(wanted) or _most_languages(path, bad)
    return Reading(columns, row_batches(path, columns, _rows(path, columns, bad), bad))


def _most_languages(path: Path, bad: BadRows) -> tuple[str, ...]:
    """Return the languages of most units; what is wrong with the file is said here, where it leaves none."""
    peeked = BadRows(skip=bad.skip)
    held, unknown = Counter[tuple[str, ...]](), set[str]()
    for unit in units(path, peeked):
        unknown.update(unit.unknown)
        if len(unit.texts) > 1:
            held[tuple(unit.texts)] += 1
    if held:
        return languages_of_most(str(path), held)
    raise _without_units(path, unknown, "".join(f" {what}." for what in peeked.first.values()))


def _without_units(path: Path, unknown: set[str], reasons: str = "") -> DataError:
    named = ", ".join(sorted(unknown)[:MOST_NAMED])
    why = f"it names {named}, which are no language codes." if unknown else "is it a translation memory?"
    return DataError(f"{path} has no translation unit (<tu>) in two languages: {why}{reasons}")


def _rows(path: Path, columns: tuple[str, ...], bad: BadRows) -> Iterator[NumberedCells]:
    seen, unknown = set[str](), set[str]()
    found = False
    for unit in units(path, bad):
        served = serving(tuple(unit.texts), columns)
        if missing := [column for column, codes in served.items() if not codes]:
            seen |= set(unit.texts)
            unknown.update(unit.unknown)
            bad.leave_out(f"no {describe(missing[0])} in the unit")
            continue
        found = True
        used = [codes[0] for codes in served.values()]
        if fault := next((unit.faults[code] for code in used if code in unit.faults), None):
            bad.report(f"{path}, line {unit.line}", *fault)
            continue
        if unit.repeated:
            bad.leave_out("another text in a language of the same unit")
        yield unit.line, tuple([unit.texts[code] for code in used])
    if seen and not found:
        check_languages(path, tuple(sorted(seen)), columns)
    if not seen and not found and not bad.counts:
        raise _without_units(path, unknown)


def units(path: Path, bad: BadRows) -> Iterator[Unit]:
    """Yield the translation units of a memory one by one.

    Raises
    ------
    DataError
        If the XML is broken (where bad rows are skipped, the units that are lost are counted), or if it declares
        entities or an unknown encoding (never skipped).
    """
    encoding = xml_encoding(path)
    handler = _Handler(path)
    done = 0
    try:
        for chunk in xml_chunks(path, encoding):
            handler.parser.Parse(chunk, False)
            complete = handler.take()
            done += len(complete)
            yield from complete
        handler.parser.Parse("", True)
    except (expat.ExpatError, NotInEncoding) as error:
        complete = handler.take()
        yield from complete
        lost = count_in_text(path, encoding, _UNIT, _LONGEST_START) - done - len(complete)
        line = error.lineno if isinstance(error, expat.ExpatError) else handler.parser.CurrentLineNumber
        bad.report(f"{path}, line {line}", _BROKEN, str(error), rows=max(lost, 1))


class _Handler:
    """Callbacks of the XML parser: gathers the segments of units."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parser = expat.ParserCreate("utf-8")  # what it is given is text, whatever the file declares
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._entity
        self.parser.ExternalEntityRefHandler = self._entity
        # An entity that is declared nowhere is then passed on, where it else ends the file or leaves the text silently.
        self.parser.UseForeignDTD(True)
        self.parser.SkippedEntityHandler = self._undeclared
        self._done: list[Unit] = []
        self._unit: Unit | None = None
        self._language: str | None = None
        self._segment: Segment | None = None  # that is open

    def take(self) -> list[Unit]:
        """Return the units that were completed since the last call."""
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]  # of a namespace
        if self._segment is not None:
            self._segment.start(name)
        elif name == "tu":
            self._unit = Unit(self.parser.CurrentLineNumber)
        elif name == "tuv":
            named = (attributes.get("xml:lang") or attributes.get("lang") or "").strip()
            self._language = find_code(named)
            if named and self._language is None and self._unit is not None:
                self._unit.unknown.append(named)
        elif name == "seg":
            self._segment = Segment()

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "seg" and self._segment is not None and not self._segment.depth:
            self._close(self._segment)
        elif self._segment is not None:
            self._segment.end(name)
        elif name == "tuv":
            self._language = None
        elif name == "tu" and self._unit is not None:
            self._done.append(self._unit)
            self._unit = None

    def _close(self, segment: Segment) -> None:
        self._segment = None
        unit, language = self._unit, self._language
        if unit is None or language is None:
            return
        if language in unit.texts:
            unit.repeated = True
            return
        unit.texts[language] = segment.text()
        if segment.size > LONGEST_LINE:
            unit.faults[language] = ("line too long", f"a segment of more than {LONGEST_LINE} characters")
        elif segment.undeclared:
            unit.faults[language] = ("an entity that is declared nowhere", f"&{segment.undeclared};")

    def _characters(self, text: str) -> None:
        if self._segment is not None:
            self._segment.add(text)

    def _undeclared(self, name: str, _: bool) -> None:
        """Take an entity of HTML for what it is there; another one is a fault of its segment."""
        if self._segment is None:
            return
        if text := html.entities.html5.get(f"{name};"):
            self._segment.add(text)
        else:
            self._segment.lacks(name)

    def _entity(self, *_: object) -> int:
        raise DataError(
            f"{self.path}, line {self.parser.CurrentLineNumber}: the file declares entities, which can read other "
            "files or fill the memory. Remove the declarations (<!ENTITY …>) and write the text itself."
        )
