"""R² intervals of the closed-form rungs that include the fit: delete a block, refit every fold from moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maps.closed_form import Recipe, solve, squared_error
from ..moments import Moments, merged, provisional_centres
from ..resampling import Interval, blocks_of_groups, jackknife_interval

BLOCKS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Moments of one block of groups, and the fold it lies in."""

    fold: int
    moments: Moments


def block_moments_of(
    x: NDArray[np.floating], y: NDArray[np.floating], groups: NDArray[np.int64], folds: NDArray[np.int64]
) -> tuple[Block, ...]:
    """Gather the moments of about `BLOCKS` blocks of whole groups, each within one fold."""
    centres = provisional_centres(x, y)
    return tuple(
        Block(int(folds[rows[0]]), Moments.from_arrays(x[rows], y[rows], centres=centres, dtype="float64"))
        for rows in blocks_of_groups(groups, folds, BLOCKS)
    )


def refitted_intervals(blocks: Sequence[Block], recipes: Mapping[str, Sequence[Recipe]]) -> dict[str, Interval]:
    """Return the cross-validated R² of rungs with their delete-one-block jackknife intervals.

    Parameters
    ----------
    blocks : sequence of Block
    recipes : mapping
        For each rung its recipe in every fold; choices are kept, they are not made again for every block.
    """
    folds = _folds(blocks)
    by_fold = list(zip(*recipes.values(), strict=True))
    whole = cross_validated_r2(folds, by_fold)
    left_out = [
        cross_validated_r2([m - b.moments if fold == b.fold else m for fold, m in enumerate(folds)], by_fold)
        for b in blocks
    ]
    return {name: jackknife_interval(whole[i], [values[i] for values in left_out]) for i, name in enumerate(recipes)}


def cross_validated_r2(folds: Sequence[Moments], recipes: Sequence[Sequence[Recipe]]) -> list[float]:
    """Return 1 − Σ‖y − ŷ‖² / Σ‖y − μy‖² of each rung over the folds, each predicted from the others.

    Parameters
    ----------
    folds : sequence of Moments
    recipes : sequence of sequence of Recipe
        For each fold the recipe of every rung.
    """
    total = merged(folds)
    errors, spread = np.zeros(len(recipes[0])), 0.0
    for held_out, own in zip(folds, recipes, strict=True):
        training = total - held_out
        errors += [squared_error(fitted, held_out) for fitted in solve(training, own)]
        spread += held_out.total_y(training.mean_y)
    return [float(1 - error / spread) for error in errors]


def _folds(blocks: Sequence[Block]) -> list[Moments]:
    n_folds = 1 + max(block.fold for block in blocks)
    return [merged(b.moments for b in blocks if b.fold == fold) for fold in range(n_folds)]
