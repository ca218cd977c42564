"""Types of retrieval errors, from the right and the found text alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from ...analysis.resampling import Resamples, percentile_interval
from ...analysis.retrieval.ranks import MatchRanks
from ...analysis.types import Integers
from ..experiment.pairs import Pairs, row_cosines
from ..results.retrieval import ErrorShare, WrongAnswer

NUMERAL_OR_NAME, NEAR_DUPLICATE, LENGTH, OTHER = "numeral or name differs", "near duplicate", "length", "other"
ERROR_TYPES: tuple[str, ...] = (NUMERAL_OR_NAME, NEAR_DUPLICATE, LENGTH, OTHER)
ALIKE = 0.6
LENGTH_RATIO = 2.0
# Scripts without spaces are compared character by character.
_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:[.,]\d+)*")


def error_type(right: str, found: str) -> str:
    """Return how `found` differs from `right`: the first of `ERROR_TYPES` that applies.

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
    >>> error_type("The train leaves at 6.", "The train leaves at 8.")
    'numeral or name differs'
    >>> error_type("It is raining.", "Ships were lost in the storm of that winter.")
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
    marks = {
        word
        for place, word in enumerate(words)
        if any(character.isdigit() for character in word) or (place > 0 and word[0].isupper())
    }
    return frozenset(marks), frozenset(word.casefold() for word in words if word not in marks)


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return bool(a | b) and len(a & b) >= ALIKE * len(a | b)


@dataclass(frozen=True, slots=True, eq=False)
class WrongAnswers:
    """Queries whose first answer by cosine is wrong, with that answer and the type of the error."""

    pairs: Pairs
    ranks: MatchRanks
    found: dict[int, int]  # row → row of the target that was found
    types: dict[int, str]

    @classmethod
    def of(cls, pairs: Pairs, ranks: MatchRanks, places: Integers) -> WrongAnswers:
        """Take the first answers out of the nearest members of the pool, `places` (n, k); none without texts."""
        found, types = {}, {}
        wrong = np.flatnonzero(ranks.cosine > 1).tolist() if pairs.targets is not None else []
        for row in wrong:
            others = [place for place in places[row].tolist() if pairs.pool.groups[place] != pairs.groups[row]]
            found[row] = int(pairs.pool.rows[others[0] if others else int(places[row][0])])
            types[row] = error_type(pairs.targets[row], pairs.targets[found[row]])  # type: ignore[index]
        return cls(pairs, ranks, found, types)

    def shares(self, resamples: Resamples) -> Iterator[ErrorShare]:
        """Yield the share of queries with each type of error."""
        if self.pairs.targets is None:
            return
        for name in ERROR_TYPES:
            flags = np.zeros(len(self.pairs.x))
            flags[[row for row, of_row in self.types.items() if of_row == name]] = 1.0
            yield ErrorShare(name, int(flags.sum()), percentile_interval(*resamples.mean(flags)))

    def examples(self, count: int) -> Iterator[WrongAnswer]:
        """Yield wrong answers of each type in turn, those with the greatest difference in cosine first."""
        rows = np.array(sorted(self.types), dtype=np.intp)
        if self.pairs.sources is None or self.pairs.targets is None or not len(rows):
            return
        sources, targets = self.pairs.sources, self.pairs.targets
        answers = np.array([self.found[int(row)] for row in rows])
        right, found = (row_cosines(self.pairs.x[rows], self.pairs.y[other]) for other in (rows, answers))
        order = np.argsort(right - found, kind="stable").tolist()
        by_type = [[i for i in order if self.types[int(rows[i])] == name] for name in ERROR_TYPES]
        in_turn = [i for turn in zip_longest(*by_type) for i in turn if i is not None]
        for i in in_turn[:count]:
            row = int(rows[i])
            yield WrongAnswer(
                row,
                sources[row],
                targets[row],
                targets[self.found[row]],
                self.types[row],
                round(float(right[i]), 6),
                round(float(found[i]), 6),
                int(self.ranks.cosine[row]),
                int(self.ranks.csls[row]),
            )
