"""Sums over folds of a source and of a target: training sums by subtraction, factorisations shared between targets.

The source side (x, its scatters, their eigenvectors) is shared by every target that is regressed on it: the observed
one, permuted ones for the null, planted ones for the power statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .affine import PairSums
from .regression import Regression, Split
from .ridge import RidgeFactor

Folds = frozenset[int]
ALL_ROWS: Folds = frozenset()  # no fold is left out
T = TypeVar("T")


def memoized(store: dict[object, object], key: object, make: Callable[[], T]) -> T:
    """Return the value of a key, computed when it is first asked for."""
    if key not in store:
        store[key] = make()
    return cast("T", store[key])


def narrowed(value: Any) -> Any:  # noqa: ANN401 - whatever is memoized
    """Return a memoized value with every float64 array in it as float32."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float32) if value.dtype == np.float64 else value
    if isinstance(value, tuple):
        return tuple(narrowed(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: narrowed(getattr(value, f.name)) for f in fields(value)})
    return value


def fold_scatters(x: Floats, rows: Sequence[NDArray[np.intp]]) -> Floats:
    """Return Σ xxᵀ over the rows of each fold, (k, p, p), x (n, p); of one array numpy computes half and mirrors it."""
    return np.stack([part.T @ part for part in (x[own] for own in rows)])


@dataclass(frozen=True, slots=True, eq=False)
class Denoised:
    """Fold sums of x̂, what an instrument predicts of x, about the provisional centre of x."""

    x: Floats  # (n, p)
    sums: Floats  # (k, p)
    scatters: Floats  # (k, p, p) Σ x̂x̂ᵀ


@dataclass(frozen=True, slots=True, eq=False)
class FoldedSource:
    """Rows of x with their fold sums about a provisional centre.

    With an instrument `scatters` are the symmetric parts of Σ x̂xᵀ, and maps are fitted to x̂; what they map is x.
    """

    x: Floats  # (n, p), centred provisionally
    folds: NDArray[np.int64]  # (n,)
    rows: tuple[NDArray[np.intp], ...]  # the rows of each fold
    sums: Floats  # (k, p)
    scatters: Floats  # (k, p, p)
    denoised: Denoised | None = None
    memo: dict[object, object] = field(default_factory=dict)  # factorisations by what they were computed from
    wide: FoldedSource | None = None  # of float64, whose factorisations serve a narrow one

    @classmethod
    def of(
        cls, x: NDArray[np.floating], folds: NDArray[np.int64], denoised: NDArray[np.floating] | None = None
    ) -> FoldedSource:
        """Gather the fold sums of rows x (n, p) in folds 0 … k − 1 (n,).

        Parameters
        ----------
        x, folds : array (n, p), (n,)
        denoised : array (n, p), optional
            x̂, what an instrument predicts of each row by a fit that has not seen it.
        """
        wide = np.asarray(x, np.float64)
        mean = wide.mean(axis=0)
        centred = wide - mean
        rows = tuple(np.flatnonzero(folds == fold) for fold in range(int(folds.max()) + 1))
        sums = np.stack([centred[r].sum(axis=0) for r in rows])
        if denoised is None:
            return cls(centred, folds, rows, sums, fold_scatters(centred, rows))
        hat = np.asarray(denoised, np.float64) - mean
        products = np.stack([hat[r].T @ centred[r] for r in rows])
        own = fold_scatters(hat, rows)
        instrument = Denoised(hat, np.stack([hat[r].sum(axis=0) for r in rows]), own)
        return cls(centred, folds, rows, sums, (products + products.transpose(0, 2, 1)) / 2, instrument)

    def narrow(self) -> FoldedSource:
        """Return the same source in float32, which takes over what has been factorised in float64."""
        x, sums, scatters, denoised = narrowed((self.x, self.sums, self.scatters, self.denoised))
        return FoldedSource(x, self.folds, self.rows, sums, scatters, denoised, wide=self)

    @property
    def fitted_x(self) -> Floats:
        """The rows that maps are fitted to, (n, p): x̂ where there is an instrument, else x."""
        return self.x if self.denoised is None else self.denoised.x

    @property
    def fitted_sums(self) -> Floats:
        """Their fold sums, (k, p)."""
        return self.sums if self.denoised is None else self.denoised.sums

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.rows)

    @property
    def no_fold(self) -> int:
        """A number that no fold has: what is chosen with it held out, is chosen on all rows."""
        return len(self.rows)

    def outside(self, excluded: Folds) -> list[int]:
        """Return the folds that are not excluded."""
        return [fold for fold in range(self.n_folds) if fold not in excluded]

    def rows_outside(self, excluded: Folds) -> NDArray[np.intp]:
        """Return the rows of the folds that are not excluded, fold by fold."""
        return np.concatenate([self.rows[fold] for fold in self.outside(excluded)])

    def inner_folds(self, held_out: int) -> tuple[int, ...]:
        """Return the folds on which an outer fold's choices are made: its two neighbours in the ring of folds.

        Choices on all rows, with `no_fold` held out, are made on every fold.

        Each pair of neighbours is left out together once and serves both as inner and outer fold, so that k, not
        k(k − 1)/2, inner factorisations are needed.
        """
        if held_out == self.no_fold:
            return tuple(range(self.n_folds))
        return tuple(sorted({(held_out + 1) % self.n_folds, (held_out - 1) % self.n_folds}))

    def inner_exclusions(self) -> list[Folds]:
        """Return what inner regressions leave out, an outer fold and one of its neighbours, each pair once."""
        outer = range(self.n_folds)
        return sorted({frozenset({fold, other}) for fold in outer for other in self.inner_folds(fold)}, key=sorted)

    def count(self, folds: list[int]) -> int:
        """Return the number of rows in some folds."""
        return sum(len(self.rows[fold]) for fold in folds)

    def mean(self, excluded: Folds) -> Floats:
        """Mean of x over the rows outside the excluded folds, (p,)."""
        training = self.outside(excluded)
        mean: Floats = self.sums[training].sum(axis=0) / self.count(training)
        return mean

    def scatter(self, folds: list[int], about: Floats) -> Floats:
        """Scatter of the rows of some folds about a point, (p, p)."""
        sums = (self.sums[folds].sum(axis=0) + self.fitted_sums[folds].sum(axis=0)) / 2
        return self._about(self.scatters, sums, folds, about)

    def error_scatter(self, folds: list[int], about: Floats) -> Floats:
        """Quadratic part of the errors of linear maps on the rows of some folds, about a point, (p, p)."""
        if self.denoised is None:
            return self.scatter(folds, about)
        return self._about(self.denoised.scatters, self.denoised.sums[folds].sum(axis=0), folds, about)

    def _about(self, scatters: Floats, sums: Floats, folds: list[int], about: Floats) -> Floats:
        cross = np.outer(sums, about)
        about_zero: Floats = scatters[folds].sum(axis=0)
        return about_zero - cross - cross.T + self.count(folds) * np.outer(about, about)

    def factor(self, excluded: Folds) -> RidgeFactor:
        """Eigendecomposition of the scatter of all rows outside the excluded folds; memoized."""
        return self.memoize(
            ("factor", excluded), lambda: RidgeFactor.of(self.scatter(self.outside(excluded), self.mean(excluded)))
        )

    def validation_quadratic(self, excluded: Folds, fold: int) -> Floats:
        """Quadratic part of one fold's errors about the training mean, in training factor coordinates; memoized."""
        return self.memoize(
            ("quadratic", excluded, fold),
            lambda: self.factor(excluded).quadratic(self.error_scatter([fold], self.mean(excluded))),
        )

    @property
    def must_factor(self) -> bool:
        """Whether scatters may be indefinite, by rounding or by an instrument: only a factor mends them."""
        return self.x.dtype == np.float32 or self.denoised is not None

    def holds(self, key: object) -> bool:
        """Tell whether the value of a key has been computed."""
        return key in self.memo or (self.wide is not None and key in self.wide.memo)

    def memoize(self, key: object, make: Callable[[], T]) -> T:
        """Return the value of a key, computed when first asked for; a narrow source takes it from the wide one."""
        if self.wide is None:
            return memoized(self.memo, key, make)
        known = self.wide.memo
        return memoized(self.memo, key, lambda: cast("T", narrowed(known[key] if key in known else make())))


@dataclass(frozen=True, slots=True, eq=False)
class FoldedTarget:
    """Rows of y with their sums against a source, by fold."""

    source: FoldedSource
    y: Floats  # (n, q), centred provisionally
    centre: Floats  # (q,) the provisional centre that was taken out
    sums: Floats  # (k, q)
    crosses: Floats  # (k, p, q)
    rotation_crosses: Floats  # (k, p, q) the same of x itself where there is an instrument
    squares: Floats  # (k,) Σ‖y‖²
    prior: Floats | None  # (p, q) of every regression, as in `Regression`
    regressions: dict[object, object] = field(default_factory=dict)  # by the folds that are left out

    @classmethod
    def of(cls, source: FoldedSource, y: NDArray[np.floating], prior: Floats | None = None) -> FoldedTarget:
        """Gather the fold sums of y (n, q) against the rows of a source, in its precision.

        Parameters
        ----------
        source : FoldedSource
        y : array (n, q)
        prior : array (p, q), optional
            As in `Regression`.
        """
        own = np.asarray(y, source.x.dtype)
        centre = own.mean(axis=0)
        centred = own - centre
        parts = [(rows, centred[rows]) for rows in source.rows]
        sums = np.stack([part.sum(axis=0) for _, part in parts])
        crosses = rotation_crosses = np.stack([source.fitted_x[rows].T @ part for rows, part in parts])
        if source.denoised is not None:
            rotation_crosses = np.stack([source.x[rows].T @ part for rows, part in parts])
        squares = np.array([np.einsum("ij,ij->", part, part, dtype=np.float64) for _, part in parts])
        own_prior = None if prior is None else prior.astype(own.dtype, copy=False)
        return cls(source, centred, centre, sums, crosses, rotation_crosses, squares, own_prior)

    def fold_sums(self, folds: list[int]) -> FoldSums:
        """Return the sums over the rows of some folds."""
        return FoldSums(self.source, folds, self.sums, self.crosses, self.rotation_crosses, self.squares)

    def regression(self, excluded: Folds) -> FoldRegression:
        """Return the regression on all rows outside the excluded folds; memoized."""
        sums = self.fold_sums(self.source.outside(excluded))
        return memoized(self.regressions, excluded, lambda: FoldRegression(sums, excluded, self.prior))

    def prepare(self, excluded: Folds) -> None:
        """Compute what several outer folds share of the regression without some folds."""
        regression = self.regression(excluded)
        _ = regression.factor, regression.prior, regression.gram

    def split(self, excluded: Folds, fold: int) -> Split:
        """Return the regression without the excluded folds and, held out of it, one of these."""
        return Split(self.regression(excluded), self.fold_sums([fold]))

    def inner_splits(self, held_out: int) -> list[Split]:
        """Return the splits on which an outer fold's choices are made, from regressions without either fold."""
        left_out = {held_out} - {self.source.no_fold}
        return [self.split(frozenset(left_out | {fold}), fold) for fold in self.source.inner_folds(held_out)]


@dataclass(frozen=True, slots=True, eq=False)
class FoldSums:
    """Sums over the rows of some folds of a source and a target, about any point."""

    source: FoldedSource
    folds: list[int]
    sums: Floats  # (k, q) of all folds
    crosses: Floats  # (k, p, q)
    rotation_crosses: Floats  # (k, p, q)
    squares: Floats  # (k,)

    @property
    def n(self) -> float:
        """Number of rows."""
        return float(self.source.count(self.folds))

    @property
    def mean_x(self) -> Floats:
        """Mean of x, (p,)."""
        mean: Floats = self.source.sums[self.folds].sum(axis=0) / self.source.count(self.folds)
        return mean

    @property
    def mean_y(self) -> Floats:
        """Mean of y, (q,)."""
        mean: Floats = self.sums[self.folds].sum(axis=0) / self.source.count(self.folds)
        return mean

    def scatter_xx(self, about: Floats) -> Floats:
        """Scatter of x about a point, (p, p)."""
        return self.source.scatter(self.folds, about)

    def scatter_xy(self, about_x: Floats, about_y: Floats) -> Floats:
        """Cross-scatter about two points, (p, q)."""
        return self._cross(self.crosses, self.source.fitted_sums, about_x, about_y)

    def rotation_xy(self, about_x: Floats, about_y: Floats) -> Floats:
        """Cross-scatter of x itself about two points, (p, q), also where there is an instrument."""
        return self._cross(self.rotation_crosses, self.source.sums, about_x, about_y)

    def error_xx(self, about: Floats) -> Floats:
        """Quadratic part of the errors of linear maps about a point, (p, p)."""
        return self.source.error_scatter(self.folds, about)

    def _cross(self, crosses: Floats, sums_x: Floats, about_x: Floats, about_y: Floats) -> Floats:
        sum_x, sum_y = sums_x[self.folds].sum(axis=0), self.sums[self.folds].sum(axis=0)
        # Σ(x − a)(y − b)ᵀ = Σxyᵀ − (Σx)bᵀ − a(Σy − n b)ᵀ: two outer products instead of three
        shifted_y = sum_y - self.source.count(self.folds) * about_y
        left, right = np.column_stack([sum_x, about_x]), np.stack([about_y, shifted_y])
        cross: Floats = crosses[self.folds].sum(axis=0) - left @ right
        return cross

    def total_y(self, about: Floats) -> float:
        """Σ‖y − about‖²."""
        size, total = self.source.count(self.folds), self.sums[self.folds].sum(axis=0)
        return float(self.squares[self.folds].sum() - 2 * total @ about + size * about @ about)


class FoldRegression(Regression):
    """A regression on the rows outside some folds, whose factorisations are shared by all targets of the source."""

    def __init__(self, rows: FoldSums, excluded: Folds, prior: Floats | None = None) -> None:
        super().__init__(rows, prior)
        self.excluded = excluded
        self.source = rows.source

    @property
    def is_factored(self) -> bool:
        """Whether the source holds the factor for its targets, or must: in float32 and with an instrument."""
        return self.source.must_factor or self.source.holds(("factor", self.excluded))

    @property
    def factor(self) -> RidgeFactor:
        """Eigendecomposition of the scatter of x."""
        return self.source.factor(self.excluded)

    def quadratic(self, held_out: PairSums) -> Floats:
        """Quadratic part of a held-out fold's errors about the training mean, in factor coordinates, (p, p)."""
        assert isinstance(held_out, FoldSums)
        (fold,) = held_out.folds
        return self.source.validation_quadratic(self.excluded, fold)
