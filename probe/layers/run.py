"""`polyglot probe layers`: similarity, maps, retrieval and language identity at every layer (method §4, §7, §10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats, Labels, Rows
from ...stages import stage
from ..experiment.design import Draws, design_warnings
from ..experiment.language_stacks import LanguageStacks, embed_bitext
from ..experiment.layer_stack import Stack, same_layers, unread
from ..experiment.pairs import embed_instruments
from ..experiment.parallel import side_by_side
from ..results.layers import MEASURES, Layer, LayersResult, Stress
from ..results.provenance import Start
from .config import LayersConfig
from .disturbances import PaddingInputs, stress_tests
from .latent import LatentPlan
from .scores import LayerPlan, Measured, chance_band, measure_layer
from .sentences import layer_sentences

if TYPE_CHECKING:
    from ...data.bitext import Bitext, ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

COPIES = 5  # of a layer in float64, while it is measured


def run(
    encoder: Encoder,
    bitext: Bitext,
    config: LayersConfig = LayersConfig(),  # noqa: B008 - frozen
    *,
    instruments: ParallelText | None = None,
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
    instruments : ParallelText, optional
        The same rows in other languages, whose pooled output takes noise out of latent shares. The languages of the
        bitext among them are passed over.
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
        If a layer does not exist.
    DataError
        If there are too few pairs, or an embedding is zero or not finite.
    """
    start = Start.now(command)
    pair = embed_bitext(encoder, bitext, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
    padded = PaddingInputs(encoder, tuple(bitext.sources), tuple(bitext.targets)) if config.stress else None
    views = embed_instruments(encoder, bitext, instruments, cache=cache, batch_tokens=batch_tokens, progress=progress)
    return _measured(pair, views, config, padded, start)


def measure(
    x: Sequence[Rows] | Rows,
    y: Sequence[Rows] | Rows,
    groups: Sequence[int] | Labels | None = None,
    config: LayersConfig = LayersConfig(),  # noqa: B008 - frozen
    *,
    instruments: Mapping[str, Rows] | None = None,
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
    instruments : mapping of str to array (n, w), optional
        Other renderings of the same rows, by name: they take noise out of latent shares.
    names : (str, str)
        What the sides are called in the result.
    layers : sequence of str, optional
        Names of the layers; by default their numbers.

    Raises
    ------
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
    """
    start = Start.now(command)
    stacks = (Stack.of_arrays(names[0], x, layers), Stack.of_arrays(names[1], y, layers))
    views = {name: np.asarray(rows, np.float64) for name, rows in (instruments or {}).items()}
    return _measured(LanguageStacks.of_arrays(stacks, groups), views, config, None, start)


def _measured(
    pair: LanguageStacks,
    instruments: Mapping[str, Floats],
    config: LayersConfig,
    padded: PaddingInputs | None,
    start: Start,
) -> LayersResult:
    same_layers(*pair.stacks)
    pair, constant = pair.varying()
    source, target = pair.stacks
    design = pair.design(Draws(config.folds, config.permutations, config.resamples, config.seed))
    plan = LayerPlan(config.neighbours, config.removed, config.costly_permutations)
    both = tuple(zip(source.rows, target.rows, strict=True))
    held = COPIES * 8 * max(x.size + y.size for x, y in both)
    latent = LatentPlan.of(pair, instruments, config.seed)

    def measured_layer(xy: tuple[Rows, Rows]) -> Measured:
        plain = measure_layer(*xy, design, plan)
        return plain if latent is None else replace(plain, estimates={**plain.estimates, **latent.shares(*xy)})

    measured = side_by_side(measured_layer, both, bytes_each=held, name="measuring layers")
    layers = tuple(
        Layer(name, (x.shape[1], y.shape[1]), layer.measures)
        for name, (x, y), layer in zip(source.layers, both, measured, strict=True)
    )
    chance = {name: band for name in MEASURES if (band := chance_band(measured, name)) is not None}
    stress: tuple[Stress, ...] = ()
    if config.stress:
        stage("known disturbances")
        x, y = (np.asarray(rows, np.float64) for rows in both[-1])
        without_refits = replace(plan, refits=0)
        stress = tuple(stress_tests(x, y, measured[-1], design, without_refits, seed=config.seed, texts=padded))
    return LayersResult(
        source=source.language,
        target=target.language,
        n=pair.n,
        groups=len(np.unique(pair.groups)),
        pool=len(pair.pools[1].rows),
        folds=config.folds,
        neighbours=config.neighbours,
        removed=config.removed,
        layers=layers,
        chance=chance,
        story=layer_sentences(layers, chance),
        stress=stress,
        warnings=(*design_warnings(design, pair.width), *pair.warnings, *(unread(pair.stacks) if instruments else ())),
        permutations=config.permutations,
        costly_permutations=config.costly_permutations,
        resamples=config.resamples,
        provenance=pair.provenance(start, config.seed),
        instruments=() if latent is None else tuple(latent.instruments),
        constant=constant,
    )


__all__ = ["LayersConfig", "measure", "run"]
