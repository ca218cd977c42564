"""All measures of one layer with their intervals, and their values under permuted pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.geometry.language_probe import held_out_hits
from ...analysis.maps.ladder import Ladder, LadderFit
from ...analysis.resampling import Interval, percentile_interval
from ...analysis.retrieval.scores import retrieve, row_squares
from ...analysis.retrieval.search import nearest
from ...analysis.similarity.cka_jackknife import BlockedRows, blocked_cka, permuted_cka
from ...analysis.similarity.knn_jackknife import NeighbourLists, blocked_cknna, mutual_outcomes, permuted_cknna
from ...analysis.similarity.preprocess import without_rogue_dimensions, without_top_components
from ...analysis.types import Floats, Indices, Rows
from ..experiment.design import Design
from ..experiment.held_out import rung_errors
from ..results.layers import ChanceBand, LayerMeasures

Nulls = dict[str, Floats]
MAPS = ("rotation", "similarity", "linear")
REFITTED = ("rotation", "linear")


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """k of the neighbourhoods, how many directions are removed, how many maps are refitted on permuted pairs."""

    neighbours: int
    removed: int
    refits: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Estimates by measure, and their values under permuted pairs, one a permutation."""

    estimates: dict[str, Interval]
    nulls: Nulls

    @property
    def measures(self) -> LayerMeasures:
        """The estimates, each beside its null."""
        return LayerMeasures(**{m: e.with_null(self.nulls.get(m, ())) for m, e in self.estimates.items()})


def measure_layer(x: Rows, y: Rows, design: Design, plan: LayerPlan) -> Measured:
    """Measure one layer.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Paired rows, none of them zero.
    design : Design
        Of the same n rows.
    plan : LayerPlan
    """
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    parts = [_alignment(a, b, design, plan), _neighbourhoods(a, b, design, plan), _maps(a, b, design, plan)]
    if a.shape[1] == b.shape[1]:
        parts += [_retrieval(a, b, design), _language_id(a, b, design, plan)]
    estimates = {name: value for part in parts for name, value in part.estimates.items()}
    return Measured(estimates, {name: value for part in parts for name, value in part.nulls.items()})


def _alignment(x: Floats, y: Floats, design: Design, plan: LayerPlan) -> Measured:
    """CKA plain, without principal components, without rogue dimensions."""
    estimates, nulls = {}, {}
    count = min(plan.removed, x.shape[1] - 1, y.shape[1] - 1)
    variants = (
        ("cka", x, y),
        ("cka_without_components", without_top_components(x, count), without_top_components(y, count)),
        ("cka_without_rogue", without_rogue_dimensions(x, count), without_rogue_dimensions(y, count)),
    )
    for name, a, b in variants:
        one, other = BlockedRows.of(a, design.blocks), BlockedRows.of(b, design.blocks)
        estimates[name] = blocked_cka(one, other)
        nulls[name] = permuted_cka(one, other, design.partners)
    return Measured(estimates, nulls)


def _neighbourhoods(x: Floats, y: Floats, design: Design, plan: LayerPlan) -> Measured:
    k = min(plan.neighbours, len(x) - 1)
    one, other = NeighbourLists.of(x, k=k), NeighbourLists.of(y, k=k)
    estimates = {
        "mutual_knn": design.mean(mutual_outcomes(one, other)),
        "cknna": blocked_cknna(one, other, design.blocks),
    }
    mutual = [float(mutual_outcomes(one, other.permuted(partner)).mean()) for partner in design.partners]
    return Measured(estimates, {"mutual_knn": np.array(mutual), "cknna": permuted_cknna(one, other, design.partners)})


def _maps(x: Floats, y: Floats, design: Design, plan: LayerPlan) -> Measured:
    """Held-out rotation and linear map, and their scores when they are refitted on permuted pairs."""
    ladder = Ladder(x, design.folds, rungs=MAPS, prior="identity" if x.shape[1] == y.shape[1] else "components")
    fit = ladder.fit(y)
    errors = rung_errors(fit, y, design.resamples)
    forward, backward = retrieve(fit.predictions["linear"], y, design.groups, design.pools[1])
    total, drawn = design.resamples.sums(procrustes_terms(fit, y))
    cosine = float(total[0] / np.sqrt(total[1] * total[2]))
    estimates = {
        "procrustes": percentile_interval(cosine, drawn[:, 0] / np.sqrt(drawn[:, 1] * drawn[:, 2])),
        "linear_r2": errors.interval("linear"),
        "rotation_share": errors.share("rotation"),
        "similarity_share": errors.share("similarity"),
        "p_at_1_mapped": design.proportion(forward.cosine <= 1),
        "p_at_1_mapped_backward": design.pool_proportion(backward.cosine <= 1, 1),
    }
    unturned = ladder.narrow(unturned=True)
    refits = [refitted_scores(unturned, y, design, partner) for partner in design.partners[: plan.refits]]
    nulls = {name: np.array([refit[name] for refit in refits]) for name in (refits[0] if refits else {})}
    return Measured(estimates, nulls)


def procrustes_terms(fit: LadderFit, y: Floats) -> Floats:
    """Return ⟨r, y⟩, ‖r‖² and ‖y‖² of every row, r its held-out rotation, about the training means, (n, 3).

    Their sums give the cosine of the rotated source with the target.
    """
    rotated, about = fit.predictions["rotation"] - fit.reference, y - fit.reference
    return np.column_stack([np.einsum("ij,ij->i", rotated, about), row_squares(rotated), row_squares(about)])


def refitted_scores(ladder: Ladder, y: Floats, design: Design, partner: Indices) -> dict[str, float]:
    """Return the scores of maps fitted on permuted pairs, against the permuted pairs."""
    permuted = y[partner]
    fit = ladder.fit(permuted, REFITTED)
    linear = fit.predictions["linear"]
    sums = procrustes_terms(fit, permuted).sum(axis=0)
    forward, backward = retrieve(linear, y, design.groups[partner], design.pools[1])
    return {
        "procrustes": float(sums[0] / np.sqrt(sums[1] * sums[2])),
        "linear_r2": 1 - float(row_squares(permuted - linear).sum() / row_squares(permuted - fit.reference).sum()),
        "p_at_1_mapped": float(np.mean(forward.cosine <= 1)),
        "p_at_1_mapped_backward": float(np.mean(backward.cosine <= 1)),
    }


def _retrieval(x: Floats, y: Floats, design: Design) -> Measured:
    """P@1 of the rows as they are; under permuted pairs the nearest candidates are the same and right by chance."""
    estimates, nulls = {}, {}
    for name, queries, answers, pool in (
        ("p_at_1", x, y, design.pools[1]),
        ("p_at_1_backward", y, x, design.pools[0]),
    ):
        ranks = retrieve(queries, answers, design.groups, pool)[0]
        estimates[name] = design.proportion(ranks.cosine <= 1)
        found = pool.groups[nearest(queries, answers[pool.rows], k=1)[1][:, 0]]
        nulls[name] = np.array([float(np.mean(found == design.groups[p])) for p in design.partners])
    return Measured(estimates, nulls)


def _language_id(x: Floats, y: Floats, design: Design, plan: LayerPlan) -> Measured:
    """Held-out accuracy of a linear classifier; under the null the sides of random groups are exchanged."""
    both = np.concatenate([x, y]).astype(np.float32)
    folds = np.concatenate([design.folds, design.folds])
    truth = np.repeat([0, 1], len(x))
    names, index = np.unique(design.groups, return_inverse=True)
    rng = np.random.default_rng([len(x), 7])
    null = []
    for _ in range(plan.refits):
        flips = rng.integers(2, size=len(names))[index]
        labels = np.asarray(truth ^ np.concatenate([flips, flips]), np.int64)
        null.append(float(held_out_hits(both, labels, folds).reshape(2, -1).mean(axis=0).mean()))
    hits = held_out_hits(both, truth, folds).reshape(2, -1).mean(axis=0)
    return Measured({"language_id": design.proportion(hits)}, {"language_id": np.array(null)})


def chance_band(measured: Sequence[Measured], name: str) -> ChanceBand | None:
    """Return the null of a measure's maximum over layers; None where a layer has no null."""
    nulls = [layer.nulls.get(name, np.empty(0)) for layer in measured]
    if not all(len(null) for null in nulls):
        return None
    highest = np.max(np.stack(nulls), axis=0)
    return ChanceBand(float(highest.mean()), float(np.quantile(highest, 0.95)), len(highest))
