"""The stretch of each rung for a search, chosen on the inner folds of each outer one (method §2)."""

from __future__ import annotations

import numpy as np

from ..retrieval.stretch import HeldOutQueries, choose_stretch, search_queries
from ..types import Floats, Integers
from .fold_moments import FoldedTarget
from .ladder import LINEAR_RUNGS, LadderFit
from .map_spec import MapSpec, fit_spec

MAX_QUERIES = 150  # a fold
MAX_TARGETS = 5000


def search_predictions(fit: LadderFit, groups: Integers) -> dict[str, Floats]:
    """Return the held-out predictions of every rung as a search asks with them, (n, q) each.

    The identity is no map and asks with x; the curved rungs take the stretch of the linear one, which they correct.

    Parameters
    ----------
    fit : LadderFit
    groups : array (n,)
        Concept groups: any target of a query's own group is right.
    """
    asked = {rung: np.array(prediction) for rung, prediction in fit.predictions.items()}
    straight = [rung for rung in asked if rung in LINEAR_RUNGS - {"identity"}]
    for fold, (rows, choices) in enumerate(zip(fit.target.source.rows, fit.choices, strict=True)):
        stretches = {rung: stretch_of(fit.target, choices.spec(rung), groups, held_out=fold) for rung in straight}
        for rung, prediction in asked.items():
            stretch = 1.0 if rung == "identity" else stretches.get(rung, stretches.get("linear", 1.0))
            prediction[rows] = search_queries(prediction[rows], fit.reference[rows], stretch)
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
