"""Instruments: other renderings of the same rows, whose noise is their own (method §3).

Whatever of a row can be predicted from an instrument is not noise. The prediction is one linear operator Π for any
target: ridge regression on principal components of the instruments and on curves of them, each row from other folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..types import Floats, Indices, Integers

MAX_COMPONENTS = 128
ROWS_PER_COMPONENT = 8
CURVED_COMPONENTS = 10
LOG_PENALTIES: Floats = np.linspace(-4.0, 2.0, 13)
CURVED_RATIOS: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)
LEAST_VARIANCE = 1e-3  # of the mean over axes: whitening must not blow up axes that hold only rounding
TRIAD_BLOCKS = 16
TRIAD_PENALTY = 0.3


def principal_components(instruments: Sequence[Floats], limit: int = MAX_COMPONENTS) -> Floats:
    """Return principal component scores of all instruments side by side, largest variance first.

    The reduction sees no target, so it cannot favour a map.

    Parameters
    ----------
    instruments : sequence of arrays (n, ·)
        Each is scaled to the same total variance.
    limit : int
        Most components; fewer where there are fewer than eight rows a component.

    Returns
    -------
    array (n, m)
    """
    centred = [w - w.mean(axis=0) for w in instruments]
    joined = np.column_stack([w / np.sqrt(np.mean(np.sum(w**2, axis=1))) for w in centred])
    width = max(1, min(limit, joined.shape[1], len(joined) // ROWS_PER_COMPONENT))
    values, axes = np.linalg.eigh(joined.T @ joined)
    varying = values > 1e-10 * values[-1]
    scores: Floats = joined @ axes[:, varying][:, ::-1][:, :width]
    return scores


def quadratic_features(scores: Floats, limit: int = CURVED_COMPONENTS) -> Floats:
    """Return squares and products of the first `limit` standardised scores (n, ·) about their means, (n, k(k+1)/2)."""
    top = scores[:, :limit] / scores[:, :limit].std(axis=0)
    left, right = np.triu_indices(top.shape[1])
    products = top[:, left] * top[:, right]
    centred: Floats = products - products.mean(axis=0)
    return centred


def rows_of_folds(folds: Integers) -> tuple[Indices, ...]:
    """Return the rows of each fold, for fold numbers (n,)."""
    return tuple(np.flatnonzero(folds == k) for k in range(int(folds.max()) + 1))


@dataclass(frozen=True, slots=True, eq=False)
class Smoother:
    """Π: predicts each row of a target from the rows of other folds; Π(y) = Hy, H zero within a fold.

    Parameters
    ----------
    features : array (n, m)
        Each column divided by the square root of its penalty's ratio.
    rows : tuple of arrays
        Rows of each fold.
    penalty : float
        Ridge penalty, absolute.
    ratio : float
        Of the penalty of curved features to that of linear ones.
    """

    features: Floats
    rows: tuple[Indices, ...]
    penalty: float
    ratio: float = 1.0
    _factors: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, blocks: Sequence[Floats], y: Floats, folds: Integers, ratios: Sequence[float] = CURVED_RATIOS
    ) -> Smoother:
        """Choose the penalty, and the ratio of the penalty of later blocks to the first, by cross-fitted error on y.

        Parameters
        ----------
        blocks : sequence of arrays (n, ·)
            Linear features, then curved ones if any.
        y : array (n, q)
        folds : array (n,)
        ratios : sequence of float
            Tried where there is more than one block.
        """
        rows, best = rows_of_folds(folds), (np.inf, 0.0, 1.0)
        for ratio in ratios if len(blocks) > 1 else (1.0,):
            losses = _losses(_weighted(blocks, ratio), y, rows)
            at = int(np.argmin(losses))
            if losses[at] < best[0]:
                best = (float(losses[at]), float(10.0 ** LOG_PENALTIES[at]), ratio)
        features = _weighted(blocks, best[2])
        return cls(features, rows, best[1] * _unit(features), best[2])

    def outside(self, *folds: int) -> Indices:
        """Rows of all folds but these."""
        return np.concatenate([rows for k, rows in enumerate(self.rows) if k not in folds])

    def factors(self, fold: int) -> tuple[Floats, Floats]:
        """Return A (n_k, m + 1) and B (m + 1, n − n_k) with H = AB between a fold and the others; kept."""
        if fold not in self._factors:
            test, train = self.rows[fold], self.outside(fold)
            mean = self.features[train].mean(axis=0)
            a, b = self.features[test] - mean, self.features[train] - mean
            solved = np.linalg.solve(b.T @ b + self.penalty * np.eye(b.shape[1]), b.T)
            constant = np.full((1, len(train)), 1.0 / len(train))
            self._factors[fold] = np.column_stack([a, np.ones(len(test))]), np.concatenate([solved, constant])
        return self._factors[fold]

    def __call__(self, y: Floats) -> Floats:
        """Predict every row of y (n, q) from the other folds."""
        predicted = np.empty(y.shape)
        for fold, test in enumerate(self.rows):
            a, b = self.factors(fold)
            predicted[test] = a @ (b @ y[self.outside(fold)])
        return predicted

    def without(self, x: Floats, fold: int) -> Floats:
        """Predict every row of x (n, p) without its own fold and without `fold`.

        Were a held-out fold in this first stage, its noise would enter the map that is tested on it.
        """
        predicted = np.empty(x.shape)
        for own, rows in enumerate(self.rows):
            train = self.outside(own, fold)
            a = self.features[train]
            centre, mean = a.mean(axis=0), x[train].mean(axis=0)
            a = a - centre
            penalty = self.penalty * len(train) / len(self.outside(own))
            solved = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (x[train] - mean))
            predicted[rows] = (self.features[rows] - centre) @ solved + mean
        return predicted


def _unit(features: Floats) -> float:
    """Mean squared norm of a column about its mean: the unit of penalties."""
    return float(np.mean(features.var(axis=0))) * len(features)


def _weighted(blocks: Sequence[Floats], ratio: float) -> Floats:
    """Scale blocks to equal mean variance a column, later ones down by √ratio."""
    sized = [b / np.sqrt(np.mean(b.var(axis=0))) for b in blocks]
    return np.column_stack([sized[0], *(b / np.sqrt(ratio) for b in sized[1:])])


def _losses(features: Floats, y: Floats, rows: tuple[Indices, ...]) -> Floats:
    """Cross-fitted Σ‖y − ŷ‖² for every penalty, (k,), from one eigendecomposition a fold."""
    losses, penalties = np.zeros(len(LOG_PENALTIES)), 10.0**LOG_PENALTIES * _unit(features)
    total_ff, total_fy = features.T @ features, features.T @ y
    for test in rows:
        n, a, b = len(y) - len(test), features[test], y[test]
        mean, mean_y = (features.sum(axis=0) - a.sum(axis=0)) / n, (y.sum(axis=0) - b.sum(axis=0)) / n
        values, axes = np.linalg.eigh(total_ff - a.T @ a - n * np.outer(mean, mean))
        cross = axes.T @ (total_fy - a.T @ b - n * np.outer(mean, mean_y))
        turned, held = (a - mean) @ axes, b - mean_y
        solve = 1.0 / (np.maximum(values, 0) + penalties[:, None])
        linear = solve @ np.einsum("ij,ij->i", cross, turned.T @ held)
        quadratic = np.einsum("ki,ij,kj->k", solve, (cross @ cross.T) * (turned.T @ turned), solve, optimize=True)
        losses += float(np.sum(held**2)) - 2 * linear + quadratic
    return losses


@dataclass(frozen=True, slots=True, eq=False)
class AxisReliability:
    """Share of the variance along principal axes that is not noise."""

    reliability: Floats  # (p,)
    variance: Floats  # (p,) with noise, largest first
    axes: Floats  # (p, p) a column each

    @property
    def overall(self) -> float:
        """Reliability of the whole side: latent variance over variance."""
        latent: float = self.latent.sum() / self.variance.sum()
        return float(latent)

    @property
    def latent(self) -> Floats:
        """Variance without noise along the axes, (p,)."""
        return self.reliability * self.variance


def axis_reliability(x: Floats, first: Floats, second: Floats, folds: Integers) -> AxisReliability:
    """Estimate reliability along the principal axes of x by triads with two other views.

    ρ = cov(t, a) cov(t, b) / (var t · cov(a, b)) for the score t along an axis, where a and b predict t from either
    view. They are trained on different folds: shared rows would share noise. Axes of like variance are pooled.

    Parameters
    ----------
    x : array (n, p)
    first, second : arrays (n, ·)
        Views with noise of their own.
    folds : array (n,)
        At least five folds.
    """
    centred = x - x.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred / len(x))
    values, axes = np.maximum(values[::-1], LEAST_VARIANCE * float(values.mean())), axes[:, ::-1]
    scores = centred @ axes
    a, b = _apart(first, scores, folds, 1), _apart(second, scores, folds, 3)
    sa, sb, ab, total = (np.sum(u * v, axis=0) for u, v in ((scores, a), (scores, b), (a, b), (scores, scores)))
    edges = np.unique(np.round(np.geomspace(1, len(values) + 1, TRIAD_BLOCKS + 1)).astype(int) - 1)
    starts, sizes = edges[:-1], np.diff(edges)
    sa, sb, ab, total = (np.add.reduceat(p, starts) for p in (sa, sb, ab, total))
    positive = (sa > 0) & (sb > 0) & (ab > 0)
    pooled = np.where(positive, sa * sb / np.where(positive, ab * total, 1.0), 0.0)
    return AxisReliability(np.repeat(np.clip(pooled, 0.02, 1.0), sizes), values, axes)


def _apart(view: Floats, scores: Floats, folds: Integers, first: int) -> Floats:
    """Predict scores from a view by ridge, each fold from the folds `first` and `first` + 1 places further."""
    n_folds = int(folds.max()) + 1
    v, predicted = view - view.mean(axis=0), np.empty(scores.shape)
    penalty = TRIAD_PENALTY * float(np.mean(v.var(axis=0))) * 2 * len(v) / n_folds
    for fold in range(n_folds):
        train = np.isin(folds, [(fold + first) % n_folds, (fold + first + 1) % n_folds])
        solved = np.linalg.solve(v[train].T @ v[train] + penalty * np.eye(v.shape[1]), v[train].T @ scores[train])
        predicted[folds == fold] = v[folds == fold] @ solved
    return predicted
