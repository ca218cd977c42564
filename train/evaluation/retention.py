"""Retention: similarity and retrieval in the language of the base, before and after training, with a gate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.checks import unit_rows
from ...analysis.types import Floats, Floats32, Integers
from ...errors import DataError
from ...probe.results.training import Retention, RetentionScore
from ..config import RetentionConfig
from .metrics import paired_means

if TYPE_CHECKING:
    from ...models.encoder import Encoder

RESAMPLES = 500
DEPTH = 10
LEAST_SCORED_PAIRS = 10
ROUNDING = 1e-6  # a text is padded differently in another batch


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPairs:
    """Sentence pairs with human similarity scores."""

    first: list[str]
    second: list[str]
    scores: Floats  # array (n,)


@dataclass(frozen=True, slots=True, eq=False)
class RetentionText:
    """Text in the language of the base on which retention is measured."""

    similarity: ScoredPairs | None
    queries: list[str]
    passages: list[str]
    relevant: Integers
    held_out: list[str]  # sentences for the drift

    def without_questions(self) -> RetentionText:
        """Return the text without its questions, for runs that train on them."""
        return RetentionText(self.similarity, [], [], self.relevant[:0], self.held_out)


@dataclass(frozen=True, slots=True, eq=False)
class RetentionMeasures:
    """Measures of one model on a retention text of n scored pairs, q queries and h held-out sentences."""

    cosines: Floats | None  # array (n,), of the scored pairs
    gains: Floats  # array (q,), nDCG@10 of each query
    vectors: Floats32  # array (h, d)


def open_retention_text(config: RetentionConfig, language: str, held_out: list[str]) -> RetentionText:
    """Open the text on which retention is measured.

    Parameters
    ----------
    config : RetentionConfig
    language : str
        Language of the base.
    held_out : list of str
        Sentences in it that are not trained on.

    Raises
    ------
    DataError
        If a file is missing or not in its format.
    """
    from ...data.builtin import QUESTION_LANGUAGES
    from ...data.questions import open_questions

    similarity = None if config.sts is None else read_scored_pairs(config.sts)
    if config.questions is None and language not in QUESTION_LANGUAGES:
        return RetentionText(similarity, [], [], np.empty(0, np.int64), held_out)
    questions = open_questions(config.questions, language, language)
    return RetentionText(similarity, questions.queries, questions.passages, questions.relevant, held_out)


def read_scored_pairs(path: Path) -> ScoredPairs:
    """Read sentence1, sentence2, score from a CSV file, with or without a header.

    Raises
    ------
    DataError
        If the file is missing, or a row cannot be read, lacks a sentence or has no number in its third cell.
    """
    from ...data.blank import is_blank
    from ...data.readers.lines import BadRows
    from ...data.readers.quoted import csv_records

    if not path.is_file():
        raise DataError(f"no such file: {path}; expected sentence1,sentence2,score in each row")
    bad = BadRows(skip=True)
    rows = [cells for _, cells in csv_records(path, bad) if any(cells)]
    for fault in bad.first.values():
        raise DataError(f"{fault}: expected sentence1,sentence2,score in each row; mend it")
    if rows and not _is_number(rows[0][2] if len(rows[0]) > 2 else ""):
        rows = rows[1:]
    for number, row in enumerate(rows, start=1):
        if len(row) != 3 or not _is_number(row[2]) or is_blank(row[0]) or is_blank(row[1]):
            raise DataError(
                f"{path}, row {number}: expected sentence1,sentence2,score, got {len(row)} cells: {row[:3]}"
            )
    if len(rows) < LEAST_SCORED_PAIRS:
        raise DataError(f"{path} has {len(rows)} scored pairs: expected at least {LEAST_SCORED_PAIRS}")
    first, second = ([str(row[side]) for row in rows] for side in (0, 1))
    return ScoredPairs(first, second, np.array([float(row[2] or "") for row in rows]))


def _is_number(cell: str | None) -> bool:
    try:
        return math.isfinite(float(cell or ""))
    except ValueError:
        return False


def measure_retention(encoder: Encoder, text: RetentionText) -> RetentionMeasures:
    """Measure one model on a retention text; questions are read as queries and passages as documents."""
    cosines = None
    if text.similarity is not None:
        first = _unit(encoder.encode(text.similarity.first).pooled)
        cosines = (first * _unit(encoder.encode(text.similarity.second).pooled)).sum(axis=1)
    gains = np.empty(0)
    if text.queries:
        queries = _unit(encoder.for_task("query").encode(text.queries).pooled)
        passages = _unit(encoder.for_task("document").encode(text.passages).pooled)
        gains = ndcg_at_10(queries @ passages.T, text.relevant)
    return RetentionMeasures(cosines, gains, encoder.encode(text.held_out).pooled)


def ndcg_at_10(scores: Floats, relevant: Integers) -> Floats:
    """Return nDCG@10 of each query with one relevant passage: 1 / log₂(1 + rank) if the rank is ≤ 10, else 0.

    Parameters
    ----------
    scores : array (q, p)
        Of p passages, as cosines; ties, up to rounding, count against the relevant one.
    relevant : array (q,) of int64
        Its number.
    """
    from ...analysis.retrieval.ties import TIE

    own = scores[np.arange(len(scores)), relevant]
    ranks = (scores >= own[:, None] - TIE).sum(axis=1)
    return np.where(ranks <= DEPTH, 1 / np.log2(1 + ranks), 0.0)


def retention(
    text: RetentionText, before: RetentionMeasures, after: RetentionMeasures, config: RetentionConfig, *, seed: int
) -> Retention:
    """Compare two models on a retention text with paired bootstrap intervals, and apply the gate.

    Parameters
    ----------
    text : RetentionText
    before, after : RetentionMeasures
        Of f0 and of fθ.
    config : RetentionConfig
        Its `max_english_loss` is in points of 100; a score is broken if it lost more.
    seed : int
        Of the resamples.
    """
    rng = np.random.default_rng([seed, 13])
    scores = []
    if text.similarity is not None and before.cosines is not None and after.cosines is not None:
        scores.append(_similarity(text.similarity.scores, before.cosines, after.cosines, rng))
    if text.queries:
        draws = paired_means(100 * before.gains, 100 * after.gains, rng, RESAMPLES)
        scores.append(_retention_score("retrieval (nDCG@10)", len(text.queries), *draws))
    drift, unchanged = 0.0, None
    if text.held_out:
        drift = float(np.mean(1 - (_unit(before.vectors) * _unit(after.vectors)).sum(axis=1)))
        unchanged = float(np.mean(np.abs(before.vectors - after.vectors).max(axis=1) <= ROUNDING))
    broken = tuple(score.name for score in scores if score.lost.value > config.max_english_loss)
    return Retention(tuple(scores), drift, config.max_english_loss, broken, unchanged)


@dataclass(frozen=True, slots=True, eq=False)
class RetentionBaseline:
    """A retention text, and the measures of the base on it."""

    text: RetentionText
    base: RetentionMeasures

    @classmethod
    def measure(cls, encoder: Encoder, text: RetentionText) -> RetentionBaseline:
        """Measure the base, before its weights change."""
        return cls(text, measure_retention(encoder, text))

    def compare(self, trained: Encoder, config: RetentionConfig, *, seed: int) -> Retention:
        """Return the retention of a trained model."""
        return retention(self.text, self.base, measure_retention(trained, self.text), config, seed=seed)

    def unchanged(self, config: RetentionConfig, *, seed: int) -> Retention:
        """Return the retention where the base itself goes on embedding the text."""
        return retention(self.text, self.base, self.base, config, seed=seed)


def _similarity(human: Floats, before: Floats, after: Floats, rng: np.random.Generator) -> RetentionScore:
    from scipy.stats import spearmanr

    def correlations(rows: Integers) -> list[float]:
        return [100 * float(spearmanr(cosines[rows], human[rows]).statistic) for cosines in (before, after)]

    draws = np.array([correlations(rng.integers(len(human), size=len(human))) for _ in range(RESAMPLES)])
    values = np.array(correlations(np.arange(len(human))))
    return _retention_score("similarity (Spearman)", len(human), values, draws)


def _retention_score(name: str, rows: int, values: Floats, draws: Floats) -> RetentionScore:
    from ...analysis.resampling import percentile_interval

    before, after = values.tolist()
    return RetentionScore(
        name,
        rows,
        percentile_interval(before, draws[:, 0]),
        percentile_interval(after, draws[:, 1]),
        percentile_interval(before - after, draws[:, 0] - draws[:, 1]),
    )


def _unit(x: Floats32) -> Floats:
    return np.asarray(unit_rows(x.astype(np.float64), zeros="keep"), np.float64)
