"""Reduced-rank ridge regression (Izenman, 1975; Mukherjee and Zhu, 2011)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .regression import Shrinkage, Split
from .shrinkage import EQUAL


def rank_grid(width: int) -> NDArray[np.int64]:
    """Return the ranks that are tried: powers of √2 up to the width."""
    steps = np.unique(np.round(np.sqrt(2.0) ** np.arange(0, 2 * np.log2(max(width, 1)) + 1)).astype(np.int64))
    return np.unique(np.append(steps[steps < width], width))


def output_directions(sxx: Floats, weights: Floats) -> Floats:
    """Return the principal directions of the fitted values of weights (p, q), strongest first, (q, q)."""
    return np.linalg.eigh(weights.T @ sxx @ weights)[1][:, ::-1]


def reduced_rank(sxx: Floats, weights: Floats, rank: int) -> Floats:
    """Project weights (p, q) onto the strongest directions of their fitted values."""
    directions = output_directions(sxx, weights)[:, :rank]
    return weights @ directions @ directions.T


def rank_errors(split: Split, shrinkage: Shrinkage) -> Floats:
    """Return Σ‖y − ŷ‖² over the held-out rows for every rank of `rank_grid`, (ranks,)."""
    weights = split.training.linear(shrinkage).weights
    directions = output_directions(split.training.sxx, weights)
    projected = weights @ directions
    linear = np.einsum("ij,ij->j", projected, split.sxy @ directions)
    quadratic = np.einsum("ij,ij->j", projected, split.sxx @ projected)
    errors = split.total + np.cumsum(quadratic - 2 * linear)
    return errors[rank_grid(min(weights.shape)) - 1]


def choose_rank(splits: Sequence[Split], shrinkage: Shrinkage) -> int:
    """Return the rank with the least error over all splits, at one shrinkage; the least of ranks that are equal."""
    errors = sum((rank_errors(split, shrinkage) for split in splits), np.zeros(()))
    equal = EQUAL * sum(split.total for split in splits)
    grid = rank_grid(min(splits[0].training.sxy.shape))
    return int(grid[int(np.flatnonzero(errors <= errors.min() + equal)[0])])
