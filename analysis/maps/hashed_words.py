"""Words alone for many rows: ridge from hashed character n-grams to vectors, in memory that rows do not fill.

`WordsMap` of words.py solves one equation a row; this form solves one a bucket by conjugate gradients
(sparse_ridge.py), so a million rows need no kernel. It differs from the dual form in its weights (plain counts instead
of their logarithms) and, with few buckets, in n-grams that share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from ...errors import DataError
from ..splits import group_folds
from ..types import Floats32, Labels, Rows
from .hashed_ngrams import NgramBuckets, inverse_document_frequencies
from .kernel_path import choice_rows, penalty_by_folds
from .sparse_ridge import TOLERANCE, sparse_ridge

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BITS = 16
BLOCK_ROWS = 8192
FOLDS = 5
ROUGH = 0.05  # tolerance where words are only looked at beside a row that is trained
KEPT_ROWS = 100_000  # features of so many rows, 150 MB, are kept between the steps; those of more rows are made anew


@dataclass(frozen=True, slots=True, eq=False)
class HashedWords:
    """ŷ(text) = Σ w(g) e(g) / ‖w‖ + μy over the occurrences g of n-grams, with w their inverse document frequencies.

    Parameters
    ----------
    table : array (buckets, q) of float32
        e.
    frequencies : array (buckets,) of float32
        w; 0 for a bucket that no training text holds.
    mean_y : array (q,) of float32
    penalty : float
        λ of the ridge.
    """

    table: Floats32
    frequencies: Floats32
    mean_y: Floats32
    penalty: float

    @property
    def bits(self) -> int:
        """Binary logarithm of the number of buckets."""
        return len(self.table).bit_length() - 1

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        y: Rows,
        *,
        groups: Labels | None = None,
        penalty: float | None = None,
        bits: int = BITS,
        seed: int = 0,
        tolerance: float = TOLERANCE,
    ) -> Self:
        """Fit to texts and the vectors of their translations.

        Parameters
        ----------
        texts : sequence of str
            n source texts.
        y : array (n, q)
            Target vectors; may lie on disk, it is read block by block.
        groups : array (n,), optional
            Concept group of each row; no group crosses the folds on which the penalty is chosen.
        penalty : float, optional
            λ > 0; chosen on inner folds of a sample by default.
        bits : int
            2^bits buckets.
        seed : int
            Draws the sample and deals groups to folds.
        tolerance : float
            Of `sparse_ridge`.

        Raises
        ------
        DataError
            If the numbers of rows differ, or no text holds an n-gram.
        """
        if len(texts) != len(y):
            raise DataError(f"expected one row of y for each text, got {len(texts)} texts and {len(y)} rows")
        frequencies = _weights_of_buckets(texts, bits)
        mean = np.asarray(np.mean(y, axis=0, dtype=np.float64), np.float32)
        if penalty is None:
            penalty = _chosen_penalty(texts, y, groups, frequencies, seed)
        kept = None if len(texts) > KEPT_ROWS else list(_features(texts, frequencies))

        def blocks() -> Iterator[tuple[csr_array, Floats32]]:
            made = _features(texts, frequencies) if kept is None else kept
            for start, features in zip(_starts(texts), made, strict=True):
                yield features, np.asarray(y[start : start + BLOCK_ROWS], np.float32) - mean

        table = sparse_ridge(blocks, (len(frequencies), len(mean)), penalty, tolerance=tolerance)
        return cls(table, frequencies, mean, penalty)

    def __call__(self, texts: Sequence[str]) -> Floats32:
        """Map m texts to (m, q); a text without any known n-gram gets the mean of y."""
        rows: Floats32 = NgramBuckets.of(texts, self.bits).unit_rows(self.frequencies) @ self.table + self.mean_y
        return rows


def words_out_of_fold(texts: Sequence[str], y: Rows, groups: Labels, *, seed: int = 0) -> Floats32:
    """Map each of n texts by words that were fitted without its fold, (n, q): what words say of text they did not see.

    The penalty is chosen once, on a sample of all rows.

    Parameters
    ----------
    texts : sequence of str
    y : array (n, q)
        Vectors of their translations.
    groups : array (n,)
        No group crosses the folds.
    seed : int

    Raises
    ------
    DataError
        If the numbers of rows differ, there are fewer groups than folds, or no text of a fold's rest holds an n-gram.
    """
    if len(texts) != len(y):
        raise DataError(f"expected one row of y for each text, got {len(texts)} texts and {len(y)} rows")
    frequencies = _weights_of_buckets(texts, BITS)
    penalty = _chosen_penalty(texts, y, groups, frequencies, seed)
    folds = group_folds(groups, FOLDS, np.random.default_rng(seed))
    predicted = np.empty((len(texts), np.shape(y)[1]), np.float32)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        words = HashedWords.fit([texts[row] for row in outside.tolist()], y[outside], penalty=penalty, tolerance=ROUGH)
        predicted[inside] = words([texts[row] for row in inside.tolist()])
    return predicted


def _weights_of_buckets(texts: Sequence[str], bits: int) -> Floats32:
    """Return the inverse document frequencies of 2^bits buckets in n texts.

    Raises
    ------
    DataError
        If no text holds an n-gram.
    """
    found = sum(
        (NgramBuckets.of(texts[i : i + BLOCK_ROWS], bits).document_frequencies(1 << bits) for i in _starts(texts)),
        start=np.zeros(1 << bits, np.int64),
    )
    if not found.any():
        raise DataError("no text holds a word: n-grams have nothing to go by")
    return inverse_document_frequencies(found, len(texts))


def _starts(texts: Sequence[str]) -> range:
    return range(0, len(texts), BLOCK_ROWS)


def _features(texts: Sequence[str], frequencies: Floats32) -> Iterator[csr_array]:
    bits = len(frequencies).bit_length() - 1
    for start in _starts(texts):
        yield NgramBuckets.of(texts[start : start + BLOCK_ROWS], bits).unit_rows(frequencies)


def _chosen_penalty(texts: Sequence[str], y: Rows, groups: Labels | None, frequencies: Floats32, seed: int) -> float:
    rng = np.random.default_rng(seed)
    rows = choice_rows(len(texts), rng)
    bits = len(frequencies).bit_length() - 1
    features = NgramBuckets.of([texts[row] for row in rows.tolist()], bits).unit_rows(frequencies)
    own = rows if groups is None else np.asarray(groups)[rows]
    return penalty_by_folds(lambda _: features, np.asarray(y[rows], np.float64), own, rng)
