"""Kernels that see curvature: where instruments say that meanings are alike, beyond what is linear (method §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..maps.instruments import AxisReliability, Smoother
from ..maps.structural import StructuralFit
from ..types import Floats, Floats32, Indices, Integers

KERNELS: tuple[str, ...] = ("axes", "whitened", "raw", "smooth")
SMOOTH_COMPONENTS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The source side, and what instruments say of it."""

    x: Floats  # (n, p) about its mean
    along: AxisReliability
    scores: Floats  # (n, m) component scores of the instruments: what counts as linear
    rows: tuple[Indices, ...]  # of each fold
    penalty: float  # of x on the scores

    @classmethod
    def of(cls, x: Floats, along: AxisReliability, scores: Floats, rows: tuple[Indices, ...]) -> Source:
        """Choose the penalty of x on the scores by cross-fitted error."""
        folds = np.empty(len(x), np.int64)
        for k, members in enumerate(rows):
            folds[members] = k
        return cls(x - x.mean(axis=0), along, scores, rows, Smoother.fit([scores], x, folds).penalty)

    def predicted(self, k: int, m: int) -> tuple[Floats, Floats]:
        """x̂ along the axes for the rows of two folds, fitted without both."""
        train = np.concatenate([r for f, r in enumerate(self.rows) if f not in {k, m}])
        a, b = self.scores[train], self.x[train]
        centre = a.mean(axis=0)
        a, b = a - centre, (b - b.mean(axis=0)) @ self.along.axes
        penalty = self.penalty * len(train) / len(self.x)
        solved = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ b)
        return (self.scores[self.rows[k]] - centre) @ solved, (self.scores[self.rows[m]] - centre) @ solved


def curvature_kernels(source: Source, groups: Integers) -> dict[str, Floats32]:
    """Return kernels (n, n): three quadratic ones of x̂ and a smooth one of the instruments.

    x̂ for rows of folds k and m is fitted without either: noise of x would otherwise tie the kernel to the residuals.
    What is linear in the instruments is taken out on both sides; pairs of one group count nothing.
    """
    n, latent = len(source.x), source.along.latent
    kernels = {name: np.zeros((n, n)) for name in KERNELS}
    for k in range(len(source.rows)):
        for m in range(k, len(source.rows)):
            first, second = source.predicted(k, m)
            u, v = first / np.sqrt(latent), second / np.sqrt(latent)
            blocks = {
                "axes": (u**2 - np.mean(u**2, axis=0)) @ (v**2 - np.mean(v**2, axis=0)).T,
                "whitened": (u @ v.T) ** 2,
                "raw": (first @ second.T) ** 2,
            }
            for name, block in blocks.items():
                kernels[name][np.ix_(source.rows[k], source.rows[m])] = block
                kernels[name][np.ix_(source.rows[m], source.rows[k])] = block.T
    kernels["smooth"] = _smooth(source.scores)
    basis = np.linalg.qr(np.column_stack([np.ones(n), source.scores]))[0]
    return {name: _straightened(matrix, basis, groups) for name, matrix in kernels.items()}


def _smooth(scores: Floats) -> Floats:
    top = scores[:, :SMOOTH_COMPONENTS] / scores[:, :SMOOTH_COMPONENTS].std(axis=0)
    squares = np.sum(top**2, axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * top @ top.T
    smooth: Floats = np.exp(-distance / np.median(distance))
    return smooth


def _straightened(matrix: Floats, basis: Floats, groups: Integers) -> Floats32:
    """Take the span of an orthonormal basis (n, m) out of a kernel on both sides; scale it to mean square one."""
    left = matrix - basis @ (basis.T @ matrix)
    cleaned = left - (left @ basis) @ basis.T
    cleaned[groups[:, None] == groups[None, :]] = 0.0
    narrow: Floats32 = (cleaned / np.sqrt(np.mean(cleaned**2))).astype(np.float32)
    return narrow


def residual_operator(fits: Sequence[StructuralFit], x: Floats) -> Floats32:
    """Write y ↦ y − ŷ of the structural linear rung, refitted at its penalties without a prior, as a matrix (n, n)."""
    operator = np.eye(len(x), dtype=np.float32)
    for fold, fit in enumerate(fits):
        test = fit.sums.rows[fold]
        train = np.concatenate([r for k, r in enumerate(fit.sums.rows) if k != fold])
        scatter = fit.basis(fit.excluded)[0]
        penalised = scatter.xx + fit.shrinkage.penalty * np.eye(x.shape[1])
        left = np.linalg.solve(penalised, (x[test] - scatter.mean_x).T).T
        instrument = fit.sums.denoised[train]
        operator[np.ix_(test, train)] -= left @ (instrument - instrument.mean(axis=0)).T + 1.0 / len(train)
    return operator
