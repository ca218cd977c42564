"""Reduced-rank ridge regression (Izenman, 1975; Mukherjee and Zhu, 2011)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .regression import Split


def rank_grid(width: int) -> NDArray[np.int64]:
    """Return the ranks that are tried: powers of √2 up to the width."""
    steps = np.unique(np.round(np.sqrt(2.0) ** np.arange(0, 2 * np.log2(max(width, 1)) + 1)).astype(np.int64))
    return np.unique(np.append(steps[steps < width], width))


def output_directions(sxx: Floats, weights: Floats) -> Floats:
    """Return the principal directions of the fitted values of weights (p, q), strongest first, (q, q)."""
    return np.linalg.eigh(weights.T @ sxx @ weights)[1][:, ::-1]


def reduced_rank(sxx: Floats, weights: Floats, rank: int) -> Floats:
    """Project ridge weights (p, q) onto the strongest directions of their fitted values."""
    directions = output_directions(sxx, weights)[:, :rank]
    return weights @ directions @ directions.T


def rank_errors(split: Split, penalty: float) -> Floats:
    """Return Σ‖y − ŷ‖² over the held-out rows for every rank of `rank_grid`, (ranks,)."""
    training, held_out = split.training, split.held_out
    weights = training.ridge(penalty).weights
    directions = output_directions(training.sxx, weights)
    projected = weights @ directions
    cross = held_out.scatter_xy(training.mean_x, training.mean_y) @ directions
    linear = np.einsum("ij,ij->j", projected, cross)
    quadratic = np.einsum("ij,ij->j", projected, held_out.scatter_xx(training.mean_x) @ projected)
    errors = held_out.total_y(training.mean_y) + np.cumsum(quadratic - 2 * linear)
    return errors[rank_grid(min(weights.shape)) - 1]


def choose_rank(splits: Iterable[Split], penalty: float) -> int:
    """Return the rank with the least error over all splits, at one relative penalty."""
    parts = list(splits)
    errors = sum(rank_errors(split, penalty) for split in parts)
    return int(rank_grid(min(parts[0].training.sxy.shape))[int(np.argmin(errors))])
