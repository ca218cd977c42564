"""Latent shares of two linear maps in a row beside the direct one (method §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ..maps.affine import AffineMap
from ..maps.instruments import MAX_COMPONENTS, Smoother, quadratic_features
from ..resampling import Interval
from ..splits import group_folds
from ..types import Floats, Integers
from .geometry import FOLDS, WEAK, Views, first_stage, maps_by_rung, noise_residuals, structural_fits
from .latent import Correction, PairTerms, latent_share, map_products, pair_terms, smoother_weights, total_products
from .latent_shares import CURVED_RATIOS, EFFORT
from .refitting import Leg, composed_correction, corrections

Path = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class PathShares:
    """Latent shares of the direct linear map and of the composed one, of what instruments predict of the last side."""

    direct: Interval
    composed: Interval


@dataclass(frozen=True, slots=True, eq=False)
class _Ruler:
    """Π of one target, and the denominator of its shares."""

    smoother: Smoother
    weights: Floats  # (n, n)
    total: PairTerms

    @classmethod
    def of(cls, y: Floats, scores: Floats, folds: Integers, groups: Integers) -> _Ruler:
        smoother = Smoother.fit([scores, quadratic_features(scores)], y, folds, CURVED_RATIOS)
        weights = smoother_weights(smoother)
        total = pair_terms(weights, total_products(smoother.rows, y, EFFORT.scored), groups)
        return cls(smoother, weights, total)

    def share(
        self, sides: tuple[Floats, Floats], maps: Sequence[AffineMap], groups: Integers, correction: Correction
    ) -> Interval:
        products = map_products(self.smoother.rows, *sides, maps)
        return latent_share(pair_terms(self.weights, products, groups), self.total, correction)


def compose(first: AffineMap, second: AffineMap) -> AffineMap:
    """Return the map that applies `first`, then `second`."""
    return AffineMap(first.weights @ second.weights, first.mean_x, second(first.mean_y))


def path_shares(
    sides: Sequence[Floats],
    instruments: Mapping[str, Floats],
    groups: Integers,
    *,
    same_space: bool,
    seed: int = 0,
) -> dict[Path, PathShares]:
    """Return the latent shares of every path over three languages.

    Parameters
    ----------
    sides : three arrays (n, ·)
        The same rows in three languages.
    instruments : mapping of str to array (n, ·)
        The same rows in further languages, at least one.
    groups : array (n,)
        At least 10 concept groups.
    same_space : bool
        Whether the identity is a sensible prior; needs equal widths.
    seed : int
        Of folds and flips.

    Returns
    -------
    dict of (int, int, int) to PathShares
        By path, places among the sides; without paths to a side of which the instruments predict too little.
    """
    folds = group_folds(groups, FOLDS, np.random.default_rng([seed, 1]))
    components = first_stage(instruments)
    rulers = [_Ruler.of(y, components[:, :MAX_COMPONENTS], folds, groups) for y in sides]
    legs: dict[tuple[int, int], Leg] = {}
    maps: dict[tuple[int, int], list[AffineMap]] = {}
    for a, b in permutations(range(len(sides)), 2):
        views = Views(sides[a], sides[b], instruments, groups, same_space=same_space)
        fits = structural_fits(views, folds, EFFORT, components)
        maps[a, b] = maps_by_rung(fits)["linear"]
        legs[a, b] = Leg(fits, sides[a], noise_residuals(views, folds, maps[a, b]))
    found = {}
    for a, b, c in permutations(range(len(sides)), 3):
        ruler = rulers[c]
        if ruler.total.total < WEAK * ruler.total.error:
            continue
        straight, pair = legs[a, c], (sides[a], sides[c])
        refitted = corrections(
            ruler.smoother, straight.fits, straight.x, straight.residual, seed, rungs=("linear",), replicates=1
        )
        over = composed_correction(ruler.smoother, legs[a, b], legs[b, c], seed)
        composed = [compose(*two) for two in zip(maps[a, b], maps[b, c], strict=True)]
        found[a, b, c] = PathShares(
            ruler.share(pair, maps[a, c], groups, refitted["linear"]), ruler.share(pair, composed, groups, over)
        )
    return found
