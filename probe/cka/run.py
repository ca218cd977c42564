"""`polyglot probe cka`: layers against layers, within a model or between two (method §7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.retrieval.scores import Pool
from ...analysis.types import Integers, Rows
from ...errors import DataError
from ..experiment.design import Design, Draws, design_warnings
from ..experiment.layer_stack import Stack, check_stacks, fingerprint, side, stack_jobs
from ..experiment.pairs import MINIMUM_ROWS, equal_vector_groups
from ..layers.run import embed_layers
from ..results.cka import CkaResult, LayerTable
from ..results.provenance import Origin, provenance
from ..results.serialization import Side
from .config import CkaConfig
from .table import layer_table

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """What is compared with what, on which rows."""

    languages: tuple[str, str]
    pairs: tuple[tuple[tuple[Side, Stack], tuple[Side, Stack]], ...]
    groups: Integers
    pools: tuple[Pool, Pool]
    lengths: Integers
    warnings: tuple[str, ...] = ()


def run(
    encoder: Encoder,
    bitext: Bitext,
    config: CkaConfig = CkaConfig(),  # noqa: B008 - frozen
    *,
    other: Encoder | None = None,
    cache: EmbeddingCache | None = None,
    command: str = "",
    batch_tokens: int | None = None,
    progress: bool = False,
) -> CkaResult:
    """Compare the layers of one model between two languages, or of two models for each language.

    Parameters
    ----------
    encoder : Encoder
        Its layers are the rows.
    bitext : Bitext
        At least 50 pairs.
    config : CkaConfig
    other : Encoder, optional
        A second model, whose layers are the columns; without it source layers are compared with target layers.
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
    from ...models.encoding import encode_together

    if len(bitext) < MINIMUM_ROWS:
        raise DataError(f"{bitext.name} has {len(bitext)} pairs: expected at least {MINIMUM_ROWS}")
    origin = Origin.now(command)
    if other is not None:
        columns = (bitext.sources, bitext.targets)
        jobs = [*stack_jobs(encoder, columns, config.layers), *stack_jobs(other, columns, config.other_layers)]
        encode_together(jobs, cache, batch_tokens=batch_tokens, progress=progress)
    found = embed_layers(encoder, bitext, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
    mine = _sides(encoder, bitext, (found.source, found.target))
    pairs: tuple[tuple[tuple[Side, Stack], tuple[Side, Stack]], ...] = (mine,)
    warnings = found.warnings
    if other is not None:
        beside = embed_layers(
            other, bitext, config.other_layers, cache=cache, batch_tokens=batch_tokens, progress=progress
        )
        theirs = _sides(other, bitext, (beside.source, beside.target))
        pairs = ((mine[0], theirs[0]), (mine[1], theirs[1]))
        warnings = tuple(dict.fromkeys((*warnings, *beside.warnings)))
    languages = (bitext.source, bitext.target)
    compared = _Compared(languages, pairs, found.groups, found.pools, found.source.lengths, warnings)
    models = tuple(dict.fromkeys(s for pair in pairs for s, _ in pair))
    origin = replace(origin, models=models, device=encoder.device)
    return _measured(compared, config, origin, (bitext.name, bitext.fingerprint))


def measure(
    x: Sequence[Rows] | Rows,
    y: Sequence[Rows] | Rows,
    groups: Sequence[int] | NDArray[np.integer] | None = None,
    config: CkaConfig = CkaConfig(),  # noqa: B008 - frozen
    *,
    names: tuple[str, str] = ("x", "y"),
    command: str = "",
) -> CkaResult:
    """Compare layers that you already have as arrays: the rows of the table are those of x, the columns those of y.

    Parameters
    ----------
    x, y : array (l, n, d), or sequence of arrays (n, d)
        Layers with the same n ≥ 50 sentences, or their translations; numbers of layers and widths may differ.
    groups : sequence of int, optional
        Concept group of each row, (n,); by default rows with equal vectors at the last layer are one group.
    config : CkaConfig
        `layers` and `other_layers` are not used: all that is given is compared.
    names : (str, str)
        What the sides are called in the result.

    Raises
    ------
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
    """
    origin = Origin.now(command)
    source, target = Stack.of_arrays(names[0], x), Stack.of_arrays(names[1], y)
    check_stacks(source, target)
    if groups is not None and len(groups) != source.n:
        raise DataError(f"expected a group for each of {source.n} rows, got {len(groups)}")
    last = (np.asarray(source.rows[-1], np.float64), np.asarray(target.rows[-1], np.float64))
    numbers = equal_vector_groups(*last) if groups is None else np.asarray(groups, np.int64)
    pools = (Pool.of_vectors(last[0], numbers), Pool.of_vectors(last[1], numbers))
    pair = ((Side(names[0], "arrays", ""), source), (Side(names[1], "arrays", ""), target))
    compared = _Compared(names, (pair,), numbers, pools, source.lengths)
    return _measured(compared, config, origin, ("arrays", fingerprint((source, target))))


def _sides(
    encoder: Encoder, bitext: Bitext, stacks: tuple[Stack, Stack]
) -> tuple[tuple[Side, Stack], tuple[Side, Stack]]:
    return (side(bitext.source, encoder), stacks[0]), (side(bitext.target, encoder), stacks[1])


def _measured(compared: _Compared, config: CkaConfig, origin: Origin, corpus: tuple[str, str]) -> CkaResult:
    draws = Draws(config.folds, config.permutations, config.resamples, config.seed)
    design = Design.draw(compared.groups, compared.lengths, compared.pools, draws)
    tables: list[LayerTable] = [layer_table(*pair, design, config.neighbours) for pair in compared.pairs]
    width = max(rows.shape[1] for pair in compared.pairs for _, stack in pair for rows in stack.rows)
    return CkaResult(
        source=compared.languages[0],
        target=compared.languages[1],
        n=len(compared.groups),
        groups=len(np.unique(compared.groups)),
        folds=config.folds,
        neighbours=config.neighbours,
        tables=tuple(tables),
        warnings=(*design_warnings(design, width), *compared.warnings),
        permutations=config.permutations,
        resamples=config.resamples,
        provenance=provenance(origin, corpus=corpus[0], fingerprint=corpus[1], seed=config.seed),
    )


__all__ = ["CkaConfig", "measure", "run"]
