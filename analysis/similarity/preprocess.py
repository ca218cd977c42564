"""Preprocessing for measures of similarity: checks, centring, and removal of dominant directions.

Each family of measures has a module: `cka`, `cca`, `shape`, `rsa`, `knn`. All take paired rows x (n, p) and y (n, q),
row i of both embedding sentence i. A few strong directions can dominate linear measures; the functions here remove
them, so that a value can be reported with and without them (method §7).
"""

from __future__ import annotations

import numpy as np

from ...errors import ConfigError, DataError
from ..checks import paired
from ..geometry.isotropy import rogue_dimensions
from ..types import Floats, Rows


def centred(x: Rows) -> Floats:
    """Return x (n, d) less its column means, in float64."""
    rows = np.asarray(x, np.float64)
    return np.asarray(rows - rows.mean(axis=0))


def centred_pair(x: Rows, y: Rows, *, least_rows: int = 2) -> tuple[Floats, Floats]:
    """Return both arrays checked and centred.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    least_rows : int
        The fewest rows with which the measure is defined.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of that many rows that differ.
    """
    a, b = paired(x, y, least_rows=least_rows)
    return _varying(centred(a), a, "x"), _varying(centred(b), b, "y")


def _varying(centred_rows: Floats, rows: Floats, name: str) -> Floats:
    rounding = 1e-14 * np.abs(rows).max(initial=0.0)
    if np.abs(centred_rows).max(initial=0.0) <= rounding:
        raise DataError(f"all rows of {name} are the same: a similarity needs rows that differ")
    return centred_rows


def without_top_components(x: Rows, count: int) -> Floats:
    """Return centred rows with their strongest principal components projected out (Mu and Viswanath, 2018).

    Parameters
    ----------
    x : array (n, d)
        Rows.
    count : int
        Number of components to remove, 0 to d − 1.

    Raises
    ------
    ConfigError
        If the count is out of range.
    """
    if not 0 <= count < x.shape[1]:
        raise ConfigError(f"expected 0 to {x.shape[1] - 1} components to remove, got {count}")
    rows = centred(x)
    top = np.linalg.eigh(rows.T @ rows)[1][:, x.shape[1] - count :]
    return np.asarray(rows - (rows @ top) @ top.T)


def without_rogue_dimensions(x: Rows, count: int) -> Floats:
    """Return rows (n, d − count) without the coordinates that dominate them (Timkey and van Schijndel, 2021).

    Parameters
    ----------
    x : array (n, d)
        Rows, not centred: a coordinate dominates the cosine by its mean.
    count : int
        Number of coordinates to remove, 0 to d − 1: those with the greatest share of the mean cosine or variance.

    Raises
    ------
    ConfigError
        If the count is out of range.
    """
    if not 0 <= count < x.shape[1]:
        raise ConfigError(f"expected 0 to {x.shape[1] - 1} dimensions to remove, got {count}")
    rogue = rogue_dimensions(x)
    strength = np.maximum(np.abs(rogue.cosine_share), rogue.variance_share)
    worst = np.argsort(-strength, kind="stable")[:count]
    return np.delete(np.asarray(x, np.float64), worst, axis=1)
