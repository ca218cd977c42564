"""Isotropy, rank, dimension and hubs of one cloud, each with its delete-one-block jackknife."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.geometry.intrinsic_dimension import neighbour_ratios, pareto_exponent
from ...analysis.geometry.isotropy import (
    covariance_spectrum,
    effective_rank,
    isoscore,
    mean_cosine,
    participation_ratio,
    rogue_dimensions,
)
from ...analysis.resampling import jackknife_interval
from ...analysis.retrieval.hubness import hubness
from ...analysis.similarity.knn_jackknife import NeighbourLists
from ...analysis.similarity.preprocess import without_top_components
from ...analysis.types import Bools, Floats, Indices
from ...errors import DataError
from ..results.geometry import MEASURES, CloudMeasures, RogueCoordinate

LEAST_DISTINCT = 10


@dataclass(frozen=True, slots=True, eq=False)
class CloudPlan:
    """Blocks of the jackknife, k of hubness, and how many components are removed."""

    blocks: tuple[Indices, ...]
    neighbours: int
    removed: int

    def masks(self, n: int) -> list[Bools]:
        """Return masks of all rows, and of all but each block, (1 + b) of (n,)."""
        masks = [np.ones(n, bool) for _ in range(1 + len(self.blocks))]
        for mask, block in zip(masks[1:], self.blocks, strict=True):
            mask[block] = False
        return masks


def cloud_measures(x: Floats, plan: CloudPlan) -> tuple[CloudMeasures, CloudMeasures]:
    """Measure a cloud (n, d), none of its rows zero, as it is and without its strongest components.

    The components are estimated without each block in turn; one spectrum serves both sets of values.
    """
    masks = plan.masks(len(x))
    removed = min(plan.removed, x.shape[1] - 2)
    spectra = [covariance_spectrum(x[mask]) for mask in masks]
    cleaned = without_top_components(x, removed)
    return (
        _measured(x, spectra, masks, plan),
        _measured(cleaned, [spectrum[removed:] for spectrum in spectra], masks, plan),
    )


def _measured(x: Floats, spectra: Sequence[Floats], masks: Sequence[Bools], plan: CloudPlan) -> CloudMeasures:
    """Measure a cloud from the spectra of its rows, all of them and without each block; repeated rows count once."""
    lists = NeighbourLists.of(x, k=min(plan.neighbours, len(x) - 1))
    distinct = np.sort(np.unique(x, axis=0, return_index=True)[1])
    if len(distinct) < LEAST_DISTINCT:
        raise DataError(f"a geometry needs at least {LEAST_DISTINCT} different rows, got {len(distinct)}")
    ratios = neighbour_ratios(x[distinct])
    values = []
    for spectrum, mask in zip(spectra, masks, strict=True):
        hubs = hubness(np.bincount(lists.near[lists.nearest(mask)], minlength=len(mask))[mask])
        values.append(
            {
                "isoscore": isoscore(spectrum),
                "effective_rank": effective_rank(spectrum),
                "participation_ratio": participation_ratio(spectrum),
                "hub_skew": hubs.skew,
                "robin_hood": hubs.robin_hood,
                "antihubs": hubs.antihubs,
                "mean_cosine": mean_cosine(x[mask]),
                "dimension": pareto_exponent(ratios[mask[distinct]]),
            }
        )
    whole, *without_block = values
    intervals = {name: jackknife_interval(whole[name], [v[name] for v in without_block]) for name in MEASURES}
    return CloudMeasures(**intervals)


def with_reference(measures: CloudMeasures, reference: CloudMeasures) -> CloudMeasures:
    """Set the values of an isotropic cloud beside those of a measured one, as mean and as 95th percentile."""
    return CloudMeasures(
        **{name: getattr(measures, name).with_null([getattr(reference, name).value]) for name in MEASURES}
    )


def isotropic_cloud(n: int, width: int, rng: np.random.Generator) -> Floats:
    """Return n Gaussian rows without any preferred direction."""
    return rng.standard_normal((n, width))


def rogue_coordinates(x: Floats, count: int) -> tuple[RogueCoordinate, ...]:
    """List the coordinates with the greatest share of the mean cosine, greatest first."""
    found = rogue_dimensions(x)
    return tuple(
        RogueCoordinate(int(place), float(found.cosine_share[place]), float(found.variance_share[place]))
        for place in found.strongest(min(count, x.shape[1]))
    )
