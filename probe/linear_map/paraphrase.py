"""The paraphrase control: is a second rendering within one language any easier to map than a translation? (method §5).

Second renderings of the targets are mapped onto the first ones, and the sources onto the same targets, both on the rows
that have a second rendering, fitted to these rows alone, on the folds of the ladder; both search its whole pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.maps.fixed_shrinkage import held_out_linear
from ...analysis.maps.fold_moments import FoldedSource, FoldedTarget
from ...analysis.maps.map_spec import MapSpec
from ...analysis.maps.search_stretch import stretch_of, stretched_by_fold
from ...analysis.maps.shrinkage import choose_shrinkage
from ...analysis.resampling import Resamples
from ...analysis.retrieval.scores import found_first, row_squares
from ...analysis.types import Floats, Indices, Integers
from ..experiment.held_out import HeldOut
from ..experiment.pairs import Pairs
from ..results.linear_map import ParaphraseControl
from .control_scores import Outcomes
from .noise_ceiling import MINIMUM_REFERENCES, referenced_rows

LEAST_ROWS_A_FOLD = 2


def paraphrase_control(held_out: HeldOut, pairs: Pairs, seed: int) -> ParaphraseControl | None:
    """Score the map of second renderings beside that of the sources; None where too few rows have one.

    Second renderings choose a shrinkage and a stretch of their own; the sources take those of the ladder, since
    penalties are counted in pairs.
    """
    second, rows = pairs.references[1], referenced_rows(pairs)
    folds = held_out.ladder.source.folds
    sizes = np.bincount(folds[rows], minlength=int(folds.max()) + 1)
    if second is None or len(rows) < MINIMUM_REFERENCES or sizes.min() < LEAST_ROWS_A_FOLD:
        return None
    draws = len(held_out.resamples.weights)
    resamples = Resamples.draw(pairs.groups[rows], np.random.default_rng([seed, 13]), draws)
    part = _Part(pairs, rows, folds[rows])
    own = [choices.spec("linear") for choices in held_out.fit.choices]
    translated = part.mapped(part.target(pairs.x, held_out.fit.target.prior), own, held_out.stretches["linear"])
    target = part.target(second, np.eye(pairs.y.shape[1]))
    specs = [MapSpec("linear", shrinkage=choose_shrinkage(target.inner_splits(k), np.inf)) for k in range(len(sizes))]
    stretches = [stretch_of(target, spec, pairs.groups[rows], held_out=k) for k, spec in enumerate(specs)]
    paraphrased = part.mapped(target, specs, stretches)
    plain = part.outcomes(second[rows], second[rows], paraphrased.total)
    return ParaphraseControl(
        language=pairs.names[1],
        rows=len(rows),
        linear=paraphrased.scores(resamples, translated.hits),
        no_map=plain.scores(resamples, paraphrased.hits),
        translation=translated.scores(resamples),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some rows of the pairs in the folds of the ladder."""

    pairs: Pairs
    rows: Indices  # (m,)
    folds: Integers  # (m,)

    def target(self, x: Floats, prior: Floats | None) -> FoldedTarget:
        """Return the targets of these rows against other vectors of all rows, (n, p)."""
        return FoldedTarget.of(FoldedSource.of(x[self.rows], self.folds), self.pairs.y[self.rows], prior)

    def mapped(self, target: FoldedTarget, specs: Sequence[MapSpec], stretches: Sequence[float]) -> Outcomes:
        """Return the outcomes of linear maps fitted without the row's fold."""
        predicted, reference = held_out_linear(target, [spec.shrinkage for spec in specs])
        asked = stretched_by_fold(predicted, reference, target.source.rows, stretches)
        return self.outcomes(predicted, asked, row_squares(self.pairs.y[self.rows] - reference))

    def outcomes(self, predicted: Floats, asked: Floats, total: Floats) -> Outcomes:
        """Compare predictions (m, q) with the targets of these rows, and search the whole pool with queries (m, q)."""
        pairs = self.pairs
        hits = found_first(asked, pairs.y, pairs.groups[self.rows], pairs.pool)
        return Outcomes(row_squares(pairs.y[self.rows] - predicted), total, hits)
