"""The affine rungs by name: what each needs besides its training rows, and how it is solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..moments import Moments
from ..types import Floats
from .affine import AffineMap
from .low_rank import reduced_rank
from .regression import Regression, Shrinkage

LEAST_SQUARES = Shrinkage(0.0)


@dataclass(frozen=True, slots=True)
class MapSpec:
    """An affine rung with what was chosen for it."""

    rung: str  # shift, rotation, similarity, low_rank or linear
    kappa: float = 0.0  # pairs that the prior of a rotation weighs as
    shrinkage: Shrinkage = LEAST_SQUARES  # of a linear map
    rank: int | None = None
    stretch: float = 1.0  # factor of the deviation from the mean of y, for search


def fit_spec(training: Regression, spec: MapSpec) -> AffineMap:
    """Solve one affine rung; what it shares with other rungs of the same regression is computed once.

    Raises
    ------
    DataError
        If `shift` is asked for between spaces of different width.
    """
    fitted = training.affine(_weights(training, spec)) if spec.rung != "linear" else training.linear(spec.shrinkage)
    return fitted if spec.stretch == 1.0 else training.affine(spec.stretch * fitted.weights)


def _weights(training: Regression, spec: MapSpec) -> Floats:
    if spec.rung == "shift":
        p, q = len(training.mean_x), len(training.mean_y)
        if p != q:
            raise DataError(f"a shift needs equal widths, got {p} and {q}")
        return np.eye(p, dtype=training.mean_x.dtype)
    if spec.rung == "rotation":
        return training.rotation(spec.kappa)
    if spec.rung == "similarity":
        return training.similarity_scale(spec.kappa) * training.rotation(spec.kappa)
    linear = training.linear(spec.shrinkage).weights
    return linear if spec.rank is None else reduced_rank(training.sxx, linear, spec.rank)


def solve(moments: Moments, specs: Sequence[MapSpec], prior: Floats | None = None) -> list[AffineMap]:
    """Solve affine rungs from the moments of their training rows.

    Parameters
    ----------
    moments : Moments
    specs : sequence of MapSpec
    prior : array (p, q), optional
        As in `Regression`.

    Raises
    ------
    DataError
        If there are no rows, or `shift` is asked for between spaces of different width.
    """
    if moments.n < 1:
        raise DataError("a map cannot be fitted to no rows")
    training = Regression(moments, prior)
    return [fit_spec(training, spec) for spec in specs]
