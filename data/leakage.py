"""Leakage: text of an evaluation corpus that is also in a training corpus, searched in three ever looser ways.

1. exact: the same string;
2. normalised: the same letters and digits, when case, accents, punctuation and spaces are left aside;
3. 13-gram: 13 words in a row in common; in scripts without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) 20 characters,
   about as much text. 13 words is the length that the GPT-3 report used (Brown et al., 2020, appendix C).

A training row is counted once in each language, under the strictest of the three.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .bitext import ParallelText
from .matching import serving

WORDS = 13
CHARACTERS = 20  # an average Chinese word has about one and a half characters
EXAMPLES = 5
_UNSPACED = ("CJK UNIFIED", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


class Kind(Enum):
    """How a training row overlaps with an evaluation row, the strictest first."""

    EXACT = "exact"
    NORMALISED = "normalised"
    NGRAM = "13-gram"


@dataclass(frozen=True, slots=True)
class OverlapExample:
    """One training row and the evaluation row that it overlaps."""

    training_row: int
    evaluation_row: int
    training_text: str
    evaluation_text: str


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """All overlap of one kind in one language.

    Parameters
    ----------
    language : str
        Canonical code.
    kind : Kind
        Kind of overlap.
    training_rows : (m,) int64
        Rows of the training corpus that overlap, ascending.
    evaluation_rows : (m,) int64
        The first evaluation row that each overlaps.
    examples : tuple of OverlapExample
        Up to `EXAMPLES` of them, spread over the rows.
    """

    language: str
    kind: Kind
    training_rows: NDArray[np.int64]
    evaluation_rows: NDArray[np.int64]
    examples: tuple[OverlapExample, ...]

    @property
    def count(self) -> int:
        """Number of training rows that overlap."""
        return len(self.training_rows)


@dataclass(frozen=True, slots=True, eq=False)
class OverlapReport:
    """The overlap of a training corpus with an evaluation corpus.

    Parameters
    ----------
    training, evaluation : str
        Names of the two corpora.
    fingerprint : str
        Fingerprint of the training corpus: rows can only be dropped from this text.
    training_size, evaluation_size : int
        Their rows.
    overlaps : tuple of Overlap
        One for each common language and kind, empty ones included.
    """

    training: str
    evaluation: str
    fingerprint: str
    training_size: int
    evaluation_size: int
    overlaps: tuple[Overlap, ...]

    @property
    def training_rows(self) -> NDArray[np.int64]:
        """All training rows that overlap in some language, ascending, (m,)."""
        return np.unique(np.concatenate([overlap.training_rows for overlap in self.overlaps])).astype(np.int64)

    @property
    def evaluation_rows(self) -> NDArray[np.int64]:
        """All evaluation rows that were found in the training corpus, ascending, (m,)."""
        return np.unique(np.concatenate([overlap.evaluation_rows for overlap in self.overlaps])).astype(np.int64)

    def sentence(self) -> str:
        """Return the finding in one sentence."""
        found, share = len(self.training_rows), len(self.evaluation_rows) / max(self.evaluation_size, 1)
        if not found:
            return f"No row of {self.training} overlaps with {self.evaluation}."
        return (
            f"{found} of {self.training_size} rows of {self.training} overlap with "
            f"{len(self.evaluation_rows)} of {self.evaluation_size} rows of {self.evaluation} ({share:.1%})."
        )


def check_overlap(training: ParallelText, evaluation: ParallelText) -> OverlapReport:
    """Find the rows of a training corpus whose text is in an evaluation corpus too, in any language that both have.

    A regional form of a language (`en-US`) is compared with the language and with its other forms in that corpus.

    Parameters
    ----------
    training, evaluation : ParallelText
        The two corpora.

    Raises
    ------
    DataError
        If they have no language in common.
    """
    held = evaluation.languages
    common = [(code, other) for code in training.languages for other in serving(held, (code,))[code]]
    if not common:
        raise DataError(
            f"{training.name} ({', '.join(training.languages)}) and {evaluation.name} "
            f"({', '.join(evaluation.languages)}) have no language in common: nothing can be compared."
        )
    overlaps = [
        overlap
        for language, other in common
        for overlap in _overlaps(language, training.column(language), evaluation.column(other))
    ]
    return OverlapReport(
        training.name, evaluation.name, training.fingerprint, len(training), len(evaluation), tuple(overlaps)
    )


def drop_overlap(training: ParallelText, report: OverlapReport) -> ParallelText:
    """Return a training corpus without the rows that a report names.

    Raises
    ------
    DataError
        If the report is about another text.
    """
    if report.fingerprint != training.fingerprint:
        raise DataError(f"the overlap report is not about this text of {training.name}: check the corpus again.")
    return training.take(np.setdiff1d(np.arange(len(training)), report.training_rows))


def _overlaps(language: str, training: Sequence[str], evaluation: Sequence[str]) -> Iterator[Overlap]:
    """Yield the overlap of each kind, every training row under the strictest that finds it."""
    left = np.ones(len(training), bool)
    for kind, keys in _KEYS.items():
        places: dict[str, int] = {}
        for row, text in enumerate(evaluation):
            for key in keys(text):
                places.setdefault(key, row)
        found = [
            (row, place)
            for row in np.flatnonzero(left).tolist()
            if (place := next((places[key] for key in keys(training[row]) if key in places), None)) is not None
        ]
        pairs = np.array(found, np.int64).reshape(-1, 2)
        left[pairs[:, 0]] = False
        shown = pairs[:: max(1, len(pairs) // EXAMPLES)][:EXAMPLES].tolist()
        examples = tuple(OverlapExample(i, j, training[i], evaluation[j]) for i, j in shown)
        yield Overlap(language, kind, pairs[:, 0], pairs[:, 1], examples)


class _Plain(dict[int, "str | None"]):
    """Translation table that drops accents and turns punctuation into spaces; filled as it is used.

    Only the accents of European scripts are dropped: vowel signs of other scripts are letters in all but name.
    """

    def __missing__(self, code: int) -> str | None:
        plain: str | None = chr(code)
        if 0x300 <= code <= 0x36F:
            plain = None
        elif unicodedata.category(chr(code))[0] in "PZCS":
            plain = " "
        self[code] = plain
        return plain


_PLAIN = _Plain()


def plain_words(text: str) -> list[str]:
    """Return the words of a text without case, accents and punctuation.

    Examples
    --------
    >>> plain_words("L’été, ÇA y est !")
    ['l', 'ete', 'ca', 'y', 'est']
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", folded.translate(_PLAIN)).split()


def ngram_keys(text: str) -> list[str]:
    """Return the 13-grams of words of a text, or its 20-grams of characters where its script has no spaces."""
    words = plain_words(text)
    joined = "".join(words)
    # Most letters belong to scripts that are written without spaces.
    sample = joined[:64]
    unspaced = sum(unicodedata.name(letter, "").startswith(_UNSPACED) for letter in sample if ord(letter) > 0xDFF)
    if 2 * unspaced > len(sample):
        return [joined[i : i + CHARACTERS] for i in range(len(joined) - CHARACTERS + 1)]
    return [" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)]


def normalised_keys(text: str) -> list[str]:
    """Return the letters and digits of a text as its one key; none where it has none."""
    key = "".join(plain_words(text))
    return [key] if key else []


_KEYS: dict[Kind, Callable[[str], list[str]]] = {
    Kind.EXACT: lambda text: [text],
    Kind.NORMALISED: normalised_keys,
    Kind.NGRAM: ngram_keys,
}
