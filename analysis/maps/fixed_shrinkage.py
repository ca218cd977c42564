"""Held-out linear maps with a shrinkage that is given for each fold: one solve a fold, nothing is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Floats
from .affine import AffineMap
from .fold_moments import FoldedSource, FoldedTarget
from .regression import Regression, Shrinkage


def maps_of_folds(target: FoldedTarget, shrinkages: Sequence[Shrinkage]) -> list[AffineMap]:
    """Fit a linear map without each fold, about the provisional centres of source and target."""
    return [
        Regression(target.fold_sums(target.source.outside(frozenset({fold}))), target.prior).linear(shrinkage)
        for fold, shrinkage in enumerate(shrinkages)
    ]


def held_out_linear(target: FoldedTarget, shrinkages: Sequence[Shrinkage]) -> tuple[Floats, Floats]:
    """Return linear predictions of every row by a map fitted without its fold, and training means, (n, q) each.

    Parameters
    ----------
    target : FoldedTarget
    shrinkages : sequence of Shrinkage
        One for each fold, chosen without its rows.
    """
    prediction, reference = np.empty(target.y.shape), np.empty(target.y.shape)
    for rows, fitted in zip(target.source.rows, maps_of_folds(target, shrinkages), strict=True):
        prediction[rows] = fitted(target.source.x[rows]) + target.centre
        reference[rows] = fitted.mean_y + target.centre
    return prediction, reference


@dataclass(frozen=True, slots=True, eq=False)
class WrongLanguage:
    """What the maps of another language predict from this one's rows, held out."""

    as_it_is: Floats  # (n, q) (x − μw) W + μy
    recentred: Floats  # (n, q) (x − μx) W + μy


def wrong_language(
    x: NDArray[np.floating], other: NDArray[np.floating], target: FoldedTarget, shrinkages: Sequence[Shrinkage]
) -> WrongLanguage:
    """Predict y from x by linear maps that were fitted from another language to y, without the row's fold.

    Parameters
    ----------
    x, other : array (n, p)
        The same rows in this language and in the other, in one space.
    target : FoldedTarget
        y against x: its folds and its prior serve here.
    shrinkages : sequence of Shrinkage
        Of this language's own map, one for each fold.
    """
    source = FoldedSource.of(other, target.source.folds)
    maps = maps_of_folds(FoldedTarget.of(source, target.y, target.prior), shrinkages)
    mean_x, mean_other = np.mean(x, axis=0, dtype=np.float64), np.mean(other, axis=0, dtype=np.float64)
    as_it_is, recentred = np.empty(target.y.shape), np.empty(target.y.shape)
    for fold, (rows, fitted) in enumerate(zip(source.rows, maps, strict=True)):
        as_it_is[rows] = fitted(x[rows] - mean_other) + target.centre
        own = target.source.mean(frozenset({fold}))
        recentred[rows] = AffineMap(fitted.weights, own, fitted.mean_y)(x[rows] - mean_x) + target.centre
    return WrongLanguage(as_it_is, recentred)
