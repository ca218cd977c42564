"""Similarity by canonical correlation and by regression: invariant to any invertible linear map of either side.

With n below twice the width these measures are high for any rows, independent ones included.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...errors import ConfigError, DataError
from ..checks import paired
from ..types import Floats, Rows
from .preprocess import centred, centred_pair

Centring = Literal["columns", "none"]


def column_basis(x: Floats) -> Floats:
    """Orthonormal basis (n, r) of the column space of x (n, d), r its numerical rank."""
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    rank = int(np.sum(singular > max(x.shape) * np.finfo(np.float64).eps * singular.max(initial=0.0)))
    if rank == 0:
        raise DataError("all entries are 0: canonical correlations need rows that differ")
    return left[:, :rank]


def canonical_correlations(x: Rows, y: Rows, *, centring: Centring = "columns") -> Floats:
    """Canonical correlations, largest first, min(rank x, rank y) of them, each in [0, 1] (Björck and Golub, 1973).

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    centring : {"columns", "none"}
        "none" gives the cosines of the principal angles between the raw column spaces, as some programs report.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.
    """
    a, b = centred_pair(x, y) if centring == "columns" else paired(x, y)
    return _correlations(column_basis(a), column_basis(b))


def _correlations(basis_x: Floats, basis_y: Floats) -> Floats:
    return np.asarray(np.linalg.svd(basis_x.T @ basis_y, compute_uv=False), np.float64)


def mean_cca(x: Rows, y: Rows, *, centring: Centring = "columns") -> float:
    """Mean canonical correlation, ρ̄, in [0, 1] (Kornblith et al., 2019).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(mean_cca(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    return float(canonical_correlations(x, y, centring=centring).mean())


def mean_squared_cca(x: Rows, y: Rows, *, centring: Centring = "columns") -> float:
    """Mean squared canonical correlation, in [0, 1] (Yanai, 1974; R²_CCA of Kornblith et al., 2019)."""
    return float(np.square(canonical_correlations(x, y, centring=centring)).mean())


def svcca(x: Rows, y: Rows, *, variance: float = 0.99) -> float:
    """Mean canonical correlation of the strongest principal components of each side (Raghu et al., 2017), in [0, 1].

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    variance : float
        Share of each side's variance, above 0 and at most 1, that the selected components reach.

    Raises
    ------
    ConfigError
        If the share is out of range.
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(svcca(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    if not 0 < variance <= 1:
        raise ConfigError(f"expected a share of variance above 0 and at most 1, got {variance}")
    a, b = centred_pair(x, y)
    return float(_correlations(_principal_basis(a, variance), _principal_basis(b, variance)).mean())


def _principal_basis(x: Floats, variance: float) -> Floats:
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    share = np.cumsum(singular**2) / np.sum(singular**2)
    return left[:, : int(np.sum(share < variance * (1 - 1e-12))) + 1]


def pwcca(x: Rows, y: Rows) -> float:
    """Canonical correlations weighted by how much of x each canonical variate accounts for (Morcos et al., 2018).

    The weight of variate hᵢ is Σⱼ |hᵢ · xⱼ| over the columns of x, so the measure is not symmetric. Where canonical
    correlations are equal, as where n − 1 < p + q makes some of them exactly 1, neither their variates nor the value
    are determined.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows; by convention x is the narrower side.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(pwcca(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    a, b = centred_pair(x, y)
    basis_a, basis_b = column_basis(a), column_basis(b)
    left, correlations, _ = np.linalg.svd(basis_a.T @ basis_b, full_matrices=False)
    weights = np.abs((basis_a @ left).T @ a).sum(axis=1)
    return float(weights @ correlations / weights.sum())


def regression_r2(source: Rows, target: Rows) -> float:
    """Share of the target's variance that least squares from the source explains on the same rows, in [0, 1].

    In sample: the value of independent Gaussians is about p / (n − 1). A reference only; use held-out scores.

    Parameters
    ----------
    source, target : array (n, p), (n, q)
        Paired rows.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.
    """
    a, b = centred_pair(source, target)
    return float(np.sum((column_basis(a).T @ b) ** 2) / np.sum(b**2))


def gulp(x: Rows, y: Rows, *, penalty: float = 0.0) -> float:
    """Squared GULP distance: how far ridge predictions from x and from y can differ (Boix-Adserà et al., 2022).

    At λ = 0 this is rank x + rank y − 2 Σ ρ², ρ the canonical correlations.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    penalty : float
        λ ≥ 0, relative to the covariance XᵀX / n.

    Returns
    -------
    float
        At least 0; 0 where both sides give the same predictions.

    Raises
    ------
    ConfigError
        If λ is negative.
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.
    """
    if penalty < 0:
        raise ConfigError(f"expected a penalty of at least 0, got {penalty}")
    a, b = centred_pair(x, y)
    (basis_x, gain_x), (basis_y, gain_y) = _smoother(a, penalty), _smoother(b, penalty)
    overlap = gain_x @ (basis_x.T @ basis_y) ** 2 @ gain_y
    return float(gain_x @ gain_x + gain_y @ gain_y - 2 * overlap)


def _smoother(x: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Eigenvectors (n, r) and eigenvalues (r,) of X (XᵀX/n + λ)⁻¹ Xᵀ / n."""
    basis = column_basis(x)
    left, singular, _ = np.linalg.svd(centred(x), full_matrices=False)
    variance = singular[: basis.shape[1]] ** 2 / len(x)
    return left[:, : basis.shape[1]], variance / (variance + penalty)
