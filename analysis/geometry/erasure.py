"""Where a cloud of embeddings keeps the language of a sentence: its directions, and ways to take them out.

Rows are sentences, labels are small integers 0 … c − 1, one for each language. Whatever is fitted on some rows is
returned as a record and applied to others, so that removal can be judged on held-out rows. Classifiers that tell how
much remains are in `identity`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigError, DataError
from ..types import Floats, Labels, Rows


def check_labels(x: Rows, labels: Labels) -> int:
    """Return the number of classes, or raise DataError unless labels 0 … c − 1 all occur, one for each row, c ≥ 2."""
    if x.ndim != 2 or labels.shape != (len(x),):
        raise DataError(f"expected one label for each row, got shapes {x.shape} and {labels.shape}")
    names = np.unique(labels)
    if len(names) < 2 or not np.array_equal(names, np.arange(len(names))):
        raise DataError(f"expected labels 0, 1, … with every one in use and at least two, got {names[:10]}")
    return len(names)


def class_means(x: Rows, labels: Labels) -> Floats:
    """Mean row of each class, (c, d).

    Parameters
    ----------
    x : array (n, d)
        Rows.
    labels : int array (n,)
        0 … c − 1, every one in use.

    Raises
    ------
    DataError
        If the labels are not such.
    """
    classes = check_labels(x, labels)
    sums = np.zeros((classes, x.shape[1]))
    np.add.at(sums, labels, np.asarray(x, np.float64))
    return sums / np.bincount(labels, minlength=classes)[:, None]


def language_directions(means: Floats, *, count: int | None = None) -> Floats:
    """Orthonormal directions (d, r) in which class means (c, d) differ, widest first; r ≤ c − 1.

    Parameters
    ----------
    means : array (c, d)
        Class means, weighted equally.
    count : int, optional
        How many to keep; by default all.

    Raises
    ------
    ConfigError
        If the count is out of range.
    DataError
        If all means are equal.
    """
    _, singular, right = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    rank = int(np.sum(singular > max(means.shape) * np.finfo(np.float64).eps * np.abs(means).max()))
    if rank == 0:
        raise DataError("all class means are equal: there is no language direction to speak of")
    if count is not None and not 1 <= count <= rank:
        raise ConfigError(f"expected 1 to {rank} directions for these classes, got {count}")
    return np.asarray(right[: rank if count is None else count].T, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class MeanRemoval:
    """Moves every class onto the common mean: x − mean(class) + mean over classes (Libovický et al., 2020).

    Needs to know the language of each row.
    """

    means: Floats  # (c, d)

    @classmethod
    def fit(cls, x: Rows, labels: Labels) -> MeanRemoval:
        """Take the class means of rows (n, d)."""
        return cls(class_means(x, labels))

    def __call__(self, x: Rows, labels: Labels) -> Floats:
        """Return rows (n, d) without their class's offset."""
        offsets = self.means - self.means.mean(axis=0)
        return np.asarray(x - offsets[labels], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Takes directions out, orthogonally, about a centre; needs no label to apply (Yang et al., 2021)."""

    centre: Floats  # (d,)
    directions: Floats  # (d, r) orthonormal

    @classmethod
    def fit(cls, x: Rows, labels: Labels, *, count: int | None = None) -> Projection:
        """Take the directions between class means of rows (n, d), the widest `count` of them or all."""
        means = class_means(x, labels)
        return cls(means.mean(axis=0), language_directions(means, count=count))

    def __call__(self, x: Rows) -> Floats:
        """Return rows (n, d) without what they hold along the directions."""
        moved = x - self.centre
        return np.asarray(x - (moved @ self.directions) @ self.directions.T, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Leace:
    """Least-squares concept erasure: the smallest change after which no linear classifier beats a constant one.

    r(x) = x − W⁺ P W (x − x̄), W the whitening of x and P the orthogonal projection onto the column space of W Σxz,
    z the one-hot label (Belrose et al., 2023, theorem 4.3). Needs no label to apply.
    """

    centre: Floats  # (d,)
    into: Floats  # (d, r) W⁺ U
    onto: Floats  # (r, d) Uᵀ W

    @classmethod
    def fit(cls, x: Rows, labels: Labels) -> Leace:
        """Fit on rows x (n, d) with labels (n,).

        Raises
        ------
        DataError
            If the labels are not 0 … c − 1 with every one in use, or x does not vary.
        """
        classes = check_labels(x, labels)
        rows = np.asarray(x, np.float64)
        centre = rows.mean(axis=0)
        moved = rows - centre
        one_hot = np.eye(classes)[labels]
        whiten, unwhiten = _whitening(moved.T @ moved / len(rows))
        cross = moved.T @ (one_hot - one_hot.mean(axis=0)) / len(rows)
        left, singular, _ = np.linalg.svd(whiten @ cross, full_matrices=False)
        # In whitened units these are correlations: what lies below is rounding.
        basis = left[:, singular > 1e-10]
        return cls(centre, unwhiten @ basis, basis.T @ whiten)

    def __call__(self, x: Rows) -> Floats:
        """Return rows (n, d) with the concept erased."""
        return np.asarray(x - ((x - self.centre) @ self.onto.T) @ self.into.T, np.float64)


def _whitening(covariance: Floats) -> tuple[Floats, Floats]:
    """Σ^(−1/2) and Σ^(1/2) on the directions with variance, each (d, d) symmetric."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
    if values[-1] <= 0 or not kept.any():
        raise DataError("x does not vary: there is nothing to erase")
    values, vectors = values[kept], vectors[:, kept]
    return (vectors / np.sqrt(values)) @ vectors.T, (vectors * np.sqrt(values)) @ vectors.T
