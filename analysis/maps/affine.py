"""The closed-form rungs of the ladder, each fitted on the rows outside some folds (method §1).

Every rung here is an affine map; `fit_…` return an `AffineMap` in the coordinates of the folded source and target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .fold_moments import FoldedTarget, Folds, kept
from .ridge import RELATIVE_PENALTIES

CONDITION = 1e-8  # least ratio of squared singular values at which squaring costs no more than half the digits


@dataclass(frozen=True, slots=True, eq=False)
class AffineMap:
    """ŷ = (x − mean_x) W + mean_y."""

    weights: Floats  # (p, q)
    mean_x: Floats  # (p,)
    mean_y: Floats  # (q,)

    def __call__(self, x: NDArray[np.floating]) -> Floats:
        """Map rows (n, p) to (n, q)."""
        return (x - self.mean_x) @ self.weights + self.mean_y


def procrustes(sxy: Floats) -> tuple[Floats, float]:
    """Return the orthogonal Q (p, q) that maximises tr(Qᵀ Sxy), and that maximum (Schönemann, 1966).

    Where p ≠ q, Q is semi-orthogonal: QᵀQ = I or QQᵀ = I, whichever fits. A square Sxy is solved by the eigenvectors of
    SᵀS, and a small decomposition of what they leave: half the time of a singular value decomposition.
    """
    if sxy.shape[0] == sxy.shape[1]:
        wide = sxy.astype(np.float64, copy=False)
        squares, vectors = np.linalg.eigh(wide.T @ wide)
        weak = int(np.searchsorted(squares, CONDITION * squares[-1], side="right"))
        if weak <= len(squares) // 4:
            rotation, nuclear = _from_right(wide, np.sqrt(np.maximum(squares, 0.0)), vectors, weak)
            return rotation.astype(sxy.dtype, copy=False), nuclear
    left, singular, right = np.linalg.svd(sxy, full_matrices=False)
    return left @ right, float(singular.sum())


def _from_right(sxy: Floats, singular: Floats, right: Floats, weak: int) -> tuple[Floats, float]:
    """Complete right singular vectors, weakest first, to the polar factor; the weak ones are solved for apart."""
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
    """Return s ≥ 0 that minimises ‖sXQ − Y‖, given the nuclear norm of Sxy."""
    energy = float(np.einsum("ij,ij->", rotation, sxx @ rotation))
    return nuclear / energy if energy > 0 else 0.0


def ridge_errors(target: FoldedTarget, excluded: Folds, fold: int) -> Floats:
    """Error of every penalty on one fold, fitted on the rows outside the excluded ones (which hold that fold)."""
    source = target.source
    factor = source.factor(excluded)
    mean_x, mean_y = source.mean(excluded), target.mean(excluded)
    return factor.path_errors(
        target.rotated_cross(excluded),
        factor.rotate(target.cross([fold], mean_x, mean_y)),
        source.validation_quadratic(excluded, fold),
        target.total(fold, mean_y),
        gram=target.rotated_gram(excluded),
    )


def choose_penalty(target: FoldedTarget, held_out: int) -> float:
    """Choose λ for the outer fold `held_out` on its inner folds, from maps fitted without either."""
    inner = target.source.inner_folds(held_out)
    errors = sum(ridge_errors(target, frozenset({held_out, fold}), fold) for fold in inner)
    return RELATIVE_PENALTIES[int(np.argmin(errors))]


def fit_ridge(target: FoldedTarget, excluded: Folds, penalty: float) -> AffineMap:
    """Ridge regression with a relative penalty; kept with the target."""
    return kept(target.kept, ("ridge", excluded, penalty), lambda: _ridge(target, excluded, penalty))


def _ridge(target: FoldedTarget, excluded: Folds, penalty: float) -> AffineMap:
    weights = target.source.factor(excluded).weights(target.rotated_cross(excluded), penalty)
    return AffineMap(weights, target.source.mean(excluded), target.mean(excluded))


def output_directions(target: FoldedTarget, excluded: Folds, ridge: AffineMap) -> Floats:
    """Principal directions of the fitted values, (q, q), strongest first: the basis of reduced-rank regression."""
    source = target.source
    fitted = ridge.weights.T @ source.scatter(source.outside(excluded), ridge.mean_x) @ ridge.weights
    return np.linalg.eigh(fitted)[1][:, ::-1]


def rank_grid(width: int) -> NDArray[np.int64]:
    """Return the ranks that are tried: powers of √2 up to the width."""
    steps = np.unique(np.round(np.sqrt(2.0) ** np.arange(0, 2 * np.log2(max(width, 1)) + 1)).astype(np.int64))
    return np.unique(np.append(steps[steps < width], width))


def rank_errors(target: FoldedTarget, held_out: int, fold: int, penalty: float) -> Floats:
    """Error of every rank of `rank_grid` on an inner fold."""
    excluded = frozenset({held_out, fold})
    ridge = fit_ridge(target, excluded, penalty)
    directions = output_directions(target, excluded, ridge)
    projected = ridge.weights @ directions
    cross = target.cross([fold], ridge.mean_x, ridge.mean_y) @ directions
    linear = np.einsum("ij,ij->j", projected, cross)
    quadratic = np.einsum("ij,ij->j", projected, target.source.scatter([fold], ridge.mean_x) @ projected)
    errors = target.total(fold, ridge.mean_y) + np.cumsum(quadratic - 2 * linear)
    return errors[rank_grid(min(ridge.weights.shape)) - 1]


def fit_low_rank(target: FoldedTarget, held_out: int, penalty: float) -> tuple[AffineMap, int]:
    """Reduced-rank ridge regression (Izenman, 1975; Mukherjee and Zhu, 2011), the rank chosen on inner folds."""
    excluded = frozenset({held_out})
    inner = target.source.inner_folds(held_out)
    errors = sum(rank_errors(target, held_out, fold, penalty) for fold in inner)
    ridge = fit_ridge(target, excluded, penalty)
    rank = int(rank_grid(min(ridge.weights.shape))[int(np.argmin(errors))])
    top = output_directions(target, excluded, ridge)[:, :rank]
    return AffineMap(ridge.weights @ top @ top.T, ridge.mean_x, ridge.mean_y), rank
