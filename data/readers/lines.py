"""Text files as lines: plain, .gz or .zst, strictly UTF-8, with bad lines refused or counted and memory flat."""

from __future__ import annotations

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from ...errors import DataError

COMPRESSIONS = (".gz", ".zst")
LONGEST_LINE = 1 << 20  # bytes; a sentence is never that long, and a file without line ends must not fill the memory


@dataclass(frozen=True, slots=True)
class Dropped:
    """A reason for which rows were left out, and how many."""

    reason: str
    rows: int


def counted(reasons: Counter[str]) -> tuple[Dropped, ...]:
    """Return counts by reason, the most frequent first."""
    return tuple(Dropped(reason, rows) for reason, rows in reasons.most_common())


@dataclass(slots=True)
class BadRows:
    """What happens at a row that cannot be used: an error, or a count.

    Parameters
    ----------
    skip : bool
        Count bad rows and go on, instead of raising at the first.
    """

    skip: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)  # for each reason the first place, with its detail

    def report(self, where: str, reason: str, detail: str = "", *, rows: int = 1) -> None:
        """Count bad rows by their reason, or raise.

        Parameters
        ----------
        where : str
            File and line.
        reason : str
            What is wrong; counted under this name.
        detail : str
            What is wrong just here.
        rows : int
            Rows of the file that are lost by it.

        Raises
        ------
        DataError
            If bad rows are not to be skipped.
        """
        what = f"{where}: {reason}" + (f" ({detail})" if detail else "")
        if not self.skip:
            raise DataError(f"{what}. Mend it, or skip such rows with --skip-bad.")
        self.first.setdefault(reason, what)
        self.counts[reason] += rows

    def leave_out(self, reason: str, rows: int = 1) -> None:
        """Count rows that are sound but not wanted; never an error."""
        self.left_out[reason] += rows

    def dropped(self) -> tuple[Dropped, ...]:
        """Return all that was left out so far, bad or not wanted."""
        return counted(self.counts + self.left_out)


def bare_suffix(path: Path) -> str:
    """Return the suffix of the format, in lower case, compression taken off: `a.tsv.gz` is `.tsv`."""
    return bare_path(path).suffix.lower()


def bare_path(path: Path) -> Path:
    """Return the path without the suffix of a compression."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, decompressing .gz and .zst.

    Raises
    ------
    DataError
        If it is missing or may not be read.
    """
    try:
        stored = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"no such file: {path}. Check the path given to --corpus.") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}.") from error
    if path.suffix.lower() == ".gz":
        stored.close()
        return cast(IO[bytes], gzip.open(path, "rb"))
    if path.suffix.lower() == ".zst":
        stored.close()
        return io.BufferedReader(pa.CompressedInputStream(str(path), "zstd"), buffer_size=1 << 20)
    return stored


def text_lines(path: Path, bad: BadRows) -> Iterator[str | None]:
    """Yield the lines of a text file without their ends, and None for each line that was counted as bad.

    Only a line feed ends a line, so separators inside of a sentence (U+2028, form feeds) cannot shift one side.

    Raises
    ------
    DataError
        For bytes that are not UTF-8 (with line and offset), NUL bytes, lines over `LONGEST_LINE`, a damaged archive.
    """
    for number, (offset, raw) in enumerate(_raw_lines(path), start=1):
        yield _decoded(path, number, offset, raw, bad)


def _decoded(path: Path, number: int, offset: int, raw: bytes, bad: BadRows) -> str | None:
    if len(raw) > LONGEST_LINE:
        bad.report(f"{path}, line {number}", "line too long", f"more than {LONGEST_LINE} bytes")
        return None
    if b"\0" in raw:
        bad.report(f"{path}, line {number}", "NUL byte", f"byte {offset + raw.index(0)}; is this a text file in UTF-8?")
        return None
    try:
        return raw.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        place = f"byte {offset + error.start} of the text, value 0x{raw[error.start]:02x}; convert the file to UTF-8"
        bad.report(f"{path}, line {number}", "not UTF-8", place)
        return None


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its offset in the (decompressed) file, a line that is too long cut just over the limit."""
    offset = 0
    with open_binary(path) as stream:
        try:
            while raw := stream.readline(LONGEST_LINE + 1):
                length, rest = len(raw), raw
                while len(raw) > LONGEST_LINE and not rest.endswith(b"\n") and (rest := stream.readline(LONGEST_LINE)):
                    length += len(rest)
                start = 3 if offset == 0 and raw.startswith(b"\xef\xbb\xbf") else 0
                yield offset + start, raw[start:]
                offset += length
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> DataError:
    """Return the error for an archive that breaks off or is not what its suffix says."""
    return DataError(f"{path} is damaged or not a {path.suffix} file: {error}. Fetch it again.")
