"""Checks of arrays before they are measured: paired, finite, not zero."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..errors import DataError
from .types import Floats, Rows


def check_pair(x: Rows, y: Rows) -> None:
    """Raise DataError unless x (n, p) and y (n, q) are matrices with the same number of rows."""
    if x.ndim != 2 or y.ndim != 2:
        raise DataError(f"expected two matrices (sentences × width), got shapes {x.shape} and {y.shape}")
    if len(x) != len(y):
        raise DataError(f"expected one row of y for each row of x, got {len(x)} and {len(y)} rows")


def paired(x: Rows, y: Rows, *, least_rows: int = 2) -> tuple[Floats, Floats]:
    """Return x and y in float64, or raise DataError.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    least_rows : int
        The fewest rows with which the measure is defined.

    Raises
    ------
    DataError
        If they are not matrices, differ in rows, have too few rows, or hold NaN or infinity.
    """
    check_pair(x, y)
    if len(x) < least_rows:
        raise DataError(f"this measure needs at least {least_rows} paired rows, got {len(x)}: give more sentences")
    return finite_rows(x, " of x"), finite_rows(y, " of y")


def finite_rows(x: Rows, name: str = "") -> Floats:
    """Return x (n, d) in float64, or raise DataError, naming the first row that holds NaN or infinity."""
    rows = np.asarray(x, np.float64)
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise DataError(f"row {int(np.argmax(bad))}{name} holds NaN or infinity: remove it, or encode it again")
    return rows


def unit_rows(x: Rows, *, zeros: Literal["refuse", "keep"] = "refuse") -> Rows:
    """Return the rows of x (n, d) at unit length; float32 in, float32 out, any other type gives float64.

    Parameters
    ----------
    x : array (n, d)
        Rows of any length.
    zeros : {"refuse", "keep"}
        Whether a row of zeros, which has no direction, is an error or is returned unchanged.

    Raises
    ------
    DataError
        If a row is zero and zeros are refused.
    """
    rows = x if x.dtype == np.float32 else np.asarray(x, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    zero = lengths == 0
    if zeros == "refuse" and zero.any():
        raise DataError(f"row {int(np.argmax(zero))} is zero and has no direction: remove it, or encode it again")
    return np.asarray(rows / np.where(zero, lengths.dtype.type(1), lengths))
