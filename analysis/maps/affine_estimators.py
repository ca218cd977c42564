"""The affine map families as scikit-learn estimators, fitted to rows or solved from `Moments` with the same result."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np

from ...errors import ConfigError, DataError
from ..moments import Moments, fold_moments, merged
from ..splits import group_folds
from ..types import Floats, Rows
from .affine import AffineMap
from .low_rank import choose_rank
from .map_estimator import Automatic, Groups, Map, penalty_of
from .map_spec import MapSpec, solve
from .regression import Centre, Regression, Shrinkage, Split
from .shrinkage import choose_kappa, choose_shrinkage

LARGEST_CONDITION = 1e10
#: What a map can be shrunk towards: `rotation` and `zero` are for linear maps only.
PRIORS: tuple[str, ...] = ("auto", "identity", "components", "rotation", "zero")
Prior = Literal["auto", "identity", "components", "rotation", "zero"]


def grouped_moments(x: Rows, y: Rows, groups: Groups = None, *, folds: int = 5, seed: int = 0) -> tuple[Moments, ...]:
    """Gather the moments of paired rows by folds that no group crosses.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows.
    groups : sequence of int, optional
        Concept group of each row, (n,); by default each row is one.
    folds, seed : int
        Number of folds, and seed of their deal.

    Raises
    ------
    DataError
        If the shapes disagree, a row is not finite, or there are fewer groups than folds.
    """
    numbers = np.arange(len(x)) if groups is None else np.asarray(groups)
    return fold_moments(x, y, group_folds(numbers, folds, np.random.default_rng(seed)), dtype="float64")


def total_of(moments: Moments | Sequence[Moments]) -> Moments:
    """Return the moments of all rows, whether they are given together or by fold."""
    if isinstance(moments, Moments):
        return moments
    if not moments:
        raise DataError("a map cannot be fitted to no rows")
    return merged(moments)


def splits_of(folds: Sequence[Moments], prior: Floats | None = None) -> list[Split]:
    """Return one split for each fold: the regression on the others, with a prior map (p, q) or not, and the fold."""
    total = total_of(folds)
    return [Split(Regression(total - fold, prior), fold) for fold in folds]


def prior_map(name: Prior, widths: tuple[int, int]) -> Floats | None:
    """Return the prior map of a setting, (p, q), None for that of the strongest components of x.

    Raises
    ------
    ConfigError
        If the name is unknown, or the identity is asked for between spaces of different width.
    """
    if name not in PRIORS:
        raise ConfigError(f"a prior is one of {', '.join(PRIORS)}, got {name!r}")
    p, q = widths
    if name == "identity" and p != q:
        raise ConfigError(f"the identity is no map between widths {p} and {q}: give prior='components'")
    return np.eye(p) if p == q and name in ("auto", "identity", "rotation") else None


class AffineFamily(Map):
    """ŷ = (x − μx) W + μy; fitted attributes `weights_` (p, q), `mean_x_` (p,), `mean_y_` (q,)."""

    arrays = ("weights", "mean_x", "mean_y")

    def fit(self, x: Rows, y: Rows, groups: Groups = None) -> Self:
        """Fit to paired rows.

        Parameters
        ----------
        x, y : array (n, p), (n, q)
            Paired rows, memory-mapped or not.
        groups : sequence of int, optional
            Concept group of each row, (n,): whatever is chosen, is chosen on folds that no group crosses.

        Raises
        ------
        DataError
            If the shapes disagree, a row is not finite, or there are too few rows to choose on.
        """
        rows, targets = self._validated_pairs(x, y)
        return self.fit_moments(Moments.from_arrays(rows, targets, dtype="float64"))

    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Solve from the moments of the training rows, or from those of each of their folds.

        Raises
        ------
        DataError
            If there are no rows, or the widths do not allow the family.
        """
        return self._set_fit(moments, MapSpec(self.rung))

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - sklearn is not annotated
        """A rigid map explains little of an arbitrary linear target."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = self.rung not in ("linear", "low_rank")
        return tags

    @property
    def affine(self) -> AffineMap:
        """The map as weights and means."""
        self._require_fit()
        return AffineMap(self.weights_, self.mean_x_, self.mean_y_)

    def inverse_transform(self, y: Rows) -> Floats:
        """Map rows (n, q) back to (n, p).

        Raises
        ------
        DataError
            If the map has no inverse: it narrows the space, or is singular.
        """
        self._require_fit()
        return (np.asarray(y, np.float64) - self.mean_y_) @ self._inverse() + self.mean_x_

    def _inverse(self) -> Floats:
        p, q = self.weights_.shape
        if p > q or np.linalg.cond(self.weights_) > LARGEST_CONDITION:
            raise DataError(f"this {type(self).__name__} ({p} → {q}) has no inverse: fit a map in the other direction")
        return np.asarray(np.linalg.pinv(self.weights_), np.float64)

    def _mapped(self, x: Floats) -> Floats:
        return self.affine(x)

    def _set_fit(self, moments: Moments | Sequence[Moments], spec: MapSpec, prior: Floats | None = None) -> Self:
        """Solve from moments, of all rows or by fold, and take over the solution."""
        (fitted,) = solve(total_of(moments), [spec], prior)
        self.spec_ = spec
        self.weights_, self.mean_x_, self.mean_y_ = fitted.weights, fitted.mean_x, fitted.mean_y
        self.n_features_in_ = len(fitted.mean_x)
        return self


class IdentityMap(AffineFamily):
    """ŷ = x: both sides share one space already; only the mean of y is fitted, for `score`. Widths must be equal.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> IdentityMap().fit(x, x).score(x, x)
    1.0
    """

    rung = "identity"

    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Check the widths and take the mean of y.

        Raises
        ------
        DataError
            If there are no rows, or the widths differ.
        """
        self._set_fit(moments, MapSpec("shift"))
        self.mean_x_ = self.mean_y_
        return self


class ShiftMap(AffineFamily):
    """ŷ = x + μy − μx; the widths must be equal.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> ShiftMap().fit(x, x + 1).transform(np.zeros((1, 3))).round(2)
    array([[1., 1., 1.]])
    """

    rung = "shift"


class ShrunkFamily(AffineFamily):
    """A family that is shrunk towards a prior map, by what is given or what inner folds choose."""

    kappa: float | Automatic
    prior: Prior | None
    folds: int
    seed: int

    def fit(self, x: Rows, y: Rows, groups: Groups = None) -> Self:
        """Fit to paired rows; see `AffineFamily.fit`."""
        if not self._chooses():
            return super().fit(x, y, groups)
        rows, targets = self._validated_pairs(x, y, least_rows=self.folds)
        return self.fit_moments(grouped_moments(rows, targets, groups, folds=self.folds, seed=self.seed))

    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Solve from the moments of all rows, or from those of each fold, on which whatever is "auto" is chosen.

        Raises
        ------
        ConfigError
            If something is to be chosen and moments are not given by fold, or a setting is out of range.
        """
        if isinstance(moments, Moments) and self._chooses():
            raise ConfigError("nothing can be chosen on one set of moments: give a number, or the moments of each fold")
        total = total_of(moments)
        prior = prior_map(self.named_prior, (len(total.centre_x), len(total.centre_y)))
        splits = splits_of(moments, prior) if self._chooses() and not isinstance(moments, Moments) else []
        return self._set_fit(moments, self._choose(splits), prior)

    @property
    def named_prior(self) -> Prior:
        """The setting of the prior by name."""
        return "zero" if self.prior is None else self.prior

    @abstractmethod
    def _chooses(self) -> bool:
        """Whether inner folds are needed."""

    @abstractmethod
    def _choose(self, splits: list[Split]) -> MapSpec:
        """Set what is to be chosen by the least error over splits, and return all that the solution needs."""

    def _choose_kappa(self, splits: list[Split]) -> float:
        return choose_kappa(splits) if self.kappa == "auto" else penalty_of(self.kappa)


class RotationMap(ShrunkFamily):
    """ŷ = (x − μx) Q + μy with Q orthogonal, semi-orthogonal between different widths (Schönemann, 1966).

    Q is the polar factor of Sxy + κ ‖Sxy‖ / (n √d) P: the prior map P weighs as κ pairs do.

    Parameters
    ----------
    kappa : float or "auto"
        κ ≥ 0 in pairs: 0 for plain Procrustes, infinite for P itself; chosen on inner folds by default. `kappa_` is
        what was used.
    prior : {"auto", "identity", "components"}
        P: the identity (by default between equal widths), or the partial isometry that turns the strongest components
        of x onto what they predict of y.
    folds : int
        Inner folds, ≥ 2.
    seed : int
        Deals groups to folds.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(RotationMap().fit(x, x[:, ::-1]).score(x, x[:, ::-1]), 2)
    1.0
    """

    rung = "rotation"
    numbers: ClassVar[tuple[str, ...]] = ("kappa",)

    def __init__(
        self, kappa: float | Automatic = "auto", *, prior: Prior | None = "auto", folds: int = 5, seed: int = 0
    ) -> None:
        self.kappa = kappa
        self.prior = prior
        self.folds = folds
        self.seed = seed

    def _chooses(self) -> bool:
        return self.kappa == "auto" and self.named_prior != "zero"

    def _choose(self, splits: list[Split]) -> MapSpec:
        self.kappa_ = 0.0 if self.named_prior == "zero" else self._choose_kappa(splits)
        return MapSpec(self.rung, self.kappa_)


class SimilarityMap(RotationMap):
    """ŷ = s (x − μx) Q + μy: a rotation with one scale.

    Parameters
    ----------
    kappa, prior, folds, seed
        As in `RotationMap`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(SimilarityMap().fit(x, 2 * x[:, ::-1]).score(x, 2 * x[:, ::-1]), 2)
    1.0
    """

    rung = "similarity"


class RidgeMap(ShrunkFamily):
    """ŷ = (x − μx) W + μy, the `linear` rung: ridge regression (Hoerl and Kennard, 1970) towards a plainer map.

    (Sxx + λI) W = Sxy + λ s C, where C is the prior map or the rotation of `RotationMap`, whichever does better on
    inner folds, and s its scale.

    Parameters
    ----------
    penalty : float or "auto"
        Pairs that the prior weighs as, ≥ 0: λ = penalty · tr(Sxx) / (n p); chosen on inner folds by default.
        `penalty_` and `scale_` are what was used. With a number and no prior named, ridge regression is towards zero.
    prior : {"auto", "identity", "components", "rotation", "zero"} or None
        The prior map, by the widths as in `RotationMap`; "rotation" for the rotation alone, "zero" or None for plain
        ridge regression.
    kappa : float or "auto"
        κ of the rotation; `kappa_` is what was used.
    folds : int
        Inner folds, ≥ 2.
    seed : int
        Deals groups to folds.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(RidgeMap(penalty=0.0).fit(x, x @ np.diag([1, 2, 3])).score(x, x @ np.diag([1, 2, 3])), 2)
    1.0
    """

    rung = "linear"
    numbers: ClassVar[tuple[str, ...]] = ("penalty", "scale", "kappa")

    def __init__(
        self,
        penalty: float | Automatic = "auto",
        *,
        prior: Prior | None = "auto",
        kappa: float | Automatic = "auto",
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.penalty = penalty
        self.prior = prior
        self.kappa = kappa
        self.folds = folds
        self.seed = seed

    @property
    def named_prior(self) -> Prior:
        """The setting of the prior by name: zero where a penalty is given without one."""
        prior = super().named_prior
        return "zero" if prior == "auto" and self.penalty != "auto" else prior

    def _chooses(self) -> bool:
        return self.penalty == "auto" or self.named_prior != "zero"

    def _choose(self, splits: list[Split]) -> MapSpec:
        shrinkage = self.choose_shrinkage(splits)
        self.penalty_, self.scale_, self.kappa_ = shrinkage.penalty, shrinkage.scale, shrinkage.kappa
        return MapSpec(self.rung, shrinkage.kappa, shrinkage)

    def choose_shrinkage(self, splits: list[Split]) -> Shrinkage:
        """Return what the settings say, and where they leave a choice, what does best on splits."""
        penalty, prior = None if self.penalty == "auto" else penalty_of(self.penalty), self.named_prior
        if prior == "zero":
            return choose_shrinkage(splits, 0.0, ("zero",)) if penalty is None else Shrinkage(penalty)
        return shrinkage_towards(splits, prior, kappa=self.kappa, penalty=penalty)


def shrinkage_towards(
    splits: list[Split], prior: Prior, *, kappa: float | Automatic = "auto", penalty: float | None = None
) -> Shrinkage:
    """Choose the shrinkage of a linear map towards a named prior, at a given penalty or any.

    Parameters
    ----------
    splits : list of Split
    prior : {"auto", "identity", "components", "rotation"}
    kappa : float or "auto"
    penalty : float, optional
        In pairs.
    """
    towards: tuple[Centre, ...] = ("rotation",) if prior == "rotation" else ()
    chosen = choose_kappa(splits) if kappa == "auto" else penalty_of(kappa)
    return choose_shrinkage(splits, chosen, towards, penalty=penalty)


class LowRankMap(RidgeMap):
    """Reduced-rank regression (Izenman, 1975): the linear map, its fitted values limited to `rank` dimensions.

    Parameters
    ----------
    rank : int or "auto"
        ≥ 1; chosen on inner folds among powers of √2 by default. `rank_` is what was used.
    penalty, prior, kappa, folds, seed
        As in `RidgeMap`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> y = x @ np.diag([3, 0, 0])
    >>> round(LowRankMap(rank=1, penalty=0.0).fit(x, y).score(x, y), 2)
    1.0
    """

    rung = "low_rank"
    numbers = ("penalty", "scale", "kappa", "rank")

    def __init__(
        self,
        rank: int | Automatic = "auto",
        penalty: float | Automatic = "auto",
        *,
        prior: Prior | None = "auto",
        kappa: float | Automatic = "auto",
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        super().__init__(penalty, prior=prior, kappa=kappa, folds=folds, seed=seed)
        self.rank = rank

    def _chooses(self) -> bool:
        return super()._chooses() or self.rank == "auto"

    def _choose(self, splits: list[Split]) -> MapSpec:
        linear = super()._choose(splits)
        self.rank_ = choose_rank(splits, linear.shrinkage) if self.rank == "auto" else int(self.rank)
        if self.rank_ < 1:
            raise ConfigError(f"a rank is 1 or more, got {self.rank_}")
        return MapSpec(self.rung, linear.kappa, linear.shrinkage, self.rank_)

    def _inverse(self) -> Floats:
        raise DataError("a map of low rank has no inverse: fit a map in the other direction")
