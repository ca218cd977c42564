"""The result of `polyglot probe layers`, schema polyglot/layers/1."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .intervals import Interval
from .provenance import Provenance

SCHEMA = "polyglot/layers/1"
POOLED = "pooled"  # name of the pooled output among the layers


def layer_label(name: str) -> str:
    """Return the name of a layer in a sentence.

    Examples
    --------
    >>> layer_label("3"), layer_label("pooled")
    ('layer 3', 'the pooled output')
    """
    return "the pooled output" if name == POOLED else f"layer {name}"


@dataclass(frozen=True, slots=True)
class ConstantLayer:
    """A layer at which all sentences of a language have one vector, as where [CLS] is pooled from the embeddings."""

    name: str
    place: int  # among all layers of its side, from 0
    languages: tuple[str, ...]  # in which it is constant
    model: str = ""  # where a result has layers of two models


def constant_sentence(constant: tuple[ConstantLayer, ...]) -> str:
    """Say which layers were not measured, and why; empty if there are none.

    Examples
    --------
    >>> constant_sentence((ConstantLayer("0", 0, ("en", "fr")),))
    'Constant, and not measured: layer 0 (en, fr), where all sentences have one vector.'
    """
    if not constant:
        return ""
    sides = (", ".join((*one.languages, *([one.model] if one.model else []))) for one in constant)
    listed = "; ".join(f"{layer_label(one.name)} ({side})" for one, side in zip(constant, sides, strict=True))
    return f"Constant, and not measured: {listed}, where all sentences have one vector."


@dataclass(frozen=True, slots=True)
class LayerMeasures:
    """Everything measured at one layer; what needs both sides in one width is None where widths differ."""

    cka: Interval  # debiased linear CKA
    cka_without_components: Interval  # the strongest principal components of each side removed
    cka_without_rogue: Interval  # the coordinates that rule cosine or variance removed
    mutual_knn: Interval
    cknna: Interval
    procrustes: Interval  # held out: cosine of the rotated source with the target
    linear_r2: Interval  # held out
    rotation_share: Interval  # R² of the rotation as a share of the best of the three maps fitted
    similarity_share: Interval  # the same for the rotation with one scale, which may shrink where little is found
    p_at_1_mapped: Interval  # predictions of the linear map among the targets
    p_at_1_mapped_backward: Interval
    p_at_1: Interval | None = None  # rows as they are
    p_at_1_backward: Interval | None = None
    language_id: Interval | None = None  # held-out accuracy of a linear classifier
    latent_rotation: Interval | None = None  # noise aside: what a rotation explains of what instruments share with y
    latent_linear: Interval | None = None  # the same of a linear map; both None where instruments say too little


#: Names of all measures, in the order of their fields.
MEASURES: tuple[str, ...] = tuple(f.name for f in fields(LayerMeasures))


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: "0" is the embedding output, "pooled" what the whole pipeline gives."""

    name: str
    dims: tuple[int, int]
    measures: LayerMeasures


@dataclass(frozen=True, slots=True)
class ChanceBand:
    """Null of the best layer: the maximum over the layers under permuted pairs."""

    mean: float
    p95: float
    permutations: int


@dataclass(frozen=True, slots=True)
class StressedMeasure:
    """A measure of the pooled output before and after a stress; `moved` where it left its own interval."""

    name: str
    plain: Interval
    stressed: Interval
    moved: bool


@dataclass(frozen=True, slots=True)
class Stress:
    """A disturbance of the arrays, and how the measures changed."""

    name: str
    description: str
    measures: tuple[StressedMeasure, ...]
    retrieval_moved: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class LayersResult:
    """Similarity, maps, retrieval and language identity at every layer of one model."""

    source: str
    target: str
    n: int
    groups: int
    pool: int
    folds: int
    neighbours: int
    removed: int
    layers: tuple[Layer, ...]
    chance: dict[str, ChanceBand]  # by measure
    story: tuple[str, ...]
    stress: tuple[Stress, ...]
    warnings: tuple[str, ...]
    permutations: int
    costly_permutations: int
    resamples: int
    provenance: Provenance
    instruments: tuple[str, ...] = ()  # languages whose pooled output takes the noise out of latent shares
    constant: tuple[ConstantLayer, ...] = ()  # layers that are not among `layers`
    schema: str = SCHEMA
