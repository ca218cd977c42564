"""All measures of one layer with their intervals, and their values under broken pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.certificate.equivalence import SharedErrors
from ...analysis.geometry.language_probe import held_out_hits
from ...analysis.maps.ladder import Ladder, LadderFit
from ...analysis.resampling import Interval, percentile_interval
from ...analysis.retrieval.scores import fidelity, retrieve, row_squares
from ...analysis.retrieval.search import nearest
from ...analysis.similarity.cka_jackknife import BlockedRows, blocked_cka, permuted_cka
from ...analysis.similarity.knn_jackknife import NeighbourLists, blocked_cknna, mutual_outcomes, permuted_cknna
from ...analysis.similarity.preprocess import without_rogue_dimensions, without_top_components
from ...analysis.types import Floats, Rows
from ..experiment.design import Design
from ..results.layers import LayerMeasures

Nulls = dict[str, Floats]
MAPS = ("rotation", "similarity", "linear")
REFITTED = ("rotation", "linear")


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """k of the neighbourhoods, how many directions are removed, how many maps are refitted on broken pairs."""

    neighbours: int
    removed: int
    refits: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Estimates by measure, and their values under broken pairs, one a permutation."""

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
    """Held-out rotation and linear map, and what they reach when they are refitted on broken pairs."""
    ladder = Ladder(x, design.folds, rungs=MAPS, prior="identity" if x.shape[1] == y.shape[1] else "components")
    fit = ladder.fit(y)
    total = row_squares(y - fit.reference)
    errors = {rung: fidelity(y, p, fit.reference).squared_error for rung, p in fit.predictions.items()}
    scores = SharedErrors.of(errors, total, design.resamples)
    forward, backward = retrieve(fit.predictions["linear"], y, design.groups, design.pools[1])
    estimates = {
        "procrustes": _procrustes(fit, y, design),
        "linear_r2": scores.interval("linear"),
        "rotation_share": scores.share("rotation"),
        "similarity_share": scores.share("similarity"),
        "p_at_1_mapped": design.proportion(forward.cosine <= 1),
        "p_at_1_mapped_backward": design.pool_proportion(backward.cosine <= 1, 1),
    }
    rough = ladder.narrow(rough=True)
    refits = [_refitted(rough, y, design, partner) for partner in design.partners[: plan.refits]]
    nulls = {name: np.array([refit[name] for refit in refits]) for name in (refits[0] if refits else {})}
    return Measured(estimates, nulls)


def _procrustes(fit: LadderFit, y: Floats, design: Design) -> Interval:
    """Cosine of the rotated held-out source with the target, both about the training means."""
    columns = _procrustes_columns(fit, y)
    total, drawn = design.resamples.sums(columns)
    value = total[0] / np.sqrt(total[1] * total[2])
    return percentile_interval(float(value), drawn[:, 0] / np.sqrt(drawn[:, 1] * drawn[:, 2]))


def _procrustes_columns(fit: LadderFit, y: Floats) -> Floats:
    turned, about = fit.predictions["rotation"] - fit.reference, y - fit.reference
    return np.column_stack([np.einsum("ij,ij->i", turned, about), row_squares(turned), row_squares(about)])


def _refitted(ladder: Ladder, y: Floats, design: Design, partner: NDArray[np.intp]) -> dict[str, float]:
    """Scores of maps fitted on broken pairs, against the broken pairs."""
    moved = y[partner]
    fit = ladder.fit(moved, REFITTED)
    linear = fit.predictions["linear"]
    error = fidelity(moved, linear, fit.reference).squared_error.sum()
    sums = _procrustes_columns(fit, moved).sum(axis=0)
    wanted = design.groups[partner]
    forward, backward = retrieve(linear, y, wanted, design.pools[1])
    return {
        "procrustes": float(sums[0] / np.sqrt(sums[1] * sums[2])),
        "linear_r2": 1 - float(error / row_squares(moved - fit.reference).sum()),
        "p_at_1_mapped": float(np.mean(forward.cosine <= 1)),
        "p_at_1_mapped_backward": float(np.mean(backward.cosine <= 1)),
    }


def _retrieval(x: Floats, y: Floats, design: Design) -> Measured:
    """P@1 of the rows as they are; under broken pairs the nearest stays, and is right by chance."""
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
    """Held-out accuracy of a linear classifier; under the null each pair is labelled at random."""
    both = np.concatenate([x, y]).astype(np.float32)
    folds = np.concatenate([design.folds, design.folds])
    truth = np.repeat([0, 1], len(x))
    hits = _pair_hits(both, truth, folds)
    rng = np.random.default_rng([len(x), 7])
    null = [float(_pair_hits(both, _swapped(truth, design.groups, rng), folds).mean()) for _ in range(plan.refits)]
    return Measured({"language_id": design.proportion(hits)}, {"language_id": np.array(null)})


def _pair_hits(both: Rows, labels: NDArray[np.int64], folds: NDArray[np.int64]) -> Floats:
    hits = held_out_hits(both, labels, folds).reshape(2, -1)
    return np.asarray(hits.mean(axis=0), np.float64)


def _swapped(truth: NDArray[np.int64], groups: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Exchange the labels of the two sides for half of the groups."""
    names, index = np.unique(groups, return_inverse=True)
    flips = rng.integers(2, size=len(names))[index]
    return np.asarray(truth ^ np.concatenate([flips, flips]), np.int64)


def chance_of(measured: Sequence[Measured], name: str) -> Floats | None:
    """Return the maximum over layers of a measure under each permutation, (b,); None where it has no null."""
    nulls = [layer.nulls.get(name) for layer in measured]
    present = [null for null in nulls if null is not None and len(null)]
    if not present or len(present) != len(nulls):
        return None
    return np.asarray(np.max(np.stack(present), axis=0), np.float64)
