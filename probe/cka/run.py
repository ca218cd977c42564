"""`polyglot probe cka`: layers against layers, within a model or between two (method §7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Labels, Rows
from ..experiment.design import Draws, design_warnings
from ..experiment.language_stacks import LanguageStacks, embed_bitext
from ..experiment.layer_stack import Stack, constant_layers, stack_jobs
from ..results.cka import CkaResult
from ..results.provenance import Side, Start
from .config import CkaConfig
from .table import Compared, layer_table

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder


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
    from ...models.encoding import encode_together

    start = Start.now(command)
    if other is None:
        both = embed_bitext(encoder, bitext, config.layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
        return _measured(both, (((both.sides[0], both.stacks[0]), (both.sides[1], both.stacks[1])),), config, start)
    columns = (bitext.sources, bitext.targets)
    jobs = [*stack_jobs(encoder, columns, config.layers), *stack_jobs(other, columns, config.other_layers)]
    encode_together(jobs, cache, batch_tokens=batch_tokens, progress=progress)
    first, second = (
        embed_bitext(model, bitext, layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
        for model, layers in ((encoder, config.layers), (other, config.other_layers))
    )
    by_language = zip(first.sides, first.stacks, second.sides, second.stacks, strict=True)
    pairs = tuple(((a, ours), (b, theirs)) for a, ours, b, theirs in by_language)
    both = replace(
        first,
        sides=tuple(dict.fromkeys(side for pair in pairs for side, _ in pair)),
        warnings=tuple(dict.fromkeys((*first.warnings, *second.warnings))),
    )
    return _measured(both, pairs, config, start)


def measure(
    x: Sequence[Rows] | Rows,
    y: Sequence[Rows] | Rows,
    groups: Sequence[int] | Labels | None = None,
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
    start = Start.now(command)
    both = LanguageStacks.of_arrays((Stack.of_arrays(names[0], x), Stack.of_arrays(names[1], y)), groups)
    pair = tuple((Side(stack.language, "arrays", ""), stack) for stack in both.stacks)
    return _measured(both, ((pair[0], pair[1]),), config, start)


def _measured(
    both: LanguageStacks, pairs: tuple[tuple[Compared, Compared], ...], config: CkaConfig, start: Start
) -> CkaResult:
    several = len({side.model for pair in pairs for side, _ in pair}) > 1
    found = [constant_layers([stack], side.model if several else "") for pair in pairs for side, stack in pair]
    constant = tuple(dict.fromkeys(one for layers in found for one in layers))
    pairs = tuple(((a, x.without(x.constant)), (b, y.without(y.constant))) for (a, x), (b, y) in pairs)
    design = both.design(Draws(config.folds, config.permutations, config.resamples, config.seed))
    tables = tuple(layer_table(rows, columns, design, config.neighbours) for rows, columns in pairs)
    width = max(rows.shape[1] for pair in pairs for _, stack in pair for rows in stack.rows)
    return CkaResult(
        source=both.languages[0],
        target=both.languages[1],
        n=both.n,
        groups=len(np.unique(both.groups)),
        folds=config.folds,
        neighbours=config.neighbours,
        tables=tables,
        warnings=(*design_warnings(design, width), *both.warnings),
        permutations=config.permutations,
        resamples=config.resamples,
        provenance=both.provenance(start, config.seed),
        constant=constant,
    )


__all__ = ["CkaConfig", "measure", "run"]
