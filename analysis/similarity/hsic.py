"""Hilbert–Schmidt independence criteria, from which every form of CKA is computed (Gretton et al., 2005)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist, squareform

from ...errors import DataError
from ..types import Floats

LEAST_ROWS = 4


@dataclass(frozen=True, slots=True)
class Hsics:
    """The three Hilbert–Schmidt independence criteria of a CKA."""

    xy: float
    xx: float
    yy: float

    @property
    def cka(self) -> float:
        """HSIC(x, y) / √(HSIC(x, x) HSIC(y, y)).

        Raises
        ------
        DataError
            If a self-criterion is not positive: those rows vary no more than noise.
        """
        if not (self.xx > 0 and self.yy > 0):
            raise DataError(
                f"CKA is not defined: expected self-similarities above 0, got {self.xx:.3g} and {self.yy:.3g}; "
                "give more rows, or rows that differ"
            )
        return self.xy / float(np.sqrt(self.xx) * np.sqrt(self.yy))


def unbiased_from_sums(n: ArrayLike, energy: ArrayLike, diagonal: ArrayLike, traces: ArrayLike) -> Floats:
    """Unbiased HSIC (Song et al., 2012, eq. 5) of centred rows from three sums.

    The rows of their Gram matrices sum to 0, so that 1ᵀK̃ = −diag(K) and only tr(KL), Σ kᵢᵢ lᵢᵢ and tr K · tr L remain.

    Parameters
    ----------
    n, energy, diagonal, traces : float or array (b,)
        Number of rows, at least 4, and the three sums; arrays give one value for each set of rows.
    """
    n, energy, diagonal, traces = (np.asarray(part, np.float64) for part in (n, energy, diagonal, traces))
    return np.asarray((energy - n / (n - 2) * diagonal + traces / ((n - 1) * (n - 2))) / (n * (n - 3)), np.float64)


def unbiased_hsic(k: Floats, l: Floats) -> float:  # noqa: E741
    """Unbiased HSIC of two Gram matrices (n, n), any kernel (Song et al., 2012, eq. 5).

    Raises
    ------
    DataError
        If there are fewer than 4 rows.
    """
    n = len(k)
    if n < LEAST_ROWS:
        raise DataError(f"an unbiased HSIC needs at least {LEAST_ROWS} rows, got {n}: give more sentences")
    k0, l0 = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    middle = k0.sum() * l0.sum() / ((n - 1) * (n - 2))
    last = 2 / (n - 2) * (k0.sum(axis=0) @ l0.sum(axis=1))
    return float((np.vdot(k0, l0.T) + middle - last) / (n * (n - 3)))


def biased_hsic(k: Floats, l: Floats) -> float:  # noqa: E741
    """Biased HSIC tr(KHLH) / (n − 1)² of two Gram matrices (n, n) (Gretton et al., 2005)."""
    return float(np.vdot(double_centred(k), double_centred(l)) / (len(k) - 1) ** 2)


def double_centred(k: Floats) -> Floats:
    """HKH: a square matrix (n, n) less the means of its rows and columns."""
    by_row = k - k.mean(axis=1, keepdims=True)
    return np.asarray(by_row - by_row.mean(axis=0))


def sparse_hsic(k: csr_array, l: csr_array, n: int) -> float:  # noqa: E741
    """Unbiased HSIC of two sparse Gram matrices (n, n) without diagonals (Song et al., 2012, eq. 5)."""
    trace = float(k.multiply(l.T).sum())
    middle = float(k.sum()) * float(l.sum()) / ((n - 1) * (n - 2))
    last = 2 / (n - 2) * float(np.asarray(k.sum(axis=0)) @ np.asarray(l.sum(axis=1)))
    return (trace + middle - last) / (n * (n - 3))


def squared_distances(a: Floats) -> Floats:
    """Squared Euclidean distances between all rows of a (n, d): (n, n), diagonal exactly 0."""
    return np.asarray(squareform(pdist(a, "sqeuclidean")))
