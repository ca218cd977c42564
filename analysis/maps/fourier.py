"""The nonlinear rung: ridge on [x, random Fourier features of x], with a penalty of its own for the features.

With a penalty λ₁ that draws the weights of x to C and λ₂ on those of the features φ, the minimiser of
‖Y − XW − ΦU‖² + λ₁‖W − C‖² + λ₂‖U‖² is found by profiling out W: U solves (M + λ₂I) U = Φᵀ Y − Pᵀ (Xᵀ Y + λ₁C) with
P = (XᵀX + λ₁I)⁻¹ XᵀΦ and M = ΦᵀΦ − ΦᵀX P. As λ₂ grows the map becomes the linear rung exactly, so this rung holds the
linear one as a special case, and what it gains over it is curvature. The features are profiled under the half decade
nearest to λ₁, so that permuted and planted targets share their factors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .fold_moments import ALL_ROWS, FoldedSource, FoldedTarget, Folds
from .regression import Shrinkage
from .ridge import RELATIVE_PENALTIES, RidgeFactor

BANDWIDTHS: tuple[float, ...] = (0.5, 1.0, 2.0)
MAX_FEATURES = 1024
MAX_ROWS = 12_000
MEDIAN_ROWS = 512
MIN_FEATURES = 16


@dataclass(frozen=True, slots=True)
class Curvature:
    """What the inner folds chose: bandwidth in median distances, and λ₂ relative to the mean eigenvalue of M."""

    bandwidth: float
    penalty: float


@dataclass(frozen=True, slots=True, eq=False)
class FourierFeatures:
    """z(x) = √(2/m) cos(xΩ + b): inner products of z approach exp(−‖x − x'‖² / 2σ²) (Rahimi and Recht, 2007)."""

    omega: Floats  # (p, m)
    phase: Floats  # (m,)

    @classmethod
    def draw(cls, width: int, n_features: int, sigma: float, rng: np.random.Generator) -> FourierFeatures:
        """Draw m features for a bandwidth σ > 0 in the units of x."""
        omega = rng.standard_normal((width, n_features)) / sigma
        return cls(omega, rng.uniform(0.0, 2 * np.pi, n_features))

    def __call__(self, x: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the features of rows x (n, p), as (n, m) float32."""
        angles = x.astype(np.float32) @ self.omega.astype(np.float32) + self.phase.astype(np.float32)
        features: NDArray[np.float32] = np.sqrt(np.float32(2.0 / len(self.phase))) * np.cos(angles)
        return features


def median_distance(x: NDArray[np.floating], rng: np.random.Generator) -> float:
    """Median Euclidean distance between the rows of a sample of x (n, p); 1 where all rows coincide."""
    from scipy.spatial.distance import pdist

    rows = rng.choice(len(x), size=min(len(x), MEDIAN_ROWS), replace=False)
    return float(np.median(pdist(x[rows]))) or 1.0


def profiling_penalty(penalty: float) -> float:
    """Return the half decade of pairs nearest to the penalty of the linear rung, between 10⁻⁶ and 10⁹."""
    half = round(2 * float(np.log10(np.clip(penalty, 1e-6, 1e9))))
    return float(10.0 ** (half / 2))


def feature_count(n_training: int) -> int:
    """Return how many features are drawn: a power of two near half the training rows, at most 1 024."""
    wanted = int(2 ** np.floor(np.log2(max(n_training / 2, MIN_FEATURES))))
    return min(MAX_FEATURES, wanted)


@dataclass(frozen=True, slots=True, eq=False)
class SplitFeatures:
    """Features of the training rows and of a held-out fold, about the training mean."""

    rows: NDArray[np.intp]  # (n,) training rows used for the features
    training: NDArray[np.float32]  # (n, m)
    held_out: NDArray[np.float32]  # (h, m)
    scatter: Floats  # (m, m) ΦᵀΦ
    cross: Floats  # (p, m) XᵀΦ
    features: FourierFeatures
    centre: NDArray[np.float32]  # (m,) mean of the features of the training rows

    @classmethod
    def draw(cls, source: FoldedSource, excluded: Folds, held_out: int, bandwidth: float, seed: int) -> SplitFeatures:
        """Draw features for the rows outside the excluded folds, a sample of them where there are many."""
        rng = np.random.default_rng([seed, *sorted(excluded), held_out, round(1000 * bandwidth)])
        rows = source.rows_outside(excluded)
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
        return cls(rows, training, held, scatter, _product(training, x - mean).T, features, centre)


@dataclass(frozen=True, slots=True, eq=False)
class ProfiledFeatures:
    """Features of one split after the linear part under one λ₁ has been profiled out."""

    projection: Floats  # P (p, m)
    factor: RidgeFactor  # of M (m, m)
    quadratic: Floats  # (m, m) scatter of φ − xP on the held-out rows, in coordinates of the factor

    @classmethod
    def of(
        cls, source: FoldedSource, features: SplitFeatures, excluded: Folds, held_out: int, penalty: float
    ) -> ProfiledFeatures:
        """Profile the linear part out of the features of a split."""
        linear = source.factor(excluded)
        share = len(features.rows) / source.count(source.outside(excluded))
        relative = penalty / source.count(source.outside(excluded))
        projection = linear.weights(linear.rotate(features.cross / share), relative)
        reduced = features.scatter - features.cross.T @ projection
        factor = RidgeFactor.of((reduced + reduced.T) / 2)
        x = source.x[source.rows[held_out]] - source.mean(excluded)
        profiled = features.held_out - (x @ projection).astype(np.float32)
        turned = profiled @ factor.vectors.astype(np.float32)
        return cls(projection, factor, (turned.T @ turned).astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class FourierCorrection:
    """What the features of a fit to all rows add to the global map, in coordinates about the mean of x."""

    features: FourierFeatures
    centre: NDArray[np.float32]  # (m,)
    weights: Floats  # (m, q)
    linear: Floats  # (p, q) subtracted from the linear weights

    def __call__(self, x: Floats) -> Floats:
        """Return the corrections of rows about the mean, (n, p), as (n, q)."""
        return _times(self.features(x) - self.centre, self.weights) - x @ self.linear


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

    def predict(self, target: FoldedTarget, held_out: int, shrinkage: Shrinkage) -> tuple[Floats, Curvature]:
        """Predict the rows of an outer fold, given what the linear rung chose for it.

        Returns
        -------
        array (h, q), Curvature
            Predictions about the provisional centre of the target, and what was chosen on the inner fold.
        """
        choice = self.choose(target, held_out, shrinkage)
        excluded = frozenset({held_out})
        straight = target.regression(excluded).linear(shrinkage)
        x = self.source.x[self.source.rows[held_out]]
        if choice.penalty == RELATIVE_PENALTIES[-1]:
            return straight(x), choice
        weights, linear = self._weights(target, excluded, held_out, shrinkage, choice)
        features = self.features(excluded, held_out, choice.bandwidth)
        return straight(x) + (_times(features.held_out, weights) - (x - straight.mean_x) @ linear), choice

    def choose(self, target: FoldedTarget, held_out: int, shrinkage: Shrinkage) -> Curvature:
        """Choose bandwidth and λ₂ on the next fold, from maps fitted on the remaining ones."""
        inner = (held_out + 1) % self.source.n_folds
        excluded = frozenset({held_out, inner})
        straight = target.regression(excluded).linear(shrinkage)
        x = self.source.x[self.source.rows[inner]]
        residual = target.y[self.source.rows[inner]] - straight(x)
        linear, total = (x - straight.mean_x).T @ residual, float(np.einsum("ij,ij->", residual, residual))
        paths = np.empty((len(self.bandwidths), len(RELATIVE_PENALTIES)))
        for row, bandwidth in enumerate(self.bandwidths):
            profiled = self.profiled(excluded, inner, shrinkage.penalty, bandwidth)
            features = self.features(excluded, inner, bandwidth)
            validation = _product(features.held_out, residual) - profiled.projection.T @ linear
            cross = self._cross(target, excluded, features, profiled, shrinkage)
            factor = profiled.factor
            paths[row] = factor.path_errors(factor.rotate(cross), factor.rotate(validation), profiled.quadratic, total)
        best, column = np.unravel_index(int(np.argmin(paths)), paths.shape)
        return Curvature(self.bandwidths[int(best)], RELATIVE_PENALTIES[int(column)])

    def fit_all(self, target: FoldedTarget, shrinkage: Shrinkage, choice: Curvature) -> FourierCorrection:
        """Fit to the rows of all folds, for a map that is to be used rather than scored."""
        weights, linear = self._weights(target, ALL_ROWS, 0, shrinkage, choice)
        features = self.features(ALL_ROWS, 0, choice.bandwidth)
        return FourierCorrection(features.features, features.centre, weights, linear)

    def features(self, excluded: Folds, held_out: int, bandwidth: float) -> SplitFeatures:
        """Return the features of one split; memoized."""
        return self.source.memoize(
            ("features", excluded, held_out, bandwidth, self.seed),
            lambda: SplitFeatures.draw(self.source, excluded, held_out, bandwidth, self.seed),
        )

    def profiled(self, excluded: Folds, held_out: int, penalty: float, bandwidth: float) -> ProfiledFeatures:
        """Return the features of one split without their linear part, for a penalty in pairs; memoized."""
        features = self.features(excluded, held_out, bandwidth)
        near = profiling_penalty(penalty)
        return self.source.memoize(
            ("profiled", excluded, held_out, near, bandwidth, self.seed),
            lambda: ProfiledFeatures.of(self.source, features, excluded, held_out, near),
        )

    def _weights(
        self, target: FoldedTarget, excluded: Folds, held_out: int, shrinkage: Shrinkage, choice: Curvature
    ) -> tuple[Floats, Floats]:
        """Return U (m, q), and PU (p, q), which it subtracts from the linear weights."""
        profiled = self.profiled(excluded, held_out, shrinkage.penalty, choice.bandwidth)
        features = self.features(excluded, held_out, choice.bandwidth)
        cross = self._cross(target, excluded, features, profiled, shrinkage)
        weights = profiled.factor.weights(profiled.factor.rotate(cross), choice.penalty)
        return weights, profiled.projection @ weights

    def _cross(
        self,
        target: FoldedTarget,
        excluded: Folds,
        features: SplitFeatures,
        profiled: ProfiledFeatures,
        shrinkage: Shrinkage,
    ) -> Floats:
        """Return ΦᵀY − Pᵀ(XᵀY + λ₁C) over the training rows, (m, q)."""
        training = target.regression(excluded)
        moment, centre = training.sxy, training.centre(shrinkage.towards, shrinkage.kappa)
        if centre is not None:
            relative = profiling_penalty(shrinkage.penalty) / training.rows.n
            moment = moment + (relative * training.factor.unit * shrinkage.scale) * centre
        share = len(features.rows) / self.source.count(self.source.outside(excluded))
        y = target.y[features.rows] - training.mean_y
        return _product(features.training, y) - share * profiled.projection.T @ moment


def _product(features: NDArray[np.float32], y: Floats) -> Floats:
    """Return Φᵀ Y, taken in float32: the features are float32 and the sums are short."""
    return (features.T @ y.astype(np.float32, copy=False)).astype(y.dtype, copy=False)


def _times(features: NDArray[np.float32], weights: Floats) -> Floats:
    return (features @ weights.astype(np.float32, copy=False)).astype(weights.dtype, copy=False)
