"""The result of `polyglot probe cka`, schema polyglot/cka/1."""

from __future__ import annotations

from dataclasses import dataclass

from .intervals import Interval
from .layers import ChanceBand, ConstantLayer
from .provenance import Provenance, Side

SCHEMA = "polyglot/cka/1"
Cells = tuple[tuple[Interval, ...], ...]  # rows × columns


@dataclass(frozen=True, slots=True)
class LayerTable:
    """Layers of one side against layers of the other, in three measures."""

    rows: Side
    columns: Side
    row_layers: tuple[str, ...]
    column_layers: tuple[str, ...]
    cka: Cells  # debiased linear CKA, block jackknife
    mutual_knn: Cells  # cluster bootstrap
    linear_r2: Cells  # held out, map from the row's layer to the column's
    chance: dict[str, ChanceBand]  # by measure: maximum over the cells under permuted pairs
    sentence: str


@dataclass(frozen=True, slots=True)
class CkaResult:
    """One table (two languages in one model), or two (two models, each language for itself)."""

    source: str
    target: str
    n: int
    groups: int
    folds: int
    neighbours: int
    tables: tuple[LayerTable, ...]
    warnings: tuple[str, ...]
    permutations: int
    resamples: int
    provenance: Provenance
    constant: tuple[ConstantLayer, ...] = ()  # layers that were not measured
    schema: str = SCHEMA

    @property
    def sentence(self) -> str:
        """What all tables say."""
        return " ".join(table.sentence for table in self.tables)
