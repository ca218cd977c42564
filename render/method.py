"""The short text of each section of docs/method.md, for the pages that refer to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "method.md"
_HEADING = re.compile(r"^## (\d+)\. (.+)$", re.M)
_MARKS = re.compile(r"[*`]")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the method; `text` is its first paragraph."""

    number: int
    title: str
    text: str


@cache
def sections() -> dict[int, Section]:
    """Return every section of the method by its number."""
    _, *parts = _HEADING.split(DOCUMENT.read_text(encoding="utf-8"))
    found = {}
    for number, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        paragraph = body.strip().split("\n\n")[0]
        found[int(number)] = Section(int(number), title.strip(), _MARKS.sub("", " ".join(paragraph.split())))
    return found


def cited(numbers: Iterable[int]) -> tuple[Section, ...]:
    """Return the sections with these numbers, each once and in order.

    Raises
    ------
    KeyError
        If a number has no section.
    """
    return tuple(sections()[number] for number in sorted(set(numbers)))
