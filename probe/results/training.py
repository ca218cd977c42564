"""What a training run found, as it is written and compared."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...analysis.resampling import Interval
from .serialization import Provenance

SCHEMA = "polyglot/train/1"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Retrieval among the held-out rows: of the new language's partners in the pivot, and back."""

    pool: int
    p_at_1: Interval
    p_at_1_back: Interval
    p_at_10: Interval
    cosine: Interval  # of translation pairs


@dataclass(frozen=True, slots=True)
class MapVerdict:
    """The linear-map certificate of the new language → f0 of the pivot, in short."""

    verdict: str
    sentence: str
    r2: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class LanguageMetrics:
    """Metrics of one language at one time; the pivot side is always f0, as an index embedded with the base is."""

    retrieval: Retrieval
    certificate: MapVerdict | None
    ranks: tuple[int, ...] = ()  # of each held-out row's partner in the pivot, from 1; the rows stand in one order


@dataclass(frozen=True, slots=True)
class LanguageOutcome:
    """What a run did for one language."""

    language: str
    pairs: int
    held_out: int
    overlap_dropped: int
    overlap_kept: int
    corpus_fingerprint: str
    new_words: int
    retired_words: int
    unknown_rate_before: float
    unknown_rate_after: float
    fertility_before: float
    fertility_after: float
    accent_collisions_before: float
    accent_collisions_after: float
    before: LanguageMetrics
    after: LanguageMetrics
    paired: str = "translations"  # or references, questions: what the pairs are
    held_out_fingerprint: str = ""  # runs with the same one can be compared row by row
    held_out_groups: tuple[int, ...] = ()  # concept group of each held-out row, the unit of resampling


@dataclass(frozen=True, slots=True)
class Kept:
    """One score of the old language before and after, in points of 100."""

    name: str
    rows: int
    before: Interval
    after: Interval
    lost: Interval


@dataclass(frozen=True, slots=True)
class Retention:
    """What the run cost the old language."""

    scores: tuple[Kept, ...]
    drift: float  # mean 1 − cos(fθ, f0) of held-out text in the old language
    max_loss: float
    broken: tuple[str, ...]  # names of the scores that lost more than is allowed
    unchanged: float | None = None  # share of that text whose vector moved by no more than rounding


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the loop ran."""

    steps: int
    pairs: int
    seconds: float
    cpu_seconds: float
    pairs_per_second: float
    precision: str
    threads: int
    processes: int
    losses: tuple[float, ...]
    padding: float | None = None  # share of the places of its batches that held no token; None where text is packed


@dataclass(frozen=True, slots=True)
class Moment:
    """What was measured on held-out rows between two steps."""

    step: int
    loss: float  # mean since the moment before
    score: float | None  # None where only the certificate was due
    certificates: dict[str, MapVerdict]  # by language


@dataclass(frozen=True, slots=True)
class Course:
    """How the held-out score and the certificate went while a stage trained."""

    score: str  # what the score is; the larger the better
    moments: tuple[Moment, ...]
    kept_step: int  # whose weights the model has
    steps: int  # taken
    planned: int

    @property
    def stopped_early(self) -> bool:
        """Whether patience ran out before the last step."""
        return self.steps < self.planned


@dataclass(frozen=True, slots=True)
class TrainResult:
    """The result of a training stage."""

    schema: str
    stage: str
    method: str
    model: str
    base_fingerprint: str
    fingerprint: str
    run: str
    languages: tuple[LanguageOutcome, ...]
    retention: Retention | None
    speed: Speed
    scores: dict[str, Interval]
    warnings: tuple[str, ...]
    next_command: str
    provenance: Provenance
    shares_space_with_base: bool = True
    notes: dict[str, float] = field(default_factory=dict)
    course: Course | None = None

    @property
    def gate_broken(self) -> bool:
        """Whether the old language lost more than was allowed: the command then exits with 1."""
        return self.retention is not None and bool(self.retention.broken)
