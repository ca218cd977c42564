"""Orthogonal Procrustes: the rotation, and the scale of the similarity, from a cross-scatter (Schönemann, 1966)."""

from __future__ import annotations

import numpy as np

from ..types import Floats

CONDITION = 1e-8  # least ratio of squared singular values at which squaring costs no more than half the digits
SINGLE_CONDITION = 1e-3  # the same where float32 is precise enough


def procrustes(sxy: Floats) -> tuple[Floats, float]:
    """Return the orthogonal Q that maximises tr(Qᵀ Sxy), and that maximum: the nuclear norm of Sxy.

    A square Sxy is solved by the eigenvectors of SᵀS, with a small decomposition for the weakest of them: half the
    time of a singular value decomposition.

    Parameters
    ----------
    sxy : array (p, q)
        Cross-scatter of x and y.

    Returns
    -------
    array (p, q), float
        Where p ≠ q, Q is semi-orthogonal: QᵀQ = I or QQᵀ = I, whichever fits.
    """
    if sxy.shape[0] == sxy.shape[1]:
        if sxy.dtype == np.float32:
            squares, vectors = np.linalg.eigh(sxy.T @ sxy)
            if squares[0] > SINGLE_CONDITION * squares[-1]:
                return (sxy @ (vectors / np.sqrt(squares))) @ vectors.T, float(np.sqrt(squares).sum())
        wide = sxy.astype(np.float64, copy=False)
        squares, vectors = np.linalg.eigh(wide.T @ wide)
        weak = int(np.searchsorted(squares, CONDITION * squares[-1], side="right"))
        if weak <= len(squares) // 4:
            rotation, nuclear = _polar_of_right_vectors(wide, np.sqrt(np.maximum(squares, 0.0)), vectors, weak)
            return rotation.astype(sxy.dtype, copy=False), nuclear
    left, singular, right = np.linalg.svd(sxy, full_matrices=False)
    return left @ right, float(singular.sum())


def _polar_of_right_vectors(sxy: Floats, singular: Floats, right: Floats, weak: int) -> tuple[Floats, float]:
    """Complete right singular vectors, weakest first, to the polar factor; the weak ones are decomposed apart."""
    strong = right[:, weak:]
    left = sxy @ (strong / singular[weak:])
    if weak == 0:
        return left @ strong.T, float(singular.sum())
    rest = np.random.default_rng(0).standard_normal((len(sxy), weak))
    for _ in range(2):  # once is not enough in floating point
        rest -= left @ (left.T @ rest)
    rest = np.linalg.qr(rest)[0]
    inner, small, outer = np.linalg.svd(rest.T @ sxy @ right[:, :weak])
    weakest = (rest @ inner) @ (right[:, :weak] @ outer.T).T
    return left @ strong.T + weakest, float(singular[weak:].sum() + small.sum())


def similarity_scale(sxx: Floats, sxy: Floats, rotation: Floats) -> float:
    """Return s ≥ 0 that minimises ‖sXQ − Y‖.

    Parameters
    ----------
    sxx : array (p, p)
        Scatter of x.
    sxy : array (p, q)
        Cross-scatter of x and y.
    rotation : array (p, q)
        Q.
    """
    return best_scale(float(np.einsum("ij,ij->", rotation, sxy)), float(np.einsum("ij,ij->", rotation, sxx @ rotation)))


def best_scale(aligned: float, energy: float) -> float:
    """Return the scale of a rotation from tr(QᵀSxy) and ‖XQ‖², 0 where either is not above 0."""
    return max(aligned, 0.0) / energy if energy > 0 else 0.0
