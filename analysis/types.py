"""Names of array types, for annotations: each is defined here and nowhere else."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
#: Rows of any precision, as an encoder or a file gives them.
Rows = NDArray[np.floating]
Integers = NDArray[np.int64]
#: Integers of any width: labels, groups, folds.
Labels = NDArray[np.integer]
#: Indices, as numpy's index functions return them.
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
Strings = NDArray[np.str_]
#: Values of any type that numpy holds, one for each row.
Values = NDArray[np.generic]


class RowSource(Protocol):
    """Rows that are read a slice at a time: an array, or what lies on disk. No more than the slice is in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns, (n, d)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers: float16, float32 or float64."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, rows: slice, /) -> Rows:
        """Return a run of rows, (m, d)."""
