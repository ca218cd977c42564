"""Linear maps between all pairs of several languages, fitted without each fold, and their composition along a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...analysis.certificate.equivalence import decide
from ...analysis.maps.affine import AffineMap
from ...analysis.maps.ladder import Ladder, LadderFit
from ...analysis.maps.map_spec import fit_spec
from ...analysis.resampling import Interval, percentile_interval
from ...analysis.retrieval.scores import Pool, retrieve, row_squares
from ...analysis.types import Floats
from ...stages import counted
from ..experiment.design import Design
from ..experiment.held_out import rung_errors
from ..results.composition import PairMap
from .config import CompositionConfig


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The linear map of one ordered pair: its held-out predictions and its map for each fold."""

    prediction: Floats  # (n, q)
    reference: Floats  # (n, q) training means
    maps: tuple[AffineMap, ...]  # one for each fold, about the means of all rows
    pair: PairMap


@dataclass(frozen=True, slots=True, eq=False)
class Web:
    """Rows of c languages and the fitted maps between every ordered pair of them."""

    languages: tuple[str, ...]
    rows: tuple[Floats, ...]  # (n, d) each
    pools: tuple[Pool, ...]
    design: Design
    fitted: dict[tuple[int, int], Fitted]

    def walk(self, path: Sequence[int]) -> Floats:
        """Predict the last language of a path from the first by maps fitted without the row's fold, (n, q)."""
        start = self.rows[path[0]] - self.rows[path[0]].mean(axis=0)
        predicted = np.empty_like(self.rows[path[-1]])
        for fold in range(int(self.design.folds.max()) + 1):
            rows = self.design.folds == fold
            composed = start[rows]
            for step in pairwise(path):
                composed = self.fitted[step].maps[fold](composed)
            predicted[rows] = composed
        return np.asarray(predicted + self.rows[path[-1]].mean(axis=0))

    def hits(self, prediction: Floats, language: int) -> Floats:
        """Whether each prediction has its own sentence nearest among a language's texts, 0 or 1, (n,)."""
        pool = self.pools[language]
        ranks = retrieve(prediction, self.rows[language], self.design.groups, pool)[0]
        return np.asarray(ranks.cosine <= 1, np.float64)

    def r2(self, error: Floats, total: Floats) -> Interval:
        """Return 1 − Σ error / Σ total of per-row sums of squares (n,), with its cluster-bootstrap interval."""
        lost, drawn = self.design.resamples.ratio_of_sums(error, total)
        return percentile_interval(1 - lost, 1 - drawn)


def fit_web(
    languages: tuple[str, ...],
    rows: tuple[Floats, ...],
    pools: tuple[Pool, ...],
    design: Design,
    config: CompositionConfig,
    *,
    rungs: tuple[str, ...],
) -> Web:
    """Fit the ladder between every ordered pair; a source's factorisations serve all its targets."""
    web = Web(languages, rows, pools, design, {})
    for source, x in enumerate(counted(rows, "fitting maps from each language")):
        ladder = Ladder(x, design.folds, rungs=rungs, seed=config.seed)
        for target in range(len(rows)):
            if target != source:
                fit = ladder.fit(rows[target])
                maps = tuple(
                    fit_spec(fit.target.regression(frozenset({i})), choices.spec("linear"))
                    for i, choices in enumerate(fit.choices)
                )
                pair = pair_map(web, ladder, fit, (source, target), config.margin)
                web.fitted[source, target] = Fitted(fit.predictions["linear"], fit.reference, maps, pair)
    return web


def pair_map(web: Web, ladder: Ladder, fit: LadderFit, step: tuple[int, int], margin: float) -> PairMap:
    """Return the verdict and the scores of one ordered pair; the linear rung is refitted on permuted pairs."""
    y, design = web.rows[step[1]], web.design
    errors = rung_errors(fit, y, design.resamples)
    null, unturned = [], ladder.narrow(unturned=True)
    for partner in design.partners:
        permuted = y[partner]
        refit = unturned.fit(permuted, ("linear",))
        error = row_squares(permuted - refit.predictions["linear"]).sum()
        null.append(1 - float(error / row_squares(permuted - refit.reference).sum()))
    decision = decide(errors, float(np.quantile(null, 0.95)), margin)
    return PairMap(
        web.languages[step[0]],
        web.languages[step[1]],
        decision.verdict,
        decision.ceiling,
        decision.shares,
        errors.interval("linear").with_null(null),
        design.proportion(web.hits(fit.predictions["linear"], step[1])),
    )
