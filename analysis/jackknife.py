"""R² intervals of the closed-form rungs that include the fit: delete a block, refit every fold from moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .closed_form import Recipe, solve, squared_error
from .inference import Interval, blocks_of_groups, jackknife_interval
from .moments import Moments, merged, provisional_centres

BLOCKS = 20


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


def refitted_interval(blocks: Sequence[Block], recipes: Sequence[Recipe]) -> Interval:
    """Return the cross-validated R² of a rung with its delete-one-block jackknife interval.

    Parameters
    ----------
    blocks : sequence of Block
    recipes : sequence of Recipe
        The rung with the choices of each fold, which are kept: the choices are not made again for every block.
    """
    value = cross_validated_r2(blocks, recipes)
    without = [cross_validated_r2([b for b in blocks if b is not block], recipes) for block in blocks]
    return jackknife_interval(value, without)


def cross_validated_r2(blocks: Sequence[Block], recipes: Sequence[Recipe]) -> float:
    """Return 1 − Σ‖y − ŷ‖² / Σ‖y − μy‖² over the folds, each predicted from the others."""
    total = merged(block.moments for block in blocks)
    error = spread = 0.0
    for fold, recipe in enumerate(recipes):
        held_out = merged(block.moments for block in blocks if block.fold == fold)
        training = total - held_out
        error += squared_error(solve(training, recipe), held_out)
        spread += held_out.total_y(training.mean_y)
    return 1 - error / spread
