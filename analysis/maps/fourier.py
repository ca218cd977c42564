"""The nonlinear rung: ridge on [x, random Fourier features of x], with a penalty of its own for the features.

With a penalty λ₁ on the weights of x and λ₂ on those of the features φ, the minimiser of
‖Y − XW − ΦU‖² + λ₁‖W‖² + λ₂‖U‖² is found by eliminating W: U solves (M + λ₂I) U = Φᵀ Y − Pᵀ Xᵀ Y with
P = (XᵀX + λ₁I)⁻¹ XᵀΦ and M = ΦᵀΦ − ΦᵀX P. As λ₂ grows the map becomes the ridge rung exactly, so this rung holds the
linear one as a special case, and what it gains over it is curvature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .affine import AffineMap, fit_ridge
from .fold_moments import FoldedSource, FoldedTarget, Folds
from .fourier_features import FourierFeatures, median_distance
from .ridge import RELATIVE_PENALTIES, RidgeFactor

BANDWIDTHS: tuple[float, ...] = (0.5, 1.0, 2.0)
MAX_FEATURES = 1024
MAX_ROWS = 12_000
MIN_FEATURES = 16


@dataclass(frozen=True, slots=True)
class Curvature:
    """What the inner folds chose: bandwidth in median distances, and λ₂ relative to the mean eigenvalue of M."""

    bandwidth: float
    penalty: float


@dataclass(frozen=True, slots=True, eq=False)
class Featured:
    """Features of the training and held-out rows of one split, about the training mean."""

    rows: NDArray[np.intp]  # training rows used for the features
    training: NDArray[np.float32]  # (n, m)
    held_out: NDArray[np.float32]  # (h, m)
    scatter: Floats  # (m, m) ΦᵀΦ
    cross: Floats  # (p, m) XᵀΦ
    features: FourierFeatures
    centre: NDArray[np.float32]  # (m,) mean of the features of the training rows


@dataclass(frozen=True, slots=True, eq=False)
class Eliminated:
    """Features of one split after the linear part under one λ₁ has been eliminated."""

    projection: Floats  # P (p, m)
    factor: RidgeFactor  # of M (m, m)
    quadratic: Floats  # (m, m) scatter of φ − xP on the held-out rows, in coordinates of the factor


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """What the features of a fit to all rows add to the global map, in coordinates about the mean of x."""

    features: FourierFeatures
    centre: NDArray[np.float32]  # (m,)
    weights: Floats  # (m, q)
    straightened: Floats  # (p, q) taken off the linear weights

    def __call__(self, x: Floats) -> Floats:
        """Return the bend of rows about the mean, (n, p), as (n, q)."""
        return _times(self.features(x) - self.centre, self.weights) - x @ self.straightened


def feature_count(n_training: int) -> int:
    """Return how many features are drawn: a power of two near half the training rows, at most 1 024."""
    wanted = int(2 ** np.floor(np.log2(max(n_training / 2, MIN_FEATURES))))
    return min(MAX_FEATURES, wanted)


class NonlinearRung:
    """Fits the nonlinear rung for every outer fold of one source; features and factors serve every target.

    Parameters
    ----------
    source : FoldedSource
    seed : int
        Seed of the features.
    bandwidths : tuple of float
        Bandwidths that are tried, in median distances between training rows.
    """

    def __init__(self, source: FoldedSource, seed: int, bandwidths: tuple[float, ...] = BANDWIDTHS) -> None:
        self.source = source
        self.seed = seed
        self.bandwidths = bandwidths

    def predict(self, target: FoldedTarget, held_out: int, penalty: float) -> tuple[Floats, Curvature]:
        """Predict the rows of an outer fold, given the λ₁ that the ridge rung chose for it.

        Returns
        -------
        array (h, q), Curvature
            Predictions about the provisional centre of the target, and what was chosen on the inner fold.
        """
        choice = self.choose(target, held_out, penalty)
        excluded = frozenset({held_out})
        ridge = fit_ridge(target, excluded, penalty)
        linear = ridge(self.source.x[self.source.rows[held_out]])
        if choice.penalty == RELATIVE_PENALTIES[-1]:
            return linear, choice
        return linear + self._bend(target, excluded, held_out, penalty, choice, ridge), choice

    def choose(self, target: FoldedTarget, held_out: int, penalty: float) -> Curvature:
        """Choose bandwidth and λ₂ on the next fold, from maps fitted on the remaining ones."""
        inner = (held_out + 1) % self.source.n_folds
        excluded = frozenset({held_out, inner})
        paths = np.stack([self._path(target, excluded, inner, penalty, b) for b in self.bandwidths])
        best, column = np.unravel_index(int(np.argmin(paths)), paths.shape)
        return Curvature(self.bandwidths[int(best)], RELATIVE_PENALTIES[int(column)])

    def _path(self, target: FoldedTarget, excluded: Folds, inner: int, penalty: float, bandwidth: float) -> Floats:
        featured = self._featured(excluded, inner, bandwidth)
        eliminated = self._eliminated(excluded, inner, penalty, bandwidth)
        ridge = fit_ridge(target, excluded, penalty)
        x = self.source.x[self.source.rows[inner]]
        residual = target.y[self.source.rows[inner]] - ridge(x)
        bent = _product(featured.held_out, residual) - eliminated.projection.T @ ((x - ridge.mean_x).T @ residual)
        return eliminated.factor.path_errors(
            eliminated.factor.rotate(self._moment(target, excluded, featured, eliminated, ridge)),
            eliminated.factor.rotate(bent),
            eliminated.quadratic,
            float(np.einsum("ij,ij->", residual, residual)),
        )

    def _bend(  # noqa: PLR0917 - each is one coordinate of what is kept
        self,
        target: FoldedTarget,
        excluded: Folds,
        held_out: int,
        penalty: float,
        choice: Curvature,
        ridge: AffineMap,
    ) -> Floats:
        featured = self._featured(excluded, held_out, choice.bandwidth)
        weights, straightened = self._bend_weights(target, excluded, held_out, penalty, choice, ridge)
        x = self.source.x[self.source.rows[held_out]] - ridge.mean_x
        return _times(featured.held_out, weights) - x @ straightened

    def _bend_weights(  # noqa: PLR0917 - each is one coordinate of what is kept
        self,
        target: FoldedTarget,
        excluded: Folds,
        held_out: int,
        penalty: float,
        choice: Curvature,
        ridge: AffineMap,
    ) -> tuple[Floats, Floats]:
        """Return U (m, q), and what it takes off the linear weights, PU (p, q)."""
        featured = self._featured(excluded, held_out, choice.bandwidth)
        eliminated = self._eliminated(excluded, held_out, penalty, choice.bandwidth)
        moment = self._moment(target, excluded, featured, eliminated, ridge)
        weights = eliminated.factor.weights(eliminated.factor.rotate(moment), choice.penalty)
        return weights, eliminated.projection @ weights

    def fit_all(self, target: FoldedTarget, penalty: float, choice: Curvature) -> Bend:
        """Fit to the rows of all folds, for a map that is to be used rather than scored."""
        nothing: Folds = frozenset()
        ridge = fit_ridge(target, nothing, penalty)
        featured = self._featured(nothing, 0, choice.bandwidth)
        weights, straightened = self._bend_weights(target, nothing, 0, penalty, choice, ridge)
        return Bend(featured.features, featured.centre, weights, straightened)

    def _moment(
        self, target: FoldedTarget, excluded: Folds, featured: Featured, eliminated: Eliminated, ridge: AffineMap
    ) -> Floats:
        """Return ΦᵀY − PᵀXᵀY over the training rows, (m, q)."""
        y = target.y[featured.rows] - ridge.mean_y
        share = len(featured.rows) / self.source.count(self.source.outside(excluded))
        return _product(featured.training, y) - share * eliminated.projection.T @ target.training_cross(excluded)

    def _featured(self, excluded: Folds, held_out: int, bandwidth: float) -> Featured:
        return self.source.keep(
            ("featured", excluded, held_out, bandwidth, self.seed),
            lambda: self._make_featured(excluded, held_out, bandwidth),
        )

    def _make_featured(self, excluded: Folds, held_out: int, bandwidth: float) -> Featured:
        source = self.source
        rng = np.random.default_rng([self.seed, *sorted(excluded), held_out, round(1000 * bandwidth)])
        rows = np.concatenate([source.rows[fold] for fold in source.outside(excluded)])
        if len(rows) > MAX_ROWS:
            rows = np.sort(rng.choice(rows, MAX_ROWS, replace=False))
        x, mean = source.x[rows], source.mean(excluded)
        sigma = bandwidth * median_distance(x, rng)
        features = FourierFeatures.draw(x.shape[1], feature_count(len(rows)), sigma, rng)
        training = features(x - mean)
        centre = training.mean(axis=0)
        training -= centre
        held = features(source.x[source.rows[held_out]] - mean) - centre
        scatter = (training.T @ training).astype(np.float64)
        return Featured(rows, training, held, scatter, _product(training, x - mean).T, features, centre)

    def _eliminated(self, excluded: Folds, held_out: int, penalty: float, bandwidth: float) -> Eliminated:
        return self.source.keep(
            ("eliminated", excluded, held_out, penalty, bandwidth, self.seed),
            lambda: self._make_eliminated(excluded, held_out, penalty, bandwidth),
        )

    def _make_eliminated(self, excluded: Folds, held_out: int, penalty: float, bandwidth: float) -> Eliminated:
        featured = self._featured(excluded, held_out, bandwidth)
        linear = self.source.factor(excluded)
        share = len(featured.rows) / self.source.count(self.source.outside(excluded))
        projection = linear.weights(linear.rotate(featured.cross / share), penalty)
        reduced = featured.scatter - featured.cross.T @ projection
        factor = RidgeFactor.of((reduced + reduced.T) / 2)
        x = self.source.x[self.source.rows[held_out]] - self.source.mean(excluded)
        bent = featured.held_out - (x @ projection).astype(np.float32)
        return Eliminated(projection, factor, factor.quadratic((bent.T @ bent).astype(np.float64)))


def _product(features: NDArray[np.float32], y: Floats) -> Floats:
    """Return Φᵀ Y, taken in float32: the features are float32 and the sums are short."""
    return (features.T @ y.astype(np.float32, copy=False)).astype(y.dtype, copy=False)


def _times(features: NDArray[np.float32], weights: Floats) -> Floats:
    return (features @ weights.astype(np.float32, copy=False)).astype(weights.dtype, copy=False)
