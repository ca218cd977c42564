"""Latent shares of a rotation and of a linear map alone: quick enough for every layer of an encoder (method §3).

Beside the shares that a verdict rests on, fewer folds are scored, the pull of the rotation is chosen among decades, and
what fitting adds is drawn once. Intervals are wider for it.
"""

from __future__ import annotations

import numpy as np

from ..maps.instruments import MAX_COMPONENTS, Smoother, quadratic_features
from ..maps.structural import FEW_KAPPAS
from ..resampling import Interval
from ..splits import group_folds
from ..types import Floats
from .geometry import FOLDS, WEAK, Effort, Views, first_stage, maps_by_rung, noise_residuals, structural_fits
from .latent import latent_share, map_products, pair_terms, smoother_weights, total_products
from .refitting import corrections

RUNGS: tuple[str, ...] = ("rotation", "linear")
EFFORT = Effort(scored=2, kappas=FEW_KAPPAS)
CURVED_RATIOS: tuple[float, ...] = (1.0, 100.0)


def latent_shares(views: Views, *, components: Floats | None = None, seed: int = 0) -> dict[str, Interval]:
    """Return the latent share of the rotation and of the linear map from source to target.

    Parameters
    ----------
    views : Views
        At least one instrument, and 10 groups of rows.
    components : array (n, m), optional
        What `first_stage` gives for the instruments; directions with the same instruments can share it.
    seed : int
        Of folds and flips.

    Returns
    -------
    dict of str to Interval
        By rung; empty where the instruments predict too little of the target to say anything.
    """
    folds = group_folds(views.groups, FOLDS, np.random.default_rng([seed, 1]))
    components = first_stage(views.instruments) if components is None else components
    scores = components[:, :MAX_COMPONENTS]
    smoother = Smoother.fit([scores, quadratic_features(scores)], views.y, folds, CURVED_RATIOS)
    weights = smoother_weights(smoother)
    total = pair_terms(weights, total_products(smoother.rows, views.y, EFFORT.scored), views.groups)
    if total.total < WEAK * total.error:
        return {}
    fits = structural_fits(views, folds, EFFORT, components)
    maps = maps_by_rung(fits)
    residual = noise_residuals(views, folds, maps["linear"])
    refitted = corrections(smoother, fits, views.x, residual, seed, rungs=RUNGS, replicates=1)
    products = {rung: map_products(smoother.rows, views.x, views.y, maps[rung]) for rung in RUNGS}
    return {
        rung: latent_share(pair_terms(weights, part, views.groups), total, refitted[rung])
        for rung, part in products.items()
    }
