"""Centred kernel alignment (Kornblith et al., 2019): biased, debiased, Gaussian, streaming, over minibatches.

Debiased is the default elsewhere: the biased value of independent Gaussians is about d / (d + n), not 0. Nothing is
clipped: a debiased value below 0 is what an unbiased estimate of 0 gives half of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist, squareform

from ...errors import ConfigError, DataError
from ..checks import paired
from ..moments import Moments, merged
from ..resampling import LEVEL, Interval, jackknife_interval
from ..types import Floats, Rows
from .preprocess import centred_pair

LEAST_ROWS = 4


@dataclass(frozen=True, slots=True)
class Hsics:
    """The three Hilbert–Schmidt independence criteria from which one CKA is made."""

    xy: float
    xx: float
    yy: float

    @property
    def cka(self) -> float:
        """HSIC(x, y) / √(HSIC(x, x) HSIC(y, y)).

        Raises
        ------
        DataError
            If a self-criterion is not positive: those rows do not vary more than noise would.
        """
        if not (self.xx > 0 and self.yy > 0):
            raise DataError(
                f"CKA is not defined: the self-similarities are {self.xx:.3g} and {self.yy:.3g}, expected above 0; "
                "give more rows, or rows that differ"
            )
        return self.xy / float(np.sqrt(self.xx) * np.sqrt(self.yy))


def linear_cka(x: Rows, y: Rows) -> float:
    """Biased linear CKA (Kornblith et al., 2019), in [0, 1]; never compare it across widths or row counts.

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
    """Unbiased linear HSICs of paired rows (n, p) and (n, q); n ≥ 4."""
    a, b = centred_pair(x, y, least_rows=LEAST_ROWS)
    square_a, square_b = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
    n = len(a)
    return Hsics(
        _unbiased(n, _product_energy(a, b), square_a @ square_b, square_a.sum() * square_b.sum()),
        _unbiased(n, _product_energy(a, a), square_a @ square_a, square_a.sum() ** 2),
        _unbiased(n, _product_energy(b, b), square_b @ square_b, square_b.sum() ** 2),
    )


def _product_energy(a: Floats, b: Floats) -> float:
    """‖aᵀb‖² = tr(aaᵀ bbᵀ), by the smaller of the two products."""
    if len(a) < max(a.shape[1], b.shape[1]):
        return float(np.vdot(a @ a.T, b @ b.T))
    cross = a.T @ b
    return float(np.vdot(cross, cross))


def unbiased_from_sums(n: ArrayLike, energy: ArrayLike, diagonal: ArrayLike, traces: ArrayLike) -> Floats:
    """Unbiased HSIC (Song et al., 2012, eq. 5) of centred rows, whose Gram matrices have rows that sum to 0.

    Then 1ᵀK̃ = −diag(K), so that only tr(KL), Σ kᵢᵢ lᵢᵢ and tr K · tr L remain.

    Parameters
    ----------
    n, energy, diagonal, traces : float or array (b,)
        Number of rows, at least 4, and the three sums; one value for each set of rows.
    """
    n, energy, diagonal, traces = (np.asarray(part, np.float64) for part in (n, energy, diagonal, traces))
    return np.asarray((energy - n / (n - 2) * diagonal + traces / ((n - 1) * (n - 2))) / (n * (n - 3)), np.float64)


def _unbiased(n: float, energy: float, diagonal: float, traces: float) -> float:
    return float(unbiased_from_sums(n, energy, diagonal, traces))


def unbiased_hsic(k: Floats, l: Floats) -> float:  # noqa: E741
    """Unbiased HSIC of two Gram matrices (n, n), any kernel (Song et al., 2012, eq. 5); n ≥ 4."""
    n = len(k)
    if n < LEAST_ROWS:
        raise DataError(f"an unbiased HSIC needs at least {LEAST_ROWS} rows, got {n}: give more sentences")
    k0, l0 = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    middle = k0.sum() * l0.sum() / ((n - 1) * (n - 2))
    last = 2 / (n - 2) * (k0.sum(axis=0) @ l0.sum(axis=1))
    return float((np.vdot(k0, l0.T) + middle - last) / (n * (n - 3)))


def biased_hsic(k: Floats, l: Floats) -> float:  # noqa: E741
    """Biased HSIC tr(KHLH) / (n − 1)² of two Gram matrices (n, n) (Gretton et al., 2005)."""
    return float(np.vdot(double_centred(k), double_centred(l)) / (len(k) - 1) ** 2)


def double_centred(k: Floats) -> Floats:
    """HKH: a square matrix (n, n) with the means of its rows and columns taken out."""
    by_row = k - k.mean(axis=1, keepdims=True)
    return np.asarray(by_row - by_row.mean(axis=0))


def rbf_cka(x: Rows, y: Rows, *, sigma: float | None = None, median_fraction: float = 0.5) -> float:
    """CKA with the Gaussian kernel exp(−‖a − b‖² / 2σ²) (Kornblith et al., 2019), biased, in [0, 1].

    Holds n × n matrices: up to some ten thousand rows.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    sigma : float, optional
        One bandwidth for both sides, in the units of the embeddings.
    median_fraction : float
        Where no sigma is given: each side's bandwidth as a fraction of the root of the median squared distance. As in
        the authors' program the median runs over the full matrix, its zero diagonal included.

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


def squared_distances(a: Floats) -> Floats:
    """Squared Euclidean distances between all rows of a (n, d): (n, n), diagonal exactly 0."""
    return np.asarray(squareform(pdist(a, "sqeuclidean")))


def debiased_hsics_from_moments(moments: Moments) -> Hsics:
    """Unbiased linear HSICs from mergeable sums: one pass, O(d²) memory, any number of rows.

    Raises
    ------
    DataError
        If fewer than 4 rows were gathered.
    """
    n = moments.n
    if n < LEAST_ROWS:
        raise DataError(f"debiased CKA needs at least {LEAST_ROWS} rows, got {n:g}: give more sentences")
    sxx, syy = moments.sxx, moments.syy
    trace_x, trace_y = float(np.trace(sxx)), float(np.trace(syy))
    diagonal_xx, diagonal_xy, diagonal_yy = _squared_norm_products(moments)
    return Hsics(
        _unbiased(n, float(np.vdot(moments.sxy, moments.sxy)), diagonal_xy, trace_x * trace_y),
        _unbiased(n, float(np.vdot(sxx, sxx)), diagonal_xx, trace_x**2),
        _unbiased(n, float(np.vdot(syy, syy)), diagonal_yy, trace_y**2),
    )


def debiased_cka_from_moments(moments: Moments) -> float:
    """Debiased linear CKA in one pass; equals `debiased_cka` of the same rows (to 1e-12 where gathered in float64)."""
    return debiased_hsics_from_moments(moments).cka


def linear_cka_from_moments(moments: Moments) -> float:
    """Biased linear CKA in one pass; equals `linear_cka` of the same rows."""
    energies = (float(np.vdot(s, s)) for s in (moments.sxy, moments.sxx, moments.syy))
    return Hsics(*energies).cka


def _squared_norm_products(m: Moments) -> tuple[float, float, float]:
    """Σ ‖x‖⁴, Σ ‖x‖²‖y‖², Σ ‖y‖⁴ about the true means."""
    a, b = m.sum_x / m.n, m.sum_y / m.n
    return (
        _recentred(m.n, (a, a), (m.xx, m.xx, m.xx), (m.x_xx, m.x_xx, m.xx_xx)),
        _recentred(m.n, (a, b), (m.xx, m.xy, m.yy), (m.x_yy, m.y_xx, m.xx_yy)),
        _recentred(m.n, (b, b), (m.yy, m.yy, m.yy), (m.y_yy, m.y_yy, m.yy_yy)),
    )


def _recentred(
    n: float, means: tuple[Floats, Floats], second: tuple[Floats, Floats, Floats], higher: tuple[Floats, Floats, float]
) -> float:
    """Σ ‖u − a‖² ‖v − b‖² with a, b the means of u, v: expanded, the linear terms fold into −3n ‖a‖²‖b‖²."""
    (a, b), (uu, uv, vv), (u_vv, v_uu, uu_vv) = means, second, higher
    aa, bb = a @ a, b @ b
    cubic = a @ u_vv + b @ v_uu
    quadratic = bb * np.trace(uu) + aa * np.trace(vv) + 4 * (a @ uv @ b)
    return float(uu_vv - 2 * cubic + quadratic - 3 * n * aa * bb)


def jackknife_debiased_cka(blocks: Sequence[Moments], *, level: float = LEVEL) -> Interval:
    """Debiased CKA of all rows with a delete-one-block jackknife interval (Künsch, 1989).

    Parameters
    ----------
    blocks : sequence of Moments
        Sums of disjoint blocks of about equal size about one centre, a concept group wholly in one block.
    level : float
        Confidence level, 0 to 1.

    Raises
    ------
    ConfigError
        If there are fewer than 2 blocks.
    DataError
        If the blocks have different centres or too few rows.
    """
    if len(blocks) < 2:
        raise ConfigError(f"a jackknife needs at least 2 blocks, got {len(blocks)}")
    total = merged(blocks)
    without = [debiased_cka_from_moments(total - block) for block in blocks]
    return jackknife_interval(debiased_cka_from_moments(total), without, level)


def minibatch_cka(batches: Iterable[tuple[Rows, Rows]]) -> float:
    """CKA over minibatches as the ratio of mean unbiased HSICs (Nguyen et al., 2021), never the mean of ratios.

    Parameters
    ----------
    batches : iterable of pairs of arrays (b, p), (b, q)
        Paired rows, b ≥ 4; the batches count equally.

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
