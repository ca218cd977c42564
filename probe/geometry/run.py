"""`polyglot probe geometry`: isotropy, effective rank, intrinsic dimension, rogue dimensions and hubs, by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.geometry.intrinsic_dimension import dimension_over_scales
from ...analysis.resampling import blocks_of_groups
from ...analysis.splits import group_folds
from ...analysis.types import Floats, Rows
from ...errors import DataError
from ..experiment.several import Several, check_languages, embed_several, several_of_arrays
from ..results.geometry import CloudMeasures, GeometryResult, LanguageGeometry, LayerGeometry, ScalePoint
from ..results.layers import POOLED
from ..results.provenance import Origin, provenance
from .cloud import CloudPlan, cloud_measures, isotropic_cloud, rogue_coordinates, with_reference
from .config import GeometryConfig

if TYPE_CHECKING:
    from ...data.bitext import ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

DECIMATIONS = (1, 2, 4, 8)
References = dict[int, tuple[CloudMeasures, CloudMeasures]]  # by width


def run(
    encoder: Encoder,
    text: ParallelText,
    languages: Sequence[str],
    config: GeometryConfig = GeometryConfig(),  # noqa: B008 - frozen
    *,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> GeometryResult:
    """Measure the cloud of each language of a text at every layer.

    Parameters
    ----------
    encoder : Encoder
    text : ParallelText
        At least 50 rows.
    languages : sequence of str
        One or more of its languages.
    config : GeometryConfig
    cache : EmbeddingCache, optional
        Where embeddings are kept.
    command : str
        What was typed, for the provenance.
    batch_tokens : int, optional
        Token budget of a batch.
    progress : bool
        Whether a bar is drawn while encoding.

    Raises
    ------
    ConfigError
        If no language is named, or a layer does not exist.
    DataError
        If the text lacks a language or has too few rows, or an embedding is zero or not finite.
    """
    check_languages(languages, 1)
    origin = Origin.now(command)
    several = embed_several(
        encoder, text, languages, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress
    )
    return _measured(several, config, replace(origin, models=several.sides, device=encoder.device))


def measure(
    rows: Sequence[Rows],
    groups: Sequence[int] | NDArray[np.integer] | None = None,
    config: GeometryConfig = GeometryConfig(),  # noqa: B008 - frozen
    *,
    names: Sequence[str],
    command: str = "",
) -> GeometryResult:
    """Measure arrays that you already have.

    Parameters
    ----------
    rows : sequence of arrays (n, d) or (l, n, d)
        One for each language: the same n ≥ 50 sentences.
    groups : sequence of int, optional
        Concept group of each row, (n,), for the jackknife; by default equal rows are one group.
    config : GeometryConfig
        `layers` is not used: all that is given is measured.
    names : sequence of str
        The languages.

    Raises
    ------
    ConfigError
        If no language is named.
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
    """
    check_languages(names, 1)
    origin = Origin.now(command)
    return _measured(several_of_arrays(rows, names, groups), config, origin)


def _measured(several: Several, config: GeometryConfig, origin: Origin) -> GeometryResult:
    if len(np.unique(several.groups)) < config.blocks:
        raise DataError(f"expected at least {config.blocks} groups of rows for the jackknife: give more text")
    folds = group_folds(several.groups, config.blocks, np.random.default_rng(config.seed))
    blocks = tuple(blocks_of_groups(several.groups, folds, config.blocks))
    plan = CloudPlan(blocks, config.neighbours, config.removed)
    references: References = {}
    languages = tuple(_language(several, place, plan, config, references) for place in range(len(several.languages)))
    return GeometryResult(
        n=several.n,
        groups=len(np.unique(several.groups)),
        removed=config.removed,
        neighbours=config.neighbours,
        blocks=len(blocks),
        languages=languages,
        sentences=tuple(geometry_sentence(language) for language in languages),
        warnings=(*_warnings(several), *several.warnings),
        provenance=provenance(origin, corpus=several.corpus[0], fingerprint=several.corpus[1], seed=config.seed),
    )


def _language(
    several: Several, place: int, plan: CloudPlan, config: GeometryConfig, references: References
) -> LanguageGeometry:
    layers = tuple(_layer(several, place, name, (plan, config), references) for name in several.layers)
    return LanguageGeometry(several.languages[place], layers)


def _layer(
    several: Several, place: int, name: str, how: tuple[CloudPlan, GeometryConfig], references: References
) -> LayerGeometry:
    plan, config = how
    x = several.at(name)[place]
    plain, cleaned = cloud_measures(x, plan)
    reference = _reference(len(x), x.shape[1], how, references)
    return LayerGeometry(
        name=name,
        dim=x.shape[1],
        plain=with_reference(plain, reference[0]),
        without_components=with_reference(cleaned, reference[1]),
        rogue=rogue_coordinates(x, config.rogue),
        scales=_scales(x, config) if name == several.layers[-1] else (),
    )


def _reference(
    n: int, width: int, how: tuple[CloudPlan, GeometryConfig], references: References
) -> tuple[CloudMeasures, CloudMeasures]:
    """Measure an isotropic cloud of one size, once for each width."""
    if width not in references:
        plan, config = how
        cloud = isotropic_cloud(n, width, np.random.default_rng([config.seed, 41]))
        references[width] = cloud_measures(cloud, plan)
    return references[width]


def _scales(x: Floats, config: GeometryConfig) -> tuple[ScalePoint, ...]:
    usable = [parts for parts in DECIMATIONS if len(np.unique(x, axis=0)) // parts >= 25]
    found = dimension_over_scales(x, np.random.default_rng([config.seed, 42]), decimations=usable)
    return tuple(ScalePoint(scale.rows, scale.dimension, scale.deviation) for scale in found)


def _warnings(several: Several) -> tuple[str, ...]:
    width = max(rows.shape[1] for stack in several.stacks for rows in stack.rows)
    if several.n >= 10 * width:
        return ()
    return (
        f"{several.n} rows in {width} dimensions: a sample spreads its spectrum by itself, so compare IsoScore and "
        "ranks with the isotropic cloud of the same size, not with 1 and the width",
    )


def geometry_sentence(language: LanguageGeometry) -> str:
    """Say how one language fills its space at the last layer."""
    layer = language.layers[-1]
    where = "the pooled output" if layer.name == POOLED else f"layer {layer.name}"
    cosine, rank, dimension = layer.plain.mean_cosine, layer.plain.effective_rank, layer.plain.dimension
    return (
        f"{language.language}, {where}: mean cosine {cosine.value:.2f} [{cosine.low:.2f}, {cosine.high:.2f}], "
        f"effective rank {rank.value:.0f} of {layer.dim}, intrinsic dimension {dimension.value:.1f} "
        f"[{dimension.low:.1f}, {dimension.high:.1f}]."
    )


__all__ = ["GeometryConfig", "measure", "run"]
