"""The result of `polyglot probe language-id`, schema polyglot/language-id/1."""

from __future__ import annotations

from dataclasses import dataclass

from .intervals import Interval
from .layers import ConstantLayer
from .provenance import Provenance

SCHEMA = "polyglot/language-id/1"
AS_IT_IS = "as it is"
MEANS, DIRECTIONS, LEACE = "means removed", "directions removed", "LEACE"
CONDITIONS: tuple[str, ...] = (AS_IT_IS, MEANS, DIRECTIONS, LEACE)


@dataclass(frozen=True, slots=True)
class Condition:
    """Language identity and retrieval of one layer, as it is or after a removal fitted on other rows."""

    name: str
    accuracy: Interval  # held out; its null: the same classifier on random labels
    selectivity: Interval  # accuracy less the accuracy on random labels
    bits: Interval  # description length per text; the interval is over orders of the code
    p_at_1: Interval | None = None  # mean over all ordered pairs of languages; None where widths differ
    p_at_1_change: Interval | None = None  # against the layer as it is, paired


@dataclass(frozen=True, slots=True)
class LayerLanguageId:
    """One layer under every condition."""

    name: str
    dim: int
    conditions: tuple[Condition, ...]
    by_language: dict[str, Interval]  # accuracy of each language's texts, as they are


@dataclass(frozen=True, slots=True)
class Baseline:
    """Classification by token length and script alone."""

    accuracy: Interval
    bits: Interval
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LanguageIdResult:
    """Language identity of each layer, and the cost of its removal."""

    languages: tuple[str, ...]
    n: int  # sentences in each language
    groups: int
    folds: int
    chance: float  # 1 / c
    uniform_bits: float  # log₂ c
    layers: tuple[LayerLanguageId, ...]
    baseline: Baseline | None
    sentence: str
    warnings: tuple[str, ...]
    controls: int
    orders: int
    resamples: int
    provenance: Provenance
    constant: tuple[ConstantLayer, ...] = ()  # layers that were not measured
    schema: str = SCHEMA
