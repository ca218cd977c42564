"""Mutual k-NN of each row, CKNNA with a jackknife, and both of permuted pairs, from neighbour lists computed once.

Lists are ordered and longer than k, so that rows left out are replaced by the next in the list, and no similarity is
computed again. The values are those of `knn.mutual_knn` and `knn.cknna`, up to ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ...errors import ConfigError
from ..checks import unit_rows
from ..resampling import LEVEL, Interval, jackknife_interval
from ..types import Bools, Floats, Indices, Integers, Rows
from .hsic import sparse_hsic
from .knn import DEFAULT_K, cosine_neighbours, pair_cosines


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourLists:
    """The nearest other rows of each row by cosine, nearest first."""

    unit: Rows  # (n, d) unit rows
    near: Integers  # (n, depth) row numbers
    k: int

    @classmethod
    def of(cls, x: Rows, *, k: int = DEFAULT_K) -> NeighbourLists:
        """List the 2k nearest other rows of each row of x (n, d); the first k are its neighbours.

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

    def nearest(self, remaining: Bools | None = None) -> Bools:
        """Which listed rows are among the k nearest of the remaining rows (n,), or of all: (n, depth)."""
        if remaining is None:
            return np.broadcast_to(np.arange(self.near.shape[1]) < self.k, self.near.shape)
        listed = remaining[self.near]
        return np.asarray(listed & (np.cumsum(listed, axis=1) <= self.k) & remaining[:, None])

    def permuted(self, partner: Indices) -> NeighbourLists:
        """Return the lists of the cloud whose row i is this one's row partner[i], partner (n,)."""
        place = np.empty_like(partner)
        place[partner] = np.arange(len(partner))
        return NeighbourLists(self.unit[partner], place[self.near[partner]].astype(np.int64), self.k)


def mutual_outcomes(one: NeighbourLists, other: NeighbourLists) -> Floats:
    """Share of the k nearest neighbours of each row that both sides have in common, (n,); the mean is mutual k-NN."""
    return np.asarray(_common(one, other, one.nearest(), other.nearest()).sum(axis=1) / one.k, np.float64)


def _common(one: NeighbourLists, other: NeighbourLists, nearest_one: Bools, nearest_other: Bools) -> Bools:
    """Which listed rows of the first side are neighbours on both, (n, depth)."""
    n = len(one.near)
    row = np.arange(n)[:, None] * n
    common = np.zeros(one.near.shape, bool)
    common[nearest_one] = np.isin((row + one.near)[nearest_one], (row + other.near)[nearest_other], assume_unique=True)
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
        Row numbers of disjoint blocks; each concept group is within one block.
    level : float
        Confidence level, 0 to 1.

    Raises
    ------
    ConfigError
        If there are fewer than 2 blocks, or the sides differ in k.
    """
    if one.k != other.k:
        raise ConfigError(f"expected neighbour lists of one k, got {one.k} and {other.k}")
    grams = _Grams.of(one, other)
    numbers = np.arange(len(one.near))
    without = [grams.cknna(np.isin(numbers, block, invert=True)) for block in blocks]
    return jackknife_interval(grams.cknna(None), without, level)


def permuted_cknna(one: NeighbourLists, other: NeighbourLists, partners: Sequence[Indices]) -> Floats:
    """CKNNA with the rows of the second side permuted, one value for each permutation, (p,).

    Parameters
    ----------
    one, other : NeighbourLists
        Of the same rows, with the same k.
    partners : sequence of array (n,)
        Row of `other` that is paired with each row of `one`.
    """
    scale = _Grams.of(one, other).self_scale(None)
    values = []
    for partner in partners:
        permuted = other.permuted(partner)
        common = _common(one, permuted, one.nearest(), permuted.nearest())
        rows, columns = np.nonzero(common)[0], one.near[common]
        grams = [
            csr_array((pair_cosines(side.unit, rows, columns), (rows, columns)), shape=(len(one.near), len(one.near)))
            for side in (one, permuted)
        ]
        values.append(sparse_hsic(grams[0], grams[1], len(one.near)) / scale)
    return np.array(values)


@dataclass(frozen=True, slots=True, eq=False)
class _Grams:
    """Cosines of the listed pairs, from which CKNNA of the two sides is computed with any rows left out."""

    one: NeighbourLists
    other: NeighbourLists
    of_one: Floats  # (n, depth) cosines on the first side of its own lists
    of_other: Floats  # (n, depth) on the second side of its own lists
    across: Floats  # (n, depth) on the second side of the lists of the first

    @classmethod
    def of(cls, one: NeighbourLists, other: NeighbourLists) -> _Grams:
        return cls(one, other, _listed(one, one), _listed(other, other), _listed(other, one))

    def cknna(self, remaining: Bools | None) -> float:
        count = len(self.one.near) if remaining is None else int(remaining.sum())
        common = _common(self.one, self.other, self.one.nearest(remaining), self.other.nearest(remaining))
        k = _masked(self.one.near, common, self.of_one)
        l = _masked(self.one.near, common, self.across)  # noqa: E741
        return sparse_hsic(k, l, count) / self.self_scale(remaining)

    def self_scale(self, remaining: Bools | None) -> float:
        count = len(self.one.near) if remaining is None else int(remaining.sum())
        own = []
        for side, values in ((self.one, self.of_one), (self.other, self.of_other)):
            gram = _masked(side.near, side.nearest(remaining), values)
            own.append(sparse_hsic(gram, gram, count))
        return float(np.sqrt(own[0]) * np.sqrt(own[1]))


def _listed(values_of: NeighbourLists, lists: NeighbourLists) -> Floats:
    n, depth = lists.near.shape
    rows = np.repeat(np.arange(n), depth)
    return pair_cosines(values_of.unit, rows, lists.near.ravel()).reshape(n, depth)


def _masked(near: Integers, mask: Bools, values: Floats) -> csr_array:
    return csr_array((values[mask], (np.nonzero(mask)[0], near[mask])), shape=(len(near), len(near)))
