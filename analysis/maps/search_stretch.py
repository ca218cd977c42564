"""The stretch of each rung for a search, chosen on the inner folds of each outer one (method §2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..retrieval.stretch import HeldOutQueries, choose_stretch, search_queries
from ..types import Floats, Indices, Integers
from .fold_moments import FoldedTarget
from .ladder import LINEAR_RUNGS, LadderFit
from .map_spec import MapSpec, fit_spec

MAX_QUERIES = 150  # a fold
MAX_TARGETS = 5000


def rung_stretches(fit: LadderFit, groups: Integers) -> dict[str, tuple[float, ...]]:
    """Return the stretch of every rung for each outer fold.

    The identity is no map and asks with x; the curved rungs take the stretch of the linear one, which they correct.

    Parameters
    ----------
    fit : LadderFit
    groups : array (n,)
        Concept groups: any target of a query's own group is right.
    """
    chosen = {
        rung: tuple(stretch_of(fit.target, c.spec(rung), groups, held_out=fold) for fold, c in enumerate(fit.choices))
        for rung in fit.predictions
        if rung in LINEAR_RUNGS - {"identity"}
    }
    plain = (1.0,) * len(fit.choices)
    return {
        rung: plain if rung == "identity" else chosen.get(rung, chosen.get("linear", plain)) for rung in fit.predictions
    }


def search_predictions(fit: LadderFit, stretches: Mapping[str, Sequence[float]]) -> dict[str, Floats]:
    """Return the held-out predictions of every rung as a search asks with them, (n, q) each."""
    return {
        rung: stretched_by_fold(prediction, fit.reference, fit.target.source.rows, stretches[rung])
        for rung, prediction in fit.predictions.items()
    }


def stretched_by_fold(
    prediction: Floats, reference: Floats, folds: Sequence[Indices], stretches: Sequence[float]
) -> Floats:
    """Return predictions (n, q), whose deviation from a reference (n, q) is stretched by the factor of their fold."""
    asked = np.array(prediction)
    for rows, stretch in zip(folds, stretches, strict=True):
        if stretch != 1:  # as it is, to the last digit
            asked[rows] = search_queries(prediction[rows], reference[rows], stretch)
    return asked


def stretch_of(target: FoldedTarget, spec: MapSpec, groups: Integers, *, held_out: int) -> float:
    """Choose the stretch of one rung on the inner folds of an outer one, or of all rows with `no_fold` held out."""
    source = target.source
    kept = source.rows_outside(frozenset({held_out}))[:MAX_TARGETS]
    parts = []
    for split, fold in zip(target.inner_splits(held_out), source.inner_folds(held_out), strict=True):
        rows = source.rows[fold][:MAX_QUERIES]
        fitted = fit_spec(split.training, spec)
        among = np.union1d(kept, rows)
        parts.append(
            HeldOutQueries.of(
                fitted(source.x[rows]) + target.centre,
                fitted.mean_y + target.centre,
                target.y[among] + target.centre,
                (groups[rows], groups[among]),
            )
        )
    return choose_stretch(parts)
