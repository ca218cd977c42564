"""Residuals of a linear map whose errors are independent on the two sides of every pair of rows (method §5).

Were the same map, or one that had seen either row, behind both residuals of a pair, errors of the fit would multiply
into curvature that is not there: with four rows a column, tens of standard deviations of it. Rows are dealt to six
folds, and a map is fitted to every two of them; for a pair of folds the other four make two such maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..maps.affine import AffineMap
from ..maps.instruments import Smoother
from ..maps.structural import InstrumentedSums, StructuralFit, component_prior, polar
from ..types import Floats, Floats32, Indices

CURVATURE_FOLDS = 6
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Regularisation:
    """How the linear maps are regularised: as in the fits to more rows, since penalties are absolute."""

    penalty: float
    scale: float
    kappa: float
    rotated: bool  # shrunk towards a rotation rather than the identity
    same_space: bool

    @classmethod
    def of(cls, fits: Sequence[StructuralFit]) -> Regularisation:
        """Take the medians of the choices of several fits."""
        chosen = [fit.shrinkage for fit in fits]
        return cls(
            float(np.exp(np.median([np.log(c.penalty) for c in chosen]))),
            float(np.median([c.scale for c in chosen])),
            float(np.median([fit.kappa for fit in fits])),
            sum(c.prior == "rotation" for c in chosen) * 2 > len(chosen),
            fits[0].same_space,
        )


@dataclass(frozen=True, slots=True, eq=False)
class CrossedResiduals:
    """Products of residuals of every pair of rows in different folds.

    Parameters
    ----------
    products : array (n, n)
        Mean of r_s·r_t over independent maps; zero within a fold.
    mean : array (n, q)
        Residuals under the mean of the maps that did not see a row.
    """

    products: Floats32
    mean: Floats32


def crossed_residuals(x: Floats, y: Floats, first: Smoother, regularisation: Regularisation) -> CrossedResiduals:
    """Fit a structural linear map to every two folds, and cross their residuals.

    Parameters
    ----------
    x : array (n, p)
    y : array (n, q)
    first : Smoother
        Of x on component scores of the instruments, over six folds.
    regularisation : Regularisation
    """
    maps = {pair: _fit_pair(x, y, first, pair, regularisation) for pair in combinations(range(CURVATURE_FOLDS), 2)}
    left = {
        (fold, pair): (y[rows] - fitted(x[rows])).astype(np.float32)
        for pair, fitted in maps.items()
        for fold, rows in enumerate(first.rows)
        if fold not in pair
    }
    products, mean = np.zeros((len(x), len(x)), np.float32), np.empty(y.shape, np.float32)
    for k, rows in enumerate(first.rows):
        mean[rows] = np.mean([r for (fold, _), r in left.items() if fold == k], axis=0)
        for m in range(k + 1, CURVATURE_FOLDS):
            parts = list(_independent(k, m))
            crossed = np.hstack([left[k, a] for a, _ in parts]) @ np.hstack([left[m, b] for _, b in parts]).T
            products[np.ix_(rows, first.rows[m])] = crossed / len(parts)
    return CrossedResiduals(products + products.T, mean)


def _independent(k: int, m: int) -> Iterator[tuple[Pair, Pair]]:
    """Split the four other folds into two and two, in every way and order."""
    others = [f for f in range(CURVATURE_FOLDS) if f not in {k, m}]
    for a in combinations(others, 2):
        c, d = (f for f in others if f not in a)
        yield (a[0], a[1]), (c, d)


def _fit_pair(x: Floats, y: Floats, first: Smoother, pair: Pair, chosen: Regularisation) -> AffineMap:
    """Fit the structural linear map to two folds alone, x̂ of either from the other."""
    rows = [first.rows[f] for f in pair]
    both = np.concatenate(rows)
    denoised = np.concatenate([_predict(x, first, rows[1], rows[0]), _predict(x, first, rows[0], rows[1])])
    folds = np.repeat([0, 1], [len(r) for r in rows]).astype(np.int64)
    scatter = InstrumentedSums.of(x[both], y[both], folds, denoised).training(frozenset())
    values, vectors = np.linalg.eigh(scatter.xx)
    values = np.maximum(values, 2 * max(-float(values[0]), 0.0)) + chosen.penalty
    prior = np.eye(*scatter.xy.shape)
    if not chosen.same_space:
        prior = component_prior(scatter, max(1, min(*scatter.xy.shape, scatter.n // 10)))
    if chosen.rotated and np.isfinite(chosen.kappa):
        unit = float(np.linalg.norm(scatter.rigid)) / np.sqrt(min(scatter.xy.shape))
        prior = polar(scatter.rigid + chosen.kappa * len(x) / scatter.n * unit * prior)
    right = vectors.T @ (scatter.xy + chosen.penalty * chosen.scale * prior)
    return AffineMap(vectors @ (right / values[:, None]), scatter.mean_x, scatter.mean_y)


def _predict(x: Floats, first: Smoother, train: Indices, test: Indices) -> Floats:
    """Predict x of some rows from their instruments, fitted to others."""
    a, b = first.features[train], x[train]
    centre, mean = a.mean(axis=0), b.mean(axis=0)
    a = a - centre
    penalty = first.penalty * len(train) / len(x)
    solved = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (b - mean))
    predicted: Floats = (first.features[test] - centre) @ solved + mean
    return predicted
