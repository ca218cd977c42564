"""The result of `polyglot compare`, schema polyglot/compare/1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .intervals import Interval
from .provenance import Provenance

SCHEMA = "polyglot/compare/1"
SHARE = "share of the best R²"  # the measure that verdicts by R² rest on
LATENT = "latent share"  # the measure that verdicts on geometry rest on
Unit = Literal["share", "points"]  # a fraction or mean score, or points of 100


def score_name(measure: str, row: str) -> str:
    """Return what a score is called beside others."""
    return measure if measure == SHARE else f"{measure}, {row.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Score:
    """One estimate of one result; those with equal part, measure and row stand beside each other."""

    part: str  # a direction, a language, or a pair
    measure: str  # for example "held-out R²"
    row: str  # for example "linear"
    estimate: Interval
    unit: Unit = "share"
    tested: bool = False  # whether its difference enters the family


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a result says of one part in words."""

    part: str
    verdict: str  # empty where results of the kind have none
    sentence: str
    share: Interval | None = None  # R² of the linear map as a share of the best map's
    margin: float | None = None  # share of the best map that may be lost
    by_retrieval: str = ""  # the verdict by P@1
    smallest_detectable: float | None = None  # planted curvature found in 80 % of replicates
    search: str = ""  # the verdict on search: is a map needed to find translations?
    geometry: str = ""  # the verdict on geometry, noise aside; empty without instruments
    geometry_sentence: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the results that stand side by side."""

    label: str
    file: str
    file_fingerprint: str  # blake2b of its bytes
    models: tuple[str, ...]
    languages: tuple[str, ...]
    corpus: str
    corpus_fingerprint: str
    rows: int
    facts: dict[str, str]  # numbers without an interval, as they are read
    seconds: float  # that training took, or the probe
    judgements: tuple[Judgement, ...]
    scores: tuple[Score, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A score less that of the reference."""

    result: str  # label
    part: str
    measure: str
    row: str
    unit: Unit
    difference: Interval
    paired: bool  # from the outcomes of shared rows; otherwise from the two intervals
    p_value: float  # two-sided, that there is no difference
    p_adjusted: float  # Holm over the family
    holds: bool  # p_adjusted ≤ 1 − level

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is a difference of: part, measure, row."""
        return self.part, self.measure, self.row


@dataclass(frozen=True, slots=True)
class CompareResult:
    """Results of one kind side by side, and how they differ from the first."""

    kind: str  # schema of the results
    reference: str  # label of the first
    common: tuple[str, ...]  # what all share of model, method and languages
    results: tuple[Compared, ...]
    differences: tuple[Difference, ...]
    unpaired: str  # why differences are not paired; empty where all are
    sentence: str
    warnings: tuple[str, ...]
    level: float
    resamples: int
    provenance: Provenance
    schema: str = SCHEMA
