"""Nearly equal texts: MinHash over character n-grams, locality-sensitive hashing, candidates verified exactly.

Signatures are computed by numpy over blocks of texts, so a million sentences take about a minute and memory grows by
`PERMUTATIONS` × 4 bytes a text. (The `datasketch` library, which hashes one set at a time, is some forty times slower.)

Source: A. Broder, "On the resemblance and containment of documents", 1997; P. Indyk and R. Motwani, "Approximate
nearest neighbors", 1998.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError

PERMUTATIONS = 60
NGRAM = 3
_RECALL = 0.99  # least share of pairs at the threshold itself that become candidates; above it the share grows fast
_BLOCK = 4096  # texts hashed at once: their n-grams fit the cache of a processor core
_WINDOW = 8  # neighbours compared within a bucket; larger buckets are joined through chains


def near_equal_labels(
    texts: Sequence[str], threshold: float, *, ngram: int = NGRAM, seed: int = 0
) -> NDArray[np.int64]:
    """Label texts so that nearly equal ones, joined transitively, share a label.

    Parameters
    ----------
    texts : sequence of str
        The n texts, best distinct.
    threshold : float
        Least Jaccard similarity of the sets of character n-grams, in (0, 1].
    ngram : int
        Characters in an n-gram, ≥ 1.
    seed : int
        Seed of the hash functions. It decides which of the pairs barely over the threshold are missed, at most 1 %.

    Returns
    -------
    (n,) int64
        The number of some text of the same component.

    Raises
    ------
    ConfigError
        If the threshold or n is out of range.
    """
    if not 0 < threshold <= 1:
        raise ConfigError(f"the threshold of near duplicates must be in (0, 1], got {threshold}.")
    if ngram < 1:
        raise ConfigError(f"the length of n-grams must be at least 1, got {ngram}.")
    forest = _Forest(len(texts))
    signatures = minhash_signatures(texts, ngram=ngram, seed=seed)
    for first, second in _candidates(signatures, threshold, forest):
        for i, j in zip(first.tolist(), second.tolist(), strict=True):
            if jaccard(texts[i], texts[j], ngram) >= threshold:
                forest.join(i, j)
    return forest.roots()


def jaccard(first: str, second: str, ngram: int = NGRAM) -> float:
    """Return the Jaccard similarity of the sets of character n-grams of two texts, in [0, 1].

    Examples
    --------
    >>> jaccard("abcde", "abcdx")
    0.5
    """
    a, b = character_ngrams(first, ngram), character_ngrams(second, ngram)
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def character_ngrams(text: str, n: int) -> set[str]:
    """Return the set of character n-grams of a text; a shorter text is one n-gram, padded."""
    padded = text.ljust(n, "\0")
    return {padded[i : i + n] for i in range(len(padded) - n + 1)}


def minhash_signatures(texts: Sequence[str], *, ngram: int = NGRAM, seed: int = 0) -> NDArray[np.uint32]:
    """Return MinHash signatures, (n, `PERMUTATIONS`): the share of equal entries estimates the Jaccard similarity."""
    draw = np.random.default_rng(seed)
    weights = draw.integers(0, 1 << 63, ngram, np.uint64) * np.uint64(2) + np.uint64(1)
    factors = draw.integers(0, 1 << 31, PERMUTATIONS, np.uint32) * np.uint32(2) + np.uint32(1)
    shifts = draw.integers(0, 1 << 32, PERMUTATIONS, np.uint32)
    signatures = np.empty((len(texts), PERMUTATIONS), np.uint32)
    for start in range(0, len(texts), _BLOCK):
        hashes, starts = _ngram_hashes(texts[start : start + _BLOCK], weights)
        for column in range(PERMUTATIONS):
            permuted = hashes * factors[column] + shifts[column]
            signatures[start : start + len(starts), column] = np.minimum.reduceat(permuted, starts)
    return signatures


def band_shape(threshold: float) -> tuple[int, int]:
    """Return bands and rows a band: the most selective that still find nearly all pairs at the threshold.

    A pair of similarity s becomes a candidate with probability 1 − (1 − s^rows)^bands.
    """
    shapes = [(PERMUTATIONS // rows, rows) for rows in range(1, 9)]
    return [(bands, rows) for bands, rows in shapes if rows == 1 or 1 - (1 - threshold**rows) ** bands >= _RECALL][-1]


def _ngram_hashes(texts: Sequence[str], weights: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Hash all n-grams of some texts, (grams,), and return where each text starts among them, (texts,)."""
    n = len(weights)
    padded = [text.ljust(n, "\0") for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    mixed = np.zeros(len(codes) - n + 1, np.uint64)
    for place, weight in enumerate(weights):
        mixed += codes[place : len(codes) - n + 1 + place] * weight
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    inside = np.ones(len(codes), bool)
    for back in range(1, n):
        inside[np.cumsum(lengths) - back] = False  # these would reach into the next text
    starts = np.concatenate([[0], np.cumsum(lengths - n + 1)[:-1]])
    return (mixed >> np.uint64(32)).astype(np.uint32)[inside[: len(mixed)]], starts


def _candidates(
    signatures: NDArray[np.uint32], threshold: float, forest: _Forest
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs that share a band, are not joined yet, and look near enough by their whole signatures."""
    bands, rows = band_shape(threshold)
    slack = 4 * np.sqrt(threshold * (1 - threshold) / PERMUTATIONS)  # four standard errors of the estimate
    for band in range(bands):
        keys = np.zeros(len(signatures), np.uint64)
        for column in signatures[:, band * rows : (band + 1) * rows].T:
            keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(32)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        for step in range(1, min(_WINDOW, len(order) - 1) + 1):
            near = np.flatnonzero(keys[step:] == keys[:-step])
            if not len(near):
                break
            first, second = order[near], order[near + step]
            roots = forest.roots()
            apart = roots[first] != roots[second]
            first, second = first[apart], second[apart]
            alike = _estimates(signatures, first, second) >= threshold - slack
            yield first[alike], second[alike]


def _estimates(
    signatures: NDArray[np.uint32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Estimate Jaccard similarities from signatures, (pairs,), in blocks."""
    shares = np.empty(len(first))
    for start in range(0, len(first), 1 << 16):
        block = slice(start, start + (1 << 16))
        shares[block] = (signatures[first[block]] == signatures[second[block]]).mean(axis=1)
    return shares


class _Forest:
    """Union–find over 0 … n − 1."""

    def __init__(self, n: int) -> None:
        self._parent = np.arange(n)

    def join(self, i: int, j: int) -> None:
        """Join the components of two members; the smaller root remains."""
        low, high = sorted((self._root(i), self._root(j)))
        self._parent[high] = low

    def roots(self) -> NDArray[np.int64]:
        """Return the root of every member, (n,)."""
        while True:
            above = self._parent[self._parent]
            if np.array_equal(above, self._parent):
                return above
            self._parent = above

    def _root(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = int(self._parent[i])
        return i
