"""What comes before any measure of similarity: checked, centred, and cleaned paired rows.

The measures stand in the modules of their families: `cka`, `cca`, `shape`, `rsa`, `neighbourhood`. All take paired rows
x (n, p) and y (n, q), row i of both embedding sentence i. Linear measures can be ruled by a few strong directions; the
functions here take these out of an array, so that a value can be reported with and without them (method §7).
"""

from __future__ import annotations

import numpy as np

from ...errors import ConfigError, DataError
from ..checks import paired
from ..geometry.isotropy import rogue_dimensions
from ..types import Floats, Rows


def centred(x: Rows) -> Floats:
    """Return x (n, d) less its column means, in float64."""
    wide = np.asarray(x, np.float64)
    return np.asarray(wide - wide.mean(axis=0))


def centred_pair(x: Rows, y: Rows, *, least_rows: int = 2) -> tuple[Floats, Floats]:
    """Return both arrays checked and centred, or raise DataError where one of them does not vary at all."""
    a, b = paired(x, y, least_rows=least_rows)
    return _varying(centred(a), a, "x"), _varying(centred(b), b, "y")


def _varying(moved: Floats, rows: Floats, name: str) -> Floats:
    rounding = 1e-14 * np.abs(rows).max(initial=0.0)
    if np.abs(moved).max(initial=0.0) <= rounding:
        raise DataError(f"all rows of {name} are the same: a similarity needs rows that differ")
    return moved


def without_top_components(x: Rows, count: int) -> Floats:
    """Return centred rows with their strongest principal components projected out (Mu and Viswanath, 2018).

    Parameters
    ----------
    x : array (n, d)
        Rows.
    count : int
        How many components to take out, 0 to d − 1.

    Raises
    ------
    ConfigError
        If the count is out of range.
    """
    if not 0 <= count < x.shape[1]:
        raise ConfigError(f"expected 0 to {x.shape[1] - 1} components to remove, got {count}")
    moved = centred(x)
    top = np.linalg.eigh(moved.T @ moved)[1][:, x.shape[1] - count :]
    return np.asarray(moved - (moved @ top) @ top.T)


def without_rogue_dimensions(x: Rows, count: int) -> Floats:
    """Return rows (n, d − count) less the coordinates that rule cosine or variance (Timkey and van Schijndel, 2021).

    Parameters
    ----------
    x : array (n, d)
        Rows, not centred: the mean is what makes a coordinate rule the cosine.
    count : int
        How many coordinates to drop, 0 to d − 1: those whose share of the mean cosine or of the variance is greatest.

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
