"""The same sentences in several languages, at some layers of one encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.retrieval.scores import Pool
from ...analysis.types import Floats, Integers, Rows
from ...errors import ConfigError, DataError
from ..results.serialization import Side
from .design import Design, Draws, pool_of_texts
from .layer_stack import Stack, check_stacks, embed_stack, fingerprint, same_layers, side, stack_jobs
from .pairs import MINIMUM_ROWS, equal_vector_groups

if TYPE_CHECKING:
    from ...data.bitext import ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder


@dataclass(frozen=True, slots=True, eq=False)
class Several:
    """Stacks of c ≥ 1 languages with the same n sentences, their groups and pools."""

    stacks: tuple[Stack, ...]
    groups: Integers  # (n,)
    pools: tuple[Pool, ...]  # distinct rows of each language
    corpus: tuple[str, str]  # name and fingerprint
    texts: tuple[tuple[str, ...], ...] | None = None
    sides: tuple[Side, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """Names of the languages."""
        return tuple(stack.language for stack in self.stacks)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self.stacks[0].layers

    @property
    def n(self) -> int:
        """Number of sentences in each language."""
        return self.stacks[0].n

    def at(self, layer: str) -> list[Floats]:
        """Rows of each language at one layer, (n, d) each."""
        place = self.layers.index(layer)
        return [np.asarray(stack.rows[place], np.float64) for stack in self.stacks]

    def design(self, draws: Draws) -> Design:
        """Draw folds, blocks, resamples and broken pairs; the pools are those of the first and the last language."""
        return Design.draw(self.groups, self.stacks[0].lengths, (self.pools[0], self.pools[-1]), draws)


def check_languages(languages: Sequence[str], least: int) -> None:
    """Refuse too few languages, and one that is named twice.

    Raises
    ------
    ConfigError
    """
    if len(languages) < least:
        raise ConfigError(f"expected at least {least} languages, got {len(languages)}: {', '.join(languages)}")
    if len(set(languages)) < len(languages):
        raise ConfigError(f"expected different languages, got {', '.join(languages)}")


def embed_several(
    encoder: Encoder,
    text: ParallelText,
    languages: Sequence[str],
    layers: Sequence[int] | None,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> Several:
    """Embed columns of a parallel text at the pooled output and at some hidden states (None: all), one pass a column.

    Raises
    ------
    DataError
        If the text lacks a language or has too few rows, or an embedding is zero or not finite.
    """
    from ...models.encoding import encode_together

    if len(text) < MINIMUM_ROWS:
        raise DataError(f"{text.name} has {len(text)} rows: expected at least {MINIMUM_ROWS}")
    columns = tuple(tuple(text.column(language)) for language in languages)
    encode_together(stack_jobs(encoder, columns, layers), cache, batch_tokens=batch_tokens, progress=progress)
    stacks, warnings = [], []
    for language, sentences in zip(languages, columns, strict=True):
        encoded, asked = embed_stack(
            encoder, sentences, layers, cache=cache, batch_tokens=batch_tokens, progress=progress
        )
        stacks.append(Stack.of_encoded(language, encoded, asked))
        unknown = float(encoded.unknown.sum() / max(int(encoded.tokens.sum()), 1))
        if unknown > 0.05:
            warnings.append(f"{unknown:.0%} of the {language} tokens are unknown to {encoder.name}")
        if encoded.truncated.any():
            warnings.append(f"{int(encoded.truncated.sum())} {language} texts were cut at the model's length")
    for stack in stacks:
        check_stacks(stacks[0], stack)
    groups = groups_of(text, languages)
    pools = tuple(pool_of_texts(column, groups) for column in columns)
    sides = tuple(side(language, encoder) for language in languages)
    corpus = (text.name, text.fingerprint)
    return Several(tuple(stacks), groups, pools, corpus, columns, sides, tuple(warnings))


def groups_of(text: ParallelText, languages: Sequence[str]) -> Integers:
    """Join rows that are equal or nearly equal in any of the languages, (n,)."""
    from ...data.groups import concept_groups

    groups = text.groups
    for language in languages[1:] or languages:
        bitext = text.bitext(languages[0], language)
        groups = concept_groups(bitext if groups is None else replace(bitext, groups=groups))
    assert groups is not None
    return groups


def several_of_arrays(
    rows: Sequence[Rows], names: Sequence[str], groups: Sequence[int] | NDArray[np.integer] | None
) -> Several:
    """Take arrays (n, d) or (l, n, d), one for each language, as they are.

    Raises
    ------
    DataError
        If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
    """
    if len(names) != len(rows):
        raise DataError(f"expected a name for each of {len(rows)} languages, got {len(names)}")
    stacks = [
        Stack.of_arrays(name, layers if np.ndim(layers) == 3 else [layers])
        for name, layers in zip(names, rows, strict=True)
    ]
    for stack in stacks:
        same_layers(stacks[0], stack)
        check_stacks(stacks[0], stack)
    if groups is not None and len(groups) != stacks[0].n:
        raise DataError(f"expected a group for each of {stacks[0].n} rows, got {len(groups)}")
    last = [np.asarray(stack.rows[-1], np.float64) for stack in stacks]
    numbers = _equal_rows(last) if groups is None else np.asarray(groups, np.int64)
    pools = tuple(Pool.of_vectors(side, numbers) for side in last)
    return Several(tuple(stacks), numbers, pools, ("arrays", fingerprint(stacks)))


def _equal_rows(sides: Sequence[Floats]) -> Integers:
    """Join rows that are equal on any side; every side's groups are carried into the next as a column."""
    groups = equal_vector_groups(sides[0], sides[0])
    for rows in sides[1:]:
        groups = equal_vector_groups(groups[:, None].astype(np.float64), rows)
    return groups
