"""Neighbour lists made once and asked many times: mutual k-NN row by row, CKNNA with a jackknife, broken pairs.

Lists are ordered and longer than k, so that leaving rows out only means reading on: no similarity is computed again.
The values are those of `neighbourhood.mutual_knn` and `neighbourhood.cknna`, up to ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ...errors import ConfigError
from ..checks import unit_rows
from ..resampling import LEVEL, Interval, jackknife_interval
from ..types import Bools, Floats, Indices, Integers, Rows
from .knn import DEFAULT_K, cosine_neighbours, sparse_hsic

BLOCK_PAIRS = 16384


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourLists:
    """The nearest other rows of each row by cosine, nearest first."""

    unit: Rows  # (n, d) unit rows
    near: Integers  # (n, depth)
    k: int

    @classmethod
    def of(cls, x: Rows, *, k: int = DEFAULT_K) -> NeighbourLists:
        """List the 2k nearest other rows of each row of x (n, d), of which k count.

        Raises
        ------
        ConfigError
            If k is not 2 to n − 1.
        DataError
            If a row is zero.
        """
        if not 2 <= k < len(x):
            raise ConfigError(f"expected 2 to {len(x) - 1} neighbours for {len(x)} rows, got {k}")
        depth = min(2 * k, len(x) - 1)
        return cls(unit_rows(x), cosine_neighbours(x, depth), k)

    def counted(self, stays: Bools | None = None) -> Bools:
        """Which listed rows are among the k nearest when only some rows (n,) stay, (n, depth)."""
        if stays is None:
            return np.broadcast_to(np.arange(self.near.shape[1]) < self.k, self.near.shape)
        alive = stays[self.near]
        return np.asarray(alive & (np.cumsum(alive, axis=1) <= self.k) & stays[:, None])

    def products(self, rows: Indices, columns: Integers) -> Floats:
        """Cosines of named pairs of rows."""
        found = np.empty(len(rows))
        for start in range(0, len(rows), BLOCK_PAIRS):
            part = slice(start, start + BLOCK_PAIRS)
            found[part] = np.einsum("ij,ij->i", self.unit[rows[part]], self.unit[columns[part]])
        return found

    def permuted(self, partner: Indices) -> NeighbourLists:
        """Return the lists after row i became row partner[i]."""
        place = np.empty_like(partner)
        place[partner] = np.arange(len(partner))
        return NeighbourLists(self.unit[partner], place[self.near[partner]].astype(np.int64), self.k)


def mutual_outcomes(one: NeighbourLists, other: NeighbourLists) -> Floats:
    """Share of its k nearest neighbours that each row has on both sides, (n,); the mean is mutual k-NN."""
    return np.asarray(_common(one, other, one.counted(), other.counted()).sum(axis=1) / one.k, np.float64)


def _common(one: NeighbourLists, other: NeighbourLists, counted_one: Bools, counted_other: Bools) -> Bools:
    """Which listed neighbours of the first side count on both, (n, depth)."""
    n = len(one.near)
    row = np.arange(n)[:, None] * n
    common = np.zeros(one.near.shape, bool)
    common[counted_one] = np.isin((row + one.near)[counted_one], (row + other.near)[counted_other], assume_unique=True)
    return common


def blocked_cknna(
    one: NeighbourLists, other: NeighbourLists, blocks: Sequence[Indices], *, level: float = LEVEL
) -> Interval:
    """CKNNA (Huh et al., 2024) with its delete-one-block jackknife; rows left out are replaced by the next nearest.

    Parameters
    ----------
    one, other : NeighbourLists
        Of the same rows, with the same k.
    blocks : sequence of array
        Disjoint blocks of rows, a concept group wholly in one of them.
    level : float
        Confidence level, 0 to 1.

    Raises
    ------
    ConfigError
        If there are fewer than 2 blocks, or the sides count different k.
    """
    if one.k != other.k:
        raise ConfigError(f"both sides need one k, got {one.k} and {other.k}")
    grams = _Grams.of(one, other)
    without = [grams.cknna(stays) for stays in _stays(len(one.near), blocks)]
    return jackknife_interval(grams.cknna(None), without, level)


def _stays(n: int, blocks: Sequence[Indices]) -> Iterator[Bools]:
    for block in blocks:
        stays = np.ones(n, bool)
        stays[block] = False
        yield stays


def permuted_cknna(one: NeighbourLists, other: NeighbourLists, partners: Sequence[Indices]) -> Floats:
    """CKNNA after the rows of the second side changed places, one value for each permutation."""
    scale = _Grams.of(one, other).self_scale(None)
    values = []
    for partner in partners:
        moved = other.permuted(partner)
        common = _common(one, moved, one.counted(), moved.counted())
        rows, columns = np.nonzero(common)[0], one.near[common]
        grams = [_sparse(len(one.near), rows, columns, side.products(rows, columns)) for side in (one, moved)]
        values.append(sparse_hsic(grams[0], grams[1], len(one.near)) / scale)
    return np.array(values)


@dataclass(frozen=True, slots=True, eq=False)
class _Grams:
    """Cosines at the listed pairs, from which every CKNNA of the two sides is summed."""

    one: NeighbourLists
    other: NeighbourLists
    of_one: Floats  # (n, depth) cosines of the first side at its own lists
    of_other: Floats  # (n, depth) of the second side at its own lists
    across: Floats  # (n, depth) of the second side at the lists of the first

    @classmethod
    def of(cls, one: NeighbourLists, other: NeighbourLists) -> _Grams:
        return cls(one, other, _listed(one, one), _listed(other, other), _listed(other, one))

    def cknna(self, stays: Bools | None) -> float:
        count = len(self.one.near) if stays is None else int(stays.sum())
        common = _common(self.one, self.other, self.one.counted(stays), self.other.counted(stays))
        k = _masked(self.one.near, common, self.of_one)
        l = _masked(self.one.near, common, self.across)  # noqa: E741
        return sparse_hsic(k, l, count) / self.self_scale(stays)

    def self_scale(self, stays: Bools | None) -> float:
        count = len(self.one.near) if stays is None else int(stays.sum())
        own = []
        for side, values in ((self.one, self.of_one), (self.other, self.of_other)):
            gram = _masked(side.near, side.counted(stays), values)
            own.append(sparse_hsic(gram, gram, count))
        return float(np.sqrt(own[0]) * np.sqrt(own[1]))


def _listed(values_of: NeighbourLists, lists: NeighbourLists) -> Floats:
    n, depth = lists.near.shape
    return values_of.products(np.repeat(np.arange(n), depth), lists.near.ravel()).reshape(n, depth)


def _masked(near: Integers, kept: Bools, values: Floats) -> csr_array:
    return _sparse(len(near), np.nonzero(kept)[0], near[kept], values[kept])


def _sparse(n: int, rows: Indices, columns: Integers, values: Floats) -> csr_array:
    return csr_array((values, (rows, columns)), shape=(n, n))
