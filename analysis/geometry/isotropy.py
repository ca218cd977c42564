"""Isotropy of one cloud of embeddings: its spectrum, effective rank, mean cosine and rogue dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..checks import finite_rows, unit_rows
from ..types import Floats, Integers, Rows


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
    rows = checked_cloud(x)
    centred = rows - rows.mean(axis=0)
    spectrum = np.maximum(np.linalg.eigvalsh(centred.T @ centred / (len(rows) - 1))[::-1], 0.0)
    if spectrum[0] <= 1e-28 * float(np.max(rows**2, initial=0.0)):
        raise DataError("all rows are the same: give rows that differ")
    return np.asarray(spectrum, np.float64)


def checked_cloud(x: Rows) -> Floats:
    """Return x (n, d) in float64, or raise DataError unless it is a finite matrix with at least 2 rows."""
    if x.ndim != 2 or len(x) < 2 or x.shape[1] < 1:
        raise DataError(f"expected a matrix (sentences × width) with at least 2 rows, got shape {x.shape}")
    return finite_rows(x)


def isoscore(spectrum: Floats) -> float:
    """Evenness of the variances over dimensions (Rudman et al., 2022): 0 on a line, 1 where all are equal.

    With fewer rows than about ten times the width the value is too low, since sample eigenvalues spread.

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
    return float(_cosine_contributions(checked_cloud(x)).sum())


def _cosine_contributions(rows: Floats) -> Floats:
    """Contribution of each coordinate to the mean cosine, (d,), of rows (n, d)."""
    unit = unit_rows(rows)
    n = len(rows)
    return np.asarray((unit.sum(axis=0) ** 2 - np.sum(unit**2, axis=0)) / (n * (n - 1)), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class RogueDimensions:
    """Shares of single coordinates in the mean cosine and in the variance (Timkey and van Schijndel, 2021)."""

    cosine_share: Floats  # (d,) contribution to the mean cosine over the sum of all absolute contributions
    variance_share: Floats  # (d,) sums to 1
    mean_cosine: float

    def strongest(self, count: int) -> Integers:
        """Return the coordinates with the greatest share of the mean cosine, greatest first."""
        return np.argsort(-np.abs(self.cosine_share), kind="stable")[:count].astype(np.int64)


def rogue_dimensions(x: Rows) -> RogueDimensions:
    """Measure the share of each coordinate in the mean cosine and in the variance.

    Parameters
    ----------
    x : array (n, d)
        Rows, none of them zero; not centred.

    Raises
    ------
    DataError
        If x is not a finite matrix of at least 2 rows that differ, or a row is zero.
    """
    rows = checked_cloud(x)
    contributions = _cosine_contributions(rows)
    variances = rows.var(axis=0)
    if not variances.sum() > 0:
        raise DataError("all rows are the same: give rows that differ")
    total = np.abs(contributions).sum()
    return RogueDimensions(contributions / total, variances / variances.sum(), float(contributions.sum()))
