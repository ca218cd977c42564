"""Rows that are read from where they lie: checked, fingerprinted and grouped in one pass, and a sample of them drawn.

Beside a piece of rows only some numbers a row are held: a key of each side, a group, a fold and a block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...analysis.streamed_moments import pieces_of
from ...analysis.types import Floats, Indices, Integers, Labels, Rows, RowSource
from ...distributed import Processes
from ...errors import DataError
from .checks import MINIMUM_ROWS
from .pairs import check_enough, check_finite

Keys = NDArray[np.uint64]
N = TypeVar("N", bound=np.generic)
DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What one reading of a side says of its rows."""

    keys: Keys  # (n,) equal for rows with equal vectors, and hardly ever for others
    digest: str  # of all numbers; the same for any number of processes


def scan(name: str, side: RowSource, processes: Processes = Processes()) -> Scan:  # noqa: B008 - frozen
    """Read a side once, each process its run of pieces.

    Parameters
    ----------
    name : str
        What the side is called in errors.
    side : rows (n, d)
    processes : Processes

    Raises
    ------
    DataError
        If there are fewer than 50 rows, or a row is zero, NaN or infinite (rows are named).
    """
    check_enough(len(side))
    keys = [np.empty(0, np.uint64)]
    for piece in pieces_of(len(side), processes):
        rows = np.ascontiguousarray(side[piece])
        if not plainly_fine(rows):
            check_finite(name, rows, piece.start)
        keys.append(row_keys(rows))
    whole = _of_all(np.concatenate(keys).view(np.int64), processes).view(np.uint64)
    digest = hashlib.blake2b(f"{len(side)} {side.shape[1]} {side.dtype}".encode(), digest_size=DIGEST_BYTES)
    digest.update(whole.tobytes())
    return Scan(whole, digest.hexdigest())


def plainly_fine(rows: Rows) -> bool:
    """Tell whether all rows (n, d) are surely finite and not zero, by their squares: a quarter of the exact check."""
    wide = rows.astype(np.float32) if rows.dtype == np.float16 else rows
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", wide, wide)
    return bool((np.isfinite(squares) & (squares > 0)).all())


def _of_all(rows: NDArray[N], processes: Processes) -> NDArray[N]:
    """Return the rows of all processes, in their order."""
    if processes.alone:
        return rows
    import torch

    gathered: NDArray[N] = processes.gather_uneven(torch.from_numpy(rows)).numpy()
    return gathered


def row_keys(rows: Rows) -> Keys:
    """Return a key of each row, (n,): equal for equal rows, whatever the sign of their zeros.

    A sum of words by odd random factors, their upper bits mixed into the lower ones first: without that two numbers of
    a row could change their signs and leave its key as it is.
    """
    plain = np.ascontiguousarray(rows + rows.dtype.type(0))
    width = 8 if plain.shape[1] * plain.itemsize % 8 == 0 else plain.itemsize
    words = plain.view(f"u{width}").astype(np.uint64, copy=False)
    words ^= words >> np.uint64(33 if width == 8 else 4 * width + 1)
    factors = np.random.default_rng(0).integers(0, 2**64, words.shape[1], np.uint64, endpoint=False) | np.uint64(1)
    keys: Keys = words @ factors
    return keys


def equal_row_labels(side: RowSource, keys: Keys) -> Integers:
    """Return a label of each row, (n,), equal where vectors are; rows whose keys are equal are read and compared."""
    distinct, labels, counts = np.unique(keys, return_inverse=True, return_counts=True)
    labels = labels.astype(np.int64)
    repeated = counts[labels] > 1
    known: dict[bytes, int] = {}
    for piece in pieces_of(len(side), Processes()) if repeated.any() else ():
        own = np.flatnonzero(repeated[piece])
        rows = side[piece][own] + side.dtype.type(0) if len(own) else ()
        for row, vector in zip(own + piece.start, rows, strict=True):
            digest = hashlib.blake2b(vector.tobytes(), digest_size=DIGEST_BYTES).digest()
            labels[row] = len(distinct) + known.setdefault(digest, len(known))
    return labels


def linked_groups(labellings: Sequence[Integers]) -> Integers:
    """Number the groups of rows that share a label in any labelling, transitively, by first appearance, (n,).

    With the labels of both sides they are those of `pairs.equal_vector_groups`.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(labellings[0])
    first = np.arange(n)  # the first row of each row's group
    sizes = [np.bincount(labels)[labels] for labels in labellings]
    linked = np.flatnonzero(np.max(sizes, axis=0) > 1)
    if len(linked):
        nodes, m = [], len(linked)
        for labels in labellings:
            nodes.append(m + np.unique(labels[linked], return_inverse=True)[1])
            m = int(nodes[-1].max()) + 1
        rows = np.tile(np.arange(len(linked)), len(nodes))
        edges = coo_array((np.ones(len(rows), np.int8), (rows, np.concatenate(nodes))), shape=(m, m))
        component = connected_components(edges, directed=False)[1][: len(linked)]
        _, at, number = np.unique(component, return_index=True, return_inverse=True)
        first[linked] = linked[at[number]]
    return np.unique(first, return_inverse=True)[1].astype(np.int64)


def sample_of_groups(groups: Labels, size: int, rng: np.random.Generator) -> Indices:
    """Draw whole groups at random as long as they have no more than `size` rows together; return the rows, ascending.

    Raises
    ------
    DataError
        If the groups that fit have fewer than 50 rows.
    """
    index, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    order = rng.permutation(len(sizes))
    taken = np.zeros(len(sizes), bool)
    taken[order[np.cumsum(sizes[order]) <= size]] = True
    rows = np.flatnonzero(taken[index])
    if len(rows) < MINIMUM_ROWS:
        raise DataError(
            f"groups of up to {sizes.max()} rows leave a sample of {size} pairs too small: raise --exact-rows"
        )
    return rows


class KeptRows:
    """Collects some of the rows of both sides while all of them are read.

    Parameters
    ----------
    rows : array (m,)
        Which, ascending.
    x, y : rows (n, p), (n, q)
        The sides.
    """

    def __init__(self, rows: Indices, x: RowSource, y: RowSource) -> None:
        self.rows = rows
        self._parts = [(np.asarray(x[:0]), np.asarray(y[:0]))]

    def see(self, piece: slice, x: Rows, y: Rows) -> None:
        """Take those of a piece, x (b, p) and y (b, q)."""
        low, high = np.searchsorted(self.rows, [piece.start, piece.stop])
        own = self.rows[low:high] - piece.start
        self._parts.append((x[own], y[own]))

    def sides(self, processes: Processes = Processes()) -> tuple[Floats, Floats]:  # noqa: B008 - frozen
        """Return the rows of each side, (m, p) and (m, q), those of all processes."""
        x, y = (np.concatenate([part[side] for part in self._parts]).astype(np.float64) for side in (0, 1))
        return _of_all(x, processes), _of_all(y, processes)
