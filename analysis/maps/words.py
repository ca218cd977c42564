"""Words alone: ridge from the character n-grams of a text straight to the target's vectors, with no encoder between.

The control for every claim about encoders and maps: what it predicts of y needs no source embedding. Features are
tf-idf weights (Salton and Buckley, 1988) of character n-grams, within words where a script sets spaces, across
characters where it does not. The ridge is solved in its dual form, one equation a row, so cost and memory grow with
the square of the rows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..splits import group_folds
from ..types import Floats, Indices

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import TfidfVectorizer

PENALTIES: tuple[float, ...] = tuple(float(v) for v in np.geomspace(0.03, 10.0, 11))
MOST_ROWS = 20_000  # a kernel matrix of so many rows holds 3.2 GB
CHOICE_ROWS = 3000  # the penalty of unit rows does not depend on their number, so a sample chooses it
INNER_FOLDS = 3
UNSPACED = frozenset({"HIRAGANA", "KATAKANA", "CJK", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})
SPACED_NGRAMS, UNSPACED_NGRAMS = (2, 5), (1, 3)


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
            raise DataError("no text holds a character: words have nothing to go by") from error
        if penalty is None:
            penalty = chosen_penalty(texts, target, groups, seed)
        mean = target.mean(axis=0)
        kernel = _kernel(features, features)
        kernel[np.diag_indices_from(kernel)] += penalty
        return cls(vectorizer, features, _solved(kernel, target - mean), mean, penalty)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Map m texts to (m, q); a text without any known n-gram gets the mean of y."""
        return _kernel(self.vectorizer.transform(texts), self.features) @ self.dual + self.mean_y


def held_out_words(
    texts: Sequence[str],
    y: NDArray[np.floating],
    folds: NDArray[np.integer],
    *,
    groups: NDArray[np.integer] | None = None,
    seed: int = 0,
) -> Floats:
    """Predict every row of y, (n, q), from words by a map fitted without its fold.

    Parameters
    ----------
    texts : sequence of str
        n source texts.
    y : array (n, q)
        Target vectors.
    folds : array (n,)
        Outer fold of each row, 0 … F − 1.
    groups : array (n,), optional
        Concept group of each row.
    seed : int
        Deals groups to the inner folds on which each penalty is chosen.

    Raises
    ------
    DataError
        As for `WordsMap.fit`.
    """
    predicted = np.empty(y.shape)
    for fold in range(int(folds.max()) + 1):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        own = None if groups is None else groups[outside]
        fitted = WordsMap.fit(_taken(texts, outside), y[outside], groups=own, seed=seed)
        predicted[inside] = fitted(_taken(texts, inside))
    return predicted


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
    rows: Indices = np.sort(rng.permutation(len(texts))[:CHOICE_ROWS])
    own = rows if groups is None else np.asarray(groups)[rows]
    if len(np.unique(own)) < INNER_FOLDS:
        return PENALTIES[-1]
    folds = group_folds(own, INNER_FOLDS, rng)
    errors = np.zeros(len(PENALTIES))
    for fold in range(INNER_FOLDS):
        inside, outside = rows[folds == fold], rows[folds != fold]
        errors += _path_errors(
            [texts[i] for i in outside.tolist()], y[outside], [texts[i] for i in inside.tolist()], y[inside]
        )
    return PENALTIES[int(np.argmin(errors))]


def _path_errors(
    texts: Sequence[str], y: NDArray[np.floating], other_texts: Sequence[str], other_y: NDArray[np.floating]
) -> Floats:
    """Σ‖y − ŷ‖² over other rows for every penalty, through the eigenvectors of the kernel."""
    vectorizer = ngram_vectorizer(texts)
    features = vectorizer.fit_transform(texts)
    mean = y.mean(axis=0, dtype=np.float64)
    eigenvalues, vectors = np.linalg.eigh(_kernel(features, features))
    across = _kernel(vectorizer.transform(other_texts), features) @ vectors
    turned, centred = vectors.T @ (y - mean), other_y - mean
    return np.array(
        [np.square(centred - across @ (turned / (eigenvalues[:, None] + penalty))).sum() for penalty in PENALTIES]
    )


def _taken(texts: Sequence[str], rows: Indices) -> list[str]:
    return [texts[row] for row in rows.tolist()]


def _kernel(left: csr_array, right: csr_array) -> Floats:
    return np.asarray((left @ right.T).toarray(), np.float64)


def _solved(kernel: Floats, y: Floats) -> Floats:
    from scipy.linalg import solve

    return np.asarray(solve(kernel, y, assume_a="pos", overwrite_a=True), np.float64)


def _check(texts: Sequence[str], y: NDArray[np.floating]) -> None:
    if len(texts) != len(y):
        raise DataError(f"expected one row of y for each text, got {len(texts)} texts and {len(y)} rows")
    if len(texts) > MOST_ROWS:
        raise DataError(f"words are fitted on at most {MOST_ROWS} texts, got {len(texts)}: give a sample of them")
