"""The result of `polyglot probe retrieval`, schema polyglot/retrieval/1."""

from __future__ import annotations

from dataclasses import dataclass, field

from .intervals import Interval
from .provenance import Provenance

SCHEMA = "polyglot/retrieval/1"


@dataclass(frozen=True, slots=True)
class SearchScores:
    """Scores of one criterion (method §8)."""

    p_at_1: Interval  # among distinct candidates; a candidate of the same group is right
    p_at_5: Interval
    p_at_10: Interval
    mrr: Interval
    accuracy: Interval  # among all rows, only the row's own partner is right: the Tatoeba benchmark
    f1: Interval  # weighted over rows, as that benchmark defines it


@dataclass(frozen=True, slots=True)
class Hubs:
    """How unevenly candidates are found among the nearest of the queries."""

    skew: float
    robin_hood: float
    antihubs: float
    largest: int
    largest_text: str
    k: int


@dataclass(frozen=True, slots=True)
class ErrorShare:
    """How many of the wrong answers are of a kind."""

    kind: str  # "numeral or name differs", "near duplicate", "length", "other"
    rows: int
    share: Interval  # of all queries


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A query whose first answer is wrong by cosine."""

    row: int
    query: str
    right: str
    found: str
    kind: str
    cosine_right: float
    cosine_found: float
    rank: int
    rank_csls: int


@dataclass(frozen=True, slots=True)
class RowOutcomes:
    """What happened to each row: ranks of the right answer, and the first answer among all rows."""

    ranks: tuple[int, ...]
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """One direction: every source row is a query, the distinct targets are the candidates."""

    source: str
    target: str
    queries: int
    groups: int
    pool: int
    scores: dict[str, SearchScores]  # criterion → scores
    gains: dict[str, Interval]  # criterion → P@1 less that of the cosine, paired
    hubs: dict[str, Hubs]
    errors: tuple[ErrorShare, ...]
    wrong: tuple[WrongAnswer, ...]
    rows: dict[str, RowOutcomes]
    warnings: tuple[str, ...]
    sentence: str
    before: dict[str, SearchScores] = field(default_factory=dict)  # without the map; empty where there is none
    map_gains: dict[str, Interval] = field(default_factory=dict)  # criterion → P@1 less that without the map, paired
    row_groups: tuple[int, ...] = ()  # concept group of each row, if `rows` is given


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Both directions of one language pair in one model (or two)."""

    directions: tuple[Search, ...]
    neighbours: dict[str, int]  # criterion → size of its neighbourhood
    permutations: int
    resamples: int
    through: str  # the map that the sources went through; empty without one
    provenance: Provenance
    schema: str = SCHEMA

    @property
    def sentence(self) -> str:
        """Both directions in words."""
        return " ".join(direction.sentence for direction in self.directions)
