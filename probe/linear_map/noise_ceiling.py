"""The noise ceiling: how well a second reference translation predicts the first (method §5).

Two good translations of one sentence have different vectors. R² of one predicted from the other is what a human
translator reaches; a map can be held against it, but it is no strict bound. If both differ from their common meaning
by independent noise, it is the square of what a map that knew the meaning would reach.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...analysis.maps.ladder import LadderFit
from ...analysis.resampling import Interval, Resamples, percentile_interval
from ...analysis.retrieval.scores import row_squares
from ...analysis.splits import group_folds
from ...analysis.types import Floats, Indices
from ..experiment.pairs import Pairs
from .config import LinearMapConfig

MINIMUM_REFERENCES = 50


class NoiseCeiling(NamedTuple):
    """R² of the target predicted from its second reference, and of the ceiling rung on the same rows."""

    second_reference: Interval | None
    rows: int
    ceiling_rung: Interval | None


def noise_ceiling(pairs: Pairs, fit: LadderFit, ceiling: str, config: LinearMapConfig) -> NoiseCeiling:
    """Predict targets from their second references, and compare with the ceiling rung on the same rows.

    The prediction is the second reference about its mean, shrunk by one factor; means and factor are fitted on the
    other folds. No direction is learnt.
    """
    second, rows = pairs.references[1], referenced_rows(pairs)
    if second is None or len(rows) < MINIMUM_REFERENCES or len(np.unique(pairs.groups[rows])) < config.folds:
        return NoiseCeiling(None, len(rows), None)
    y, groups = pairs.y[rows], pairs.groups[rows]
    folds = group_folds(groups, config.folds, np.random.default_rng([config.seed, 11]))
    prediction, reference = shrunk_reference(second[rows], y, folds)
    resamples = Resamples.draw(groups, np.random.default_rng([config.seed, 12]), config.resamples)
    predicted = _r2(row_squares(y - prediction), row_squares(y - reference), resamples)
    mapped = row_squares(y - fit.predictions[ceiling][rows])
    return NoiseCeiling(predicted, len(rows), _r2(mapped, row_squares(y - fit.reference[rows]), resamples))


def referenced_rows(pairs: Pairs) -> Indices:
    """Return the rows whose target has a second reference, (m,)."""
    second = pairs.references[1]
    if second is None:
        return np.empty(0, np.intp)
    return np.flatnonzero(np.isfinite(second).all(axis=1))


def shrunk_reference(second: Floats, first: Floats, folds: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Predict first references from second ones, ŷ = ȳ + s (y₂ − ȳ₂), out of fold; return ŷ and the means, (n, d)."""
    prediction, reference = np.empty_like(first), np.empty_like(first)
    for fold in range(int(folds.max()) + 1):
        held_out, training = folds == fold, folds != fold
        mean_first, mean_second = first[training].mean(axis=0), second[training].mean(axis=0)
        about_first, about_second = first[training] - mean_first, second[training] - mean_second
        factor = np.sum(about_first * about_second) / max(float(np.sum(about_second**2)), 1e-300)
        prediction[held_out] = mean_first + factor * (second[held_out] - mean_second)
        reference[held_out] = mean_first
    return prediction, reference


def _r2(error: Floats, total: Floats, resamples: Resamples) -> Interval:
    ratio, drawn = resamples.ratio_of_sums(error, total)
    return percentile_interval(1 - ratio, 1 - drawn)
