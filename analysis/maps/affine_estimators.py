"""The affine map families as scikit-learn estimators, fitted to rows or solved from `Moments` with the same result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ...errors import ConfigError, DataError
from ..moments import Moments, fold_moments, merged
from ..splits import group_folds
from ..types import Floats, Rows
from .affine import AffineMap
from .low_rank import choose_rank
from .map_estimator import Automatic, Groups, Map, penalty_of
from .map_spec import MapSpec, solve
from .regression import Regression, Split, choose_penalty

LARGEST_CONDITION = 1e10


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


def splits_of(folds: Sequence[Moments]) -> list[Split]:
    """Return one split for each fold: the regression on the others, and the fold."""
    total = total_of(folds)
    return [Split(Regression(total - fold), fold) for fold in folds]


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

    def _set_fit(self, moments: Moments | Sequence[Moments], spec: MapSpec) -> Self:
        """Solve from moments, of all rows or by fold, and take over the solution."""
        (fitted,) = solve(total_of(moments), [spec])
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


class RotationMap(AffineFamily):
    """ŷ = (x − μx) Q + μy with Q orthogonal, semi-orthogonal between different widths (Schönemann, 1966).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(RotationMap().fit(x, x[:, ::-1]).score(x, x[:, ::-1]), 2)
    1.0
    """

    rung = "rotation"


class SimilarityMap(AffineFamily):
    """ŷ = s (x − μx) Q + μy: a rotation with one scale.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(SimilarityMap().fit(x, 2 * x[:, ::-1]).score(x, 2 * x[:, ::-1]), 2)
    1.0
    """

    rung = "similarity"


class RidgeMap(AffineFamily):
    """ŷ = (x − μx) W + μy by ridge regression (Hoerl and Kennard, 1970): the `linear` rung.

    Parameters
    ----------
    penalty : float or "auto"
        λ relative to tr(Sxx)/p, ≥ 0; chosen on inner folds by default. `penalty_` is what was used.
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
    numbers: ClassVar[tuple[str, ...]] = ("penalty",)

    def __init__(self, penalty: float | Automatic = "auto", folds: int = 5, seed: int = 0) -> None:
        self.penalty = penalty
        self.folds = folds
        self.seed = seed

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
        splits = splits_of(moments) if self._chooses() and not isinstance(moments, Moments) else []
        return self._set_fit(moments, self._choose(splits))

    def _chooses(self) -> bool:
        return self.penalty == "auto"

    def _choose(self, splits: list[Split]) -> MapSpec:
        """Set what is to be chosen by the least error over splits, and return all that the solution needs."""
        self.penalty_ = choose_penalty(splits) if self.penalty == "auto" else penalty_of(self.penalty)
        return MapSpec(self.rung, self.penalty_)


class LowRankMap(RidgeMap):
    """Reduced-rank ridge regression (Izenman, 1975): the ridge map, its fitted values limited to `rank` dimensions.

    Parameters
    ----------
    rank : int or "auto"
        ≥ 1; chosen on inner folds among powers of √2 by default. `rank_` is what was used.
    penalty, folds, seed
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
    numbers = ("penalty", "rank")

    def __init__(
        self, rank: int | Automatic = "auto", penalty: float | Automatic = "auto", folds: int = 5, seed: int = 0
    ) -> None:
        super().__init__(penalty, folds, seed)
        self.rank = rank

    def _chooses(self) -> bool:
        return super()._chooses() or self.rank == "auto"

    def _choose(self, splits: list[Split]) -> MapSpec:
        super()._choose(splits)
        self.rank_ = choose_rank(splits, self.penalty_) if self.rank == "auto" else int(self.rank)
        if self.rank_ < 1:
            raise ConfigError(f"a rank is 1 or more, got {self.rank_}")
        return MapSpec(self.rung, self.penalty_, self.rank_)

    def _inverse(self) -> Floats:
        raise DataError("a map of low rank has no inverse: fit a map in the other direction")
