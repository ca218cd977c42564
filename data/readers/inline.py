"""The text of a segment without its inline elements: codes of the original document, formatting, footnotes."""

from __future__ import annotations

import re
import unicodedata

from .lines import LONGEST_LINE

_PAIRED = frozenset(("bpt", "ept"))  # formatting, which may change within a word
_CODES = _PAIRED | frozenset(("ph", "it", "ut", "sub"))
_KEPT = frozenset(("hi", "g", "mrk"))
_BREAK = re.compile(r"<\s*/?\s*(br|p|div|li|ul|ol|t[dhr]|h[1-6r]|table|pre)\b|[\n\u2028]|\\(n|line|par|tab)\b", re.I)
_UNSPACED = ("CJK ", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_ENDS_A_WORD = frozenset(".,;:!?…)]}»”。、，；：！？")
_CODE = "\ufdd0"  # a noncharacter, never text: an inline code stood here


class Segment:
    """A segment that is being read: its pieces of text, and the elements that are open inside of it."""

    def __init__(self) -> None:
        self.depth = 0  # of elements inside of the segment
        self.size = 0
        self.undeclared = ""  # name of an entity that is declared nowhere
        self._pieces: list[str] = []
        self._silent = 0  # depth of elements whose text is left out
        self._code: list[str] = []  # the text of the code that is open

    def start(self, name: str) -> None:
        """Open an element."""
        self.depth += 1
        if self._silent or name in _CODES:
            self._silent += 1

    def end(self, name: str) -> None:
        """Close an element; a code that stands alone, or breaks the line, keeps two words apart."""
        self.depth -= 1
        if self._silent:
            self._silent -= 1
        if self._silent or name in _KEPT:
            return
        if name not in _PAIRED or _BREAK.search("".join(self._code)):
            self._pieces.append(_CODE)
        self._code = []

    def add(self, text: str) -> None:
        """Add characters."""
        if self._silent:
            self._code.append(text[:LONGEST_LINE])
            return
        self.size += len(text)
        if self.size <= LONGEST_LINE:
            self._pieces.append(text.replace(_CODE, " "))

    def lacks(self, name: str) -> None:
        """Note an entity that is declared nowhere, unless it stands in a code."""
        if not self._silent:
            self.undeclared = self.undeclared or name

    def text(self) -> str:
        """Return the text, with single spaces."""
        first, *others = re.split(f"{_CODE}+", "".join(self._pieces))
        for other in others:
            first += (" " if _two_words(first[-1:], other[:1]) else "") + other
        return " ".join(first.split())


def _two_words(before: str, behind: str) -> bool:
    """Tell whether characters on both sides of a code belong to two words: letters, not of a script without spaces.

    Examples
    --------
    >>> _two_words("e", "S"), _two_words(".", "S"), _two_words("w", "!"), _two_words("l’", "a"), _two_words("火", "车")
    (True, True, False, False, False)
    """
    if not behind.isalnum() or not (before.isalnum() or before in _ENDS_A_WORD) or not before:
        return False
    return not all(unicodedata.name(letter, "").startswith(_UNSPACED) for letter in (before, behind))
