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
from ..experiment.design import Design
from ..experiment.layer_stack import Stack
from ..results.cka import Cells, LayerTable
from ..results.layers import POOLED, ChanceBand
from ..results.serialization import Side


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """The cells of one measure, and the maximum over them under each permutation."""

    cells: Cells
    highest: Floats  # (b,)

    @property
    def chance(self) -> ChanceBand:
        """What the best cell must clear."""
        return ChanceBand(float(self.highest.mean()), float(np.quantile(self.highest, 0.95)), len(self.highest))


def layer_table(rows: tuple[Side, Stack], columns: tuple[Side, Stack], design: Design, k: int) -> LayerTable:
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
    left, right = _wide(rows[1]), _wide(columns[1])
    cka = _cka(left, right, design)
    knn = _mutual_knn(left, right, design, min(k, len(left[0]) - 1))
    maps = _linear_r2(left, right, design)
    chance = {"cka": cka.chance, "mutual_knn": knn.chance, "linear_r2": maps.chance}
    layers = (rows[1].layers, columns[1].layers)
    sentence = table_sentence(layers, cka.cells, chance["cka"])
    return LayerTable(rows[0], columns[0], *layers, cka.cells, knn.cells, maps.cells, chance, sentence)


def _wide(stack: Stack) -> list[Floats]:
    return [np.asarray(rows, np.float64) for rows in stack.rows]


def _cka(left: Sequence[Floats], right: Sequence[Floats], design: Design) -> Filled:
    ones, others = ([BlockedRows.of(rows, design.blocks) for rows in side] for side in (left, right))
    cells: list[tuple[Interval, ...]] = []
    highest = np.full(len(design.partners), -np.inf)
    for one in ones:
        nulls = [permuted_cka(one, other, design.partners) for other in others]
        estimates = [blocked_cka(one, other) for other in others]
        cells.append(tuple(e.with_null(null) for e, null in zip(estimates, nulls, strict=True)))
        highest = np.maximum(highest, np.max(nulls, axis=0))
    return Filled(tuple(cells), highest)


def _mutual_knn(left: Sequence[Floats], right: Sequence[Floats], design: Design, k: int) -> Filled:
    ones, others = ([NeighbourLists.of(rows, k=k) for rows in side] for side in (left, right))
    outcomes = [[mutual_outcomes(one, other) for other in others] for one in ones]
    nulls = np.empty((len(ones), len(others), len(design.partners)))
    for turn, partner in enumerate(design.partners):
        moved = [other.permuted(partner) for other in others]
        nulls[:, :, turn] = [[mutual_outcomes(one, other).mean() for other in moved] for one in ones]
    ones_column = np.ones(len(left[0]))
    cells = _ratio_cells(outcomes, [[ones_column] * len(others)] * len(ones), design)
    known = tuple(
        tuple(cell.with_null(null) for cell, null in zip(*pair, strict=True)) for pair in zip(cells, nulls, strict=True)
    )
    return Filled(known, nulls.max(axis=(0, 1)))


def _linear_r2(left: Sequence[Floats], right: Sequence[Floats], design: Design) -> Filled:
    """Held-out R² of every cell; broken pairs are refitted for the best column of each row only, which is dear."""
    errors: list[list[Floats]] = []
    totals: list[list[Floats]] = []
    highest = np.full(len(design.partners), -np.inf)
    for x in left:
        source = FoldedSource.of(x, design.folds)
        fits = [held_out_errors(source, y) for y in right]
        errors.append([fit[0] for fit in fits])
        totals.append([fit[1] for fit in fits])
        best = right[int(np.argmin([fit[0].sum() / fit[1].sum() for fit in fits]))]
        null = [_r2(*held_out_errors(source, best[partner])) for partner in design.partners]
        highest = np.maximum(highest, null)
    lost = _ratio_cells(errors, totals, design)
    return Filled(tuple(tuple(_kept(cell) for cell in row) for row in lost), highest)


def _kept(lost: Interval) -> Interval:
    """R² from the share that is lost."""
    return Interval(1 - lost.value, 1 - lost.high, 1 - lost.low, lost.level)


def _r2(error: Floats, total: Floats) -> float:
    return 1 - float(error.sum() / total.sum())


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


def _ratio_cells(numerators: list[list[Floats]], denominators: list[list[Floats]], design: Design) -> Cells:
    """Ratio of sums in every cell with its cluster-bootstrap interval, all cells from the same resamples."""
    return tuple(
        tuple(_ratio_row(np.column_stack(top), np.column_stack(bottom), design))
        for top, bottom in zip(numerators, denominators, strict=True)
    )


def _ratio_row(top: Floats, bottom: Floats, design: Design) -> list[Interval]:
    total, drawn = design.resamples.sums(np.column_stack([top, bottom]))
    half = top.shape[1]
    values, resampled = total[:half] / total[half:], drawn[:, :half] / drawn[:, half:]
    return [percentile_interval(float(values[i]), resampled[:, i]) for i in range(half)]


def table_sentence(layers: tuple[tuple[str, ...], tuple[str, ...]], cells: Cells, chance: ChanceBand) -> str:
    """Say which layers are most alike, where the interval lies above chance, and whether like meets like."""
    rows, columns = layers
    values = np.array([[cell.value for cell in row] for row in cells])
    best = np.unravel_index(int(np.argmax(values)), values.shape)
    top = cells[best[0]][best[1]]
    if not top.low > chance.p95:
        return "No two layers are told from chance."
    text = f"Most alike are {_named(rows[best[0]])} and {_named(columns[best[1]])}: "
    text += f"debiased CKA {top.value:.2f} [{top.low:.2f}, {top.high:.2f}], broken pairs at most {chance.p95:.2f}."
    if rows != columns:
        return text
    same = int(np.sum(values.argmax(axis=1) == np.arange(len(rows))))
    return f"{text} The same layer of the other side is the most similar for {same} of {len(rows)}."


def _named(layer: str) -> str:
    return "the pooled output" if layer == POOLED else f"layer {layer}"
