"""Sums over folds of a source and of a target: training sums by subtraction, factorisations shared between targets.

The source side (x, its scatters, their eigenvectors) is shared by every target that is regressed on it: the observed
one, permuted ones for the null, planted ones for the power statement.
"""

from __future__ import annotations

from collections.abc import Callable
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


@dataclass(frozen=True, slots=True, eq=False)
class FoldedSource:
    """Rows of x with their fold sums about a provisional centre."""

    x: Floats  # (n, p), centred provisionally
    folds: NDArray[np.int64]  # (n,)
    rows: tuple[NDArray[np.intp], ...]  # the rows of each fold
    sums: Floats  # (k, p)
    scatters: Floats  # (k, p, p)
    memo: dict[object, object] = field(default_factory=dict)  # factorisations by what they were computed from
    wide: FoldedSource | None = None  # of float64, whose factorisations serve a narrow one

    @classmethod
    def of(cls, x: NDArray[np.floating], folds: NDArray[np.int64]) -> FoldedSource:
        """Gather the fold sums of rows x (n, p) in folds 0 … k − 1 (n,)."""
        wide = np.asarray(x, np.float64)
        centred = wide - wide.mean(axis=0)
        rows = tuple(np.flatnonzero(folds == fold) for fold in range(int(folds.max()) + 1))
        sums = np.stack([centred[r].sum(axis=0) for r in rows])
        scatters = np.stack([centred[r].T @ centred[r] for r in rows])
        return cls(centred, folds, rows, sums, scatters)

    def narrow(self) -> FoldedSource:
        """Return the same source in float32, which takes over what has been factorised in float64."""
        x, sums, scatters = narrowed((self.x, self.sums, self.scatters))
        return FoldedSource(x, self.folds, self.rows, sums, scatters, wide=self)

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

        Each pair of neighbours is left out together once and serves both as inner and outer fold, so that k, not
        k(k − 1)/2, inner factorisations are needed.
        """
        return tuple(sorted({(held_out + 1) % self.n_folds, (held_out - 1) % self.n_folds}))

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
        cross = np.outer(self.sums[folds].sum(axis=0), about)
        about_zero: Floats = self.scatters[folds].sum(axis=0)
        return about_zero - cross - cross.T + self.count(folds) * np.outer(about, about)

    def factor(self, excluded: Folds) -> RidgeFactor:
        """Eigendecomposition of the scatter of all rows outside the excluded folds; memoized."""
        return self.memoize(
            ("factor", excluded), lambda: RidgeFactor.of(self.scatter(self.outside(excluded), self.mean(excluded)))
        )

    def validation_quadratic(self, excluded: Folds, fold: int) -> Floats:
        """Scatter of one fold about the training mean, in the coordinates of the training factor; memoized."""
        return self.memoize(
            ("quadratic", excluded, fold),
            lambda: self.factor(excluded).quadratic(self.scatter([fold], self.mean(excluded))),
        )

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
    squares: Floats  # (k,) Σ‖y‖²
    regressions: dict[object, object] = field(default_factory=dict)  # by the folds that are left out

    @classmethod
    def of(cls, source: FoldedSource, y: NDArray[np.floating]) -> FoldedTarget:
        """Gather the fold sums of y (n, q) against the rows of a source, in its precision."""
        own = np.asarray(y, source.x.dtype)
        centre = own.mean(axis=0)
        centred = own - centre
        sums = np.stack([centred[r].sum(axis=0) for r in source.rows])
        crosses = np.stack([source.x[r].T @ centred[r] for r in source.rows])
        squares = np.array([np.einsum("ij,ij->", centred[r], centred[r], dtype=np.float64) for r in source.rows])
        return cls(source, centred, centre, sums, crosses, squares)

    def fold_sums(self, folds: list[int]) -> FoldSums:
        """Return the sums over the rows of some folds."""
        return FoldSums(self.source, folds, self.sums, self.crosses, self.squares)

    def regression(self, excluded: Folds) -> FoldRegression:
        """Return the regression on all rows outside the excluded folds; memoized."""
        sums = self.fold_sums(self.source.outside(excluded))
        return memoized(self.regressions, excluded, lambda: FoldRegression(sums, excluded))

    def split(self, excluded: Folds, fold: int) -> Split:
        """Return the regression without the excluded folds and, held out of it, one of these."""
        return Split(self.regression(excluded), self.fold_sums([fold]))

    def inner_splits(self, held_out: int) -> list[Split]:
        """Return the splits on which an outer fold's choices are made, from regressions without either fold."""
        return [self.split(frozenset({held_out, fold}), fold) for fold in self.source.inner_folds(held_out)]


@dataclass(frozen=True, slots=True, eq=False)
class FoldSums:
    """Sums over the rows of some folds of a source and a target, about any point."""

    source: FoldedSource
    folds: list[int]
    sums: Floats  # (k, q) of all folds
    crosses: Floats  # (k, p, q)
    squares: Floats  # (k,)

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
        sum_x, sum_y = self.source.sums[self.folds].sum(axis=0), self.sums[self.folds].sum(axis=0)
        # Σ(x − a)(y − b)ᵀ = Σxyᵀ − (Σx)bᵀ − a(Σy − n b)ᵀ: two outer products instead of three
        shifted_y = sum_y - self.source.count(self.folds) * about_y
        left, right = np.column_stack([sum_x, about_x]), np.stack([about_y, shifted_y])
        cross: Floats = self.crosses[self.folds].sum(axis=0) - left @ right
        return cross

    def total_y(self, about: Floats) -> float:
        """Σ‖y − about‖²."""
        size, total = self.source.count(self.folds), self.sums[self.folds].sum(axis=0)
        return float(self.squares[self.folds].sum() - 2 * total @ about + size * about @ about)


class FoldRegression(Regression):
    """A regression on the rows outside some folds, whose factorisations are shared by all targets of the source."""

    def __init__(self, rows: FoldSums, excluded: Folds) -> None:
        super().__init__(rows)
        self.excluded = excluded
        self.source = rows.source

    @property
    def is_factored(self) -> bool:
        """Always: the source holds one factor for all targets."""
        return True

    @property
    def factor(self) -> RidgeFactor:
        """Eigendecomposition of the scatter of x."""
        return self.source.factor(self.excluded)

    def quadratic(self, held_out: PairSums) -> Floats:
        """Scatter of a held-out fold about the training mean, in coordinates of the factor, (p, p)."""
        assert isinstance(held_out, FoldSums)
        (fold,) = held_out.folds
        return self.source.validation_quadratic(self.excluded, fold)
