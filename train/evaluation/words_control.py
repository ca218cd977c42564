"""Words alone on the pairs of a run: what a ridge from n-grams finds that no encoder read (method §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...analysis.maps.hashed_words import HashedWords
from ...analysis.resampling import Interval, Resamples, percentile_interval
from ...analysis.types import Floats32, Integers
from ...probe.results.training import LanguageMetrics, LanguageOutcome, WordsOutcome
from .metrics import language_metrics
from .splits import TrainingPairs

if TYPE_CHECKING:
    from collections.abc import Iterable


def words_outcome(
    pairs: TrainingPairs, vectors: tuple[Floats32, Floats32], trained: LanguageMetrics, seed: int
) -> WordsOutcome:
    """Fit words to the training pairs of a language, and compare a trained model with them row by row.

    Parameters
    ----------
    pairs : TrainingPairs
    vectors : (array (n, d), array (m, d))
        f0 of the pivot side of the training and of the held-out rows.
    trained : LanguageMetrics
        Of the trained model on the held-out rows.
    seed : int
    """
    teacher, held_out_pivot = vectors
    fitted = HashedWords.fit(pairs.training.sources, teacher)
    groups = pairs.held_out_groups
    words = language_metrics(fitted(pairs.held_out.sources), held_out_pivot, groups, seed=seed, certify=None)
    return WordsOutcome(words.retrieval, _gain(trained, words, groups, seed), words.ranks)


def _gain(trained: LanguageMetrics, words: LanguageMetrics, groups: Integers, seed: int) -> Interval:
    hits = [(np.array(metrics.ranks) <= 1).astype(np.float64) for metrics in (trained, words)]
    draws = Resamples.draw(groups, np.random.default_rng([seed, 17]))
    return percentile_interval(*draws.mean(hits[0] - hits[1]))


def words_warnings(method: str, outcomes: Iterable[LanguageOutcome]) -> list[str]:
    """Say of which languages a method does not surely find more than words alone."""
    return [
        f"{one.language}: {method} does not beat words alone: P@1 {100 * one.after.retrieval.p_at_1.value:.1f}, words "
        f"{100 * one.words.retrieval.p_at_1.value:.1f}, difference {_points(one.words.gain)}; --method words gives "
        "them as a model in seconds"
        for one in outcomes
        if one.words is not None and one.words.gain.low <= 0
    ]


def _points(gain: Interval) -> str:
    return f"{100 * gain.value:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}] points".replace("-", "−")
