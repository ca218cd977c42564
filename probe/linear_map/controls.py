"""Controls: what stands beside every claim about a map (method §5)."""

from __future__ import annotations

import numpy as np

from ...analysis.maps.words import MOST_ROWS, held_out_words
from ...analysis.resampling import percentile_interval
from ...analysis.retrieval.scores import outcomes_in_both_roles, retrieve, row_squares
from ..experiment.held_out import HeldOut
from ..experiment.pairs import Pairs
from ..results.linear_map import Controls, WordsControl


def controls_of(held_out: HeldOut, pairs: Pairs, seed: int) -> Controls:
    """Measure the controls that the pairs allow: words need texts, and no more of them than a kernel can hold."""
    if pairs.sources is None or len(pairs.sources) > MOST_ROWS:
        return Controls()
    return Controls(words=words_control(held_out, pairs, seed))


def words_control(held_out: HeldOut, pairs: Pairs, seed: int) -> WordsControl:
    """Predict the targets from the words of the sources on the folds of the ladder, and score them as rungs are."""
    assert pairs.sources is not None
    folds = held_out.ladder.source.folds
    predicted = held_out_words(pairs.sources, pairs.y, folds, seed=seed)
    error, total = row_squares(pairs.y - predicted), row_squares(pairs.y - held_out.fit.reference)
    unexplained, resampled = held_out.resamples.ratio_of_sums(error, total)
    forward, _ = retrieve(predicted, pairs.y, pairs.groups, pairs.pool, influence=True)
    hits = outcomes_in_both_roles(forward, pairs.groups, pairs.pool.groups)["p_at_1"]
    return WordsControl(
        r2=percentile_interval(1 - unexplained, 1 - np.asarray(resampled)),
        p_at_1=percentile_interval(*held_out.resamples.mean(hits)),
    )
