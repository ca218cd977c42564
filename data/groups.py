"""Concept groups: rows whose source or target is the same, or nearly the same, belong together and never cross a split.

A pair that occurs in the training part of a split and again, lightly changed, in the held-out part makes any map look
better than it is. Groups are the connected components of the relation "equal or nearly equal on one side".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .bitext import Bitext
from .near_duplicates import NGRAM, near_equal_labels


class _WithoutPunctuation(dict[int, str | None]):
    """Translation table for `str.translate` that drops punctuation, separators and controls, filled as it is used."""

    def __missing__(self, code: int) -> str | None:
        kept = None if unicodedata.category(chr(code))[0] in "PZC" else chr(code)
        self[code] = kept
        return kept


def comparison_key(text: str, table: dict[int, str | None] | None = None) -> str:
    """Return a text as it is compared: NFKC, case folded, without punctuation and spaces.

    A text of nothing but punctuation is compared unchanged. Vowel signs and symbols are not removed.

    Examples
    --------
    >>> comparison_key("  Où est l’ＨÔTEL ?")
    'oùestlhôtel'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded.translate(_WithoutPunctuation() if table is None else table) or folded.strip()


def comparison_keys(texts: Sequence[str]) -> Iterator[str]:
    """Yield many texts as they are compared."""
    table = _WithoutPunctuation()
    return (comparison_key(text, table) for text in texts)


def concept_groups(
    bitext: Bitext, *, threshold: float | None = 0.8, ngram: int = NGRAM, seed: int = 0
) -> NDArray[np.int64]:
    """Find the concept groups of a bitext.

    Parameters
    ----------
    bitext : Bitext
        The n pairs. Groups that it gives itself are joined in.
    threshold : float or None
        Least Jaccard similarity of character n-grams, in (0, 1], at which two texts of one side are nearly the same;
        None joins equal texts only.
    ngram : int
        Characters in an n-gram.
    seed : int
        Seed of the hash functions that find candidates.

    Returns
    -------
    (n,) int64
        Group numbers 0 … g − 1 in the order in which the groups first appear.

    Raises
    ------
    ConfigError
        If the threshold or n is out of range.
    """
    labellings = []
    for texts in (bitext.sources, bitext.targets):
        places: dict[str, int] = {}
        keys = comparison_keys(texts)
        numbers = np.fromiter((places.setdefault(key, len(places)) for key in keys), np.int64, len(texts))
        if threshold is not None:
            numbers = near_equal_labels(list(places), threshold, ngram=ngram, seed=seed)[numbers]
        labellings.append(numbers)
    if bitext.groups is not None:
        labellings.append(np.unique(bitext.groups, return_inverse=True)[1].astype(np.int64))
    return _components(len(bitext), labellings)


def _components(n: int, labellings: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Join rows that share a label in any labelling, transitively; number the components by first appearance."""
    offset, nodes = n, []
    for labels in labellings:
        nodes.append(labels + offset)
        offset += int(labels.max(initial=-1)) + 1
    rows = np.tile(np.arange(n), len(labellings))
    edges = coo_array((np.ones(len(rows), np.int8), (rows, np.concatenate(nodes))), shape=(offset, offset))
    component = connected_components(edges, directed=False)[1][:n]
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)
