"""The result of question → passage retrieval, schema polyglot/question-retrieval/1."""

from __future__ import annotations

from dataclasses import dataclass

from .intervals import Interval
from .provenance import Provenance

SCHEMA = "polyglot/question-retrieval/1"


@dataclass(frozen=True, slots=True)
class PassageScores:
    """Scores of one search; a question has one right passage, so the ideal DCG is 1."""

    ndcg_at_10: Interval
    mrr_at_10: Interval
    recall_at_100: Interval
    p_at_1: Interval


@dataclass(frozen=True, slots=True)
class Ranking:
    """One way to search: how the questions got into the space of the passages, and by what they were compared."""

    name: str  # "as they are", "through MAP", "in the language of the passages"
    criterion: str  # "cosine" or "csls"
    scores: PassageScores
    difference: Interval | None  # nDCG@10 less that of the questions as they are, by the same criterion, paired
    ranks: tuple[int, ...]  # of the right passage, for each question


@dataclass(frozen=True, slots=True)
class MissedQuestion:
    """A question whose answer is found late."""

    question: str
    right: str
    found: str
    rank: int


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """Questions in one language against passages in another."""

    query_language: str
    passage_language: str
    questions: int
    passages: int
    rankings: tuple[Ranking, ...]
    missed: tuple[MissedQuestion, ...]  # of the last search by cosine
    resamples: int
    permutations: int
    through: str
    warnings: tuple[str, ...]
    sentence: str
    provenance: Provenance
    schema: str = SCHEMA
