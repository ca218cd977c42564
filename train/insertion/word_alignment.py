"""Word alignment of a bitext by IBM model 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...analysis.types import Floats, Integers

ITERATIONS = 8
EMPTY_WORD = ""


@dataclass(frozen=True, slots=True, eq=False)
class WordAlignment:
    """Expected alignment counts of two vocabularies.

    Parameters
    ----------
    new_words, known_words : list of str
        The vocabularies; `known_words[0]` is the empty word.
    new_counts, known_counts : dict
        Occurrences of each word.
    new_of, known_of : array (m,) of int64
        The m pairs of words that occur in one sentence pair, ordered by new word.
    counts : array (m,) of float64
        Expected number of times that the two are aligned.
    """

    new_words: list[str]
    known_words: list[str]
    new_counts: Counter[str]
    known_counts: Counter[str]
    new_of: Integers
    known_of: Integers
    counts: Floats

    def partners(self, least: float, most: int) -> list[list[tuple[str, float]]]:
        """Return for each new word the known words with at least a share of its alignments, the most likely first.

        Parameters
        ----------
        least : float
            Share of the new word's count, in [0, 1].
        most : int
            Greatest number of known words.
        """
        borders = np.searchsorted(self.new_of, np.arange(len(self.new_words) + 1))
        partners = []
        for start, end in pairwise(borders):
            shares = self.counts[start:end] / max(self.counts[start:end].sum(), 1e-12)
            best = np.argsort(-shares, kind="stable")[:most]
            known = self.known_of[start:end]
            partners.append([(self.known_words[known[i]], float(shares[i])) for i in best if shares[i] >= least])
        return partners


def align_words(new: Sequence[Sequence[str]], known: Sequence[Sequence[str]]) -> WordAlignment:
    """Estimate IBM model 1 of the new language given the known one by expectation maximisation.

    Parameters
    ----------
    new, known : sequences of n sentences, each a sequence of words
        Row i of one is the translation of row i of the other.

    Returns
    -------
    WordAlignment

    Notes
    -----
    Brown et al. (1993), model 1, with the empty word; eight iterations from equal probabilities. Memory and time grow
    with Σ |new sentence| · |known sentence|.
    """
    new_ids: dict[str, int] = {}
    known_ids: dict[str, int] = {EMPTY_WORD: 0}
    f, e, place = _word_pairs(new, known, new_ids, known_ids)
    pairs, which = np.unique(f * len(known_ids) + e, return_inverse=True)
    new_of, known_of = np.divmod(pairs, len(known_ids))
    probability: Floats = np.ones(len(pairs))
    counts: Floats = probability
    for _ in range(ITERATIONS):
        posterior = probability[which]
        posterior /= np.bincount(place, posterior)[place]
        counts = np.bincount(which, posterior, len(pairs)).astype(np.float64)
        probability = counts / np.bincount(known_of, counts)[known_of]
    return WordAlignment(
        list(new_ids),
        list(known_ids),
        Counter(word for sentence in new for word in sentence),
        Counter(word for sentence in known for word in sentence),
        new_of,
        known_of,
        counts,
    )


def _word_pairs(
    new: Sequence[Sequence[str]],
    known: Sequence[Sequence[str]],
    new_ids: dict[str, int],
    known_ids: dict[str, int],
) -> tuple[Integers, Integers, Integers]:
    """Return new word, known word and position of the new word, for all word pairs within sentence pairs."""
    new_parts, known_parts, places, first = [], [], [], 0
    for sentence, partner in zip(new, known, strict=True):
        f = [new_ids.setdefault(word, len(new_ids)) for word in sentence]
        e = [0, *(known_ids.setdefault(word, len(known_ids)) for word in partner)]
        new_parts.append(np.repeat(f, len(e)))
        known_parts.append(np.tile(e, len(f)))
        places.append(np.repeat(np.arange(first, first + len(f)), len(e)))
        first += len(f)
    return tuple(np.concatenate(parts).astype(np.int64) for parts in (new_parts, known_parts, places))  # type: ignore[return-value]
