"""Sums over folds of a source and of a target: training moments by subtraction, factorisations kept for reuse.

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
from .ridge import RidgeFactor

Folds = frozenset[int]
T = TypeVar("T")


def kept(store: dict[object, object], key: object, make: Callable[[], T]) -> T:
    """Return what was made for a key before, or make it now."""
    if key not in store:
        store[key] = make()
    return cast("T", store[key])


def narrowed(value: Any) -> Any:  # noqa: ANN401 - whatever is kept
    """Return what was kept with every float64 array in it as float32."""
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
    kept: dict[object, object] = field(default_factory=dict)  # factorisations by what they were made from
    wide: FoldedSource | None = None  # of float64, whose factorisations serve a narrow one

    @classmethod
    def of(cls, x: NDArray[np.floating], folds: NDArray[np.int64]) -> FoldedSource:
        """Gather the fold sums of x, (n, p), for folds 0 … k − 1, (n,)."""
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

    def outside(self, excluded: Folds) -> list[int]:
        """Return the folds that are not excluded."""
        return [fold for fold in range(self.n_folds) if fold not in excluded]

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
        kept = self.outside(excluded)
        mean: Floats = self.sums[kept].sum(axis=0) / self.count(kept)
        return mean

    def scatter(self, folds: list[int], about: Floats) -> Floats:
        """Scatter of the rows of some folds about a point, (p, p)."""
        cross = np.outer(self.sums[folds].sum(axis=0), about)
        about_zero: Floats = self.scatters[folds].sum(axis=0)
        return about_zero - cross - cross.T + self.count(folds) * np.outer(about, about)

    def factor(self, excluded: Folds) -> RidgeFactor:
        """Eigendecomposition of the scatter of all rows outside the excluded folds; kept."""
        return self.keep(
            ("factor", excluded), lambda: RidgeFactor.of(self.scatter(self.outside(excluded), self.mean(excluded)))
        )

    def validation_quadratic(self, excluded: Folds, fold: int) -> Floats:
        """Scatter of one fold about the training mean, in the coordinates of the training factor; kept."""
        return self.keep(
            ("quadratic", excluded, fold),
            lambda: self.factor(excluded).quadratic(self.scatter([fold], self.mean(excluded))),
        )

    def keep(self, key: object, make: Callable[[], T]) -> T:
        """Return what was made for a key before, or make it now."""
        if self.wide is None:
            return kept(self.kept, key, make)
        known = self.wide.kept
        return kept(self.kept, key, lambda: cast("T", narrowed(known[key] if key in known else make())))


@dataclass(frozen=True, slots=True, eq=False)
class FoldedTarget:
    """Rows of y with their sums and cross-sums against a source, by fold."""

    source: FoldedSource
    y: Floats  # (n, q), centred provisionally
    centre: Floats  # (q,) the provisional centre that was taken out
    sums: Floats  # (k, q)
    crosses: Floats  # (k, p, q)
    squares: Floats  # (k,) Σ‖y‖²
    kept: dict[object, object] = field(default_factory=dict)

    @classmethod
    def of(cls, source: FoldedSource, y: NDArray[np.floating]) -> FoldedTarget:
        """Gather the fold sums of y, (n, q), against the rows of a source, in its precision."""
        own = np.asarray(y, source.x.dtype)
        centre = own.mean(axis=0)
        centred = own - centre
        sums = np.stack([centred[r].sum(axis=0) for r in source.rows])
        crosses = np.stack([source.x[r].T @ centred[r] for r in source.rows])
        squares = np.array([np.einsum("ij,ij->", centred[r], centred[r], dtype=np.float64) for r in source.rows])
        return cls(source, centred, centre, sums, crosses, squares)

    def mean(self, excluded: Folds) -> Floats:
        """Mean of y over the rows outside the excluded folds, (q,)."""
        kept = self.source.outside(excluded)
        mean: Floats = self.sums[kept].sum(axis=0) / self.source.count(kept)
        return mean

    def cross(self, folds: list[int], about_x: Floats, about_y: Floats) -> Floats:
        """Cross-scatter of the rows of some folds about two points, (p, q)."""
        sum_x, sum_y = self.source.sums[folds].sum(axis=0), self.sums[folds].sum(axis=0)
        # Σ(x − a)(y − b)ᵀ = Σxyᵀ − (Σx)bᵀ − a(Σy − n b)ᵀ: two outer products instead of three
        shifted_y = sum_y - self.source.count(folds) * about_y
        left, right = np.column_stack([sum_x, about_x]), np.stack([about_y, shifted_y])
        cross: Floats = self.crosses[folds].sum(axis=0) - left @ right
        return cross

    def training_cross(self, excluded: Folds) -> Floats:
        """Centred cross-scatter of all rows outside the excluded folds, (p, q); kept."""
        return kept(
            self.kept,
            ("cross", excluded),
            lambda: self.cross(self.source.outside(excluded), self.source.mean(excluded), self.mean(excluded)),
        )

    def rotated_cross(self, excluded: Folds) -> Floats:
        """Centred training cross-scatter in the coordinates of the training factor, (p, q); kept."""
        return kept(
            self.kept,
            ("rotated", excluded),
            lambda: self.source.factor(excluded).rotate(self.training_cross(excluded)),
        )

    def rotated_gram(self, excluded: Folds) -> Floats:
        """Gram matrix of the rows of the rotated cross-scatter, (p, p); kept."""
        rotated = self.rotated_cross(excluded)
        return kept(self.kept, ("gram", excluded), lambda: rotated @ rotated.T)

    def total(self, fold: int, about: Floats) -> float:
        """Σ‖y − about‖² over the rows of one fold."""
        size = len(self.source.rows[fold])
        return float(self.squares[fold] - 2 * self.sums[fold] @ about + size * about @ about)
