"""Orthogonal Procrustes: the rotation, and the scale of the similarity, from a cross-scatter (Schönemann, 1966)."""

from __future__ import annotations

import numpy as np

from ..types import Floats

CONDITION = 1e-8  # least ratio of squared singular values at which squaring costs no more than half the digits


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
    rest = np.random.default_rng(0).standard_normal((len(sxy), weak))
    for _ in range(2):  # once is not enough in floating point
        rest -= left @ (left.T @ rest)
    rest = np.linalg.qr(rest)[0]
    inner, small, outer = np.linalg.svd(rest.T @ sxy @ right[:, :weak])
    weakest = (rest @ inner) @ (right[:, :weak] @ outer.T).T
    return left @ strong.T + weakest, float(singular[weak:].sum() + small.sum())


def similarity_scale(sxx: Floats, rotation: Floats, nuclear: float) -> float:
    """Return s ≥ 0 that minimises ‖sXQ − Y‖.

    Parameters
    ----------
    sxx : array (p, p)
        Scatter of x.
    rotation : array (p, q)
        Q of `procrustes`.
    nuclear : float
        Nuclear norm of Sxy.
    """
    energy = float(np.einsum("ij,ij->", rotation, sxx @ rotation))
    return nuclear / energy if energy > 0 else 0.0
