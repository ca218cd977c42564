"""Words alone: ridge from the character n-grams of a text straight to the target's vectors, with no encoder between.

The control for every claim about encoders and maps: what it predicts of y needs no source embedding. Features are
tf-idf weights (Salton and Buckley, 1988) of character n-grams, within words where a script sets spaces, across
characters where it does not. The ridge is solved in its dual form, one equation a row, so cost and memory grow with
the square of the rows; hashed_words.py has the form for more of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..types import Floats, Indices
from .kernel_path import PENALTIES, KernelPath, choice_rows, penalty_by_folds, products

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import TfidfVectorizer

MOST_ROWS = 20_000  # a kernel matrix of so many rows holds 3.2 GB
UNSPACED = frozenset({"HIRAGANA", "KATAKANA", "CJK", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})
SPACED_NGRAMS, UNSPACED_NGRAMS = (2, 5), (1, 3)
NO_CHARACTER = "no text holds a character: words have nothing to go by"


@dataclass(frozen=True, slots=True, eq=False)
class WordsMap:
    """ŷ(text) = Σ αᵢ k(text, textᵢ) + μy, with k the cosine of tf-idf weighted character n-grams."""

    vectorizer: TfidfVectorizer
    features: csr_array  # (n, f) unit rows of the training texts
    dual: Floats  # (n, q)
    mean_y: Floats  # (q,)
    penalty: float

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        y: NDArray[np.floating],
        *,
        groups: NDArray[np.integer] | None = None,
        penalty: float | None = None,
        seed: int = 0,
    ) -> Self:
        """Fit to texts and the vectors of their translations.

        Parameters
        ----------
        texts : sequence of str
            n source texts, at most `MOST_ROWS`.
        y : array (n, q)
            Target vectors.
        groups : array (n,), optional
            Concept group of each row; no group crosses the folds on which the penalty is chosen.
        penalty : float, optional
            λ > 0 added to a kernel with ones on its diagonal; chosen on inner folds by default.
        seed : int
            Deals groups to folds.

        Raises
        ------
        DataError
            If the numbers of rows differ, there are more than `MOST_ROWS`, or no text holds a character.
        """
        _check(texts, y)
        target = np.asarray(y, np.float64)
        vectorizer = ngram_vectorizer(texts)
        try:
            features = vectorizer.fit_transform(texts)
        except ValueError as error:
            raise DataError(NO_CHARACTER) from error
        if penalty is None:
            penalty = chosen_penalty(texts, target, groups, seed)
        mean = target.mean(axis=0)
        kernel = products(features, features)
        kernel[np.diag_indices_from(kernel)] += penalty
        return cls(vectorizer, features, _solved(kernel, target - mean), mean, penalty)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Map m texts to (m, q); a text without any known n-gram gets the mean of y."""
        return products(self.vectorizer.transform(texts), self.features) @ self.dual + self.mean_y


def held_out_words(
    texts: Sequence[str], y: NDArray[np.floating], folds: NDArray[np.integer], *, seed: int = 0
) -> Floats:
    """Predict every row of y, (n, q), from words by a map fitted without its fold.

    The penalty of a fold is chosen by predicting its two neighbours from the others, so folds that keep groups whole
    keep them whole in the choice as well. It equals `WordsMap.fit` on each fold's training texts at that penalty.

    Parameters
    ----------
    texts : sequence of str
        n source texts.
    y : array (n, q)
        Target vectors.
    folds : array (n,)
        Outer fold of each row, 0 … F − 1, F ≥ 3.
    seed : int
        Draws the rows on which penalties are chosen where there are more than `CHOICE_ROWS`.

    Raises
    ------
    DataError
        As for `WordsMap.fit`.
    """
    _check(texts, y)
    target, counted = np.asarray(y, np.float64), Ngrams.of(texts)
    penalties = _penalties_of_folds(counted, target, folds, seed)
    predicted = np.empty(target.shape)
    for fold, penalty in enumerate(penalties):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        features, mean = counted.unit_rows(outside), target[outside].mean(axis=0)
        kernel = products(features[outside], features[outside])
        kernel[np.diag_indices_from(kernel)] += penalty
        dual = _solved(kernel, target[outside] - mean)
        predicted[inside] = products(features[inside], features[outside]) @ dual + mean
    return predicted


@dataclass(frozen=True, slots=True, eq=False)
class Ngrams:
    """How often each n-gram occurs in each text, counted once for all subsets of the texts."""

    frequency: csr_array  # (n, f) 1 + log count, where it occurs

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Count the n-grams of n texts.

        Raises
        ------
        DataError
            If no text holds a character.
        """
        vectorizer = ngram_vectorizer(texts)
        vectorizer.set_params(use_idf=False, norm=None)
        try:
            return cls(vectorizer.fit_transform(texts))
        except ValueError as error:
            raise DataError(NO_CHARACTER) from error

    def unit_rows(self, training: Indices) -> csr_array:
        """Return tf-idf weighted unit rows of all texts, (n, f), by the document frequencies of the training texts.

        n-grams that no training text holds weigh nothing, as if they were not in the vocabulary.
        """
        from sklearn.preprocessing import normalize

        found = np.bincount(self.frequency[training].indices, minlength=self.frequency.shape[1])
        weights = np.where(found > 0, np.log((1 + len(training)) / (1 + found)) + 1, 0.0)
        weighted = self.frequency.copy()
        weighted.data = weighted.data * weights[weighted.indices]
        return normalize(weighted, copy=False)


def _penalties_of_folds(counted: Ngrams, y: Floats, folds: NDArray[np.integer], seed: int) -> list[float]:
    """Choose λ for every fold; both neighbours of a pair of folds share one decomposition of the rest."""
    n_folds, rows = int(folds.max()) + 1, choice_rows(len(y), np.random.default_rng(seed))
    errors = np.zeros((n_folds, len(PENALTIES)))
    for first in range(n_folds):
        second = (first + 1) % n_folds
        training = rows[~np.isin(folds[rows], [first, second])]
        path = KernelPath.of(counted.unit_rows(training), y, training)
        for held_out, scored in ((first, second), (second, first)):
            errors[held_out] += path.errors(rows[folds[rows] == scored])
    return [PENALTIES[best] for best in np.argmin(errors, axis=1).tolist()]


def ngram_vectorizer(texts: Sequence[str]) -> TfidfVectorizer:
    """Return an unfitted vectorizer of character n-grams that suits the script of n texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    unspaced = is_unspaced(texts)
    return TfidfVectorizer(
        analyzer="char" if unspaced else "char_wb",
        ngram_range=UNSPACED_NGRAMS if unspaced else SPACED_NGRAMS,
        sublinear_tf=True,
    )


def is_unspaced(texts: Sequence[str]) -> bool:
    """Tell whether most letters of the first thousand texts are of a script that sets no spaces between words.

    Examples
    --------
    >>> is_unspaced(["今天天气很好"]), is_unspaced(["il fait beau"])
    (True, False)
    """
    letters = [c for text in texts[:1000] for c in text if c.isalpha()]
    unspaced = sum(unicodedata.name(c, "").split(" ")[0].split("-")[0] in UNSPACED for c in letters)
    return 2 * unspaced > len(letters)


def chosen_penalty(
    texts: Sequence[str], y: NDArray[np.floating], groups: NDArray[np.integer] | None = None, seed: int = 0
) -> float:
    """Choose λ out of `PENALTIES` by the error over inner folds, on at most `CHOICE_ROWS` rows.

    Parameters
    ----------
    texts : sequence of str
        n source texts.
    y : array (n, q)
    groups : array (n,), optional
        Concept groups; by default each row is one.
    seed : int
    """
    rng = np.random.default_rng(seed)
    rows = choice_rows(len(texts), rng)
    own = rows if groups is None else np.asarray(groups)[rows]
    counted = Ngrams.of([texts[row] for row in rows.tolist()])
    return penalty_by_folds(counted.unit_rows, np.asarray(y[rows], np.float64), own, rng)


def _solved(kernel: Floats, y: Floats) -> Floats:
    from scipy.linalg import solve

    return np.asarray(solve(kernel, y, assume_a="pos", overwrite_a=True), np.float64)


def _check(texts: Sequence[str], y: NDArray[np.floating]) -> None:
    if len(texts) != len(y):
        raise DataError(f"expected one row of y for each text, got {len(texts)} texts and {len(y)} rows")
    if len(texts) > MOST_ROWS:
        raise DataError(
            f"words are fitted on at most {MOST_ROWS} texts, got {len(texts)}: give a sample, or fit HashedWords"
        )
