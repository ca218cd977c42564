"""Layers against layers: debiased CKA, mutual k-NN and a held-out linear map in every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.maps.fold_moments import FoldedSource, FoldedTarget
from ...analysis.maps.shrinkage import choose_shrinkage
from ...analysis.resampling import Interval, percentile_interval
from ...analysis.retrieval.scores import row_squares
from ...analysis.similarity.cka_jackknife import BlockedRows, blocked_cka, permuted_cka
from ...analysis.similarity.knn_jackknife import NeighbourLists, mutual_outcomes
from ...analysis.types import Floats
from ...stages import counted
from ..experiment.design import Design
from ..experiment.layer_stack import Stack
from ..results.cka import Cells, LayerTable
from ..results.layers import ChanceBand, layer_label
from ..results.provenance import Side

Compared = tuple[Side, Stack]


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """The cells of one measure, and the maximum over them under each permutation."""

    cells: Cells
    highest: Floats  # (b,)

    @property
    def chance(self) -> ChanceBand:
        """Null of the best cell."""
        return ChanceBand(float(self.highest.mean()), float(np.quantile(self.highest, 0.95)), len(self.highest))


def layer_table(rows: Compared, columns: Compared, design: Design, k: int) -> LayerTable:
    """Compare every layer of one side with every layer of the other.

    Parameters
    ----------
    rows, columns : (Side, Stack)
        The same n sentences, or their translations.
    design : Design
        Of those n rows.
    k : int
        Neighbours of mutual k-NN.
    """
    left, right = ([np.asarray(layer, np.float64) for layer in stack.rows] for _, stack in (rows, columns))
    cka = cka_cells(left, right, design)
    knn = mutual_knn_cells(left, right, design, min(k, len(left[0]) - 1))
    maps = linear_r2_cells(left, right, design)
    chance = {"cka": cka.chance, "mutual_knn": knn.chance, "linear_r2": maps.chance}
    layers = (rows[1].layers, columns[1].layers)
    sentence = table_sentence(layers, cka.cells, chance["cka"])
    return LayerTable(rows[0], columns[0], *layers, cka.cells, knn.cells, maps.cells, chance, sentence)


def cka_cells(left: Sequence[Floats], right: Sequence[Floats], design: Design) -> Filled:
    """Return debiased CKA of every cell."""
    ones, others = ([BlockedRows.of(rows, design.blocks) for rows in side] for side in (left, right))
    cells: list[tuple[Interval, ...]] = []
    highest = np.full(len(design.partners), -np.inf)
    for one in counted(ones, "CKA, layers"):
        nulls = [permuted_cka(one, other, design.partners) for other in others]
        estimates = [blocked_cka(one, other) for other in others]
        cells.append(tuple(e.with_null(null) for e, null in zip(estimates, nulls, strict=True)))
        highest = np.maximum(highest, np.max(nulls, axis=0))
    return Filled(tuple(cells), highest)


def mutual_knn_cells(left: Sequence[Floats], right: Sequence[Floats], design: Design, k: int) -> Filled:
    """Return mutual k-NN of every cell."""
    ones, others = ([NeighbourLists.of(rows, k=k) for rows in side] for side in (left, right))
    nulls = np.empty((len(ones), len(others), len(design.partners)))
    for turn, partner in enumerate(counted(design.partners, "nearest neighbours, permuted pairs")):
        permuted = [other.permuted(partner) for other in others]
        nulls[:, :, turn] = [[mutual_outcomes(one, other).mean() for other in permuted] for one in ones]
    cells = []
    for one, null_row in zip(ones, nulls, strict=True):
        outcomes = np.column_stack([mutual_outcomes(one, other) for other in others])
        row = ratio_intervals(outcomes, np.ones_like(outcomes, dtype=np.float64), design)
        cells.append(tuple(cell.with_null(null) for cell, null in zip(row, null_row, strict=True)))
    return Filled(tuple(cells), nulls.max(axis=(0, 1)))


def linear_r2_cells(left: Sequence[Floats], right: Sequence[Floats], design: Design) -> Filled:
    """Return held-out R² of every cell; of each row only the best column is refitted on permuted pairs, for cost."""
    cells = []
    highest = np.full(len(design.partners), -np.inf)
    for x in counted(left, "linear maps, layers"):
        source = FoldedSource.of(x, design.folds)
        errors, totals = (
            np.column_stack(part) for part in zip(*(held_out_errors(source, y) for y in right), strict=True)
        )
        lost = ratio_intervals(errors, totals, design)
        cells.append(tuple(Interval(1 - one.value, 1 - one.high, 1 - one.low, one.level) for one in lost))
        best = right[int(np.argmin(errors.sum(axis=0) / totals.sum(axis=0)))]
        permuted = [held_out_errors(source, best[partner]) for partner in design.partners]
        highest = np.maximum(highest, [1 - float(error.sum() / total.sum()) for error, total in permuted])
    return Filled(tuple(cells), highest)


def ratio_intervals(numerators: Floats, denominators: Floats, design: Design) -> list[Interval]:
    """Return the ratio of the sums of each column (n, m) with its interval, all from the same resamples."""
    total, drawn = design.resamples.sums(np.column_stack([numerators, denominators]))
    half = numerators.shape[1]
    values, resampled = total[:half] / total[half:], drawn[:, :half] / drawn[:, half:]
    return [percentile_interval(float(values[i]), resampled[:, i]) for i in range(half)]


def held_out_errors(source: FoldedSource, y: Floats) -> tuple[Floats, Floats]:
    """Squared errors of a linear map on rows held out of it, and squared distances to the training mean, (n,) each.

    It is shrunk towards the strongest components, and for each outer fold the penalty is chosen on one inner fold, not
    on all: a table has many cells.
    """
    target = FoldedTarget.of(source, y)
    error, total = np.empty(len(y)), np.empty(len(y))
    for fold, rows in enumerate(source.rows):
        inner = (fold + 1) % source.n_folds
        shrinkage = choose_shrinkage([target.split(frozenset({fold, inner}), inner)], np.inf)
        fitted = target.regression(frozenset({fold})).linear(shrinkage)
        error[rows] = row_squares(target.y[rows] - fitted(source.x[rows]))
        total[rows] = row_squares(target.y[rows] - fitted.mean_y)
    return error, total


def table_sentence(layers: tuple[tuple[str, ...], tuple[str, ...]], cells: Cells, chance: ChanceBand) -> str:
    """Say which layers are most alike, and for how many layers that is the same layer of the other side."""
    rows, columns = layers
    values = np.array([[cell.value for cell in row] for row in cells])
    best = np.unravel_index(int(np.argmax(values)), values.shape)
    top = cells[best[0]][best[1]]
    if not top.low > chance.p95:
        return "No two layers are significantly alike."
    text = f"Most alike are {layer_label(rows[best[0]])} and {layer_label(columns[best[1]])}: "
    text += f"debiased CKA {top.value:.2f} [{top.low:.2f}, {top.high:.2f}], permuted pairs at most {chance.p95:.2f}."
    if rows != columns:
        return text
    same = int(np.sum(values.argmax(axis=1) == np.arange(len(rows))))
    return f"{text} The same layer of the other side is the most similar for {same} of {len(rows)}."
