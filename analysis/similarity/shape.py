"""Shape distances (Williams et al., 2021): the angle between two clouds after the best rotation, shift and scaling."""

from __future__ import annotations

import numpy as np

from ...errors import ConfigError
from ..types import Floats, Rows
from .preprocess import centred_pair


def procrustes_score(x: Rows, y: Rows) -> float:
    """‖XᵀY‖_* / (‖X‖ ‖Y‖) of centred rows, in [0, 1]; 1 where the clouds are equal up to rotation, shift and scale.

    In sample: the value of independent Gaussians is about 0.85 √(d/n). Widths may differ.

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
    >>> round(procrustes_score(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    return _score(*centred_pair(x, y))


def procrustes_angle(x: Rows, y: Rows) -> float:
    """Angle arccos(`procrustes_score`) in radians, 0 to π/2: a metric on shapes (Williams et al., 2021)."""
    return _angle(*centred_pair(x, y))


def shape_distance(x: Rows, y: Rows, *, alpha: float = 1.0) -> float:
    """Angle between two clouds after partial whitening and the best rotation (Williams et al., 2021).

    α = 1: invariant to rotation, shift and scale only; α = 0: whitens fully, invariant to any invertible affine map;
    values between interpolate. Each cloud is first scaled to mean variance 1, so that every α is invariant to scale.
    Every α gives a metric: symmetric, 0 for equal shapes, with the triangle inequality.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows; where α < 1 directions without variance are left out.
    alpha : float
        0 to 1.

    Returns
    -------
    float
        Radians, 0 to π/2.

    Raises
    ------
    ConfigError
        If α is out of range.
    DataError
        If the arrays are not paired finite matrices of at least 2 rows that differ.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> abs(round(shape_distance(x, 2 * x[:, ::-1] + 1), 2))
    0.0
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(f"expected alpha from 0 (whitened) to 1 (orthogonal), got {alpha}")
    a, b = centred_pair(x, y)
    return _angle(_partly_whitened(a, alpha), _partly_whitened(b, alpha))


def _partly_whitened(a: Floats, alpha: float) -> Floats:
    """X (αI + (1 − α) Σ^(−1/2)), X scaled to tr Σ = rank Σ."""
    left, singular, right = np.linalg.svd(a, full_matrices=False)
    varying = singular > max(a.shape) * np.finfo(np.float64).eps * singular[0]
    left, singular, right = left[:, varying], singular[varying], right[varying]
    scaled = singular * np.sqrt(len(singular) / np.sum(singular**2))
    return np.asarray((left * (alpha * scaled + (1 - alpha))) @ right, np.float64)


def _score(a: Floats, b: Floats) -> float:
    nuclear = np.linalg.svd(a.T @ b, compute_uv=False).sum()
    return float(nuclear / (np.linalg.norm(a) * np.linalg.norm(b)))


def _angle(a: Floats, b: Floats) -> float:
    """Angle of two centred clouds; from the residual where arccos would lose half of its digits."""
    score = _score(a, b)
    if score < 0.99:
        return float(np.arccos(score))
    return 2 * float(np.arcsin(min(1.0, 0.5 * _residual(a, b))))


def _residual(a: Floats, b: Floats) -> float:
    """‖aQ − b‖ of unit clouds at the best semi-orthogonal Q: the chord of their angle."""
    width = max(a.shape[1], b.shape[1])
    unit_a, unit_b = (np.pad(side / np.linalg.norm(side), ((0, 0), (0, width - side.shape[1]))) for side in (a, b))
    left, _, right = np.linalg.svd(unit_a.T @ unit_b)
    return float(np.linalg.norm(unit_a @ (left @ right) - unit_b))


def bures_similarity(x: Rows, y: Rows) -> float:
    """Normalised Bures similarity tr √(√K L √K) / √(tr K tr L) of centred Gram matrices (Tang et al., 2020).

    Equal to `procrustes_score` (Harvey et al., 2024), which is far cheaper; this literal form, with n × n matrices, is
    a check of it.

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
    >>> round(bures_similarity(x, 2 * x[:, ::-1] + 1), 2)
    1.0
    """
    a, b = centred_pair(x, y)
    gram_x, gram_y = a @ a.T, b @ b.T
    values, vectors = np.linalg.eigh(gram_x)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ gram_y @ root)
    rank = min(len(a), a.shape[1], b.shape[1])
    # Eigenvalues beyond the rank are rounding errors, whose square roots are not small.
    fidelity = np.sqrt(np.maximum(np.sort(product)[::-1][:rank], 0)).sum()
    return float(fidelity / np.sqrt(np.trace(gram_x) * np.trace(gram_y)))
