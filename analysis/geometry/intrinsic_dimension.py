"""Intrinsic dimension of a cloud of embeddings from the distances of nearest neighbours (Facco et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.distance import cdist

from ...errors import ConfigError, DataError
from ..types import Floats, Integers, Rows
from .isotropy import checked_cloud

TILE_ENTRIES = 8_000_000
DISCARDED = 0.1


def two_nn_dimension(x: Rows, *, discarded: float = DISCARDED) -> float:
    """Intrinsic dimension from the ratios of second to first neighbour distance (Facco et al., 2017).

    With N rows μᵢ = r₂/r₁ follows a Pareto law of exponent the dimension; it is fitted by least squares through the
    origin of −log(1 − i/N) on log μ₍ᵢ₎. Euclidean distances, in tiles: O(n²d) time, O(tile) memory. Rows that repeat
    another row are counted once.

    Parameters
    ----------
    x : array (n, d)
        Rows; at least 3 different ones.
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
    # The largest ratio has −log(1 − n/n) = ∞ and can never be used.
    kept = min(n - 1, int(n * (1 - discarded)))
    log_ratio = np.log(np.sort(ratios))[:kept]
    tail = -np.log1p(-np.arange(1, kept + 1) / n)
    energy = log_ratio @ log_ratio
    if not energy > 0:
        raise DataError("all rows have their two nearest neighbours at one distance: no intrinsic dimension is defined")
    return float(log_ratio @ tail / energy)


def neighbour_ratios(rows: Floats) -> Floats:
    """Ratio r₂ / r₁ of second to first neighbour distance of each row of (n, d), all different: (n,)."""
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
    """Find neighbours by matrix products, which are fast, then measure the three candidates exactly."""
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
    """Intrinsic dimension at one scale: fewer rows see the cloud from further away."""

    rows: int
    dimension: float
    deviation: float  # standard deviation over the disjoint parts of that size


def dimension_over_scales(
    x: Rows, rng: np.random.Generator, *, decimations: Sequence[int] = (1, 2, 4, 8), discarded: float = DISCARDED
) -> tuple[ScaleDimension, ...]:
    """TwoNN dimension of ever smaller random parts (Facco et al., 2017): a plateau is the dimension, a slope is noise.

    Parameters
    ----------
    x : array (n, d)
        Rows.
    rng : Generator
        Shuffles the rows once for each decimation.
    decimations : sequence of int
        Into how many disjoint parts to cut the rows, each at least 1.
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
    return tuple(_scale(x, rng.permutation(len(x)), parts, discarded) for parts in decimations)


def _scale(x: Rows, order: Integers, parts: int, discarded: float) -> ScaleDimension:
    size = len(x) // parts
    pieces = [x[np.sort(order[i * size : (i + 1) * size])] for i in range(parts)]
    dimensions = [two_nn_dimension(piece, discarded=discarded) for piece in pieces]
    return ScaleDimension(size, float(np.mean(dimensions)), float(np.std(dimensions)))
