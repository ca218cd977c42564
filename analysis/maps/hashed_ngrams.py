"""Character n-grams of many texts: their numbers by a hash, and the weighted rows of those that a vocabulary keeps.

Words, split at white space, lower-cased and padded by one space on each side, give n-grams of 2 to 5 characters; runs
of a script that sets no spaces between words give 1 to 3. No n-gram crosses from one kind into the other, so a text
that mixes scripts, or a model of several languages, needs no setting. Each n-gram goes to one of 2^bits buckets by a
hash of its code points (Weinberger et al., 2009), the same on every machine. A vocabulary is a list of buckets, so
many of them cost nothing: n-grams that were never seen rarely meet one that was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, DataError
from ..types import Floats32, Integers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LONGEST, SHORTEST_SPACED, LONGEST_UNSPACED = 5, 2, 3
LEAST_BITS, MOST_BITS = 8, 24
BITS = 22  # of a vocabulary: with 65 536 n-grams kept, one in 64 of those never seen is taken for one of them
MOST_NGRAMS = 1 << 16  # that a vocabulary keeps
BLOCK_ROWS = 8192
#: First code point of each range of scripts without spaces, and the first after it.
UNSPACED_RANGES = np.array(
    [
        (0x0E00, 0x10A0),  # Thai, Lao, Tibetan, Myanmar
        (0x1780, 0x1800),  # Khmer
        (0x3040, 0x3100),  # Hiragana, Katakana
        (0x3400, 0xA000),  # Han
        (0xF900, 0xFB00),
        (0x20000, 0x32000),
    ]
)
SPACE, BREAK = 0x20, 0x0A
MULTIPLIER, MIXER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True, eq=False)
class NgramBuckets:
    """The buckets of the n-grams of n texts, text by text.

    Parameters
    ----------
    buckets : array (t,) of int64
        One for each occurrence.
    offsets : array (n + 1,) of int64
        Where the occurrences of each text begin, and their number.
    """

    buckets: Integers
    offsets: Integers

    @classmethod
    def of(cls, texts: Sequence[str], bits: int) -> NgramBuckets:
        """Hash the n-grams of n texts into 2^bits buckets.

        Raises
        ------
        ConfigError
            If the number of bits is not within 8 … 24.
        """
        return cls.of_lines([f" {' '.join(text.lower().split())} " for text in texts], bits)

    @classmethod
    def of_lines(cls, lines: Sequence[str], bits: int) -> NgramBuckets:
        """Hash the n-grams of n lines without a line break as they are; a space marks the edge of a word.

        Raises
        ------
        ConfigError
            If the number of bits is not within 8 … 24.
        """
        if not LEAST_BITS <= bits <= MOST_BITS:
            raise ConfigError(f"n-grams are hashed to {LEAST_BITS} … {MOST_BITS} bits, got {bits}")
        points, text = _code_points(lines)
        counts = np.zeros((4, len(points) + 1), np.int32)  # running numbers of spaces, breaks, unspaced, and characters
        unspaced = (np.searchsorted(UNSPACED_RANGES.ravel(), points, side="right") % 2).astype(bool)
        for row, flags in enumerate((points == SPACE, points == BREAK, unspaced)):
            np.cumsum(flags, out=counts[row, 1:])
        hashes, valid = _windows(points, counts[:3], unspaced)
        chosen = (hashes >> np.uint64(64 - bits)).astype(np.int64)[valid]
        per_text = np.bincount(text, weights=valid.sum(axis=1), minlength=len(lines))[: len(lines)].astype(np.int64)
        return cls(chosen, np.concatenate([[0], np.cumsum(per_text)]))

    def document_frequencies(self, n_buckets: int) -> Integers:
        """Return in how many of the texts each bucket occurs, (buckets,)."""
        text = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        distinct = np.unique(text * n_buckets + self.buckets)
        return np.bincount(distinct % n_buckets, minlength=n_buckets).astype(np.int64)


@dataclass(frozen=True, eq=False)
class NgramVocabulary:
    """The n-grams that are looked at, by their buckets, and what each weighs.

    Parameters
    ----------
    buckets : array (f,) of int64
        Out of 2^22, ascending.
    frequencies : array (f,) of float32
        Inverse document frequencies.
    """

    buckets: Integers
    frequencies: Floats32

    @classmethod
    def of(cls, texts: Sequence[str], most: int = MOST_NGRAMS) -> Self:
        """Take the n-grams that are in most of n texts, at most so many of them.

        Raises
        ------
        DataError
            If no text holds an n-gram.
        """
        found = np.zeros(1 << BITS, np.int64)
        for start in range(0, len(texts), BLOCK_ROWS):
            found += NgramBuckets.of(texts[start : start + BLOCK_ROWS], BITS).document_frequencies(1 << BITS)
        seen = np.flatnonzero(found)
        if not len(seen):
            raise DataError("no text holds a word: n-grams have nothing to go by")
        kept = np.sort(seen[np.argsort(-found[seen], kind="stable")[:most]])
        return cls(kept, inverse_document_frequencies(found[kept], len(texts)))

    def __len__(self) -> int:
        return len(self.buckets)

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        """Where each bucket stands in the vocabulary, (2^22,), −1 for those that it lacks."""
        places = np.full(1 << BITS, -1, np.int32)
        places[self.buckets] = np.arange(len(self.buckets), dtype=np.int32)
        return places

    def unit_rows(self, texts: Sequence[str]) -> csr_array:
        """Return (1 + log count) · weight of the known n-grams of each text, (n, f), at unit length; 0 without any."""
        from scipy.sparse import csr_array

        found = NgramBuckets.of(texts, BITS)
        places = self._places[found.buckets]
        known = places >= 0
        offsets = np.concatenate([[0], np.cumsum(known)])[found.offsets]
        ones = np.ones(int(offsets[-1]), np.float32)
        rows = csr_array((ones, places[known], offsets), shape=(len(texts), len(self)))
        rows.sum_duplicates()
        repeated = rows.data > 1
        rows.data[repeated] = 1 + np.log(rows.data[repeated])
        rows.data *= self.frequencies[rows.indices]
        rows.data *= np.repeat(inverse_norms(rows.data, rows.indptr), np.diff(rows.indptr))
        return rows


def inverse_norms(values: Floats32, offsets: Integers) -> Floats32:
    """Return 1 / ‖values‖ of each text, (n,), and 0 for a text without any."""
    sums = np.concatenate([[0.0], np.cumsum(np.square(values, dtype=np.float64))])
    squares = np.diff(sums[offsets])
    return np.where(squares > 0, 1 / np.sqrt(np.maximum(squares, 1e-30)), 0.0).astype(np.float32)


def inverse_document_frequencies(found: Integers, n: int) -> Floats32:
    """Return log((1 + n) / (1 + found)) + 1 of each bucket, and 0 where no text holds it (Salton and Buckley, 1988)."""
    return np.where(found > 0, np.log((1 + n) / (1 + found)) + 1, 0.0).astype(np.float32)


def _code_points(lines: Sequence[str]) -> tuple[NDArray[np.uint32], Integers]:
    """Return the code points of all lines, a break after each, and the line of each, (c,)."""
    joined = "\n".join(lines) + "\n"
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    breaks = points == BREAK
    text = np.cumsum(breaks) - breaks
    return points, np.minimum(text, max(0, len(lines) - 1))


def _windows(
    points: NDArray[np.uint32], counts: NDArray[np.int32], unspaced: NDArray[np.bool_]
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Hash the windows of 1 … 5 characters at every place, and tell which are n-grams, both (c, 5)."""
    length = len(points)
    hashes, valid = np.zeros((length, LONGEST), np.uint64), np.zeros((length, LONGEST), bool)
    running = np.zeros(length, np.uint64)
    is_space = points == SPACE
    for n in range(1, LONGEST + 1):
        ends = length - n + 1
        if ends <= 0:
            break
        running = (running[:ends] + points[n - 1 :].astype(np.uint64)) * MULTIPLIER
        running ^= running >> np.uint64(29)
        mixed = (running ^ (running >> np.uint64(32))) * MIXER
        hashes[:ends, n - 1] = mixed ^ (mixed >> np.uint64(32)) * MIXER
        spaces, breaks, others = (count[n:] - count[:ends] for count in counts)
        at_edges = is_space[:ends].astype(np.int32) + (is_space[n - 1 :] if n > 1 else 0)
        kept = (others == n) if n <= LONGEST_UNSPACED else np.zeros(ends, bool)
        if n >= SHORTEST_SPACED:
            kept = kept | ((others == 0) & (spaces == at_edges) & (spaces < n))
        valid[:ends, n - 1] = kept & (breaks == 0)
    return hashes, valid
