"""Hubness: how unevenly candidates occur among the nearest neighbours of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError


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
