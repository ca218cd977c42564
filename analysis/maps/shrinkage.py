"""How much each rung is shrunk towards the plainer one, by the least squared error on inner folds (method §1).

The grids are absolute numbers of pairs, so that folds of nearly equal size share what they compute. The least error is
refined by a parabola through its neighbours; where errors are equal but for rounding, the strongest shrinkage is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..types import Floats
from .regression import Centre, Shrinkage, Split

EQUAL = 1e-11  # of the total: errors that differ by less are equal
LEAST_DECADE = -5  # the least penalty is 10^-5 pairs
DECADES_ABOVE_ROWS = 4  # the greatest weighs 10 000 times the rows
STEPS_A_DECADE = 10
LARGEST_SCALE = 2.0  # of the prior, in scales of the similarity
NEXT_TO_ZERO = 1e-6  # pairs


def kappa_grid(n: float, width: int) -> list[float]:
    """Return the κ that are tried: ∞, half decades from above 10 n to below n / 100, and 0.

    With fewer rows than dimensions Procrustes leaves directions open, and the prior settles them: there a κ that is
    next to nothing stands for 0.
    """
    top, bottom = int(np.ceil(2 * np.log10(10 * n))), int(np.floor(2 * np.log10(n / 100)))
    return [
        np.inf,
        *(float(10.0 ** (step / 2)) for step in range(top, bottom - 1, -1)),
        0.0 if n > width else NEXT_TO_ZERO,
    ]


def choose_kappa(splits: Sequence[Split]) -> float:
    """Return the κ ≥ 0 of the rotation with the least error over all splits; infinite for the prior itself.

    The search goes from the prior towards Procrustes and ends where the error no longer falls, since every step costs
    one polar factor a split.

    Parameters
    ----------
    splits : sequence of Split
    """
    n = max(split.training.rows.n for split in splits)
    width = min(splits[0].sxy.shape)
    grid = kappa_grid(n, width)
    equal = EQUAL * sum(split.total for split in splits)
    errors: list[float] = []
    best = 0
    for kappa in grid:
        errors.append(sum(split.rotation_error(kappa) for split in splits))
        if errors[-1] < errors[best] - equal:
            best = len(errors) - 1
        elif len(errors) > best + 1:
            break
    if not 1 < best < len(grid) - 2:
        return grid[best]
    return float(np.exp(parabola_minimum(np.log(grid[best - 1 : best + 2]), np.array(errors[best - 1 : best + 2]))))


def penalty_grid(n: float) -> Floats:
    """Return the decimal logarithms of the penalties, in pairs, that are tried for about n rows."""
    top = STEPS_A_DECADE * (int(np.ceil(np.log10(n))) + DECADES_ABOVE_ROWS)
    grid: Floats = np.arange(STEPS_A_DECADE * LEAST_DECADE, top + 1) / STEPS_A_DECADE
    return grid


def choose_shrinkage(
    splits: Sequence[Split], kappa: float, towards: Sequence[Centre] = (), *, penalty: float | None = None
) -> Shrinkage:
    """Return the shrinkage of the linear map with the least error over all splits.

    Parameters
    ----------
    splits : sequence of Split
    kappa : float
        κ of the rotation.
    towards : sequence of {"zero", "prior", "rotation"}, optional
        Where it may be shrunk to, the plainest first: by default the prior, and the rotation where it is another map.
    penalty : float, optional
        In pairs, where it is given and only the scale and the centre are to be chosen.
    """
    centres = tuple(towards) or (("prior",) if np.isinf(kappa) else ("prior", "rotation"))
    options = [_best_towards(splits, centre, kappa, penalty) for centre in centres]
    least = min(error for _, error in options)
    equal = EQUAL * sum(split.total for split in splits)
    return next(shrinkage for shrinkage, error in options if error <= least + equal)


def _best_towards(
    splits: Sequence[Split], towards: Centre, kappa: float, penalty: float | None
) -> tuple[Shrinkage, float]:
    """Return the best penalty and scale towards one centre, and their error."""
    decades = penalty_grid(max(split.training.rows.n for split in splits))
    penalties = (10.0**decades).tolist() if penalty is None else [penalty]
    parts = [split.errors_in_scale(penalties, towards, kappa) for split in splits]
    plain, slope, bend = (np.asarray(np.sum(terms, axis=0, dtype=np.float64)) for terms in zip(*parts, strict=True))
    scales = _best_scales(slope, bend, largest_scale(splits, towards, kappa))
    errors = plain - 2 * scales * slope + scales**2 * bend
    if penalty is not None:
        return Shrinkage(penalty, float(scales[0]), towards, kappa), float(errors[0])
    equal = EQUAL * sum(split.total for split in splits)
    best = int(np.flatnonzero(errors <= errors.min() + equal)[-1])
    if best in (0, len(decades) - 1):
        at = float(decades[best])
    else:
        at = parabola_minimum(decades[best - 1 : best + 2], errors[best - 1 : best + 2])
    return Shrinkage(10.0**at, float(np.interp(at, decades, scales)), towards, kappa), float(errors[best])


def _best_scales(slope: Floats, bend: Floats, largest: float) -> Floats:
    """Return for every penalty the scale of the prior with the least error; 0 where the prior no longer matters."""
    matters = bend > EQUAL * float(bend.max(initial=0.0))
    best = np.divide(slope, bend, out=np.zeros_like(slope), where=matters)
    scales: Floats = np.clip(best, 0.0, largest)
    return scales


def largest_scale(splits: Sequence[Split], towards: Centre, kappa: float) -> float:
    """Return the greatest scale of a prior: twice that of the similarity, on average over splits; 0 towards zero."""
    if towards == "zero":
        return 0.0
    return LARGEST_SCALE * float(np.mean([split.training.similarity_scale(kappa) for split in splits]))


def parabola_minimum(at: Floats, values: Floats) -> float:
    """Return the abscissa of the least value of the parabola through three points of equal distance, (3,) each."""
    left, middle, right = values.tolist()
    bend = left - 2 * middle + right
    step = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(at[1] + np.clip(step, -0.5, 0.5) * (at[2] - at[0]) / 2)
