"""The local rung: in each of k regions of the source space a linear map of its own, shrunk towards the global one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .affine import AffineMap
from .fold_moments import ALL_ROWS, FoldedSource, FoldedTarget, Folds
from .regression import Shrinkage
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

    @classmethod
    def of(cls, source: FoldedSource, excluded: Folds, held_out: int, *, k: int, seed: int, constant: float) -> Regions:
        """Cluster the rows outside the excluded folds into k regions, fewer where rows coincide."""
        rows, mean = source.rows_outside(excluded), source.mean(excluded)
        centres = cluster_centres(source.x[rows], k, seed=seed)
        training = _assign(source.x, rows, centres)
        outside = _assign(source.x, source.rows[held_out], centres)
        factors = tuple(RidgeFactor.of_rows(_augmented(source.x[r] - mean, constant)) for r in training)
        held = (_augmented(source.x[r] - mean, constant) for r in outside)
        quadratics = tuple(f.quadratic_of_rows(rows) for f, rows in zip(factors, held, strict=True))
        return cls(centres, training, outside, factors, quadratics)


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

    def predict(self, target: FoldedTarget, held_out: int, shrinkage: Shrinkage) -> tuple[Floats, Locality]:
        """Predict the rows of an outer fold, given what the linear rung chose for it, (h, q)."""
        choice = self.choose(target, held_out, shrinkage)
        excluded = frozenset({held_out})
        linear = target.regression(excluded).linear(shrinkage)
        prediction = linear(self.source.x[self.source.rows[held_out]])
        if choice.penalty == RELATIVE_PENALTIES[-1]:
            return prediction, choice
        regions = self.partition(excluded, held_out, choice.regions)
        place = np.full(len(self.source.x), -1)
        place[self.source.rows[held_out]] = np.arange(len(prediction))
        for training, rows, factor in zip(regions.training, regions.held_out, regions.factors, strict=True):
            weights = self._correction(target, training, factor, linear, choice.penalty)
            prediction[place[rows]] += self._augmented(rows, linear.mean_x) @ weights
        return prediction, choice

    def fit_all(self, target: FoldedTarget, shrinkage: Shrinkage, choice: Locality) -> LocalCorrections:
        """Fit to the rows of all folds, for a map that is to be used rather than scored."""
        linear = target.regression(ALL_ROWS).linear(shrinkage)
        regions = self.partition(ALL_ROWS, 0, choice.regions)
        weights = [
            self._correction(target, training, factor, linear, choice.penalty)
            for training, factor in zip(regions.training, regions.factors, strict=True)
        ]
        return LocalCorrections(regions.centres, np.stack(weights), self._coordinate_size())

    def _correction(
        self, target: FoldedTarget, training: NDArray[np.intp], factor: RidgeFactor, linear: AffineMap, penalty: float
    ) -> Floats:
        """Return what a region adds to the global map, (1 + p, q)."""
        moment = self._augmented(training, linear.mean_x).T @ self._residual(target, training, linear)
        return factor.weights(factor.rotate(moment), penalty)

    def choose(self, target: FoldedTarget, held_out: int, shrinkage: Shrinkage) -> Locality:
        """Choose the number of regions and the shrinkage on the next fold."""
        inner = (held_out + 1) % self.source.n_folds
        excluded = frozenset({held_out, inner})
        linear = target.regression(excluded).linear(shrinkage)
        tried = self.regions_tried(excluded)
        paths = np.stack([self._path(target, self.partition(excluded, inner, k), linear) for k in tried])
        best, column = np.unravel_index(int(np.argmin(paths)), paths.shape)
        return Locality(tried[int(best)], RELATIVE_PENALTIES[int(column)])

    def regions_tried(self, excluded: Folds) -> tuple[int, ...]:
        """Return the numbers of regions for which the rows outside the excluded folds suffice."""
        available = self.source.count(self.source.outside(excluded)) // ROWS_A_REGION
        return tuple(k for k in self.regions if k <= available) or (1,)

    def _path(self, target: FoldedTarget, regions: Regions, linear: AffineMap) -> Floats:
        """Return the error of every penalty on the held-out rows of a partition, (penalties,)."""
        errors = np.zeros(len(RELATIVE_PENALTIES))
        parts = zip(regions.training, regions.held_out, regions.factors, regions.quadratics, strict=True)
        for training, rows, factor, quadratic in parts:
            moment = self._augmented(training, linear.mean_x).T @ self._residual(target, training, linear)
            residual = self._residual(target, rows, linear)
            validation = self._augmented(rows, linear.mean_x).T @ residual
            total = float(np.einsum("ij,ij->", residual, residual))
            errors += factor.path_errors(factor.rotate(moment), factor.rotate(validation), quadratic, total)
        return errors

    def _residual(self, target: FoldedTarget, rows: NDArray[np.intp], linear: AffineMap) -> Floats:
        return target.y[rows] - linear(self.source.x[rows])

    def _augmented(self, rows: NDArray[np.intp], mean: Floats) -> Floats:
        return _augmented(self.source.x[rows] - mean, self._coordinate_size())

    def _coordinate_size(self) -> float:
        return self.source.memoize("coordinate size", lambda: float(np.sqrt(np.mean(self.source.x**2))) or 1.0)

    def partition(self, excluded: Folds, held_out: int, k: int) -> Regions:
        """Return k regions of the rows outside the excluded folds; memoized."""
        size = self._coordinate_size()
        return self.source.memoize(
            ("regions", excluded, held_out, k, self.seed),
            lambda: Regions.of(self.source, excluded, held_out, k=k, seed=self.seed, constant=size),
        )


def _augmented(x: Floats, constant: float) -> Floats:
    """Return [c, x], (n, 1 + p)."""
    return np.column_stack([np.full(len(x), constant, x.dtype), x])


def cluster_centres(x: Floats, k: int, seed: int) -> Floats:
    """Return the centres of up to k clusters of rows x (n, p), as (k, p)."""
    from sklearn.cluster import MiniBatchKMeans

    distinct = len(np.unique(x[: 50 * k], axis=0))
    model = MiniBatchKMeans(min(k, distinct), n_init=1, max_iter=20, batch_size=2048, random_state=seed)
    centres: Floats = model.fit(x).cluster_centers_.astype(np.float64)
    return centres


def _assign(x: Floats, rows: NDArray[np.intp], centres: Floats) -> tuple[NDArray[np.intp], ...]:
    """Return the rows nearest to each centre."""
    distance = np.einsum("ij,ij->i", centres, centres) - 2 * x[rows] @ centres.T
    nearest = distance.argmin(axis=1)
    return tuple(rows[nearest == region] for region in range(len(centres)))
