"""The same sentences in several languages, at some layers of one encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.retrieval.scores import Pool
from ...analysis.types import Floats, Integers, Labels, Rows
from ...errors import ConfigError, DataError
from ...stages import stage
from ..results.layers import ConstantLayer
from ..results.provenance import Provenance, Side, Start
from . import caveats
from .checks import MINIMUM_ROWS
from .design import Design, Draws
from .layer_stack import Stack, check_stacks, constant_layers, embed_stack, fingerprint, same_layers, stack_jobs
from .pairs import equal_vector_groups, pool_of_texts, side

if TYPE_CHECKING:
    from ...data.bitext import Bitext, ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.encoder import Encoder

Columns = Mapping[str, Sequence[str]]  # language → its texts


@dataclass(frozen=True, slots=True, eq=False)
class LanguageStacks:
    """Stacks of c ≥ 1 languages with the same n sentences, their groups and pools."""

    stacks: tuple[Stack, ...]
    groups: Integers  # (n,)
    pools: tuple[Pool, ...]  # distinct rows of each language
    corpus: tuple[str, str]  # name and fingerprint
    texts: tuple[tuple[str, ...], ...] | None = None
    sides: tuple[Side, ...] = ()
    device: str = "cpu"
    warnings: tuple[str, ...] = ()

    @classmethod
    def of_arrays(cls, stacks: Sequence[Stack], groups: Sequence[int] | Labels | None) -> LanguageStacks:
        """Take stacks as they are; without groups, rows that are equal at the last layer of a language are one group.

        Raises
        ------
        DataError
            If shapes disagree, there are fewer than 50 rows, or a row is zero, NaN or infinite.
        """
        for stack in stacks:
            check_stacks(stacks[0], stack)
        if groups is not None and len(groups) != stacks[0].n:
            raise DataError(f"expected a group for each of {stacks[0].n} rows, got {len(groups)}")
        last = [np.asarray(stack.rows[-1], np.float64) for stack in stacks]
        numbers = equal_vector_groups(*last) if groups is None else np.asarray(groups, np.int64)
        pools = tuple(Pool.of_vectors(rows, numbers) for rows in last)
        return cls(tuple(stacks), numbers, pools, ("arrays", fingerprint(stacks)))

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

    def varying(self) -> tuple[LanguageStacks, tuple[ConstantLayer, ...]]:
        """Return the stacks without the layers that are constant in some language, and those layers."""
        constant = constant_layers(self.stacks)
        names = {one.name for one in constant}
        return replace(self, stacks=tuple(stack.without(names) for stack in self.stacks)), constant

    @property
    def width(self) -> int:
        """Greatest width among all layers."""
        return max(int(rows.shape[1]) for stack in self.stacks for rows in stack.rows)

    def at(self, layer: str) -> list[Floats]:
        """Rows of each language at one layer, (n, d) each."""
        place = self.layers.index(layer)
        return [np.asarray(stack.rows[place], np.float64) for stack in self.stacks]

    def design(self, draws: Draws) -> Design:
        """Draw folds, blocks, resamples and permuted pairs; the pools are those of the first and the last language."""
        return Design.draw(self.groups, self.stacks[0].lengths, (self.pools[0], self.pools[-1]), draws)

    def provenance(self, start: Start, seed: int) -> Provenance:
        """Return the record of a measurement of these sentences."""
        name, print_ = self.corpus
        return start.provenance(corpus=name, fingerprint=print_, seed=seed, models=self.sides, device=self.device)


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


def embed_languages(
    encoder: Encoder,
    text: ParallelText,
    languages: Sequence[str],
    layers: Sequence[int] | None,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> LanguageStacks:
    """Embed columns of a parallel text at the pooled output and at some hidden states (None: all), one pass a column.

    Raises
    ------
    DataError
        If the text lacks a language or has too few rows, or an embedding is zero or not finite.
    """
    if len(text) < MINIMUM_ROWS:
        raise DataError(f"{text.name} has {len(text)} rows: expected at least {MINIMUM_ROWS}")
    columns = {language: tuple(text.column(language)) for language in languages}
    found = _embed(encoder, columns, layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
    return _with_groups(encoder, columns, found, groups_of(text, languages), (text.name, text.fingerprint))


def embed_bitext(
    encoder: Encoder,
    bitext: Bitext,
    layers: Sequence[int] | None,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> LanguageStacks:
    """Embed both sides of a bitext likewise.

    Raises
    ------
    DataError
        If there are too few pairs, or an embedding is zero or not finite.
    """
    from ...data.groups import concept_groups

    if len(bitext) < MINIMUM_ROWS:
        raise DataError(f"{bitext.name} has {len(bitext)} pairs: expected at least {MINIMUM_ROWS}")
    columns = {bitext.source: tuple(bitext.sources), bitext.target: tuple(bitext.targets)}
    stacks, warnings = _embed(encoder, columns, layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
    found = (stacks, (*warnings, *caveats.identical_texts(bitext)))
    return _with_groups(encoder, columns, found, concept_groups(bitext), (bitext.name, bitext.fingerprint))


def _embed(
    encoder: Encoder,
    columns: Columns,
    layers: Sequence[int] | None,
    *,
    cache: EmbeddingCache | None,
    batch_tokens: int | None,
    progress: bool,
) -> tuple[tuple[Stack, ...], tuple[str, ...]]:
    """Return the stack of each column, and what its tokens warn of."""
    from ...models.encoding import encode_together

    stage("encoding sentences")
    jobs = stack_jobs(encoder, list(columns.values()), layers)
    encode_together(jobs, cache, batch_tokens=batch_tokens, progress=progress)
    stacks: list[Stack] = []
    warnings: list[str] = []
    for language, texts in columns.items():
        encoded, asked = embed_stack(encoder, texts, layers, cache=cache, batch_tokens=batch_tokens, progress=progress)
        stacks.append(Stack.of_encoded(language, encoded, asked))
        warnings += caveats.tokens(encoded, language, encoder.name)
    for stack in stacks:
        check_stacks(stacks[0], stack)
    return tuple(stacks), tuple(warnings)


def _with_groups(
    encoder: Encoder,
    columns: Columns,
    found: tuple[tuple[Stack, ...], tuple[str, ...]],
    groups: Integers,
    corpus: tuple[str, str],
) -> LanguageStacks:
    stacks, warnings = found
    texts = tuple(tuple(column) for column in columns.values())
    pools = tuple(pool_of_texts(column, groups) for column in texts)
    sides = tuple(side(language, encoder) for language in columns)
    return LanguageStacks(stacks, groups, pools, corpus, texts, sides, encoder.device, warnings)


def groups_of(text: ParallelText, languages: Sequence[str]) -> Integers:
    """Join rows that are equal or nearly equal in any of the languages, (n,)."""
    from ...data.groups import concept_groups

    groups = text.groups
    for language in languages[1:] or languages:
        bitext = text.bitext(languages[0], language)
        groups = concept_groups(bitext if groups is None else replace(bitext, groups=groups))
    assert groups is not None
    return groups


def languages_of_arrays(
    rows: Sequence[Rows], names: Sequence[str], groups: Sequence[int] | Labels | None
) -> LanguageStacks:
    """Take arrays (n, d) or (l, n, d), one for each language, with the same layers.

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
    return LanguageStacks.of_arrays(stacks, groups)
