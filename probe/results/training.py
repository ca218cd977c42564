"""The result of a training run: `polyglot/train/1`."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...analysis.resampling import Interval
from .linear_map import Geometry
from .provenance import Provenance

SCHEMA = "polyglot/train/1"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Retrieval among the held-out rows, from the new language to the pivot and back."""

    pool: int
    p_at_1: Interval
    p_at_1_back: Interval
    p_at_10: Interval
    cosine: Interval  # of translation pairs


@dataclass(frozen=True, slots=True)
class MapVerdict:
    """Summary of the linear-map certificate from the new language to f0 of the pivot."""

    verdict: str
    sentence: str
    r2: dict[str, Interval]
    geometry: Geometry | None = None  # noise aside; None where the text has no further language


@dataclass(frozen=True, slots=True)
class LanguageMetrics:
    """Metrics of one language by one model; the pivot side is always embedded by f0, as an index of the base is."""

    retrieval: Retrieval
    certificate: MapVerdict | None
    ranks: tuple[int, ...] = ()  # of each held-out row's translation in the pivot, from 1, in row order


@dataclass(frozen=True, slots=True)
class WordsOutcome:
    """The control of a language: a ridge from words to f0 of the pivot, fitted to the same training rows."""

    retrieval: Retrieval
    gain: Interval  # P@1 of the trained model less that of words, by row
    ranks: tuple[int, ...]  # as in `LanguageMetrics`


@dataclass(frozen=True, slots=True)
class LanguageOutcome:
    """Data and metrics of one language, before and after training."""

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
    paired: str = "translations"  # or references, questions
    held_out_fingerprint: str = ""  # runs with equal fingerprints can be compared row by row
    held_out_groups: tuple[int, ...] = ()  # concept group of each held-out row, the unit of resampling
    words: WordsOutcome | None = None  # None where the method is words itself, or the space is not that of the base


@dataclass(frozen=True, slots=True)
class RetentionScore:
    """One score of the base language before and after training, in points of 100."""

    name: str
    rows: int
    before: Interval
    after: Interval
    lost: Interval


@dataclass(frozen=True, slots=True)
class Retention:
    """How well the model still does in the language of its base."""

    scores: tuple[RetentionScore, ...]
    drift: float  # mean 1 − cos(fθ, f0) over held-out text in the base language
    max_loss: float
    broken: tuple[str, ...]  # names of the scores that lost more than `max_loss`
    unchanged: float | None = None  # share of that text whose vector changed by rounding only


@dataclass(frozen=True, slots=True)
class Speed:
    """Throughput of the training loop."""

    steps: int
    pairs: int
    seconds: float
    cpu_seconds: float
    pairs_per_second: float
    precision: str
    threads: int
    processes: int
    losses: tuple[float, ...]
    padding: float | None = None  # share of padding tokens in the batches; None for packed text


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of held-out rows after a training step."""

    step: int
    loss: float  # mean training loss since the evaluation before
    score: float | None  # None if only the certificate was measured
    certificates: dict[str, MapVerdict]  # by language


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """Evaluations during training, and which step's weights were kept."""

    score: str  # name of the score; larger is better
    moments: tuple[Evaluation, ...]
    kept_step: int  # step of the weights in the final model
    steps: int  # taken
    planned: int

    @property
    def stopped_early(self) -> bool:
        """Whether patience ended the run before the planned number of steps."""
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
    course: TrainingHistory | None = None

    @property
    def gate_broken(self) -> bool:
        """Whether the base language lost more than allowed; the command then exits with 1."""
        return self.retention is not None and bool(self.retention.broken)
