"""The result of `polyglot probe geometry`, schema polyglot/geometry/1."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .intervals import Interval
from .layers import ConstantLayer
from .provenance import Provenance

SCHEMA = "polyglot/geometry/1"


@dataclass(frozen=True, slots=True)
class CloudMeasures:
    """Geometry of one cloud, with block-jackknife intervals; the null is an isotropic cloud of the same size."""

    isoscore: Interval
    mean_cosine: Interval
    effective_rank: Interval
    participation_ratio: Interval
    dimension: Interval  # TwoNN; the jackknife does not search neighbours again
    hub_skew: Interval
    robin_hood: Interval
    antihubs: Interval


#: Names of all measures, in the order of their fields.
MEASURES: tuple[str, ...] = tuple(f.name for f in fields(CloudMeasures))


@dataclass(frozen=True, slots=True)
class RogueCoordinate:
    """A coordinate with its share of the mean cosine and of the variance."""

    coordinate: int
    cosine_share: float
    variance_share: float


@dataclass(frozen=True, slots=True)
class ScalePoint:
    """TwoNN dimension of random parts of some size, and its spread over the parts."""

    rows: int
    dimension: float
    deviation: float


@dataclass(frozen=True, slots=True)
class LayerGeometry:
    """One language at one layer."""

    name: str
    dim: int
    plain: CloudMeasures
    without_components: CloudMeasures
    rogue: tuple[RogueCoordinate, ...]
    scales: tuple[ScalePoint, ...]  # at the last layer only


@dataclass(frozen=True, slots=True)
class LanguageGeometry:
    """One language at every layer."""

    language: str
    layers: tuple[LayerGeometry, ...]


@dataclass(frozen=True, slots=True)
class GeometryResult:
    """The shape of the cloud of each language, layer by layer."""

    n: int
    groups: int
    removed: int
    neighbours: int
    blocks: int
    languages: tuple[LanguageGeometry, ...]
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]
    provenance: Provenance
    constant: tuple[ConstantLayer, ...] = ()  # layers that were not measured
    schema: str = SCHEMA
