"""The noise ceiling: how well a second reference predicts the first (METHOD §4).

Two good translations of one sentence do not share a vector. What one of them tells of the other bounds what any map
from the source can be asked to reach.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..analysis.inference import Interval, Resamples, percentile_interval
from ..analysis.ladder import Ladder, LadderFit
from ..analysis.scores import row_squares
from ..analysis.splits import group_folds
from .linear_map_config import LinearMapConfig
from .pairs import Pairs

Floats = NDArray[np.float64]
MINIMUM_REFERENCES = 50


def noise_ceiling(
    pairs: Pairs, fit: LadderFit, ceiling: str, config: LinearMapConfig
) -> tuple[Interval | None, int, Interval | None]:
    """Return R² of the target predicted from its second reference, the rows used, and the ceiling rung's R² on them.

    The prediction is the better of the second reference itself and the best held-out closed-form map of it; both are
    held out, so that neither is flattered.
    """
    second = pairs.references[1]
    if second is None:
        return None, 0, None
    rows = np.flatnonzero(np.isfinite(second).all(axis=1))
    if len(rows) < MINIMUM_REFERENCES:
        return None, len(rows), None
    y, groups = pairs.y[rows], pairs.groups[rows]
    folds = group_folds(groups, config.folds, np.random.default_rng([config.seed, 11]))
    twin = Ladder(second[rows], folds, rungs=("identity", "shift", "similarity", "linear")).fit(y)
    total = row_squares(y - twin.reference)
    errors = {name: row_squares(y - p) for name, p in twin.predictions.items()}
    best = min(errors, key=lambda name: float(errors[name].sum()))
    resamples = Resamples.draw(groups, np.random.default_rng([config.seed, 12]), config.resamples)
    mapped = row_squares(y - fit.predictions[ceiling][rows])
    return (
        _r2(errors[best], total, resamples),
        len(rows),
        _r2(mapped, row_squares(y - fit.reference[rows]), resamples),
    )


def _r2(error: Floats, total: Floats, resamples: Resamples) -> Interval:
    ratio, drawn = resamples.ratio_of_sums(error, total)
    return percentile_interval(1 - ratio, 1 - drawn)
