"""Moments of blocks of rows, gathered in one pass over rows that need not fit into memory.

Every block lies within one fold and holds whole groups, so that the moments of the blocks give both: the folds, from
which maps are fitted, and the held-out errors of each block, which are resampled. Several processes take a run of
pieces each; the pieces are cut alike whatever their number, so that their products are the same bits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ..distributed import Processes
from ..errors import DataError
from .moments import PairMoments, merged, provisional_centres
from .types import Floats, Indices, Integers, Labels, Rows, RowSource

T = TypeVar("T")
R = TypeVar("R")
FEWEST_ROWS, MOST_ROWS = 1024, 16384  # of a piece; a fifth of the most is enough for products at full speed
PIECES = 16  # at least, where there are rows enough: as many processes have work
BLOCKS_A_FOLD = 20
FEWEST_BLOCKS_A_FOLD = 4
MOST_BYTES = 2**30  # of all blocks


@dataclass(frozen=True, slots=True, eq=False)
class RowBlocks:
    """The fold and the block of each row; blocks are numbered over all folds."""

    folds: Integers  # (n,) 0 … k − 1
    blocks: Integers  # (n,) 0 … b − 1
    fold_of_block: Integers  # (b,)

    @classmethod
    def of(cls, groups: Labels, folds: Integers, blocks_a_fold: int = BLOCKS_A_FOLD) -> RowBlocks:
        """Cut each fold into runs of whole groups, about equal in rows, in the order in which the groups appear.

        Parameters
        ----------
        groups, folds : array (n,)
            Folds as `group_folds` gives them.
        blocks_a_fold : int
            Fewer where a group is larger than a block.
        """
        _, first, index, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(first, kind="stable")
        fold_of_group = folds[first]
        block_of_group = np.empty(len(first), np.int64)
        for fold in range(int(folds.max()) + 1):
            own = order[fold_of_group[order] == fold]
            middle = np.cumsum(sizes[own]) - (sizes[own] + 1) // 2
            block_of_group[own] = fold * blocks_a_fold + middle * blocks_a_fold // max(int(sizes[own].sum()), 1)
        held, blocks = np.unique(block_of_group[index], return_inverse=True)
        return cls(folds, blocks.astype(np.int64), held // blocks_a_fold)

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.fold_of_block.max()) + 1


def blocks_that_fit(widths: tuple[int, int], n_folds: int, most_bytes: int = MOST_BYTES) -> int:
    """Return how many blocks a fold may have: `BLOCKS_A_FOLD`, fewer where their moments would take too much memory.

    Examples
    --------
    >>> blocks_that_fit((384, 384), 5), blocks_that_fit((1024, 1024), 5)
    (20, 8)
    """
    p, q = widths
    each = 8 * (p * p + p * q + q * q)
    return int(np.clip(most_bytes // (each * n_folds), FEWEST_BLOCKS_A_FOLD, BLOCKS_A_FOLD))


class SideBySide:
    """Rows of several sources next to each other, (n, p + q + …).

    Parameters
    ----------
    sources : sequence of rows (n, p), (n, q), …

    Raises
    ------
    DataError
        If they differ in their number of rows.
    """

    def __init__(self, sources: Sequence[RowSource]) -> None:
        sizes = [len(source) for source in sources]
        if len(set(sizes)) > 1:
            raise DataError(f"expected as many rows on every side, got {', '.join(map(str, sizes))}")
        self._sources = tuple(sources)
        self.shape: tuple[int, ...] = (sizes[0], sum(source.shape[1] for source in sources))
        self.dtype = np.result_type(*(source.dtype for source in sources))

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> Rows:
        """Return a run of rows, (m, p + q + …)."""
        return np.hstack([np.asarray(source[rows]) for source in self._sources])


@dataclass(frozen=True, slots=True, eq=False)
class GatheredMoments:
    """Moments of every fold over all rows, and of the blocks over the rows that this process has read."""

    folds: tuple[PairMoments, ...]  # of all processes
    blocks: dict[int, PairMoments]  # by number; of this process
    fold_of_block: Integers  # (b,)

    def swapped(self) -> GatheredMoments:
        """Return the moments with x and y exchanged."""
        turned = {number: block.swapped() for number, block in self.blocks.items()}
        return replace(self, folds=tuple(fold.swapped() for fold in self.folds), blocks=turned)


def gather(
    x: RowSource,
    y: RowSource,
    rows: RowBlocks,
    *,
    processes: Processes = Processes(),  # noqa: B008 - frozen
    piece_rows: int | None = None,
    dtype: str | None = None,
    see: Callable[[slice, Rows, Rows], object] | None = None,
) -> GatheredMoments:
    """Gather the moments of every fold and block of paired rows, reading each row once.

    Parameters
    ----------
    x, y : rows (n, p), (n, q)
    rows : RowBlocks
        Of the n rows.
    processes : Processes
        Each reads a run of pieces; the moments of folds are summed over all of them.
    piece_rows : int, optional
        Rows that are read at a time; by default 1 024 to 16 384, whatever the number of processes.
    dtype : {"float32", "float64"}, optional
        Precision of the products within a piece, summed in float64; by default that of the rows, at least float32.
    see : callable, optional
        Called in another thread with each piece that this process reads, in order: which rows they are, those of x and
        those of y.

    Raises
    ------
    DataError
        If a row holds NaN or infinity.
    """
    precision = dtype or ("float64" if np.float64 in (x.dtype, y.dtype) else "float32")
    none = PairMoments.zeros(*provisional_centres(x, y))
    found: dict[int, PairMoments] = {}

    def read(piece: slice) -> list[tuple[int, Indices, Rows, Rows]]:
        px, py, blocks = np.asarray(x[piece]), np.asarray(y[piece]), rows.blocks[piece]
        if see is not None:
            see(piece, px, py)
        parts = [(number, np.flatnonzero(blocks == number)) for number in np.unique(blocks).tolist()]
        return [
            (number, own, _about(px, own, none.centre_x, precision), _about(py, own, none.centre_y, precision))
            for number, own in parts
        ]

    pieces = pieces_of(len(x), processes, piece_rows)
    for piece, parts in zip(pieces, one_ahead(read, pieces), strict=True):
        for number, own, bx, by in parts:
            if number not in found:
                found[number] = PairMoments.zeros(none.centre_x, none.centre_y)
            if not add_rows(found[number], bx, by):
                bad = ~np.isfinite(bx).all(axis=1) | ~np.isfinite(by).all(axis=1)
                row = piece.start + int(own[np.argmax(bad)])
                raise DataError(f"row {row} holds NaN or infinity: remove it, or encode it again")
            found[number] = replace(found[number], n=found[number].n + len(own))
    by_fold = [[found[b] for b in sorted(found) if rows.fold_of_block[b] == fold] for fold in range(rows.n_folds)]
    folds = tuple(merged([none, *own]).all_reduce(processes) for own in by_fold)
    return GatheredMoments(folds, found, rows.fold_of_block)


def one_ahead(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield what a work makes of each item, in order; the next one is made in a thread while one is used.

    Examples
    --------
    >>> list(one_ahead(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _about(rows: Rows, chosen: Indices, centre: Floats, dtype: str) -> Rows:
    """Return some rows less a centre, which float32 holds exactly."""
    taken = rows[chosen]
    if taken.dtype == np.float16:
        taken = taken.astype(dtype)
    taken -= centre.astype(taken.dtype)
    return taken.astype(dtype, copy=False)


def add_rows(total: PairMoments, x: Rows, y: Rows) -> bool:
    """Add the sums of centred rows to those of `total` in place, all but their number; tell whether they are finite.

    Sums that are made anew for every part would take as long as the products of a few thousand rows.
    """
    ones = np.ones(len(x), x.dtype)
    with np.errstate(invalid="ignore"):  # rows that are not finite are told below
        parts = (
            (total.sum_x, ones @ x),
            (total.sum_y, ones @ y),
            (total.xx, x.T @ x),
            (total.xy, x.T @ y),
            (total.yy, y.T @ y),
        )
    for whole, part in parts:
        np.add(whole, part, out=whole)
    return bool(np.isfinite(np.trace(total.xx) + np.trace(total.yy)))


def pieces_of(n: int, processes: Processes, piece_rows: int | None = None) -> list[slice]:
    """Return the runs of rows that this process reads, in order; over all processes they are the n rows.

    Examples
    --------
    >>> pieces_of(10, Processes(1, 2), 4)
    [slice(4, 8, None), slice(8, 10, None)]
    """
    cuts = range(0, n, piece_rows or min(max(n // PIECES, FEWEST_ROWS), MOST_ROWS))
    own = cuts[processes.rows_of(len(cuts))]
    return [slice(start, min(start + own.step, n)) for start in own]


def summed(table: Floats, processes: Processes) -> Floats:
    """Return a table of numbers summed over all processes, the same shape in each."""
    if processes.alone:
        return table
    import torch

    whole = table.copy()
    processes.all_reduce(torch.from_numpy(whole))
    return whole
