"""R² intervals of the closed-form rungs that include the fit: delete a block, refit every fold from moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maps.map_spec import MapSpec, fit_spec
from ..maps.regression import Regression, Split
from ..moments import Moments, merged, provisional_centres
from ..resampling import Interval, blocks_of_groups, jackknife_interval
from ..types import Floats

BLOCKS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Moments of one block of groups, and the fold that holds it."""

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


def refitted_intervals(
    blocks: Sequence[Block], specs: Mapping[str, Sequence[MapSpec]], prior: Floats | None = None
) -> dict[str, Interval]:
    """Return the cross-validated R² of rungs with their delete-one-block jackknife intervals.

    Parameters
    ----------
    blocks : sequence of Block
    specs : mapping
        For each rung what was chosen for it in every fold; the choices are not made again for every block.
    prior : array (p, q), optional
        As in `Regression`.
    """
    n_folds = 1 + max(block.fold for block in blocks)
    folds = [merged(b.moments for b in blocks if b.fold == fold) for fold in range(n_folds)]
    by_fold = list(zip(*specs.values(), strict=True))
    whole = cross_validated_r2(folds, by_fold, prior)
    left_out = [
        cross_validated_r2([m - b.moments if fold == b.fold else m for fold, m in enumerate(folds)], by_fold, prior)
        for b in blocks
    ]
    return {name: jackknife_interval(whole[i], [values[i] for values in left_out]) for i, name in enumerate(specs)}


def cross_validated_r2(
    folds: Sequence[Moments], specs: Sequence[Sequence[MapSpec]], prior: Floats | None = None
) -> list[float]:
    """Return 1 − Σ‖y − ŷ‖² / Σ‖y − μy‖² of each rung over the folds, each predicted from the others.

    Parameters
    ----------
    folds : sequence of Moments
    specs : sequence of sequence of MapSpec
        For each fold every rung with what was chosen for it.
    prior : array (p, q), optional
        As in `Regression`.
    """
    total = merged(folds)
    errors, spread = np.zeros(len(specs[0])), 0.0
    for held_out, own in zip(folds, specs, strict=True):
        training = Regression(total - held_out, prior)
        split = Split(training, held_out)
        errors += [_held_out_error(split, spec) for spec in own]
        spread += split.total
    return [float(1 - error / spread) for error in errors]


def _held_out_error(split: Split, spec: MapSpec) -> float:
    """Return Σ‖y − ŷ‖² of a rung; rotations need no product, since a square one leaves lengths as they are."""
    if spec.rung in ("rotation", "similarity"):
        scale = split.training.similarity_scale(spec.kappa) if spec.rung == "similarity" else 1.0
        return split.rotation_error(spec.kappa, scale)
    return split.error(fit_spec(split.training, spec).weights)
