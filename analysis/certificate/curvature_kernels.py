"""Kernels that see curvature: where instruments say that meanings are alike, beyond what is linear (method §5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maps.instruments import AxisReliability, Smoother
from ..types import Floats, Floats32, Indices

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
    def of(cls, x: Floats, along: AxisReliability, first: Smoother) -> Source:
        """Take the instruments from a smoother of x on their scores."""
        return cls(x - x.mean(axis=0), along, first.features, first.rows, first.penalty)

    def predicted(self, k: int, m: int) -> tuple[Floats, Floats]:
        """x̂ along the axes for the rows of two folds, fitted without both."""
        train = np.concatenate([r for f, r in enumerate(self.rows) if f not in {k, m}])
        a, b = self.scores[train], self.x[train]
        centre = a.mean(axis=0)
        a, b = a - centre, (b - b.mean(axis=0)) @ self.along.axes
        penalty = self.penalty * len(train) / len(self.x)
        solved = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ b)
        return (self.scores[self.rows[k]] - centre) @ solved, (self.scores[self.rows[m]] - centre) @ solved


def curvature_kernels(source: Source) -> dict[str, Floats32]:
    """Return kernels (n, n): three quadratic ones of x̂ and a smooth one of the instruments.

    x̂ for rows of folds k and m is fitted without either: noise of x would otherwise tie the kernel to the residuals.
    What is linear in the instruments is taken out on both sides; pairs within a fold count nothing.
    """
    n, latent = len(source.x), source.along.latent
    kernels = {name: np.zeros((n, n)) for name in KERNELS}
    for k in range(len(source.rows)):
        for m in range(k + 1, len(source.rows)):
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
    return {name: _straightened(matrix, basis, source.rows) for name, matrix in kernels.items()}


def _smooth(scores: Floats) -> Floats:
    top = scores[:, :SMOOTH_COMPONENTS] / scores[:, :SMOOTH_COMPONENTS].std(axis=0)
    squares = np.sum(top**2, axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * top @ top.T
    smooth: Floats = np.exp(-distance / np.median(distance))
    return smooth


def _straightened(matrix: Floats, basis: Floats, folds: tuple[Indices, ...]) -> Floats32:
    """Take the span of an orthonormal basis (n, m) out of a kernel on both sides; scale it to mean square one.

    A multiple of the identity is taken out with it, to trace zero: once its diagonal were gone, projection would have
    left a linear kernel of it.
    """
    left = matrix - basis @ (basis.T @ matrix)
    cleaned = left - (left @ basis) @ basis.T
    own = float(np.trace(cleaned)) / (len(matrix) - basis.shape[1])
    cleaned += own * (basis @ basis.T)
    for rows in folds:
        cleaned[np.ix_(rows, rows)] = 0.0
    narrow: Floats32 = (cleaned / np.sqrt(np.mean(cleaned**2))).astype(np.float32)
    return narrow
