"""Mergeable moments of paired rows: all that the closed-form maps, their folds and streaming CKA need, in one pass.

Memory is O(d²) at any number of rows. Sums are taken about a fixed provisional centre, so that merging and subtracting
are plain additions and the large mean of an embedding cloud costs no digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ..distributed import Processes
from ..errors import DataError
from ..files import write_bytes
from .checks import check_pair
from .types import Floats, Indices, Labels, Rows, RowSource

BLOCK_ROWS = 4096
CENTRE_ROWS = 4096
FORMAT = "polyglot/moments/1"


#: The axes of the sums that are arrays; the others are numbers.
AXES = {
    "sum_x": "x",
    "sum_y": "y",
    "xx": "xx",
    "xy": "xy",
    "yy": "yy",
    "x_xx": "x",
    "x_yy": "x",
    "y_xx": "y",
    "y_yy": "y",
}


def sums_of(kind: type[PairMoments]) -> tuple[str, ...]:
    """Return the names of the sums of a kind of moments: its fields but for the centres."""
    return tuple(f.name for f in fields(kind) if not f.name.startswith("centre"))


@dataclass(frozen=True, slots=True, eq=False)
class PairMoments:
    """Sums of first and second order over paired rows about a provisional centre; x is (n, p), y is (n, q).

    Merge with ``+``, take a fold out with ``-``: both are exact up to rounding, and both need equal centres.
    """

    n: float
    centre_x: Floats  # (p,)
    centre_y: Floats  # (q,)
    sum_x: Floats  # (p,)
    sum_y: Floats  # (q,)
    xx: Floats  # (p, p)
    xy: Floats  # (p, q)
    yy: Floats  # (q, q)

    @classmethod
    def zeros(cls, centre_x: ArrayLike, centre_y: ArrayLike) -> Self:
        """Return the moments of no rows about the given centres, (p,) and (q,)."""
        cx, cy = np.asarray(centre_x, np.float64), np.asarray(centre_y, np.float64)
        sizes = {"x": len(cx), "y": len(cy)}
        none: dict[str, Any] = {"centre_x": cx, "centre_y": cy}
        for name in sums_of(cls):
            none[name] = np.zeros([sizes[side] for side in AXES[name]]) if name in AXES else 0.0
        return cls(**none)

    def __add__(self, other: Self) -> Self:
        """Merge with the moments of other rows."""
        return self._combine(other, 1.0)

    def __sub__(self, other: Self) -> Self:
        """Subtract the moments of rows that are among these."""
        return self._combine(other, -1.0)

    def _combine(self, other: Self, sign: float) -> Self:
        if not (np.array_equal(self.centre_x, other.centre_x) and np.array_equal(self.centre_y, other.centre_y)):
            raise DataError("moments about different centres cannot be combined: gather both with the same `centres`")
        return replace(self, **{f: getattr(self, f) + sign * getattr(other, f) for f in sums_of(type(self))})

    @property
    def mean_x(self) -> Floats:
        """Mean of x, (p,)."""
        return self.centre_x + self.sum_x / self.n

    @property
    def mean_y(self) -> Floats:
        """Mean of y, (q,)."""
        return self.centre_y + self.sum_y / self.n

    @property
    def sxx(self) -> Floats:
        """Centred scatter Σ (x − x̄)(x − x̄)ᵀ, (p, p)."""
        return self.scatter_xx(self.mean_x)

    @property
    def sxy(self) -> Floats:
        """Centred cross-scatter Σ (x − x̄)(y − ȳ)ᵀ, (p, q)."""
        return self.scatter_xy(self.mean_x, self.mean_y)

    @property
    def syy(self) -> Floats:
        """Centred scatter Σ (y − ȳ)(y − ȳ)ᵀ, (q, q)."""
        return self.swapped().sxx

    def scatter_xx(self, about: Floats) -> Floats:
        """Scatter of x about any point, (p, p)."""
        a = about - self.centre_x
        cross = np.outer(self.sum_x, a)
        return self.xx - cross - cross.T + self.n * np.outer(a, a)

    def scatter_xy(self, about_x: Floats, about_y: Floats) -> Floats:
        """Cross-scatter of x and y about any pair of points, (p, q)."""
        a, b = about_x - self.centre_x, about_y - self.centre_y
        return self.xy - np.outer(self.sum_x, b) - np.outer(a, self.sum_y) + self.n * np.outer(a, b)

    def total_y(self, about: Floats) -> float:
        """Σ ‖y − about‖²: the denominator of R²."""
        b = about - self.centre_y
        return float(np.trace(self.yy) - 2 * self.sum_y @ b + self.n * b @ b)

    def swapped(self) -> Self:
        """Return the moments with x and y exchanged."""
        return replace(
            self,
            centre_x=self.centre_y,
            centre_y=self.centre_x,
            sum_x=self.sum_y,
            sum_y=self.sum_x,
            xx=self.yy,
            xy=self.xy.T,
            yy=self.xx,
        )

    def all_reduce(self, processes: Processes | None = None) -> Self:
        """Sum over all processes of this run; the centres must be equal in every process.

        Parameters
        ----------
        processes : Processes, optional
            `Processes.current()` if not given.
        """
        import torch

        flat = np.concatenate([np.ravel(getattr(self, name)) for name in sums_of(type(self))])
        (processes or Processes.current()).all_reduce(torch.from_numpy(flat))
        return self._from_flat(flat)

    def _from_flat(self, flat: Floats) -> Self:
        parts: dict[str, Any] = {}
        start = 0
        for name in sums_of(type(self)):
            shape = np.shape(getattr(self, name))
            size = int(np.prod(shape))
            parts[name] = flat[start : start + size].reshape(shape) if shape else float(flat[start])
            start += size
        return replace(self, **parts)


@dataclass(frozen=True, slots=True, eq=False)
class Moments(PairMoments):
    """The sums of `PairMoments` with those of third and fourth order that streaming CKA needs."""

    x_xx: Floats  # (p,)  Σ x‖x‖²
    x_yy: Floats  # (p,)  Σ x‖y‖²
    y_xx: Floats  # (q,)  Σ y‖x‖²
    y_yy: Floats  # (q,)  Σ y‖y‖²
    xx_xx: float  # Σ ‖x‖⁴
    xx_yy: float  # Σ ‖x‖²‖y‖²
    yy_yy: float  # Σ ‖y‖⁴

    @classmethod
    def from_arrays(
        cls,
        x: Rows,
        y: Rows,
        *,
        centres: tuple[ArrayLike, ArrayLike] | None = None,
        block_rows: int = BLOCK_ROWS,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> Self:
        """Gather the moments of paired rows, block by block; memory-mapped arrays are read once.

        Parameters
        ----------
        x, y : array (n, p), (n, q)
            Paired rows; float16, float32 or float64.
        centres : pair of arrays, optional
            Provisional centres; by default the means of the first rows.
        block_rows : int
            Rows a block. Products within a block are taken in `dtype`, sums over blocks in float64.
        device : str
            A torch device for the products.
        dtype : {"float32", "float64"}
            Precision of the products within a block.

        Raises
        ------
        DataError
            If the row counts differ or a row holds NaN or infinity (the row is named).
        """
        check_pair(x, y)
        cx, cy = centres if centres is not None else provisional_centres(x, y)
        total = cls.zeros(cx, cy)
        for start in range(0, len(x), block_rows):
            rows = slice(start, start + block_rows)
            total = total + block_moments(total, x[rows], y[rows], device=device, dtype=dtype, first_row=start)
        return total

    def swapped(self) -> Self:
        """Return the moments with x and y exchanged."""
        return replace(
            PairMoments.swapped(self),
            x_xx=self.y_yy,
            x_yy=self.y_xx,
            y_xx=self.x_yy,
            y_yy=self.x_xx,
            xx_xx=self.yy_yy,
            yy_yy=self.xx_xx,
        )

    def save(self, path: Path) -> None:
        """Write to a safetensors file, atomically, so that a run can be resumed."""
        from safetensors.numpy import save

        arrays = {f.name: np.array(getattr(self, f.name), dtype=np.float64, order="C") for f in fields(self)}
        write_bytes(path, save(arrays, metadata={"format": FORMAT}))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(path)
        except (OSError, SafetensorError) as error:
            raise DataError(f"{path}: not a file of saved moments ({error}); gather them again") from error
        if set(arrays) != {f.name for f in fields(cls)}:
            raise DataError(f"{path}: not a file of saved moments; gather them again")
        read: dict[str, Any] = {k: float(v) if v.ndim == 0 else v for k, v in arrays.items()}
        return cls(**read)


M = TypeVar("M", bound=Moments)
P = TypeVar("P", bound=PairMoments)
SUMS = sums_of(Moments)


def provisional_centres(x: RowSource, y: RowSource) -> tuple[Floats, Floats]:
    """Return the means of the first rows of x and y: near enough to the true means for full precision.

    They are rounded to float32, so that float32 rows less a centre are exact but for their own last bit.
    """
    return _mean_of_first_rows(x), _mean_of_first_rows(y)


def _mean_of_first_rows(rows: RowSource) -> Floats:
    """Rows that are not finite are left out here, so that `block_moments` can name them."""
    first = rows[:CENTRE_ROWS]
    finite = first[np.isfinite(first).all(axis=1)]
    mean = finite.astype(np.float64).mean(axis=0) if len(finite) else np.zeros(rows.shape[1])
    centre: Floats = mean.astype(np.float32).astype(np.float64)
    return centre


def block_moments(
    about: M,
    x: Rows,
    y: Rows,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    first_row: int = 0,
) -> M:
    """Return the moments of one block of rows about the centres of `about`.

    On a processor numpy takes the products: it sees that both factors of xᵀx are one, and does half the work.
    """
    bx, by = (_centred(rows, c, dtype) for rows, c in ((x, about.centre_x), (y, about.centre_y)))
    square_x, square_y = _row_squares(bx), _row_squares(by)
    bad = ~np.isfinite(square_x + square_y)
    if bad.any():
        row = first_row + int(np.flatnonzero(bad)[0])
        raise DataError(f"row {row} holds NaN or infinity: remove it, or encode it again")
    xx, xy, yy = _products(bx, by) if device == "cpu" else _products_on(device, bx, by)
    squares = np.stack([square_x, square_y], axis=1)
    of_x, of_y = bx.T @ squares, by.T @ squares
    ux, uy = square_x.astype(np.float64), square_y.astype(np.float64)
    return replace(
        about,
        n=float(len(x)),
        sum_x=bx.sum(axis=0, dtype=np.float64),
        sum_y=by.sum(axis=0, dtype=np.float64),
        xx=xx.astype(np.float64),
        xy=xy.astype(np.float64),
        yy=yy.astype(np.float64),
        x_xx=of_x[:, 0].astype(np.float64),
        x_yy=of_x[:, 1].astype(np.float64),
        y_xx=of_y[:, 0].astype(np.float64),
        y_yy=of_y[:, 1].astype(np.float64),
        xx_xx=float(ux @ ux),
        xx_yy=float(ux @ uy),
        yy_yy=float(uy @ uy),
    )


def _centred(rows: Rows, centre: Floats, dtype: str) -> Floats:
    """Return rows less a centre; in float32 where the centre is exact in it, so that no digit is lost."""
    narrow = centre.astype(np.float32)
    if dtype == "float32" and rows.dtype != np.float64 and np.array_equal(narrow, centre):
        return np.subtract(rows, narrow, dtype=np.float32)
    return np.subtract(rows, centre, dtype=np.float64).astype(dtype, copy=False)


def _row_squares(x: Floats) -> Floats:
    squares: Floats = np.einsum("ij,ij->i", x, x)
    return squares


def _products(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    return x.T @ x, x.T @ y, y.T @ y


def _products_on(device: str, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    import torch

    tx, ty = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
    xx, xy, yy = (product.cpu().numpy() for product in (tx.T @ tx, tx.T @ ty, ty.T @ ty))
    return xx, xy, yy


def fold_moments(x: Rows, y: Rows, folds: Labels, *, dtype: str = "float32") -> tuple[Moments, ...]:
    """Gather one `Moments` for each fold 0 … max(folds), all about the same centres, in one pass over the rows."""
    check_pair(x, y)
    centres = provisional_centres(x, y)
    return tuple(
        Moments.from_arrays(x[rows], y[rows], centres=centres, dtype=dtype) for rows in _rows_of_each_fold(folds)
    )


def _rows_of_each_fold(folds: Labels) -> Iterator[Indices]:
    return (np.flatnonzero(folds == fold) for fold in range(int(folds.max()) + 1))


def merged(parts: Sequence[P] | Iterable[P]) -> P:
    """Merge many moments into one."""
    first, *others = parts
    for part in others:
        first = first + part
    return first
