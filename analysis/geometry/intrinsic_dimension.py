"""Intrinsic dimension of a cloud of embeddings from the distances of nearest neighbours (Facco et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.distance import cdist

from ...errors import ConfigError, DataError
from ..types import Floats, Rows
from .isotropy import checked_cloud

TILE_ENTRIES = 8_000_000
DISCARDED = 0.1


def two_nn_dimension(x: Rows, *, discarded: float = DISCARDED) -> float:
    """Intrinsic dimension from the ratios of second to first neighbour distance (Facco et al., 2017).

    The ratios μᵢ = r₂/r₁ of N rows follow a Pareto law whose exponent is the dimension; it is fitted by least squares
    through the origin of −log(1 − i/N) on log μ₍ᵢ₎. Euclidean distances, in tiles: O(n²d) time, O(tile) memory.
    Repeated rows are counted once.

    Parameters
    ----------
    x : array (n, d)
        Rows; at least 10 different ones.
    discarded : float
        Share of the largest ratios left out of the fit, 0 to below 1.

    Raises
    ------
    ConfigError
        If the share is out of range.
    DataError
        If x is not a finite matrix, or has fewer than 10 different rows, or all ratios are 1.
    """
    if not 0 <= discarded < 1:
        raise ConfigError(f"expected a share of ratios to discard from 0 to below 1, got {discarded}")
    distinct = np.unique(checked_cloud(x), axis=0)
    if len(distinct) < 10:
        raise DataError(f"an intrinsic dimension needs at least 10 different rows, got {len(distinct)}")
    return pareto_exponent(neighbour_ratios(distinct), discarded)


def pareto_exponent(ratios: Floats, discarded: float = DISCARDED) -> float:
    """Fit the exponent of a Pareto law to neighbour ratios (n,) above 1: the intrinsic dimension of `two_nn_dimension`.

    Raises
    ------
    DataError
        If all ratios are 1.
    """
    n = len(ratios)
    # The largest ratio has −log(1 − n/n) = ∞ and cannot be used.
    used = min(n - 1, int(n * (1 - discarded)))
    log_ratio = np.log(np.sort(ratios))[:used]
    tail = -np.log1p(-np.arange(1, used + 1) / n)
    energy = log_ratio @ log_ratio
    if not energy > 0:
        raise DataError(
            "the two nearest neighbours of every row are at one distance: no dimension is defined, give other rows"
        )
    return float(log_ratio @ tail / energy)


def neighbour_ratios(rows: Floats) -> Floats:
    """Ratio r₂ / r₁ of second to first neighbour distance of each row, (n,), for rows (n, d) that all differ."""
    if rows.shape[1] > 16:
        return _neighbour_ratios_by_products(rows)
    ratios = np.empty(len(rows))
    tile_rows = max(1, TILE_ENTRIES // len(rows))
    for start in range(0, len(rows), tile_rows):
        tile = cdist(rows[start : start + tile_rows], rows)
        nearest = np.partition(tile, 2, axis=1)[:, :3]
        nearest.sort(axis=1)
        ratios[start : start + len(tile)] = nearest[:, 2] / nearest[:, 1]
    return ratios


def _neighbour_ratios_by_products(rows: Floats) -> Floats:
    """Find the two neighbours by matrix products, which are fast, then compute their distances exactly."""
    centred = rows - rows.mean(axis=0)
    squares = np.einsum("ij,ij->i", centred, centred)
    ratios = np.empty(len(rows))
    tile_rows = max(1, TILE_ENTRIES // len(rows))
    for start in range(0, len(rows), tile_rows):
        block = centred[start : start + tile_rows]
        tile = squares - 2 * block @ centred.T
        tile[np.arange(len(block)), start + np.arange(len(block))] = np.inf
        near = torch.from_numpy(tile).topk(2, dim=1, largest=False, sorted=False).indices.numpy()
        exact = np.linalg.norm(centred[near] - block[:, None], axis=2)
        exact.sort(axis=1)
        ratios[start : start + len(block)] = exact[:, 1] / exact[:, 0]
    return ratios


@dataclass(frozen=True, slots=True)
class ScaleDimension:
    """Intrinsic dimension at one scale: with fewer rows, neighbours are further apart."""

    rows: int  # of each part
    dimension: float
    deviation: float  # standard deviation over the disjoint parts


def dimension_over_scales(
    x: Rows, rng: np.random.Generator, *, decimations: Sequence[int] = (1, 2, 4, 8), discarded: float = DISCARDED
) -> tuple[ScaleDimension, ...]:
    """TwoNN dimension of random parts (Facco et al., 2017): constant in the size if intrinsic, rising with it if noise.

    Parameters
    ----------
    x : array (n, d)
        Rows.
    rng : Generator
        Shuffles the rows once for each decimation.
    decimations : sequence of int
        Numbers of disjoint parts into which to divide the rows, each at least 1.
    discarded : float
        As in `two_nn_dimension`.

    Raises
    ------
    ConfigError
        If a decimation is below 1.
    DataError
        If a part has fewer than 10 different rows.
    """
    if any(parts < 1 for parts in decimations):
        raise ConfigError(f"expected decimations of at least 1, got {tuple(decimations)}")
    scales = []
    for parts in decimations:
        order, size = rng.permutation(len(x)), len(x) // parts
        samples = [np.sort(order[i * size : (i + 1) * size]) for i in range(parts)]
        dimensions = [two_nn_dimension(x[sample], discarded=discarded) for sample in samples]
        scales.append(ScaleDimension(size, float(np.mean(dimensions)), float(np.std(dimensions))))
    return tuple(scales)
