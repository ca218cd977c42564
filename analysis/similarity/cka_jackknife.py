"""Debiased CKA of many pairs of clouds, each with its delete-one-block jackknife, and of permuted pairs.

Terms of one cloud alone are computed once, so that a table of layers against layers costs one cross product a cell. The
values are those of `cka.debiased_cka` on all rows, and on the rows outside each block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigError, DataError
from ..resampling import LEVEL, Interval, jackknife_interval
from ..types import Floats, Indices, Rows
from .hsic import LEAST_ROWS, unbiased_from_sums
from .preprocess import centred

Blocks = Sequence[Indices]


@dataclass(frozen=True, slots=True, eq=False)
class BlockedRows:
    """Centred rows of one cloud, and their sums without each block; index 0 is of all rows."""

    rows: Floats  # (n, d) centred
    blocks: tuple[Indices, ...]
    means: Floats  # (1 + b, d) means of the remaining rows
    squares: Floats  # (1 + b, n) squared distances to those means, 0 for rows of the block
    self_hsic: Floats  # (1 + b,)

    @classmethod
    def of(cls, x: Rows, blocks: Blocks) -> BlockedRows:
        """Compute the sums of a cloud for disjoint blocks of rows.

        Parameters
        ----------
        x : array (n, d)
        blocks : sequence of array
            Row numbers; each concept group is within one block.

        Raises
        ------
        ConfigError
            If there are fewer than 2 blocks.
        DataError
            If fewer than 4 rows remain, or the rows vary no more than noise.
        """
        if len(blocks) < 2:
            raise ConfigError(f"a jackknife needs at least 2 blocks, got {len(blocks)}")
        a = centred(x)
        remains = np.ones((1 + len(blocks), len(a)), bool)
        for place, block in enumerate(blocks, start=1):
            remains[place, block] = False
        if remains.sum(axis=1).min() < LEAST_ROWS:
            raise DataError(f"debiased CKA needs at least {LEAST_ROWS} rows outside every block: give more sentences")
        means = np.where(remains, 1.0, 0.0) @ a / remains.sum(axis=1, keepdims=True)
        norms = np.einsum("ij,ij->i", a, a)
        distances = norms - 2 * means @ a.T + np.einsum("ij,ij->i", means, means)[:, None]
        side = cls(a, tuple(blocks), means, np.where(remains, distances, 0.0), np.ones(1 + len(blocks)))
        own = hsics(side, side)
        if not np.all(own > 0):
            raise DataError("CKA is not defined: the rows vary no more than noise; give more rows")
        return cls(side.rows, side.blocks, side.means, side.squares, own)

    @property
    def counts(self) -> Floats:
        """Numbers of remaining rows, (1 + b,)."""
        return len(self.rows) - np.array([0, *(len(block) for block in self.blocks)], np.float64)


def hsics(one: BlockedRows, other: BlockedRows) -> Floats:
    """Unbiased HSICs of two clouds over all rows and without each block, (1 + b,)."""
    cross = one.rows.T @ other.rows
    energies = [float(np.vdot(cross, cross))]
    for place, block in enumerate(one.blocks, start=1):
        # About the remaining means: Σ xyᵀ of all rows less the block less n' m m'ᵀ, expanded to save a matrix.
        remaining = cross - one.rows[block].T @ other.rows[block]
        count, u, v = len(one.rows) - len(block), one.means[place], other.means[place]
        energies.append(
            float(np.vdot(remaining, remaining) - 2 * count * (u @ remaining @ v) + count**2 * (u @ u) * (v @ v))
        )
    return _unbiased(one.counts, np.array(energies), one.squares, other.squares)


def _unbiased(n: Floats, energies: Floats, squares_x: Floats, squares_y: Floats) -> Floats:
    diagonal = np.einsum("bi,bi->b", squares_x, squares_y)
    return unbiased_from_sums(n, energies, diagonal, squares_x.sum(axis=1) * squares_y.sum(axis=1))


def blocked_cka(one: BlockedRows, other: BlockedRows, *, level: float = LEVEL) -> Interval:
    """Debiased CKA of two clouds of paired rows with its delete-one-block jackknife interval.

    Parameters
    ----------
    one, other : BlockedRows
        The same rows and blocks on both sides; widths may differ.
    level : float
        Confidence level, 0 to 1.

    Raises
    ------
    DataError
        If the sides have different rows or blocks.
    """
    _check_alike(one, other)
    values = hsics(one, other) / np.sqrt(one.self_hsic * other.self_hsic)
    return jackknife_interval(float(values[0]), values[1:], level)


def permuted_cka(one: BlockedRows, other: BlockedRows, partners: Sequence[Indices]) -> Floats:
    """Debiased CKA with the rows of the second cloud permuted, one value for each permutation, (p,).

    Products are in float32, whose rounding is far below the spread of the null.

    Parameters
    ----------
    one, other : BlockedRows
        The same rows and blocks on both sides.
    partners : sequence of array (n,)
        Row of `other` that is paired with each row of `one`.

    Raises
    ------
    DataError
        If the sides have different rows or blocks.
    """
    _check_alike(one, other)
    left, right = one.rows.T.astype(np.float32), other.rows.astype(np.float32)
    scale = float(np.sqrt(one.self_hsic[0] * other.self_hsic[0]))
    values = []
    for partner in partners:
        cross = left @ right[partner]
        energy = np.array([np.vdot(cross, cross)], np.float64)
        values.append(float(_unbiased(one.counts[:1], energy, one.squares[:1], other.squares[:1, partner])[0]) / scale)
    return np.array(values)


def _check_alike(one: BlockedRows, other: BlockedRows) -> None:
    same = len(one.rows) == len(other.rows) and len(one.blocks) == len(other.blocks)
    if not same or not all(np.array_equal(a, b) for a, b in zip(one.blocks, other.blocks, strict=True)):
        raise DataError("both sides of a CKA need the same rows and blocks: make them with the same `blocks`")
