"""Linear maps between all pairs of several languages, fitted without each fold, and their walks along a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...analysis.certificate.equivalence import SharedErrors, decide
from ...analysis.maps.affine import AffineMap
from ...analysis.maps.ladder import Ladder, LadderFit
from ...analysis.maps.map_spec import fit_spec
from ...analysis.resampling import Interval, percentile_interval
from ...analysis.retrieval.scores import Pool, fidelity, retrieve, row_squares
from ...analysis.types import Floats
from ..experiment.design import Design
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
        """Predict the last language of a path from the first, held out of every map on the way, (n, q)."""
        start = self.rows[path[0]] - self.rows[path[0]].mean(axis=0)
        arrived = np.empty_like(self.rows[path[-1]])
        for fold in range(int(self.design.folds.max()) + 1):
            rows = self.design.folds == fold
            here = start[rows]
            for step in pairwise(path):
                here = self.fitted[step].maps[fold](here)
            arrived[rows] = here
        return np.asarray(arrived + self.rows[path[-1]].mean(axis=0))

    def hits(self, prediction: Floats, language: int) -> Floats:
        """Whether each prediction has its own sentence nearest among a language's texts, 0 or 1, (n,)."""
        pool = self.pools[language]
        ranks = retrieve(prediction, self.rows[language], self.design.groups, pool)[0]
        return np.asarray(ranks.cosine <= 1, np.float64)

    def share_left(self, error: Floats, total: Floats) -> Interval:
        """1 − Σ error / Σ total of per-row sums of squares, with its cluster-bootstrap interval."""
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
    for source, x in enumerate(rows):
        ladder = Ladder(x, design.folds, rungs=rungs, seed=config.seed)
        for target in range(len(rows)):
            if target != source:
                web.fitted[source, target] = _fit_pair(web, ladder, (source, target), config)
    return web


def _fit_pair(web: Web, ladder: Ladder, step: tuple[int, int], config: CompositionConfig) -> Fitted:
    y = web.rows[step[1]]
    fit = ladder.fit(y)
    target = ladder.target(y)
    specs = [choices.spec("linear") for choices in fit.choices]
    maps = tuple(fit_spec(target.regression(frozenset({i})), spec) for i, spec in enumerate(specs))
    return Fitted(fit.predictions["linear"], fit.reference, maps, _pair_map(web, ladder, fit, step, config))


def _pair_map(web: Web, ladder: Ladder, fit: LadderFit, step: tuple[int, int], config: CompositionConfig) -> PairMap:
    y, design = web.rows[step[1]], web.design
    errors = {rung: fidelity(y, p, fit.reference).squared_error for rung, p in fit.predictions.items()}
    scores = SharedErrors.of(errors, row_squares(y - fit.reference), design.resamples)
    null = [_permuted_r2(ladder, y[partner]) for partner in design.partners]
    decision = decide(scores, float(np.quantile(null, 0.95)), config.margin)
    return PairMap(
        web.languages[step[0]],
        web.languages[step[1]],
        decision.verdict,
        decision.ceiling,
        decision.shares,
        scores.interval("linear").with_null(null),
        design.proportion(web.hits(fit.predictions["linear"], step[1])),
    )


def _permuted_r2(ladder: Ladder, y: Floats) -> float:
    fit = ladder.narrow(rough=True).fit(y, ("linear",))
    error = row_squares(y - fit.predictions["linear"]).sum()
    return 1 - float(error / row_squares(y - fit.reference).sum())
