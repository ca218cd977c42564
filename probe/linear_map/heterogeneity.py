"""Anatomy of the fitted map and where it fails, as parts of the result (method §6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...analysis.certificate.heterogeneity import domain_transfer, local_drift
from ...analysis.maps.decomposition import map_anatomy
from ...analysis.maps.fold_moments import ALL_ROWS
from ...analysis.maps.ladder import LadderFit, median_choices
from ...analysis.maps.map_spec import fit_spec
from ...analysis.resampling import Resamples, percentile_interval
from ...analysis.retrieval.ranks import MatchRanks
from ...analysis.retrieval.scores import mean_intervals
from ...analysis.types import Floats
from ..experiment.pairs import Pairs, shared_word_share
from ..results.linear_map import Anatomy, Drift, DriftPoint, ResidualGroup, Transfer
from .config import LinearMapConfig

MINIMUM_PART = 30


def anatomy_of(fit: LadderFit, pairs: Pairs) -> Anatomy:
    """Decompose the linear map of all rows, with the choices of the fold that has the median penalty."""
    training = fit.target.regression(ALL_ROWS)
    fitted = fit_spec(training, median_choices(fit.choices).spec("linear"))
    sxx = training.sxx / len(pairs.x)
    parts = map_anatomy(fitted.weights, pairs.x.mean(axis=0), pairs.y.mean(axis=0), sxx, same_space=pairs.same_space)
    angles = () if parts.angles is None else tuple(np.degrees(parts.angles).round(3).tolist())
    return Anatomy(
        shift_to_spread=parts.shift_to_spread,
        rotation_angles=angles,
        mean_turning=None if parts.mean_turning is None else float(np.degrees(parts.mean_turning)),
        stretch=tuple(parts.stretch.round(6).tolist()),
        stretch_spread=parts.stretch_spread,
        rank_of_difference=parts.departure_rank,
        distance_to_orthogonality=parts.rotation_distance,
        distance_to_similarity=parts.similarity_distance,
    )


def drift_of(fit: LadderFit, pairs: Pairs, config: LinearMapConfig) -> Drift | None:
    """Test whether local maps differ by more than the noise about the global map explains."""
    drift = local_drift(pairs.x, pairs.y, median_choices(fit.choices).penalty, seed=config.seed)
    if drift is None:
        return None
    return Drift(
        tuple(DriftPoint(float(a), float(b)) for a, b in zip(drift.distances, drift.differences, strict=True)),
        drift.statistic,
        float(drift.null.mean()),
        float(np.quantile(drift.null, 0.95)),
        drift.p_value,
    )


def transfer_of(pairs: Pairs, config: LinearMapConfig) -> Transfer | None:
    """Fit in each domain, score in every other."""
    if pairs.domains is None:
        return None
    prior = np.eye(pairs.x.shape[1]) if pairs.same_space else None
    names, r2 = domain_transfer(pairs.x, pairs.y, pairs.domains, pairs.groups, prior=prior, seed=config.seed)
    if len(names) < 2:
        return None
    return Transfer(tuple(names), tuple(tuple(row) for row in r2.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class RowScores:
    """Scores of every row's held-out prediction by one rung."""

    squared_error: Floats  # (n,) ‖y − ŷ‖²
    total: Floats  # (n,) ‖y − μy‖²
    ranks: MatchRanks


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows, and what they have in common."""

    kind: str
    label: str
    rows: NDArray[np.intp]


def residual_groups(pairs: Pairs, scores: RowScores, config: LinearMapConfig) -> tuple[ResidualGroup, ...]:
    """Return the scores on parts of the rows: quarters of length, domains, shares of words in common."""
    found = []
    for part in parts_of(pairs):
        rows = part.rows
        if len(rows) >= MINIMUM_PART:
            resamples = Resamples.draw(pairs.groups[rows], np.random.default_rng([config.seed, 13]), config.resamples)
            ratio, drawn = resamples.ratio_of_sums(scores.squared_error[rows], scores.total[rows])
            r2 = percentile_interval(1 - ratio, 1 - drawn)
            p_at_1 = mean_intervals({"p_at_1": (scores.ranks.cosine[rows] <= 1).astype(np.float64)}, resamples)
            found.append(ResidualGroup(part.kind, part.label, len(rows), r2, **p_at_1))
    return tuple(found)


def parts_of(pairs: Pairs) -> Iterator[Part]:
    """Yield the parts of the rows: quarters by source length, then domains and shares of shared words if known."""
    lengths = pairs.lengths[0]
    edges = np.unique(np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1.0]).round().astype(int))
    for low, high in pairwise(edges):
        first = low if low == edges[0] else low + 1
        yield Part("length", f"{first}–{high} tokens", np.flatnonzero((lengths >= first) & (lengths <= high)))
    if pairs.domains is not None:
        for domain in sorted(set(pairs.domains.tolist())):
            yield Part("domain", domain, np.flatnonzero(pairs.domains == domain))
    if pairs.sources is not None and pairs.targets is not None:
        share = shared_word_share(pairs.sources, pairs.targets)
        yield Part("shared words", "none", np.flatnonzero(share == 0))
        yield Part("shared words", "up to a fifth", np.flatnonzero((share > 0) & (share <= 0.2)))
        yield Part("shared words", "more than a fifth", np.flatnonzero(share > 0.2))
