"""The part of a training result that a comparison reads.

Training stands above the probes, so its result type cannot be imported here; but readers of results ignore fields that
they do not know, and these are the ones to know. A test keeps them in step.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..results.serialization import Interval, Provenance

SCHEMA = "polyglot/train/1"


@dataclass(frozen=True, slots=True)
class TrainingRetrieval:
    """Retrieval among the held-out rows."""

    pool: int
    p_at_1: Interval
    p_at_1_back: Interval
    cosine: Interval


@dataclass(frozen=True, slots=True)
class TrainingVerdict:
    """The linear-map certificate in short."""

    verdict: str
    sentence: str
    r2: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class TrainingMetrics:
    """One language at one time."""

    retrieval: TrainingRetrieval
    certificate: TrainingVerdict | None
    ranks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingLanguage:
    """What a run did for one language."""

    language: str
    pairs: int
    held_out: int
    corpus_fingerprint: str
    new_words: int
    before: TrainingMetrics
    after: TrainingMetrics
    held_out_fingerprint: str = ""
    held_out_groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingKept:
    """One score of the old language, in points of 100."""

    name: str
    rows: int
    before: Interval
    after: Interval
    lost: Interval


@dataclass(frozen=True, slots=True)
class TrainingRetention:
    """What the run cost the old language."""

    scores: tuple[TrainingKept, ...]
    drift: float
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainingSpeed:
    """How fast the loop ran."""

    steps: int
    seconds: float
    pairs_per_second: float
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Training:
    """A training stage."""

    schema: str
    stage: str
    method: str
    model: str
    run: str
    languages: tuple[TrainingLanguage, ...]
    retention: TrainingRetention | None
    speed: TrainingSpeed
    scores: dict[str, Interval]
    provenance: Provenance
