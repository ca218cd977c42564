"""The local rung: in each of k regions of the source space a linear map of its own, shrunk towards the global one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .affine import AffineMap, fit_ridge
from .fold_moments import FoldedSource, FoldedTarget, Folds
from .ridge import RELATIVE_PENALTIES, RidgeFactor

REGIONS: tuple[int, ...] = (2, 4, 8)
ROWS_A_REGION = 10


@dataclass(frozen=True, slots=True)
class Locality:
    """What the inner fold chose: the number of regions, and the shrinkage towards the global map."""

    regions: int
    penalty: float


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """A partition of the source space by the nearest of k centres, with the factor of each region's scatter."""

    centres: Floats  # (k, p)
    training: tuple[NDArray[np.intp], ...]  # training rows of each region
    held_out: tuple[NDArray[np.intp], ...]  # held-out rows of each region
    factors: tuple[RidgeFactor, ...]  # of [c, x]ᵀ[c, x] on each region's training rows
    quadratics: tuple[Floats, ...]  # the same on its held-out rows, in coordinates of the factor


@dataclass(frozen=True, slots=True, eq=False)
class LocalCorrections:
    """What the regions of a fit to all rows add to the global map, in coordinates about the mean of x."""

    centres: Floats  # (k, p)
    weights: Floats  # (k, 1 + p, q)
    constant: float  # c of [c, x]

    def __call__(self, x: Floats) -> Floats:
        """Return the corrections of rows about the mean, (n, p), as (n, q)."""
        result = np.zeros((len(x), self.weights.shape[2]))
        for rows, weights in zip(_assign(x, np.arange(len(x)), self.centres), self.weights, strict=True):
            result[rows] = self.constant * weights[0] + x[rows] @ weights[1:]
        return result


class LocalRung:
    """Fits local linear maps for every outer fold of one source; the regions serve every target.

    A local map is the global one plus a ridge regression of its residuals on [c, x] within the region, so an infinite
    penalty gives the global map exactly. The constant c has the size of a typical coordinate of x, so that offset and
    slope shrink alike.
    """

    def __init__(self, source: FoldedSource, seed: int, regions: tuple[int, ...] = REGIONS) -> None:
        self.source = source
        self.seed = seed
        self.regions = regions

    def predict(self, target: FoldedTarget, held_out: int, penalty: float) -> tuple[Floats, Locality]:
        """Predict the rows of an outer fold, given the λ that the ridge rung chose for it, (h, q)."""
        choice = self.choose(target, held_out, penalty)
        excluded = frozenset({held_out})
        ridge = fit_ridge(target, excluded, penalty)
        prediction = ridge(self.source.x[self.source.rows[held_out]])
        if choice.penalty == RELATIVE_PENALTIES[-1]:
            return prediction, choice
        regions = self._partition(excluded, held_out, choice.regions)
        place = np.full(len(self.source.x), -1)
        place[self.source.rows[held_out]] = np.arange(len(prediction))
        for training, rows, factor in zip(regions.training, regions.held_out, regions.factors, strict=True):
            weights = self._correction(target, training, factor, ridge, choice.penalty)
            prediction[place[rows]] += self._augmented(rows, ridge.mean_x) @ weights
        return prediction, choice

    def fit_all(self, target: FoldedTarget, penalty: float, choice: Locality) -> LocalCorrections:
        """Fit to the rows of all folds, for a map that is to be used rather than scored."""
        nothing: Folds = frozenset()
        ridge = fit_ridge(target, nothing, penalty)
        regions = self._partition(nothing, 0, choice.regions)
        weights = [
            self._correction(target, training, factor, ridge, choice.penalty)
            for training, factor in zip(regions.training, regions.factors, strict=True)
        ]
        return LocalCorrections(regions.centres, np.stack(weights), self._coordinate_size())

    def _correction(
        self, target: FoldedTarget, training: NDArray[np.intp], factor: RidgeFactor, ridge: AffineMap, penalty: float
    ) -> Floats:
        """Return what a region adds to the global map, (1 + p, q)."""
        moment = self._augmented(training, ridge.mean_x).T @ self._residual(target, training, ridge)
        return factor.weights(factor.rotate(moment), penalty)

    def choose(self, target: FoldedTarget, held_out: int, penalty: float) -> Locality:
        """Choose the number of regions and the shrinkage on the next fold."""
        inner = (held_out + 1) % self.source.n_folds
        excluded = frozenset({held_out, inner})
        ridge = fit_ridge(target, excluded, penalty)
        tried = self._tried(excluded)
        paths = np.stack([self._path(target, self._partition(excluded, inner, k), ridge) for k in tried])
        best, column = np.unravel_index(int(np.argmin(paths)), paths.shape)
        return Locality(tried[int(best)], RELATIVE_PENALTIES[int(column)])

    def _tried(self, excluded: Folds) -> tuple[int, ...]:
        available = self.source.count(self.source.outside(excluded)) // ROWS_A_REGION
        return tuple(k for k in self.regions if k <= available) or (1,)

    def _path(self, target: FoldedTarget, regions: Regions, ridge: AffineMap) -> Floats:
        errors = np.zeros(len(RELATIVE_PENALTIES))
        parts = zip(regions.training, regions.held_out, regions.factors, regions.quadratics, strict=True)
        for training, rows, factor, quadratic in parts:
            moment = self._augmented(training, ridge.mean_x).T @ self._residual(target, training, ridge)
            residual = self._residual(target, rows, ridge)
            validation = self._augmented(rows, ridge.mean_x).T @ residual
            total = float(np.einsum("ij,ij->", residual, residual))
            errors += factor.path_errors(factor.rotate(moment), factor.rotate(validation), quadratic, total)
        return errors

    def _residual(self, target: FoldedTarget, rows: NDArray[np.intp], ridge: AffineMap) -> Floats:
        return target.y[rows] - ridge(self.source.x[rows])

    def _augmented(self, rows: NDArray[np.intp], mean: Floats) -> Floats:
        x = self.source.x[rows] - mean
        return np.column_stack([np.full(len(x), self._coordinate_size(), x.dtype), x])

    def _coordinate_size(self) -> float:
        return self.source.keep("coordinate size", lambda: float(np.sqrt(np.mean(self.source.x**2))) or 1.0)

    def _partition(self, excluded: Folds, held_out: int, k: int) -> Regions:
        return self.source.keep(
            ("regions", excluded, held_out, k, self.seed), lambda: self._make_partition(excluded, held_out, k)
        )

    def _make_partition(self, excluded: Folds, held_out: int, k: int) -> Regions:
        source = self.source
        rows = np.concatenate([source.rows[fold] for fold in source.outside(excluded)])
        centres = _cluster(source.x[rows], k, seed=self.seed)
        training = _assign(source.x, rows, centres)
        outside = _assign(source.x, source.rows[held_out], centres)
        mean = source.mean(excluded)
        factors = tuple(RidgeFactor.of_rows(self._augmented(r, mean)) for r in training)
        held = (self._augmented(r, mean) for r in outside)
        quadratics = tuple(f.quadratic_of_rows(rows) for f, rows in zip(factors, held, strict=True))
        return Regions(centres, training, outside, factors, quadratics)


def _cluster(x: Floats, k: int, seed: int) -> Floats:
    from sklearn.cluster import MiniBatchKMeans

    distinct = len(np.unique(x[: 50 * k], axis=0))
    model = MiniBatchKMeans(min(k, distinct), n_init=1, max_iter=20, batch_size=2048, random_state=seed)
    centres: Floats = model.fit(x).cluster_centers_.astype(np.float64)
    return centres


def _assign(x: Floats, rows: NDArray[np.intp], centres: Floats) -> tuple[NDArray[np.intp], ...]:
    distance = np.einsum("ij,ij->i", centres, centres) - 2 * x[rows] @ centres.T
    nearest = distance.argmin(axis=1)
    return tuple(rows[nearest == region] for region in range(len(centres)))
