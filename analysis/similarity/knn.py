"""Similarity of neighbourhoods: whether the same sentences are near each other on both sides.

Neighbours are by cosine of uncentred rows, a row is not its own neighbour, and cosines are computed in tiles, so that
memory is O(n k + tile) at any n.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from ...errors import ConfigError, DataError
from ..checks import paired, unit_rows
from ..retrieval.search import nearest
from ..types import Bools, Floats, Indices, Integers, Rows
from .hsic import LEAST_ROWS, Hsics, sparse_hsic

DEFAULT_K = 10
BLOCK_PAIRS = 16384


def cosine_neighbours(x: Rows, k: int = DEFAULT_K) -> Integers:
    """Return the indices (n, k) of the k nearest other rows of each row by cosine, nearest first.

    Parameters
    ----------
    x : array (n, d)
        Rows, none of them zero. Products are in float32; of rows that tie the first come first (see `ties`).
    k : int
        1 to n − 1.

    Raises
    ------
    ConfigError
        If k is out of range.
    DataError
        If a row is zero.
    """
    if not 1 <= k < len(x):
        raise ConfigError(f"expected 1 to {len(x) - 1} neighbours for {len(x)} rows, got {k}")
    unit = unit_rows(x)
    places = nearest(unit, unit, k=k + 1)[1]
    other = places != np.arange(len(x))[:, None]
    other[other.all(axis=1), -1] = False  # more than k rows that equal this one may precede it
    return np.asarray(places[other].reshape(len(x), k), np.int64)


def mutual_knn(x: Rows, y: Rows, *, k: int = DEFAULT_K) -> float:
    """Mean share of the k nearest neighbours that both sides have in common (Huh et al., 2024), in [0, 1].

    Independent rows give k / (n − 1). O(n²d) time, O(nk) memory.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows, none of them zero.
    k : int
        1 to n − 1.

    Raises
    ------
    ConfigError
        If k is out of range.
    DataError
        If the arrays are not paired finite matrices, or a row is zero.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(mutual_knn(x, 2 * x[:, ::-1]), 2)
    1.0
    """
    return float(_shared_counts(x, y, k).mean() / k)


def jaccard_knn(x: Rows, y: Rows, *, k: int = DEFAULT_K) -> float:
    """Mean Jaccard index of the two sets of k nearest neighbours (Schumacher et al., 2021), in [0, 1].

    Parameters and raises as `mutual_knn`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(jaccard_knn(x, 2 * x[:, ::-1]), 2)
    1.0
    """
    shared = _shared_counts(x, y, k)
    return float(np.mean(shared / (2 * k - shared)))


def _shared_counts(x: Rows, y: Rows, k: int) -> Integers:
    paired(x, y)
    near_x, near_y = cosine_neighbours(x, k), cosine_neighbours(y, k)
    return np.asarray(np.count_nonzero(_shared(near_x, near_y), axis=1), np.int64)


def _shared(near_x: Integers, near_y: Integers) -> Bools:
    """Which of the neighbours on one side are neighbours on the other too, (n, k)."""
    n = len(near_x)
    row = np.arange(n)[:, None] * n
    return np.isin(row + near_x, row + near_y)


def second_order_cosine(x: Rows, y: Rows, *, k: int = DEFAULT_K) -> float:
    """Mean over rows of the cosine between the two sides' distances to neighbours (Hamilton et al., 2016).

    The neighbours are the union of both sides' k nearest; distances are 1 − cosine of the rows.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows, none of them zero.
    k : int
        1 to n − 1.

    Returns
    -------
    float
        In [0, 1], since distances are not negative.

    Raises
    ------
    ConfigError
        If k is out of range.
    DataError
        If the arrays are not paired finite matrices, a row is zero, or a row coincides with all its neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(second_order_cosine(x, 2 * x[:, ::-1]), 2)
    1.0
    """
    a, b = paired(x, y)
    near_x, near_y = cosine_neighbours(a, k), cosine_neighbours(b, k)
    counted = np.concatenate([np.ones(near_x.shape), ~_shared(near_y, near_x)], axis=1)
    union = np.concatenate([near_x, near_y], axis=1)
    u, v = (counted * _distances_to(side, union) for side in (a, b))
    scale = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)
    if not np.all(scale > 0):
        raise DataError(f"row {int(np.argmin(scale > 0))} coincides with all its neighbours: remove duplicates first")
    return float(np.mean(np.einsum("ij,ij->i", u, v) / scale))


def _distances_to(x: Floats, others: Integers) -> Floats:
    """Cosine distances of each row of x (n, d) to the rows with numbers others (n, m): (n, m)."""
    unit = unit_rows(x)
    distances = np.empty(others.shape)
    for start in range(0, len(unit), 1024):
        rows = slice(start, start + 1024)
        distances[rows] = 1 - np.einsum("id,ijd->ij", unit[rows], unit[others[rows]])
    return distances


def cknna(x: Rows, y: Rows, *, k: int = DEFAULT_K) -> float:
    """Centred kernel nearest-neighbour alignment (Huh et al., 2024, appendix A): CKA over shared neighbours only.

    As in the authors' program, which gave the published values: rows at unit length, inner products set to 0 unless
    both sides have the pair as neighbours, then unbiased HSIC. At k = n − 1 it is debiased CKA of the unit rows; below,
    exchanging x and y changes the last digits. Memory is O(nk). Not clipped.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows, none of them zero.
    k : int
        2 to n − 1.

    Raises
    ------
    ConfigError
        If k is out of range.
    DataError
        If the arrays are not paired finite matrices of at least 4 rows, a row is zero, or the measure is not defined.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(cknna(x, 2 * x[:, ::-1]), 2)
    1.0
    """
    if k < 2:
        raise ConfigError(f"CKNNA needs at least 2 neighbours, got {k}")
    a, b = paired(x, y, least_rows=LEAST_ROWS)
    sides = (unit_rows(a), cosine_neighbours(a, k)), (unit_rows(b), cosine_neighbours(b, k))
    (unit_x, near_x), (unit_y, near_y) = sides
    both = _shared(near_x, near_y)
    xy = _masked_hsic(unit_x, unit_y, near_x, both)
    xx = _masked_hsic(unit_x, unit_x, near_x, np.ones_like(both))
    yy = _masked_hsic(unit_y, unit_y, near_y, np.ones_like(both))
    return Hsics(xy, xx, yy).cka


def _masked_hsic(unit_x: Rows, unit_y: Rows, near: Integers, mask: Bools) -> float:
    """Unbiased HSIC of two Gram matrices that are 0 outside the masked neighbours, near and mask (n, k)."""
    n = len(near)
    rows, columns = np.nonzero(mask)[0], near[mask]
    k, l = (  # noqa: E741
        csr_array((pair_cosines(unit, rows, columns), (rows, columns)), shape=(n, n)) for unit in (unit_x, unit_y)
    )
    return sparse_hsic(k, l, n)


def pair_cosines(unit: Rows, rows: Indices, columns: Integers) -> Floats:
    """Inner products of pairs of unit rows (n, d), given by their row numbers (p,) each: (p,)."""
    cosines = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK_PAIRS):
        block = slice(start, start + BLOCK_PAIRS)
        cosines[block] = np.einsum("ij,ij->i", unit[rows[block]], unit[columns[block]])
    return cosines
