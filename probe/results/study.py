"""The result of `polyglot study`, schema polyglot/study/1: what all its cells say together."""

from __future__ import annotations

from dataclasses import dataclass, field

from .intervals import Interval
from .provenance import Provenance

SCHEMA = "polyglot/study/1"


@dataclass(frozen=True, slots=True)
class StudyCell:
    """One cell: what was measured or trained, where its result lies, and what it says in short."""

    name: str
    kind: str  # name of the probe, stage, or "tokens"
    model: str
    corpus: str
    language: str
    method: str  # of the training that the cell is, or whose model it measures; empty for none
    stage: str
    seed: int
    key: str  # digest of text, model, settings, code and versions of libraries
    result: str  # path of its JSON, relative to the folder of the study; empty where it was refused
    refused: str = ""  # why there is no result
    verdicts: dict[str, str] = field(default_factory=dict)  # such as "fr-en geometry"
    scores: dict[str, Interval] = field(default_factory=dict)  # such as "fr-en gain"
    expected: str = ""  # verdict on geometry that is known before; empty where none is
    as_expected: bool | None = None
    model_saw_text: bool = False  # a training before used the text that is measured


@dataclass(frozen=True, slots=True)
class StudyTest:
    """A verdict of a family: an estimate against the margin, before and after Holm."""

    cell: str
    about: str  # direction
    estimate: Interval
    p_value: float  # one-sided
    p_adjusted: float  # Holm over the family
    holds: bool


@dataclass(frozen=True, slots=True)
class StudyFamily:
    """Verdicts that are tested together."""

    name: str
    test: str  # "gain": P@1 with the best map less without exceeds the margin; "linear": the latent share 1 − margin
    margin: float
    tests: tuple[StudyTest, ...]


@dataclass(frozen=True, slots=True)
class StudyContrast:
    """P@1 of one method of a training less that of another, on the same held-out rows; all contrasts are one family."""

    name: str
    model: str
    corpus: str
    language: str
    methods: tuple[str, str]
    seeds: tuple[int, ...]
    by_seed: tuple[float, ...]
    estimate: Interval  # mean over seeds, rows resampled by group
    margin: float
    p_value: float  # one-sided, that the difference is at most the margin
    p_adjusted: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Predictor:
    """How a measure of a model and a language goes with a gain, by rank."""

    measure: str
    gain: str  # "map", or the method of an insertion
    cells: int
    languages: int
    correlation: Interval  # Spearman's, languages resampled


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A study: its file as it was before it ran, its cells, and what they say together."""

    title: str
    sentence: str
    file: str  # the text of the TOML file
    pivot: str
    level: float
    margin: float
    cells: tuple[StudyCell, ...]
    families: tuple[StudyFamily, ...]
    contrasts: tuple[StudyContrast, ...]
    predictors: tuple[Predictor, ...]
    left_out: tuple[str, ...]  # what could not be computed, and why
    warnings: tuple[str, ...]
    provenance: Provenance
    schema: str = SCHEMA
