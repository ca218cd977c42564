"""Why a wrong answer was taken for the right one, from the two texts alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.resampling import Resamples, percentile_interval
from ...analysis.retrieval.search import MatchRanks
from ...analysis.types import Floats
from ..experiment.pairs import Pairs
from ..results.retrieval import ErrorShare, WrongAnswer

NUMERAL_OR_NAME, NEAR_DUPLICATE, LENGTH, OTHER = "numeral or name differs", "near duplicate", "length", "other"
KINDS: tuple[str, ...] = (NUMERAL_OR_NAME, NEAR_DUPLICATE, LENGTH, OTHER)
ALIKE = 0.6
LENGTH_RATIO = 2.0
# Scripts without spaces are compared character by character.
_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:[.,]\d+)*")


def error_kind(right: str, found: str) -> str:
    """Return why `found` may have been taken for `right`, the first of `KINDS` that holds.

    Parameters
    ----------
    right, found : str
        Two texts of one language.

    Returns
    -------
    str
        *numeral or name differs*: numerals, or words with a capital inside the sentence, are not the same, and of the
        other words at least 60 % (Jaccard) are; *near duplicate*: at least 60 % of all words are the same;
        *length*: one is more than twice as long as the other; *other*.

    Examples
    --------
    >>> error_kind("The train leaves at 6.", "The train leaves at 8.")
    'numeral or name differs'
    >>> error_kind("It is raining.", "Ships were lost in the storm of that winter.")
    'length'
    """
    (marks, words), (other_marks, other_words) = _parts(right), _parts(found)
    if marks != other_marks and _alike(words, other_words):
        return NUMERAL_OR_NAME
    if _alike(words | marks, other_words | other_marks):
        return NEAR_DUPLICATE
    shorter, longer = sorted((len(right.strip()), len(found.strip())))
    return LENGTH if longer > LENGTH_RATIO * max(shorter, 1) else OTHER


def _parts(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Split the words into numerals and names, and the rest."""
    words = _WORD.findall(text)
    marks = {word for place, word in enumerate(words) if _is_numeral(word) or (place > 0 and word[0].isupper())}
    return frozenset(marks), frozenset(word.casefold() for word in words if word not in marks)


def _is_numeral(word: str) -> bool:
    return any(character.isdigit() for character in word)


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return bool(a | b) and len(a & b) >= ALIKE * len(a | b)


@dataclass(frozen=True, slots=True, eq=False)
class Mistakes:
    """Rows whose first answer by cosine is wrong, with what each was taken for and why it may have been."""

    pairs: Pairs
    ranks: MatchRanks
    taken: dict[int, int]  # row → row whose target was found in its place
    kinds: dict[int, str]

    @classmethod
    def of(cls, pairs: Pairs, ranks: MatchRanks, places: NDArray[np.int64]) -> Mistakes:
        """Look at the first answers; `places` (n, k) are the nearest members of the pool. Without texts: none."""
        if pairs.targets is None:
            return cls(pairs, ranks, {}, {})
        taken = {row: _taken_for(pairs, row, places[row]) for row in np.flatnonzero(ranks.cosine > 1).tolist()}
        kinds = {row: error_kind(pairs.targets[row], pairs.targets[other]) for row, other in taken.items()}
        return cls(pairs, ranks, taken, kinds)

    def shares(self, resamples: Resamples) -> Iterator[ErrorShare]:
        """Yield how many queries fail in each way."""
        if self.pairs.targets is None:
            return
        for kind in KINDS:
            flags = np.zeros(len(self.pairs.x))
            flags[[row for row, named in self.kinds.items() if named == kind]] = 1.0
            yield ErrorShare(kind, int(flags.sum()), percentile_interval(*resamples.mean(flags)))

    def examples(self, count: int) -> Iterator[WrongAnswer]:
        """Yield wrong answers of every kind in turn, of each kind the surest first."""
        rows = np.array(sorted(self.taken), dtype=np.intp)
        if not len(rows):
            return
        taken = np.array([self.taken[int(row)] for row in rows])
        right, found = (_cosines(self.pairs.x[rows], self.pairs.y[other]) for other in (rows, taken))
        surest = np.argsort(right - found, kind="stable").tolist()
        queues = [[i for i in surest if self.kinds[int(rows[i])] == kind] for kind in KINDS]
        for i in _in_turn(queues)[:count]:
            yield self._example(int(rows[i]), float(right[i]), float(found[i]))

    def _example(self, row: int, right: float, found: float) -> WrongAnswer:
        sources, targets = self.pairs.sources or (), self.pairs.targets or ()
        return WrongAnswer(
            row,
            sources[row],
            targets[row],
            targets[self.taken[row]],
            self.kinds[row],
            round(right, 6),
            round(found, 6),
            int(self.ranks.cosine[row]),
            int(self.ranks.csls[row]),
        )


def _taken_for(pairs: Pairs, row: int, places: NDArray[np.int64]) -> int:
    """Return the row whose target is the first wrong answer."""
    wrong = [place for place in places.tolist() if pairs.pool.groups[place] != pairs.groups[row]]
    return int(pairs.pool.rows[wrong[0] if wrong else int(places[0])])


def _in_turn(queues: list[list[int]]) -> list[int]:
    longest = max(map(len, queues))
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def _cosines(a: Floats, b: Floats) -> Floats:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray(np.einsum("ij,ij->i", a, b) / np.maximum(norms, 1e-300), np.float64)
