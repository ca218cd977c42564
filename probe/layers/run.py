"""`polyglot probe layers`: similarity, maps, retrieval and language identity at every layer (method §4, §7, §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.retrieval.scores import Pool
from ...analysis.types import Integers, Rows
from ...errors import DataError
from ..experiment.design import Design, Draws, design_warnings, pool_of_texts
from ..experiment.layer_stack import Stack, check_stacks, embed_stack, fingerprint, same_layers, side, stack_jobs
from ..experiment.pairs import MINIMUM_ROWS, TextSide, equal_vector_groups, text_warnings
from ..experiment.parallel import side_by_side
from ..results.layers import MEASURES, ChanceBand, Layer, LayersResult, Stress
from ..results.provenance import Origin, provenance
from .config import LayersConfig
from .scores import LayerPlan, Measured, chance_of, measure_layer
from .story import story
from .stress import Stressed, stress_tests

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

COPIES = 5  # of a layer in float64, while it is measured


@dataclass(frozen=True, slots=True, eq=False)
class LayerPairs:
    """Both languages at every layer, with their groups and pools."""

    source: Stack
    target: Stack
    groups: Integers
    pools: tuple[Pool, Pool]
    warnings: tuple[str, ...] = ()


def run(
    encoder: Encoder,
    bitext: Bitext,
    config: LayersConfig = LayersConfig(),  # noqa: B008 - frozen
    *,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> LayersResult:
    """Measure every layer of an encoder on a bitext.

    Parameters
    ----------
    encoder : Encoder
        Its hidden states are pooled by its own pooling.
    bitext : Bitext
        At least 50 pairs.
    config : LayersConfig
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
        If a layer does not exist.
    DataError
        If there are too few pairs, or an embedding is zero or not finite.
    """
    if len(bitext) < MINIMUM_ROWS:
        raise DataError(f"{bitext.name} has {len(bitext)} pairs: expected at least {MINIMUM_ROWS}")
    origin = Origin.now(command)
    pairs = embed_layers(encoder, bitext, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
    sides = (side(bitext.source, encoder), side(bitext.target, encoder))
    origin = replace(origin, models=sides, device=encoder.device)
    texts = Stressed(encoder, tuple(bitext.sources), tuple(bitext.targets)) if config.stress else None
    return _measured(pairs, config, texts, origin, (bitext.name, bitext.fingerprint))


def measure(
    x: Sequence[Rows] | Rows,
    y: Sequence[Rows] | Rows,
    groups: Sequence[int] | NDArray[np.integer] | None = None,
    config: LayersConfig = LayersConfig(),  # noqa: B008 - frozen
    *,
    names: tuple[str, str] = ("x", "y"),
    layers: Sequence[str] | None = None,
    command: str = "",
) -> LayersResult:
    """Measure layers that you already have as arrays.

    Parameters
    ----------
    x, y : array (l, n, d), or sequence of l arrays (n, d)
        The same sentences in two languages at the same layers, n ≥ 50.
    groups : sequence of int, optional
        Concept group of each row, (n,); by default rows with equal vectors at the last layer are one group.
    config : LayersConfig
        `layers` is not used: all that is given is measured.
    names : (str, str)
        What the sides are called in the result.
    layers : sequence of str, optional
        Names of the layers; by default their numbers.

    Raises
    ------
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
    """
    origin = Origin.now(command)
    source, target = Stack.of_arrays(names[0], x, layers), Stack.of_arrays(names[1], y, layers)
    check_stacks(source, target)
    if groups is not None and len(groups) != source.n:
        raise DataError(f"expected a group for each of {source.n} rows, got {len(groups)}")
    last = (np.asarray(source.rows[-1], np.float64), np.asarray(target.rows[-1], np.float64))
    numbers = equal_vector_groups(*last) if groups is None else np.asarray(groups, np.int64)
    pools = (Pool.of_vectors(last[0], numbers), Pool.of_vectors(last[1], numbers))
    pairs = LayerPairs(source, target, numbers, pools)
    return _measured(pairs, config, None, origin, ("arrays", fingerprint((source, target))))


def embed_layers(
    encoder: Encoder,
    bitext: Bitext,
    layers: Sequence[int] | None,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> LayerPairs:
    """Embed both sides of a bitext at all layers, or the asked ones, in one pass a side."""
    from ...data.groups import concept_groups
    from ...models.encoding import encode_together

    jobs = stack_jobs(encoder, (bitext.sources, bitext.targets), layers)
    encode_together(jobs, cache, batch_tokens=batch_tokens, progress=progress)
    stacks, sides = [], []
    for language, texts in ((bitext.source, bitext.sources), (bitext.target, bitext.targets)):
        encoded, asked = embed_stack(encoder, texts, layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
        stacks.append(Stack.of_encoded(language, encoded, asked))
        sides.append(TextSide(side(language, encoder), encoded, None))
    groups = concept_groups(bitext)
    pools = (pool_of_texts(bitext.sources, groups), pool_of_texts(bitext.targets, groups))
    check_stacks(stacks[0], stacks[1])
    return LayerPairs(stacks[0], stacks[1], groups, pools, text_warnings((sides[0], sides[1]), bitext))


def _measured(
    pairs: LayerPairs, config: LayersConfig, texts: Stressed | None, origin: Origin, corpus: tuple[str, str]
) -> LayersResult:
    same_layers(pairs.source, pairs.target)
    draws = Draws(config.folds, config.permutations, config.resamples, config.seed)
    design = Design.draw(pairs.groups, pairs.source.lengths, pairs.pools, draws)
    plan = LayerPlan(config.neighbours, config.removed, config.costly_permutations)
    both = tuple(zip(pairs.source.rows, pairs.target.rows, strict=True))
    held = COPIES * 8 * max(x.size + y.size for x, y in both)
    measured = side_by_side(lambda xy: measure_layer(*xy, design, plan), both, bytes_each=held)
    layers = tuple(_layer(n, xy, m) for n, xy, m in zip(pairs.source.layers, both, measured, strict=True))
    chance = _chance(measured)
    width = max(max(layer.dims) for layer in layers)
    return LayersResult(
        source=pairs.source.language,
        target=pairs.target.language,
        n=pairs.source.n,
        groups=len(np.unique(pairs.groups)),
        pool=len(pairs.pools[1].rows),
        folds=config.folds,
        neighbours=config.neighbours,
        removed=config.removed,
        layers=layers,
        chance=chance,
        story=story(layers, chance),
        stress=_stress(both[-1], measured[-1], design, config, texts),
        warnings=(*design_warnings(design, width), *pairs.warnings),
        permutations=config.permutations,
        costly_permutations=config.costly_permutations,
        resamples=config.resamples,
        provenance=provenance(origin, corpus=corpus[0], fingerprint=corpus[1], seed=config.seed),
    )


def _layer(name: str, both: tuple[Rows, Rows], measured: Measured) -> Layer:
    return Layer(name, (both[0].shape[1], both[1].shape[1]), measured.measures)


def _chance(measured: Sequence[Measured]) -> dict[str, ChanceBand]:
    found = {}
    for name in MEASURES:
        highest = chance_of(measured, name)
        if highest is not None:
            found[name] = ChanceBand(float(highest.mean()), float(np.quantile(highest, 0.95)), len(highest))
    return found


def _stress(
    both: tuple[Rows, Rows], plain: Measured, design: Design, config: LayersConfig, texts: Stressed | None
) -> tuple[Stress, ...]:
    if not config.stress:
        return ()
    plan = LayerPlan(config.neighbours, config.removed, 0)
    x, y = (np.asarray(rows, np.float64) for rows in both)
    return tuple(stress_tests(x, y, plain, design, plan, seed=config.seed, texts=texts))


__all__ = ["LayersConfig", "measure", "run"]
