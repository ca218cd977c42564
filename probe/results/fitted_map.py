"""The record of `polyglot map fit`, schema polyglot/map-fit/1: the map, why it was chosen, its held-out scores."""

from __future__ import annotations

from dataclasses import dataclass

from .intervals import Interval
from .linear_map import RungScores
from .provenance import Provenance

SCHEMA = "polyglot/map-fit/1"
RECORD_FILE = "fit.json"  # in the folder of a map


@dataclass(frozen=True, slots=True)
class MapFitResult:
    """A fitted map with its held-out scores; the map itself is in the same folder."""

    source: str
    target: str
    rung: str
    chosen_by: str  # "p_at_1", "r2", or "asked"
    verdict: str  # of the certificate, on R²
    retrieval_verdict: str  # of the certificate, on P@1
    shares: dict[str, Interval]  # of the ceiling's R²
    sentence: str
    n: int
    groups: int
    dims: tuple[int, int]
    folds: int
    pool: int
    scores: RungScores  # of the same rung fitted without each fold, on that fold
    before: RungScores | None  # of the source vectors as they are; None between different spaces
    settings: dict[str, float]  # what was chosen on all rows
    carries_model: bool
    normalised: bool  # whether mapped vectors are brought to unit length, as those of the target model are
    warnings: tuple[str, ...]
    provenance: Provenance
    schema: str = SCHEMA
