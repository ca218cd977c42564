"""Hubness: how unevenly candidates occur among the nearest neighbours of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..types import Integers, Labels


@dataclass(frozen=True, slots=True)
class Hubness:
    """How unevenly rows occur among the neighbours of others (Radovanović et al., 2010; Feldbauer and Flexer, 2019)."""

    skew: float  # of the k-occurrence; 0 even, above 1.4 hubs
    robin_hood: float  # share of occurrences to redistribute for all counts to be equal, 0 to 1
    antihubs: float  # share of rows that are the neighbour of none, 0 to 1
    largest: int  # occurrences of the largest hub


def hubness(occurrences: Labels) -> Hubness:
    """Summarise how often each candidate occurs among the k nearest of the queries.

    Parameters
    ----------
    occurrences : array (m,)
        Counts, none below 0 and not all 0; m ≥ 2.

    Raises
    ------
    DataError
        If a count is negative, all are 0, or there are fewer than 2.
    """
    counts = np.asarray(occurrences, np.float64)
    if counts.ndim != 1 or len(counts) < 2 or counts.min() < 0 or counts.sum() == 0:
        raise DataError("expected the k-occurrences of at least 2 candidates, none below 0 and not all 0")
    centred = counts - counts.mean()
    deviation = float(np.sqrt(np.mean(centred**2)))
    return Hubness(
        skew=float(np.mean(centred**3) / deviation**3) if deviation > 0 else 0.0,
        robin_hood=float(np.abs(centred).sum() / (2 * counts.sum())),
        antihubs=float(np.mean(counts == 0)),
        largest=int(counts.max()),
    )


def k_occurrence(neighbours: Labels, candidates: int) -> Integers:
    """Count how often each of m candidates occurs in neighbour lists.

    Parameters
    ----------
    neighbours : array (n, k)
        Row numbers of candidates.
    candidates : int
        m.

    Returns
    -------
    array (m,)
    """
    return np.bincount(np.ravel(neighbours), minlength=candidates).astype(np.int64)
