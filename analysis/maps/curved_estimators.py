"""The curved map families: linear maps by region, and ridge on random Fourier features. They are fitted to rows.

Both are the linear map plus a correction; what they choose, they choose as the rungs of the ladder do.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np

from ...errors import ConfigError
from ..checks import finite_rows
from ..moments import Moments
from ..splits import group_folds
from ..types import Floats, Rows
from .affine_estimators import Prior, RidgeMap, prior_map
from .fold_moments import ALL_ROWS, FoldedSource, FoldedTarget
from .fourier import BANDWIDTHS, Curvature, FourierCorrection, FourierFeatures, NonlinearRung
from .map_estimator import Automatic, Groups, Map, penalty_of
from .map_spec import MapSpec
from .piecewise import REGIONS, LocalCorrections, Locality, LocalRung
from .regression import Shrinkage


class CurvedFamily(Map):
    """ŷ = (x − μx) W + μy + a correction; fitted to rows, since curvature is not in the moments."""

    def __init__(
        self, penalty: float | Automatic = "auto", *, prior: Prior | None = "auto", folds: int = 5, seed: int = 0
    ) -> None:
        self.penalty = penalty
        self.prior = prior
        self.folds = folds
        self.seed = seed

    def fit(self, x: Rows, y: Rows, groups: Groups = None) -> Self:
        """Fit to paired rows (n, p) and (n, q); whatever is chosen, is chosen on folds that no group crosses.

        Raises
        ------
        DataError
            If the shapes disagree, or there are too few groups for the folds.
        """
        rows, targets = self._validated_pairs(x, y, least_rows=self.folds)
        rows, targets = finite_rows(rows, " of x"), finite_rows(targets, " of y")
        numbers = np.arange(len(rows)) if groups is None else np.asarray(groups)
        folds = group_folds(numbers, self.folds, np.random.default_rng(self.seed))
        linear = RidgeMap(self.penalty, prior=self.prior, folds=self.folds, seed=self.seed)
        prior = prior_map(linear.named_prior, (rows.shape[1], targets.shape[1]))
        target = FoldedTarget.of(FoldedSource.of(rows, folds), targets, prior)
        shrinkage = linear.choose_shrinkage(target.inner_splits(target.source.no_fold))
        self.spec_ = MapSpec("linear", shrinkage.kappa, shrinkage)
        self.penalty_, self.scale_, self.kappa_ = shrinkage.penalty, shrinkage.scale, shrinkage.kappa
        self.weights_ = target.regression(ALL_ROWS).linear(shrinkage).weights
        self.mean_x_, self.mean_y_ = rows.mean(axis=0), targets.mean(axis=0)
        self._fit_correction(target, shrinkage)
        return self

    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Refuse: second moments do not determine a curve.

        Raises
        ------
        ConfigError
        """
        raise ConfigError(f"a {self.rung} map cannot be solved from moments: call fit with the rows")

    def _mapped(self, x: Floats) -> Floats:
        about: Floats = x - self.mean_x_
        mapped: Floats = about @ self.weights_ + self.mean_y_ + self._correct(about)
        return mapped

    @abstractmethod
    def _fit_correction(self, target: FoldedTarget, shrinkage: Shrinkage) -> None:
        """Fit what is added to the linear map."""

    @abstractmethod
    def _correct(self, x: Floats) -> Floats:
        """Return what is added for rows about the mean, (n, p), as (n, q)."""


class LocalMap(CurvedFamily):
    """Linear maps in k regions of the source space, shrunk towards the global one.

    Parameters
    ----------
    regions : int or "auto"
        k ≥ 1; `regions_` is what was used.
    shrinkage : float or "auto"
        Penalty of the regions' own parts, relative, ≥ 0: an infinite one gives the linear map. `shrinkage_` was used.
    penalty, prior, folds, seed
        As in `RidgeMap`; the seed also starts the clustering.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> LocalMap().fit(x, np.abs(x)).transform(x).shape
    (50, 3)
    """

    rung = "local"
    arrays = ("weights", "mean_x", "mean_y", "centres", "corrections")
    deviations = ("weights", "corrections")
    numbers = ("penalty", "scale", "kappa", "regions", "shrinkage", "constant")

    def __init__(
        self,
        regions: int | Automatic = "auto",
        shrinkage: float | Automatic = "auto",
        penalty: float | Automatic = "auto",
        *,
        prior: Prior | None = "auto",
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        super().__init__(penalty, prior=prior, folds=folds, seed=seed)
        self.regions = regions
        self.shrinkage = shrinkage

    def _fit_correction(self, target: FoldedTarget, shrinkage: Shrinkage) -> None:
        tried = REGIONS if self.regions == "auto" else (int(self.regions),)
        rung = LocalRung(target.source, self.seed, tried)
        if self.regions == "auto" or self.shrinkage == "auto":
            choice = rung.choose(target, target.source.no_fold, shrinkage)
        else:
            choice = Locality(tried[0], penalty_of(self.shrinkage))
        self.regions_ = choice.regions
        self.shrinkage_ = choice.penalty if self.shrinkage == "auto" else penalty_of(self.shrinkage)
        fitted = rung.fit_all(target, shrinkage, Locality(self.regions_, self.shrinkage_))
        self.centres_, self.corrections_, self.constant_ = fitted.centres, fitted.weights, fitted.constant

    def _correct(self, x: Floats) -> Floats:
        return LocalCorrections(self.centres_, self.corrections_, self.constant_)(x)


class NonlinearMap(CurvedFamily):
    """Ridge on [x, random Fourier features of x] (Rahimi and Recht, 2007), the features with a penalty of their own.

    Parameters
    ----------
    bandwidth : float or "auto"
        In median distances between rows, > 0; `bandwidth_` is what was used.
    curvature : float or "auto"
        Penalty of the features, relative, ≥ 0: an infinite one gives the linear map. `curvature_` is what was used.
    penalty, prior, folds, seed
        As in `RidgeMap`; the seed also draws the features.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> NonlinearMap().fit(x, np.abs(x)).transform(x).shape
    (50, 3)
    """

    rung = "nonlinear"
    arrays = ("weights", "mean_x", "mean_y", "omega", "phase", "centre", "feature_weights", "linear_correction")
    deviations = ("weights", "feature_weights", "linear_correction")
    numbers = ("penalty", "scale", "kappa", "bandwidth", "curvature")

    def __init__(
        self,
        bandwidth: float | Automatic = "auto",
        curvature: float | Automatic = "auto",
        penalty: float | Automatic = "auto",
        *,
        prior: Prior | None = "auto",
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        super().__init__(penalty, prior=prior, folds=folds, seed=seed)
        self.bandwidth = bandwidth
        self.curvature = curvature

    def _fit_correction(self, target: FoldedTarget, shrinkage: Shrinkage) -> None:
        tried = BANDWIDTHS if self.bandwidth == "auto" else (float(self.bandwidth),)
        rung = NonlinearRung(target.source, self.seed, tried)
        if self.bandwidth == "auto" or self.curvature == "auto":
            choice = rung.choose(target, target.source.no_fold, shrinkage)
        else:
            choice = Curvature(tried[0], penalty_of(self.curvature))
        self.bandwidth_ = choice.bandwidth
        self.curvature_ = choice.penalty if self.curvature == "auto" else penalty_of(self.curvature)
        fitted = rung.fit_all(target, shrinkage, Curvature(self.bandwidth_, self.curvature_))
        self.omega_, self.phase_ = fitted.features.omega, fitted.features.phase
        self.centre_ = fitted.centre
        self.feature_weights_, self.linear_correction_ = fitted.weights, fitted.linear

    def _correct(self, x: Floats) -> Floats:
        features = FourierFeatures(self.omega_, self.phase_)
        centre = np.asarray(self.centre_, np.float32)
        return FourierCorrection(features, centre, self.feature_weights_, self.linear_correction_)(x)
