"""Words alone for many rows: ridge from hashed character n-grams to vectors, in memory that rows do not fill.

`WordsMap` of words.py solves one equation a row; this form solves one an n-gram by conjugate gradients
(sparse_ridge.py), so a million rows need no kernel. It differs from the dual form in the n-grams that it keeps, the
most frequent 65 536, and stops before the last digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from ...errors import DataError
from ..splits import group_folds
from ..types import Floats32, Labels, Rows
from .hashed_ngrams import BLOCK_ROWS, MOST_NGRAMS, NgramVocabulary
from .sparse_ridge import TOLERANCE, sparse_ridge

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PENALTY = 0.15  # λ of unit rows, by P@1 on development text; the least squared error would take twice as much
FOLDS = 5
ROUGH = 0.05  # tolerance where words are only looked at beside a row that is trained
KEPT_ROWS = 100_000  # features of so many rows, 150 MB, are kept between the steps; those of more rows are made anew


@dataclass(frozen=True, slots=True, eq=False)
class HashedWords:
    """ŷ(text) = Σ φ(g) e(g) + μy over the n-grams g of a text, with φ its unit row in a vocabulary.

    Parameters
    ----------
    table : array (f, q) of float32
        e.
    vocabulary : NgramVocabulary
        f n-grams.
    mean_y : array (q,) of float32
    penalty : float
        λ of the ridge.
    """

    table: Floats32
    vocabulary: NgramVocabulary
    mean_y: Floats32
    penalty: float

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        y: Rows,
        *,
        penalty: float = PENALTY,
        most: int = MOST_NGRAMS,
        tolerance: float = TOLERANCE,
    ) -> Self:
        """Fit to texts and the vectors of their translations.

        Parameters
        ----------
        texts : sequence of str
            n source texts.
        y : array (n, q)
            Target vectors; may lie on disk, it is read block by block.
        penalty : float
            λ > 0.
        most : int
            n-grams that the vocabulary keeps.
        tolerance : float
            Of `sparse_ridge`.

        Raises
        ------
        DataError
            If the numbers of rows differ, or no text holds an n-gram.
        """
        if len(texts) != len(y):
            raise DataError(f"expected one row of y for each text, got {len(texts)} texts and {len(y)} rows")
        vocabulary = NgramVocabulary.of(texts, most)
        mean = np.asarray(np.mean(y, axis=0, dtype=np.float64), np.float32)
        kept = None if len(texts) > KEPT_ROWS else list(_features(texts, vocabulary))

        def blocks() -> Iterator[tuple[csr_array, Floats32]]:
            made = _features(texts, vocabulary) if kept is None else kept
            for start, features in zip(_starts(texts), made, strict=True):
                yield features, np.asarray(y[start : start + BLOCK_ROWS], np.float32) - mean

        table = sparse_ridge(blocks, (len(vocabulary), len(mean)), penalty, tolerance=tolerance)
        return cls(table, vocabulary, mean, penalty)

    def __call__(self, texts: Sequence[str]) -> Floats32:
        """Map m texts to (m, q); a text without any known n-gram gets the mean of y."""
        rows: Floats32 = self.vocabulary.unit_rows(texts) @ self.table + self.mean_y
        return rows


def words_out_of_fold(texts: Sequence[str], y: Rows, groups: Labels, *, seed: int = 0) -> Floats32:
    """Map each of n texts by words that were fitted without its fold, (n, q): what words say of text they did not see.

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
    folds = group_folds(groups, FOLDS, np.random.default_rng(seed))
    predicted = np.empty((len(texts), np.shape(y)[1]), np.float32)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        words = HashedWords.fit([texts[row] for row in outside.tolist()], y[outside], tolerance=ROUGH)
        predicted[inside] = words([texts[row] for row in inside.tolist()])
    return predicted


def _starts(texts: Sequence[str]) -> range:
    return range(0, len(texts), BLOCK_ROWS)


def _features(texts: Sequence[str], vocabulary: NgramVocabulary) -> Iterator[csr_array]:
    for start in _starts(texts):
        yield vocabulary.unit_rows(texts[start : start + BLOCK_ROWS])
