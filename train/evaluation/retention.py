"""What a run costs the language that the base knew: similarity and retrieval in it, against f0, with a gate."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.checks import unit_rows
from ...analysis.types import Floats
from ...errors import DataError
from ...probe.results.training import Retention, RetentionScore
from ..config import RetentionConfig

if TYPE_CHECKING:
    from ...analysis.resampling import Interval
    from ...models.encoder import Encoder

RESAMPLES = 500
DEPTH = 10
ROUNDING = 1e-6  # batches of other texts pad a text differently


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPairs:
    """Sentence pairs with a human score of their similarity."""

    first: list[str]
    second: list[str]
    scores: Floats  # (n,)


@dataclass(frozen=True, slots=True, eq=False)
class OldLanguage:
    """Text of the old language on which it is measured."""

    similarity: ScoredPairs | None
    queries: list[str]
    passages: list[str]
    relevant: NDArray[np.int64]
    plain: list[str]  # held-out sentences, for the drift


@dataclass(frozen=True, slots=True, eq=False)
class OldScores:
    """Outcomes of one model on that text."""

    cosines: Floats | None  # (n,) of the scored pairs
    gains: Floats  # (q,) nDCG@10 of each query
    plain: NDArray[np.float32]  # (h, d)


def open_old_language(config: RetentionConfig, pivot: str, held_out: list[str]) -> OldLanguage:
    """Open the text on which retention is measured.

    Raises
    ------
    DataError
        If a file is missing or not in its format.
    """
    from ...data.builtin import QUESTION_LANGUAGES
    from ...data.questions import open_questions

    similarity = None if config.sts is None else read_scored_pairs(config.sts)
    if config.questions is None and pivot not in QUESTION_LANGUAGES:
        return OldLanguage(similarity, [], [], np.empty(0, np.int64), held_out)
    questions = open_questions(config.questions, pivot, pivot)
    return OldLanguage(similarity, questions.queries, questions.passages, questions.relevant, held_out)


def without_questions(text: OldLanguage) -> OldLanguage:
    """Return the text without its questions: for runs that train on them."""
    return OldLanguage(text.similarity, [], [], text.relevant[:0], text.plain)


def read_scored_pairs(path: Path) -> ScoredPairs:
    """Read sentence1, sentence2, score from a CSV file, with or without a header.

    Raises
    ------
    DataError
        If the file is missing, or a row has no number in its third cell.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"scored pairs cannot be read from {path}: {error}; expected sentence1,sentence2,score"
        ) from error
    if rows and not _is_number(rows[0][2] if len(rows[0]) > 2 else ""):
        rows = rows[1:]
    for number, row in enumerate(rows, start=1):
        if len(row) != 3 or not _is_number(row[2]):
            raise DataError(
                f"{path}, row {number}: expected sentence1,sentence2,score, got {len(row)} cells: {row[:3]}"
            )
    if len(rows) < 10:
        raise DataError(f"{path} has {len(rows)} scored pairs: expected at least 10")
    return ScoredPairs([r[0] for r in rows], [r[1] for r in rows], np.array([float(r[2]) for r in rows]))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def score_old_language(encoder: Encoder, text: OldLanguage) -> OldScores:
    """Measure one model on the old language."""
    cosines = None
    if text.similarity is not None:
        first = _unit(encoder.encode(text.similarity.first).pooled)
        cosines = (first * _unit(encoder.encode(text.similarity.second).pooled)).sum(axis=1)
    gains = np.empty(0)
    if text.queries:
        queries, passages = (_unit(encoder.encode(side).pooled) for side in (text.queries, text.passages))
        gains = ndcg_at_10(queries @ passages.T, text.relevant)
    return OldScores(cosines, gains, encoder.encode(text.plain).pooled)


def ndcg_at_10(scores: Floats, relevant: NDArray[np.int64]) -> Floats:
    """Return nDCG@10 of each query with one relevant passage: 1 / log₂(1 + rank) if the rank is ≤ 10, else 0.

    Parameters
    ----------
    scores : (q, p)
    relevant : (q,) int64
        Ties count against the relevant passage.
    """
    right = scores[np.arange(len(scores)), relevant]
    ranks = (scores >= right[:, None]).sum(axis=1)
    return np.where(ranks <= DEPTH, 1 / np.log2(1 + ranks), 0.0)


def retention(
    text: OldLanguage, before: OldScores, after: OldScores, config: RetentionConfig, *, seed: int
) -> Retention:
    """Compare two models on the old language with paired bootstrap intervals, and judge by the gate.

    Parameters
    ----------
    text : OldLanguage
    before, after : OldScores
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
        scores.append(_retrieval(before.gains, after.gains, rng))
    drift = float(np.mean(1 - (_unit(before.plain) * _unit(after.plain)).sum(axis=1))) if text.plain else 0.0
    unchanged = float(np.mean(np.abs(before.plain - after.plain).max(axis=1) <= ROUNDING)) if text.plain else None
    broken = tuple(score.name for score in scores if score.lost.value > config.max_english_loss)
    return Retention(tuple(scores), drift, config.max_english_loss, broken, unchanged)


def _similarity(truth: Floats, before: Floats, after: Floats, rng: np.random.Generator) -> RetentionScore:
    from scipy.stats import spearmanr

    def both(rows: NDArray[np.int64]) -> tuple[float, float]:
        old, new = (100 * float(spearmanr(cosines[rows], truth[rows]).statistic) for cosines in (before, after))
        return old, new

    draws = np.array([both(rng.integers(len(truth), size=len(truth))) for _ in range(RESAMPLES)])
    return _kept("similarity (Spearman)", len(truth), both(np.arange(len(truth))), draws)


def _retrieval(before: Floats, after: Floats, rng: np.random.Generator) -> RetentionScore:
    gains = 100 * np.column_stack([before, after])
    draws = np.array([gains[rng.integers(len(gains), size=len(gains))].mean(axis=0) for _ in range(RESAMPLES)])
    old, new = gains.mean(axis=0)
    return _kept("retrieval (nDCG@10)", len(gains), (float(old), float(new)), draws)


def _kept(name: str, rows: int, values: tuple[float, float], draws: Floats) -> RetentionScore:
    from ...analysis.resampling import percentile_interval

    old, new = values
    intervals: list[Interval] = [
        percentile_interval(old, draws[:, 0]),
        percentile_interval(new, draws[:, 1]),
        percentile_interval(old - new, draws[:, 0] - draws[:, 1]),
    ]
    return RetentionScore(name, rows, *intervals)


def _unit(x: NDArray[np.float32]) -> Floats:
    return np.asarray(unit_rows(x.astype(np.float64), zeros="keep"), np.float64)
