"""Directions that separate languages in a cloud of embeddings, and methods that remove them.

Rows are sentences, labels are integers 0 … c − 1, one for each language. Each method is fitted on some rows and applied
to others, so that it can be evaluated on held-out rows. The classifiers that measure what remains are in
`language_probe`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigError, DataError
from ..types import Floats, Labels, Rows


def check_labels(x: Rows, labels: Labels) -> int:
    """Return the number of classes c ≥ 2, or raise DataError.

    Parameters
    ----------
    x : array (n, d)
    labels : int array (n,)
        0 … c − 1, every one in use.

    Raises
    ------
    DataError
        If there is not one label for each row, or the labels are not 0 … c − 1 with every one in use.
    """
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
        If there is not one label for each row, or the labels are not 0 … c − 1 with every one in use.
    """
    classes = check_labels(x, labels)
    sums = np.zeros((classes, x.shape[1]))
    np.add.at(sums, labels, np.asarray(x, np.float64))
    return sums / np.bincount(labels, minlength=classes)[:, None]


def language_directions(means: Floats, *, count: int | None = None) -> Floats:
    """Orthonormal directions (d, r) in which class means differ, by decreasing variance; r ≤ c − 1.

    Parameters
    ----------
    means : array (c, d)
        Class means, equally weighted.
    count : int, optional
        Number of directions; all by default.

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
        raise DataError("all class means are equal, so no direction separates them: give rows that differ by language")
    if count is not None and not 1 <= count <= rank:
        raise ConfigError(f"expected 1 to {rank} directions for these classes, got {count}")
    return np.asarray(right[: rank if count is None else count].T, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class MeanRemoval:
    """Centres every class on the common mean: x − mean(class) + mean over classes (Libovický et al., 2020).

    Needs the language of each row to apply.
    """

    means: Floats  # (c, d)

    @classmethod
    def fit(cls, x: Rows, labels: Labels) -> MeanRemoval:
        """Estimate the class means from x (n, d) with labels (n,)."""
        return cls(class_means(x, labels))

    def __call__(self, x: Rows, labels: Labels) -> Floats:
        """Return x (n, d) less the offset of its class, labels (n,)."""
        offsets = self.means - self.means.mean(axis=0)
        return np.asarray(x - offsets[labels], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Projects directions out, orthogonally, about a centre; needs no label to apply (Yang et al., 2021)."""

    centre: Floats  # (d,)
    directions: Floats  # (d, r) orthonormal

    @classmethod
    def fit(cls, x: Rows, labels: Labels, *, count: int | None = None) -> Projection:
        """Estimate the directions between class means from x (n, d) with labels (n,), the first `count` or all."""
        means = class_means(x, labels)
        return cls(means.mean(axis=0), language_directions(means, count=count))

    def __call__(self, x: Rows) -> Floats:
        """Return x (n, d) without its components along the directions."""
        centred = x - self.centre
        return np.asarray(x - (centred @ self.directions) @ self.directions.T, np.float64)


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
        centred = rows - centre
        one_hot = np.eye(classes)[labels]
        whiten, unwhiten = _whitening(centred.T @ centred / len(rows))
        cross = centred.T @ (one_hot - one_hot.mean(axis=0)) / len(rows)
        left, singular, _ = np.linalg.svd(whiten @ cross, full_matrices=False)
        # In whitened units these are correlations: smaller ones are rounding errors.
        basis = left[:, singular > 1e-10]
        return cls(centre, unwhiten @ basis, basis.T @ whiten)

    def __call__(self, x: Rows) -> Floats:
        """Return x (n, d) with the concept erased."""
        return np.asarray(x - ((x - self.centre) @ self.onto.T) @ self.into.T, np.float64)


def _whitening(covariance: Floats) -> tuple[Floats, Floats]:
    """Σ^(−1/2) and Σ^(1/2) on the directions with variance, each (d, d) symmetric."""
    values, vectors = np.linalg.eigh(covariance)
    varying = values > len(values) * np.finfo(np.float64).eps * values[-1]
    if values[-1] <= 0 or not varying.any():
        raise DataError("x does not vary, so there is nothing to erase: give rows that differ")
    values, vectors = values[varying], vectors[:, varying]
    return (vectors / np.sqrt(values)) @ vectors.T, (vectors * np.sqrt(values)) @ vectors.T
