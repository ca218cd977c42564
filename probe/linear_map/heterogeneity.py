"""Anatomy of the fitted map and where it fails, as parts of the result (method §6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...analysis.certificate.heterogeneity import domain_transfer, local_drift
from ...analysis.certificate.learning_curve import CurvePlan, extrapolated_limit, learning_curve
from ...analysis.maps.decomposition import map_anatomy
from ...analysis.maps.fold_moments import ALL_ROWS
from ...analysis.maps.ladder import Ladder, LadderFit, median_choices
from ...analysis.maps.map_spec import fit_spec
from ...analysis.resampling import Resamples, percentile_interval
from ...analysis.retrieval.scores import Fidelity, mean_intervals
from ...analysis.retrieval.search import MatchRanks
from ...analysis.types import Floats
from ..experiment.pairs import Pairs, shared_word_share
from ..results.linear_map import Anatomy, Drift, DriftPoint, LearningCurve, LearningPoint, ResidualGroup, Transfer
from .config import LinearMapConfig

MINIMUM_PART = 30


def anatomy_of(ladder: Ladder, pairs: Pairs, fit: LadderFit) -> Anatomy:
    """Take the linear map of all rows apart, with the choices of the fold that has the median penalty."""
    training = ladder.target(pairs.y).regression(ALL_ROWS)
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
    """Test whether local maps differ by more than the global map and its noise would make them."""
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


def learning_of(pairs: Pairs, config: LinearMapConfig) -> LearningCurve:
    """Score the linear rung on growing subsets."""
    plan = CurvePlan(config.folds, config.seed, pairs.same_space)
    points = learning_curve(pairs.x, pairs.y, pairs.groups, plan)
    return LearningCurve(tuple(LearningPoint(p.pairs, p.r2) for p in points), extrapolated_limit(points))


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
class Judged:
    """Per-row outcomes of the rung that is shown: errors, totals and ranks, (n,) each."""

    fidelity: Fidelity
    total: Floats
    ranks: MatchRanks


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows, and what they have in common."""

    kind: str
    label: str
    rows: NDArray[np.intp]


def residual_groups(pairs: Pairs, judged: Judged, config: LinearMapConfig) -> tuple[ResidualGroup, ...]:
    """Score the judged rung on parts of the rows: quarters of length, domains, shares of words in common."""
    return tuple(_scored(part, pairs, judged, config) for part in _parts(pairs) if len(part.rows) >= MINIMUM_PART)


def _parts(pairs: Pairs) -> Iterator[Part]:
    yield from _lengths(pairs.lengths[0])
    if pairs.domains is not None:
        for domain in sorted(set(pairs.domains.tolist())):
            yield Part("domain", domain, np.flatnonzero(pairs.domains == domain))
    if pairs.sources is not None and pairs.targets is not None:
        share = shared_word_share(pairs.sources, pairs.targets)
        yield Part("shared words", "none", np.flatnonzero(share == 0))
        yield Part("shared words", "up to a fifth", np.flatnonzero((share > 0) & (share <= 0.2)))
        yield Part("shared words", "more than a fifth", np.flatnonzero(share > 0.2))


def _lengths(lengths: NDArray[np.int64]) -> Iterator[Part]:
    edges = np.unique(np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1.0]).round().astype(int))
    for low, high in pairwise(edges):
        first = low if low == edges[0] else low + 1
        yield Part("length", f"{first}–{high} tokens", np.flatnonzero((lengths >= first) & (lengths <= high)))


def _scored(part: Part, pairs: Pairs, judged: Judged, config: LinearMapConfig) -> ResidualGroup:
    rows = part.rows
    resamples = Resamples.draw(pairs.groups[rows], np.random.default_rng([config.seed, 13]), config.resamples)
    ratio, drawn = resamples.ratio_of_sums(judged.fidelity.squared_error[rows], judged.total[rows])
    hits = mean_intervals({"p_at_1": (judged.ranks.cosine[rows] <= 1).astype(np.float64)}, resamples)
    r2 = percentile_interval(1 - ratio, 1 - drawn)
    return ResidualGroup(part.kind, part.label, len(rows), r2, hits["p_at_1"])
