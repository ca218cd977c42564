"""Pairs ready to be measured: two matrices of embeddings, their groups, and what is known of their texts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.retrieval.scores import Pool
from ...analysis.types import Bools, Floats, Integers, Labels, Rows, RowSource, Strings
from ...errors import DataError
from ...stages import stage
from ..results.provenance import Side
from . import caveats
from .checks import MINIMUM_ROWS

if TYPE_CHECKING:
    from ...data.bitext import Bitext, ParallelText
    from ...models.cache import EmbeddingCache
    from ...models.embeddings import Encoded
    from ...models.encoder import Encoder

TWO_SPACES = "the two sides are not known to share a space (say so with --same-space)"


@dataclass(frozen=True, slots=True, eq=False)
class TextSide:
    """One side of a bitext as the encoder sees it."""

    identity: Side
    encoded: Encoded
    references: Floats | None  # (n, d) embeddings of second references, NaN where a row has none


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Rows of x and y with their groups; texts and what is derived from them where they are known."""

    names: tuple[str, str]
    x: Floats  # (n, p)
    y: Floats  # (n, q)
    groups: Integers  # (n,)
    pool: Pool
    lengths: tuple[Integers, Integers]  # (n,) tokens of either side; zeros for arrays
    same_space: bool
    why_not: str = ""  # why identity and shift are absent
    sources: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    domains: Strings | None = None
    references: tuple[Floats | None, Floats | None] = (None, None)
    unknown: tuple[float, float] = (0.0, 0.0)  # share of unknown tokens of either side; 0 for arrays
    warnings: tuple[str, ...] = ()
    untrained: tuple[Floats, Floats] | None = None  # both sides by encoders of the same shape with random weights

    @classmethod
    def of_text(cls, source: TextSide, target: TextSide, bitext: Bitext, *, same_space: bool) -> Pairs:
        """Put two encoded sides together."""
        from ...data.groups import concept_groups

        x, y = source.encoded.pooled.astype(np.float64), target.encoded.pooled.astype(np.float64)
        check_rows(x, y)
        groups = concept_groups(bitext)
        return cls(
            (bitext.source, bitext.target),
            x,
            y,
            groups,
            pool_of_texts(bitext.targets, groups),
            (source.encoded.tokens.astype(np.int64), target.encoded.tokens.astype(np.int64)),
            same_space,
            why_not="" if same_space else "the two sides come from different models",
            sources=tuple(bitext.sources),
            targets=tuple(bitext.targets),
            domains=None if bitext.domains is None else np.array(bitext.domains),
            references=(source.references, target.references),
            unknown=(source.encoded.unknown_share, target.encoded.unknown_share),
            warnings=(
                *caveats.tokens(source.encoded, source.identity.language, source.identity.model),
                *caveats.tokens(target.encoded, target.identity.language, target.identity.model),
                *caveats.identical_texts(bitext),
            ),
        )

    @classmethod
    def of_arrays(
        cls,
        x: Rows,
        y: Rows,
        groups: Sequence[int] | Labels | None,
        *,
        names: tuple[str, str],
        same_space: bool,
    ) -> Pairs:
        """Take arrays as they are; rows with an equal vector on either side share a group unless groups are given."""
        check_shapes(x, y, groups, same_space=same_space)
        wide_x, wide_y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        check_rows(wide_x, wide_y)
        numbers = equal_vector_groups(wide_x, wide_y) if groups is None else np.asarray(groups, np.int64)
        pool = Pool.of_vectors(wide_y, numbers)
        lengths = (np.zeros(len(x), np.int64), np.zeros(len(x), np.int64))
        return cls(names, wide_x, wide_y, numbers, pool, lengths, same_space, "" if same_space else TWO_SPACES)

    @property
    def n_groups(self) -> int:
        """Number of concept groups."""
        return len(np.unique(self.groups))

    def swapped(self) -> Pairs:
        """Return the same pairs in the other direction."""
        if self.sources is None or self.targets is None:
            pool = Pool.of_vectors(self.x, self.groups)
        else:
            pool = pool_of_texts(self.sources, self.groups)
        return replace(
            self,
            names=(self.names[1], self.names[0]),
            x=self.y,
            y=self.x,
            pool=pool,
            lengths=(self.lengths[1], self.lengths[0]),
            sources=self.targets,
            targets=self.sources,
            references=(self.references[1], self.references[0]),
            unknown=(self.unknown[1], self.unknown[0]),
            untrained=self.untrained and (self.untrained[1], self.untrained[0]),
        )

    def fingerprint(self) -> str:
        """blake2b of both arrays."""
        digest = hashlib.blake2b(digest_size=16)
        for side in (self.x, self.y):
            digest.update(np.ascontiguousarray(side).tobytes())
        return digest.hexdigest()


def embed_sides(
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
    stay: bool = False,
) -> tuple[TextSide, TextSide]:
    """Embed both sides of a bitext, and the second references where there are some.

    Of several processes only the first returns, unless all are to stay.
    """
    from ...models.encoding import EncodingJob, encode_cached, encode_together

    stage("encoding sentences")
    sides = []
    references = bitext.references or (None, None)
    columns = ((bitext.source, bitext.sources), (bitext.target, bitext.targets))
    jobs = [EncodingJob(encoder, texts) for encoder, (_, texts) in zip(encoders, columns, strict=True)]
    jobs += [EncodingJob(encoder, _given(texts)) for encoder, texts in zip(encoders, references, strict=True) if texts]
    encode_together(jobs, cache, batch_tokens=batch_tokens, progress=progress, stay=stay)
    for encoder, (language, texts), seconds in zip(encoders, columns, references, strict=True):
        encoded = encode_cached(encoder, texts, cache=cache, batch_tokens=batch_tokens, progress=progress)
        sides.append(TextSide(side(language, encoder), encoded, embed_references(encoder, seconds, cache)))
    return sides[0], sides[1]


def embed_references(
    encoder: Encoder, texts: Sequence[str | None] | None, cache: EmbeddingCache | None
) -> Floats | None:
    """Embed second references, (n, d), NaN where a row has none; None where no row has one."""
    from ...models.encoding import encode_cached

    if texts is None:
        return None
    found = np.full((len(texts), encoder.dim), np.nan)
    if given := _given(texts):
        found[[bool(text) for text in texts]] = encode_cached(encoder, given, cache=cache).pooled
    return found


def embed_instruments(
    encoder: Encoder,
    bitext: Bitext,
    text: ParallelText | None,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> dict[str, Floats]:
    """Embed the rows of a bitext in the other languages of its text, each (n, d), by language.

    Raises
    ------
    DataError
        If the text has other rows than the bitext, or an embedding is zero or not finite.
    """
    if text is None:
        return {}
    others = further_languages(bitext, text)
    return embed_columns(encoder, text, others, cache=cache, batch_tokens=batch_tokens, progress=progress)


def further_languages(bitext: Bitext, text: ParallelText) -> list[str]:
    """Return the languages of a text beside those of a bitext of the same rows.

    Raises
    ------
    DataError
        If the text has other rows than the bitext.
    """
    if text.column(bitext.source) != bitext.sources or text.column(bitext.target) != bitext.targets:
        raise DataError("the instruments are not of the same rows as the pairs: open both from one corpus")
    return [code for code in text.languages if code not in (bitext.source, bitext.target)]


def embed_columns(
    encoder: Encoder,
    text: ParallelText,
    languages: Sequence[str],
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> dict[str, Floats]:
    """Embed some languages of a text, the pooled output (n, d) of each, by language."""
    from ...models.encoding import encode_cached

    views = {}
    for language in languages:
        encoded = encode_cached(
            encoder, text.column(language), cache=cache, batch_tokens=batch_tokens, progress=progress
        )
        views[language] = encoded.pooled.astype(np.float64)
    return views


def embed_untrained(
    encoders: tuple[Encoder, Encoder],
    bitext: Bitext,
    seed: int,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> tuple[Floats, Floats]:
    """Embed both sides of a bitext by encoders of the same shape with random weights, (n, p) and (n, q).

    Raises
    ------
    DataError
        If an embedding is zero or not finite.
    """
    from ...models.untrained import untrained

    first = untrained(encoders[0], seed=seed)
    second = first if encoders[1] is encoders[0] else untrained(encoders[1], seed=seed)
    plain = replace(bitext, references=None)
    source, target = embed_sides((first, second), plain, cache=cache, batch_tokens=batch_tokens, progress=progress)
    x, y = source.encoded.pooled.astype(np.float64), target.encoded.pooled.astype(np.float64)
    check_rows(x, y)
    return x, y


def side(language: str, encoder: Encoder) -> Side:
    """Return a language and the model that saw it, for the provenance."""
    return Side(language, encoder.name, encoder.fingerprint)


def in_one_space(encoders: tuple[Encoder, Encoder], stated: bool | None) -> bool:
    """Return whether both sides share a space: one encoder, or one finetuned from the other, unless it is stated."""
    if stated is not None:
        return stated
    first, second = encoders
    family = {first.fingerprint, first.base_fingerprint} & {second.fingerprint, second.base_fingerprint}
    return first.dim == second.dim and bool(family - {None})


def pool_of_texts(texts: Sequence[str], groups: Integers) -> Pool:
    """Take the first row of each distinct text."""
    rows = np.sort(np.unique(np.array(texts, dtype=object), return_index=True)[1])
    return Pool(rows, groups[rows])


def _given(texts: Sequence[str | None]) -> list[str]:
    return [text for text in texts if text]


def check_shapes(x: RowSource, y: RowSource, groups: Sequence[int] | Labels | None, *, same_space: bool) -> None:
    """Refuse what are no paired rows, or groups of other rows.

    Raises
    ------
    DataError
    """
    if len(x.shape) != 2 or len(y.shape) != 2 or len(x) != len(y):
        raise DataError(f"expected two matrices with one row a pair, got shapes {x.shape} and {y.shape}")
    if groups is not None and len(groups) != len(x):
        raise DataError(f"expected a group for each of {len(x)} rows, got {len(groups)}")
    if same_space and x.shape[1] != y.shape[1]:
        raise DataError(f"one space has one width, got {x.shape[1]} and {y.shape[1]}: leave --same-space out")


def check_rows(x: Floats, y: Floats) -> None:
    """Refuse too few rows, rows that are zero, NaN or infinite, with their numbers, and rows that are all the same.

    Raises
    ------
    DataError
    """
    check_enough(len(x))
    for name, side in (("source", x), ("target", y)):
        check_finite(name, side)
        if (side == side[0]).all():
            raise DataError(all_the_same(name))


def check_enough(n: int) -> None:
    """Refuse too few rows.

    Raises
    ------
    DataError
    """
    if n < MINIMUM_ROWS:
        raise DataError(f"expected at least {MINIMUM_ROWS} pairs, got {n}")


def check_finite(name: str, side: Rows, first_row: int = 0) -> None:
    """Refuse rows of a side, (n, d), that are zero, NaN or infinite, with their numbers from `first_row` on.

    Raises
    ------
    DataError
    """
    finite = np.asarray(np.isfinite(side).all(axis=1))
    if not finite.all():
        numbers = _some(~finite, first_row)
        raise DataError(f"{name} rows {numbers} hold NaN or infinity: remove them, or encode them again")
    zero = np.asarray(~side.any(axis=1))
    if zero.any():
        raise DataError(
            f"{name} rows {_some(zero, first_row)} are all zeros: remove them; an embedding has a direction"
        )


def all_the_same(name: str) -> str:
    """Say that the rows of a side do not differ."""
    return f"all {name} rows are the same vector: there is nothing to map; check how they were made"


def _some(flags: Bools, first_row: int) -> str:
    rows = first_row + np.flatnonzero(flags)
    return ", ".join(map(str, rows[:5])) + (f" … ({len(rows)} in all)" if len(rows) > 5 else "")


def equal_vector_groups(*sides: Floats) -> Integers:
    """Number the groups of rows whose vectors are equal on any of the sides, transitively, (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, rows = len(sides[0]), np.arange(len(sides[0]))
    vectors = [np.unique(side, axis=0, return_inverse=True)[1].ravel() + (1 + i) * n for i, side in enumerate(sides)]
    edges = (np.tile(rows, len(sides)), np.concatenate(vectors))
    size = n * (1 + len(sides))
    graph = coo_array((np.ones(n * len(sides)), edges), shape=(size, size))
    numbers: Integers = connected_components(graph, directed=False)[1][:n].astype(np.int64)
    return numbers


def row_cosines(a: Floats, b: Floats) -> Floats:
    """Return the cosine of each row of a with the same row of b, (n,); 0 for a row of zeros."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines: Floats = np.einsum("ij,ij->i", a, b) / np.maximum(norms, 1e-300)
    return cosines


def shared_word_share(sources: Sequence[str], targets: Sequence[str]) -> Floats:
    """Return for each pair the share of the source's words that also occur in the target, 0 … 1, (n,)."""
    shares = []
    for source, target in zip(sources, targets, strict=True):
        words, others = (set(re.findall(r"\w+", text.casefold())) for text in (source, target))
        shares.append(len(words & others) / len(words) if words else 0.0)
    return np.array(shares)
