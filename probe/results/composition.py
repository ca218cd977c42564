"""The result of `polyglot probe composition`, schema polyglot/composition/1."""

from __future__ import annotations

from dataclasses import dataclass

from .intervals import Interval
from .provenance import Provenance

SCHEMA = "polyglot/composition/1"


@dataclass(frozen=True, slots=True)
class PairMap:
    """The map from one language to another: a quick ladder, without the costly rungs unless they were asked for."""

    source: str
    target: str
    verdict: str
    ceiling: str
    shares: dict[str, Interval]  # R² of each rung as a share of the ceiling's; empty where there is no map
    r2: Interval  # linear rung, held out
    p_at_1: Interval  # predictions of the linear rung among the targets


@dataclass(frozen=True, slots=True)
class Composed:
    """Two maps one after the other against the direct one, on rows held out of all three."""

    path: tuple[str, str, str]
    r2_direct: Interval
    r2_composed: Interval
    r2_cost: Interval  # direct less composed, paired
    agreement: Interval  # 1 − ‖direct − composed‖² / ‖direct − mean‖² of the predictions
    p_at_1_direct: Interval
    p_at_1_composed: Interval
    p_at_1_cost: Interval  # direct less composed, paired
    p_value: float  # two-sided, that P@1 does not differ
    p_adjusted: float  # Holm over all paths
    latent_direct: Interval | None = None  # noise aside: what the direct linear map explains of what instruments share
    latent_composed: Interval | None = None  # the same of the composed one; None where instruments say too little


@dataclass(frozen=True, slots=True)
class Loop:
    """Maps that end where they began, against the identity, on rows held out of all of them."""

    path: tuple[str, ...]  # first and last are the same language
    r2: Interval  # share of the variance recovered; 1 for the identity
    p_at_1: Interval  # whether a row is nearest to its own loop
    p_at_1_cost: Interval  # against the identity


@dataclass(frozen=True, slots=True)
class CompositionResult:
    """Maps between all languages, composed and closed to loops."""

    languages: tuple[str, ...]
    n: int
    groups: int
    folds: int
    rungs: tuple[str, ...]
    pairs: tuple[PairMap, ...]
    composed: tuple[Composed, ...]
    loops: tuple[Loop, ...]
    sentence: str
    warnings: tuple[str, ...]
    margin: float
    permutations: int
    resamples: int
    provenance: Provenance
    instruments: tuple[str, ...] = ()  # further languages that take noise out of latent shares
    schema: str = SCHEMA
