"""The affine rungs by name: what each needs besides its training rows, and how it is solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..moments import Moments
from .affine import AffineMap
from .low_rank import reduced_rank
from .procrustes import similarity_scale
from .regression import Regression


@dataclass(frozen=True, slots=True)
class MapSpec:
    """An affine rung with what was chosen for it."""

    rung: str  # shift, rotation, similarity, low_rank or linear
    penalty: float = 0.0  # λ relative to tr(Sxx)/p
    rank: int | None = None


def fit_spec(training: Regression, spec: MapSpec) -> AffineMap:
    """Solve one affine rung; what it shares with other rungs of the same regression is computed once.

    Raises
    ------
    DataError
        If `shift` is asked for between spaces of different width.
    """
    if spec.rung == "shift":
        p, q = len(training.mean_x), len(training.mean_y)
        if p != q:
            raise DataError(f"a shift needs equal widths, got {p} and {q}")
        return training.affine(np.eye(p, dtype=training.mean_x.dtype))
    if spec.rung in ("rotation", "similarity"):
        rotation, nuclear = training.rotation
        if spec.rung == "similarity":
            rotation = similarity_scale(training.sxx, rotation, nuclear) * rotation
        return training.affine(rotation)
    ridge = training.ridge(spec.penalty)
    return ridge if spec.rank is None else training.affine(reduced_rank(training.sxx, ridge.weights, spec.rank))


def solve(moments: Moments, specs: Sequence[MapSpec]) -> list[AffineMap]:
    """Solve affine rungs from the moments of their training rows.

    Raises
    ------
    DataError
        If there are no rows, or `shift` is asked for between spaces of different width.
    """
    if moments.n < 1:
        raise DataError("a map cannot be fitted to no rows")
    training = Regression(moments)
    return [fit_spec(training, spec) for spec in specs]
