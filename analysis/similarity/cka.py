"""Centred kernel alignment (Kornblith et al., 2019): linear, debiased, Gaussian, over minibatches.

Elsewhere the debiased form is the default: the biased value of independent Gaussians is about d / (d + n), not 0.
Nothing is clipped: an unbiased estimate of 0 is below 0 half of the time.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...errors import ConfigError, DataError
from ..checks import paired
from ..types import Floats, Rows
from .hsic import LEAST_ROWS, Hsics, double_centred, squared_distances, unbiased_from_sums
from .preprocess import centred_pair


def linear_cka(x: Rows, y: Rows) -> float:
    """Biased linear CKA (Kornblith et al., 2019), in [0, 1]; not comparable across widths or row counts.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(linear_cka(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    a, b = centred_pair(x, y)
    return Hsics(_product_energy(a, b), _product_energy(a, a), _product_energy(b, b)).cka


def debiased_cka(x: Rows, y: Rows) -> float:
    """Linear CKA from unbiased HSICs (Song et al., 2012, eq. 5); about 0 for independent rows.

    Costs O(n d min(n, d)); the Gram matrix is formed only where n < d.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 4 rows that differ.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(debiased_cka(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    return debiased_hsics(x, y).cka


def debiased_hsics(x: Rows, y: Rows) -> Hsics:
    """Unbiased linear HSICs of paired rows (Song et al., 2012, eq. 5).

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows; n ≥ 4.

    Raises
    ------
    DataError
        If the arrays are not paired finite matrices of at least 4 rows that differ.
    """
    a, b = centred_pair(x, y, least_rows=LEAST_ROWS)
    square_a, square_b = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
    energies = [_product_energy(a, b), _product_energy(a, a), _product_energy(b, b)]
    diagonals = [square_a @ square_b, square_a @ square_a, square_b @ square_b]
    traces = [square_a.sum() * square_b.sum(), square_a.sum() ** 2, square_b.sum() ** 2]
    return Hsics(*unbiased_from_sums(len(a), energies, diagonals, traces).tolist())


def _product_energy(a: Floats, b: Floats) -> float:
    """‖aᵀb‖² = tr(aaᵀ bbᵀ), by the smaller of the two products."""
    if len(a) < max(a.shape[1], b.shape[1]):
        return float(np.vdot(a @ a.T, b @ b.T))
    cross = a.T @ b
    return float(np.vdot(cross, cross))


def rbf_cka(x: Rows, y: Rows, *, sigma: float | None = None, median_fraction: float = 0.5) -> float:
    """CKA with the Gaussian kernel exp(−‖a − b‖² / 2σ²) (Kornblith et al., 2019), biased, in [0, 1].

    Forms n × n matrices, for up to some ten thousand rows.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    sigma : float, optional
        One bandwidth for both sides, in the units of the embeddings.
    median_fraction : float
        Without sigma, each side's bandwidth as a fraction of the root of the median squared distance. As in the
        authors' program the median is over the full matrix, including its zero diagonal.

    Raises
    ------
    ConfigError
        If a bandwidth is not positive.
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(rbf_cka(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    if (median_fraction if sigma is None else sigma) <= 0:
        raise ConfigError(f"expected a bandwidth above 0, got sigma={sigma}, median_fraction={median_fraction}")
    a, b = centred_pair(x, y)
    k = double_centred(_gaussian_gram(a, sigma, median_fraction))
    l = double_centred(_gaussian_gram(b, sigma, median_fraction))  # noqa: E741
    return Hsics(float(np.vdot(k, l)), float(np.vdot(k, k)), float(np.vdot(l, l))).cka


def _gaussian_gram(a: Floats, sigma: float | None, median_fraction: float) -> Floats:
    distances = squared_distances(a)
    variance = sigma**2 if sigma is not None else median_fraction**2 * float(np.median(distances))
    if variance <= 0:
        raise DataError("more than half of all distances are 0, so their median gives no bandwidth: give sigma")
    return np.exp(distances / (-2 * variance))


def minibatch_cka(batches: Iterable[tuple[Rows, Rows]]) -> float:
    """CKA over minibatches as the ratio of mean unbiased HSICs, not the mean of ratios (Nguyen et al., 2021).

    Parameters
    ----------
    batches : iterable of pairs of arrays (b, p), (b, q)
        Paired rows, b ≥ 4; batches are weighted equally.

    Raises
    ------
    DataError
        If there is no batch, or one is not a pair of finite matrices with at least 4 rows.
    """
    parts = [debiased_hsics(*paired(x, y, least_rows=LEAST_ROWS)) for x, y in batches]
    if not parts:
        raise DataError("expected at least one batch of paired rows, got none")
    return Hsics(
        float(np.mean([part.xy for part in parts])),
        float(np.mean([part.xx for part in parts])),
        float(np.mean([part.yy for part in parts])),
    ).cka
