"""XML files as text: decoded as their first bytes or their declaration say, in every encoding that Python knows."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .lines import damaged, open_binary

_CHUNK = 1 << 16
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),  # before UTF-16: they begin with its mark
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
)  # fmt: skip
_NO_CHARACTER_SET = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")


class NotInEncoding(ValueError):
    """Bytes that are no text in the encoding of the file."""


def xml_encoding(path: Path) -> str:
    """Return the name of the encoding of an XML file, as Python knows it.

    The first bytes come before the declaration: a file that begins with `<?xml` in single bytes is not in UTF-16,
    whatever it says.

    Raises
    ------
    DataError
        If the file declares an encoding that is not known, or is missing or damaged.
    """
    head = next(_raw_chunks(path), b"")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    found = _DECLARED.match(head)
    declared = found[1].decode("ascii") if found else "utf-8"
    try:
        known = codecs.lookup(declared)
    except LookupError:
        known = None
    if known is None or not known._is_text_encoding or known.name.replace("-", "_") in _NO_CHARACTER_SET:
        raise DataError(
            f"{path} declares the encoding {declared!r}, which is not known: convert the file to UTF-8, "
            'and declare encoding="UTF-8".'
        )
    return "utf-8" if known.name.startswith(("utf-16", "utf-32")) else known.name


def xml_chunks(path: Path, encoding: str) -> Iterator[str]:
    """Yield the text of a file in pieces.

    Raises
    ------
    NotInEncoding
        After all text in front of bytes that are not in the encoding.
    DataError
        If the file is missing or damaged.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    for raw in _with_end(_raw_chunks(path)):
        state = decoder.getstate()
        try:
            yield decoder.decode(raw, final=not raw)
        except UnicodeError as error:
            decoder.setstate(state)
            yield _sound_part(decoder, raw)
            raise NotInEncoding(f"bytes that are not {encoding}: {getattr(error, 'reason', error)}") from error


def count_in_text(path: Path, encoding: str, pattern: re.Pattern[str], longest: int) -> int:
    """Count the matches of a pattern of at most so many characters in a file, whatever cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    found, rest = 0, ""
    for raw in _with_end(_raw_chunks(path)):
        text = rest + decoder.decode(raw, final=not raw)
        last = 0
        for match in pattern.finditer(text):
            found, last = found + 1, match.end()
        rest = text[max(last, len(text) - longest + 1) :]
    return found


def _sound_part(decoder: codecs.IncrementalDecoder, raw: bytes) -> str:
    """Return what can be decoded of a piece that cannot be decoded whole."""
    parts: list[str] = []
    for byte in raw:
        try:
            parts.append(decoder.decode(bytes([byte])))
        except UnicodeError:
            break
    return "".join(parts)


def _raw_chunks(path: Path) -> Iterator[bytes]:
    with open_binary(path) as stream:
        try:
            while raw := stream.read(_CHUNK):
                yield raw
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(path, error) from error


def _with_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    yield b""
