"""Words alone as one vector a subword piece: ridge in closed form, composed from the n-grams of the pieces.

A table of pieces cannot hold n-grams of unseen words, but its rows can be learned with them: the features of a text are
the sum of the features of its pieces, each of which has its own coordinate and the character n-grams within it. Rows of
rare pieces so share what their stems and endings say. After the fit each piece has one row, and a text is their mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from ...errors import DataError
from ..types import Floats32, Rows
from .hashed_ngrams import NgramBuckets, inverse_document_frequencies
from .sparse_ridge import TOLERANCE, sparse_ridge

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BITS = 22  # only the buckets in use take memory, and only the rows of pieces are kept
PENALTY = 0.08  # λ of unit rows, by P@1 on development text
OWN_WEIGHT = 1.0  # of a piece's own coordinate, against 1 for each of its n-grams


@dataclass(frozen=True, slots=True, eq=False)
class PieceWords:
    """ŷ(text) = the mean of the rows of its pieces.

    Parameters
    ----------
    rows : array (v, q) of float32
        One for each piece; the mean of y is part of each.
    penalty : float
        λ of the ridge.
    """

    rows: Floats32
    penalty: float

    @classmethod
    def fit(
        cls,
        pieces: Sequence[str],
        texts: Sequence[Sequence[int]],
        y: Rows,
        *,
        penalty: float = PENALTY,
        tolerance: float = TOLERANCE,
    ) -> Self:
        """Fit to texts as numbers of their pieces and the vectors of their translations.

        Parameters
        ----------
        pieces : sequence of str
            v pieces; a space marks the edge of a word.
        texts : sequence of sequences of int
            n texts.
        y : array (n, q)
        penalty, tolerance
            As for `HashedWords.fit`.

        Raises
        ------
        DataError
            If the numbers of rows differ, or no text has a piece.
        """
        if len(texts) != len(y):
            raise DataError(f"expected one row of y for each text, got {len(texts)} texts and {len(y)} rows")
        counts = _counts(texts, len(pieces))
        if not counts.nnz:
            raise DataError("no text holds a piece of the vocabulary")
        of_pieces = _features(pieces, counts)
        summed = counts @ of_pieces
        norms = np.sqrt(np.asarray(summed.multiply(summed).sum(axis=1)).ravel())
        scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0).astype(np.float32)
        unit = _scaled(summed, scale)
        mean = np.asarray(np.mean(y, axis=0, dtype=np.float64), np.float32)

        def blocks() -> Iterator[tuple[csr_array, Floats32]]:
            yield unit, np.asarray(y, np.float32) - mean

        weights = sparse_ridge(blocks, (unit.shape[1], len(mean)), penalty, tolerance=tolerance)
        # A mean of pieces is a sum divided by their number: on average as long as the unit rows of the fit.
        stretch = float(np.mean(np.asarray(counts.sum(axis=1)).ravel() * scale))
        return cls(stretch * np.asarray(of_pieces @ weights, np.float32) + mean, penalty)


def _counts(texts: Sequence[Sequence[int]], size: int) -> csr_array:
    from scipy.sparse import csr_array

    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    numbers = np.concatenate([np.asarray(text, np.int64) for text in texts]) if len(texts) else np.empty(0, np.int64)
    counts = csr_array((np.ones(len(numbers), np.float32), numbers, offsets), shape=(len(texts), size))
    counts.sum_duplicates()
    return counts


def _features(pieces: Sequence[str], counts: csr_array) -> csr_array:
    """Return the weighted n-grams of each piece beside its own coordinate, (v, used buckets + v)."""
    from scipy.sparse import csr_array, diags_array, hstack

    found = NgramBuckets.of_lines(pieces, BITS)
    ones = np.ones(len(found.buckets), np.float32)
    used, columns = np.unique(found.buckets, return_inverse=True)
    ngrams = csr_array((ones, columns, found.offsets), shape=(len(pieces), len(used)))
    ngrams.sum_duplicates()
    present = counts.copy()
    present.data[:] = 1
    in_texts = (present @ ngrams > 0).sum(axis=0)
    own = np.asarray(present.sum(axis=0)).ravel()
    n = counts.shape[0]
    weights = inverse_document_frequencies(np.asarray(in_texts).ravel(), n)
    weighted = ngrams @ diags_array(weights)
    singles = diags_array(OWN_WEIGHT * inverse_document_frequencies(own, n))
    return csr_array(hstack([weighted, singles], format="csr"), dtype=np.float32)


def _scaled(rows: csr_array, scale: Floats32) -> csr_array:
    scaled = rows.copy()
    scaled.data *= np.repeat(scale, np.diff(rows.indptr))
    return scaled
