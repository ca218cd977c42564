"""`polyglot probe geometry`: isotropy, effective rank, intrinsic dimension, rogue dimensions and hubs, by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.geometry.intrinsic_dimension import dimension_over_scales
from ...analysis.resampling import blocks_of_groups
from ...analysis.splits import group_folds
from ...analysis.types import Floats, Labels, Rows
from ...errors import DataError
from ...stages import counted
from ..experiment import caveats
from ..experiment.language_stacks import LanguageStacks, check_languages, embed_languages, languages_of_arrays
from ..experiment.layer_stack import Stack
from ..results.geometry import CloudMeasures, GeometryResult, LanguageGeometry, LayerGeometry, ScalePoint
from ..results.layers import layer_label
from ..results.provenance import Start
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
        Of embeddings.
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
    start = Start.now(command)
    stacks = embed_languages(
        encoder, text, languages, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress
    )
    return _measured(stacks, config, start)


def measure(
    rows: Sequence[Rows],
    groups: Sequence[int] | Labels | None = None,
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
    start = Start.now(command)
    return _measured(languages_of_arrays(rows, names, groups), config, start)


def _measured(stacks: LanguageStacks, config: GeometryConfig, start: Start) -> GeometryResult:
    stacks, constant = stacks.varying()
    if len(np.unique(stacks.groups)) < config.blocks:
        raise DataError(f"expected at least {config.blocks} groups of rows for the jackknife: give more text")
    folds = group_folds(stacks.groups, config.blocks, np.random.default_rng(config.seed))
    blocks = tuple(blocks_of_groups(stacks.groups, folds, config.blocks))
    plan = CloudPlan(blocks, config.neighbours, config.removed)
    widths = {rows.shape[1] for stack in stacks.stacks for rows in stack.rows}
    references = {
        width: cloud_measures(isotropic_cloud(stacks.n, width, np.random.default_rng([config.seed, 41])), plan)
        for width in sorted(widths)
    }
    languages = tuple(
        language_geometry(stack, plan, references, config) for stack in counted(stacks.stacks, "measuring languages")
    )
    return GeometryResult(
        n=stacks.n,
        groups=len(np.unique(stacks.groups)),
        removed=config.removed,
        neighbours=config.neighbours,
        blocks=len(blocks),
        languages=languages,
        sentences=tuple(map(geometry_sentence, languages)),
        warnings=(*caveats.few_rows(stacks.n, stacks.width), *stacks.warnings),
        provenance=stacks.provenance(start, config.seed),
        constant=constant,
    )


def language_geometry(
    stack: Stack, plan: CloudPlan, references: References, config: GeometryConfig
) -> LanguageGeometry:
    """Measure one language at every layer, beside isotropic clouds of the same size and width.

    The dimension over scales is of the last layer only.
    """
    layers = []
    for name, rows in zip(stack.layers, stack.rows, strict=True):
        x = np.asarray(rows, np.float64)
        plain, cleaned = cloud_measures(x, plan)
        reference, cleaned_reference = references[x.shape[1]]
        layers.append(
            LayerGeometry(
                name=name,
                dim=x.shape[1],
                plain=with_reference(plain, reference),
                without_components=with_reference(cleaned, cleaned_reference),
                rogue=rogue_coordinates(x, config.rogue),
                scales=dimensions_by_size(x, config.seed) if name == stack.layers[-1] else (),
            )
        )
    return LanguageGeometry(stack.language, tuple(layers))


def dimensions_by_size(x: Floats, seed: int) -> tuple[ScalePoint, ...]:
    """Return the TwoNN dimension of random parts of x (n, d), of at least 25 different rows each."""
    usable = [parts for parts in DECIMATIONS if len(np.unique(x, axis=0)) // parts >= 25]
    found = dimension_over_scales(x, np.random.default_rng([seed, 42]), decimations=usable)
    return tuple(ScalePoint(scale.rows, scale.dimension, scale.deviation) for scale in found)


def geometry_sentence(language: LanguageGeometry) -> str:
    """Say how one language fills its space at the last layer."""
    layer = language.layers[-1]
    cosine, rank, dimension = layer.plain.mean_cosine, layer.plain.effective_rank, layer.plain.dimension
    return (
        f"{language.language}, {layer_label(layer.name)}: "
        f"mean cosine {cosine.value:.2f} [{cosine.low:.2f}, {cosine.high:.2f}], "
        f"effective rank {rank.value:.0f} of {layer.dim}, intrinsic dimension {dimension.value:.1f} "
        f"[{dimension.low:.1f}, {dimension.high:.1f}]."
    )


__all__ = ["GeometryConfig", "measure", "run"]
