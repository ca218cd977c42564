"""Geometry of one cloud of embeddings: isotropy, rank, intrinsic dimension, rogue dimensions, hubness.

Rows are sentences. The anatomy of a map from one cloud to another is in `anatomy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ...errors import ConfigError, DataError
from ..checks import finite_rows, unit_rows
from ..types import Floats, Rows

TILE_ENTRIES = 8_000_000
DISCARDED = 0.1


def covariance_spectrum(x: Rows) -> Floats:
    """Eigenvalues of the covariance (divisor n − 1), largest first, (d,), none below 0.

    Parameters
    ----------
    x : array (n, d)
        Rows; n ≥ 2.

    Raises
    ------
    DataError
        If x is not a finite matrix with at least 2 rows that differ.
    """
    rows = _checked(x)
    moved = rows - rows.mean(axis=0)
    spectrum = np.maximum(np.linalg.eigvalsh(moved.T @ moved / (len(rows) - 1))[::-1], 0.0)
    if spectrum[0] <= 1e-28 * float(np.max(rows**2, initial=0.0)):
        raise DataError("all rows are the same: a geometry needs rows that differ")
    return np.asarray(spectrum, np.float64)


def _checked(x: Rows) -> Floats:
    if x.ndim != 2 or len(x) < 2 or x.shape[1] < 1:
        raise DataError(f"expected a matrix (sentences × width) with at least 2 rows, got shape {x.shape}")
    return finite_rows(x)


def isoscore(spectrum: Floats) -> float:
    """How evenly the variance fills the dimensions (Rudman et al., 2022): 0 on a line, 1 where all variances are equal.

    With fewer rows than about ten times the width the value is too low: the sample spectrum spreads by itself.

    Parameters
    ----------
    spectrum : array (d,)
        Variances along the principal axes, from `covariance_spectrum`; d ≥ 2.

    Raises
    ------
    DataError
        If there are fewer than 2 dimensions, or a variance is negative, or all are 0.
    """
    width = len(_checked_spectrum(spectrum, 2))
    scaled = np.sqrt(width) * spectrum / np.linalg.norm(spectrum)
    defect = np.linalg.norm(scaled - 1) / np.sqrt(2 * (width - np.sqrt(width)))
    used = (width - defect**2 * (width - np.sqrt(width))) ** 2 / width**2
    return float((width * used - 1) / (width - 1))


def effective_rank(spectrum: Floats) -> float:
    """Exponential of the entropy of the normalised singular values (Roy and Vetterli, 2007), 1 to d.

    Parameters
    ----------
    spectrum : array (d,)
        Variances along the principal axes; their roots are proportional to the singular values.

    Raises
    ------
    DataError
        If a variance is negative or all are 0.
    """
    singular = np.sqrt(_checked_spectrum(spectrum, 1))
    share = singular[singular > 0] / singular.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def participation_ratio(spectrum: Floats) -> float:
    """(Σ λ)² / Σ λ² of the variances λ (d,), 1 to d (Gao et al., 2017).

    Raises
    ------
    DataError
        If a variance is negative or all are 0.
    """
    variances = _checked_spectrum(spectrum, 1)
    return float(variances.sum() ** 2 / np.sum(variances**2))


def _checked_spectrum(spectrum: Floats, least: int) -> Floats:
    if spectrum.ndim != 1 or len(spectrum) < least or np.any(spectrum < 0) or not spectrum.sum() > 0:
        raise DataError(f"expected at least {least} variances, none below 0 and not all 0, got {spectrum}")
    return spectrum


def mean_cosine(x: Rows) -> float:
    """Mean cosine over all pairs of different rows, −1/(n − 1) to 1, exact in O(nd) (Ethayarajh, 2019).

    Parameters
    ----------
    x : array (n, d)
        Rows, none of them zero; not centred.

    Raises
    ------
    DataError
        If x is not a finite matrix of at least 2 rows, or a row is zero.
    """
    return float(_cosine_contributions(_checked(x)).sum())


def _cosine_contributions(rows: Floats) -> Floats:
    """Return what each coordinate adds to the mean cosine, (d,)."""
    unit = unit_rows(rows)
    n = len(rows)
    return np.asarray((unit.sum(axis=0) ** 2 - np.sum(unit**2, axis=0)) / (n * (n - 1)), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class RogueDimensions:
    """What single coordinates hold of the mean cosine and of the variance (Timkey and van Schijndel, 2021)."""

    cosine_share: Floats  # (d,) contribution to the mean cosine over the sum of all absolute contributions
    variance_share: Floats  # (d,) sums to 1
    mean_cosine: float

    def strongest(self, count: int) -> NDArray[np.int64]:
        """Return the coordinates with the greatest share of the mean cosine, greatest first."""
        return np.argsort(-np.abs(self.cosine_share), kind="stable")[:count].astype(np.int64)


def rogue_dimensions(x: Rows) -> RogueDimensions:
    """Measure how much of the mean cosine and of the variance single coordinates hold.

    Parameters
    ----------
    x : array (n, d)
        Rows, none of them zero; not centred.

    Raises
    ------
    DataError
        If x is not a finite matrix of at least 2 rows that differ, or a row is zero.
    """
    rows = _checked(x)
    contributions = _cosine_contributions(rows)
    variances = rows.var(axis=0)
    if not variances.sum() > 0:
        raise DataError("all rows are the same: a geometry needs rows that differ")
    total = np.abs(contributions).sum()
    return RogueDimensions(contributions / total, variances / variances.sum(), float(contributions.sum()))


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
    distinct = np.unique(_checked(x), axis=0)
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


def _scale(x: Rows, order: NDArray[np.int64], parts: int, discarded: float) -> ScaleDimension:
    size = len(x) // parts
    pieces = [x[np.sort(order[i * size : (i + 1) * size])] for i in range(parts)]
    dimensions = [two_nn_dimension(piece, discarded=discarded) for piece in pieces]
    return ScaleDimension(size, float(np.mean(dimensions)), float(np.std(dimensions)))


@dataclass(frozen=True, slots=True)
class Hubness:
    """How unevenly rows occur among the neighbours of others (Radovanović et al., 2010; Feldbauer and Flexer, 2019)."""

    skew: float  # of the k-occurrence; 0 even, above 1.4 hubs
    robin_hood: float  # share of occurrences to be moved for all to be equal, 0 to 1
    antihubs: float  # share of rows that are nobody's neighbour, 0 to 1
    largest: int  # occurrences of the greatest hub


def hubness(occurrences: NDArray[np.integer]) -> Hubness:
    """Summarise how often each candidate occurs among the k nearest of the queries.

    Parameters
    ----------
    occurrences : array (m,)
        Counts, none below 0 and not all 0; m ≥ 2.

    Raises
    ------
    DataError
        If the counts are not such.
    """
    counts = np.asarray(occurrences, np.float64)
    if counts.ndim != 1 or len(counts) < 2 or counts.min() < 0 or counts.sum() == 0:
        raise DataError("expected the k-occurrence of at least 2 candidates: counts, none below 0 and not all 0")
    moved = counts - counts.mean()
    spread = float(np.sqrt(np.mean(moved**2)))
    return Hubness(
        skew=float(np.mean(moved**3) / spread**3) if spread > 0 else 0.0,
        robin_hood=float(np.abs(moved).sum() / (2 * counts.sum())),
        antihubs=float(np.mean(counts == 0)),
        largest=int(counts.max()),
    )


def k_occurrence(neighbours: NDArray[np.integer], candidates: int) -> NDArray[np.int64]:
    """Count how often each of m candidates occurs in the neighbour lists (n, k): (m,)."""
    return np.bincount(np.ravel(neighbours), minlength=candidates).astype(np.int64)
