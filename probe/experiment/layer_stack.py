"""One language's sentences at every layer of an encoder, the pooled output last."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Integers, Rows
from ...errors import DataError
from ..results.layers import POOLED, ConstantLayer
from .caveats import UNREAD
from .pairs import check_rows

if TYPE_CHECKING:
    from ...models.cache import EmbeddingCache
    from ...models.embeddings import Encoded
    from ...models.encoder import Encoder
    from ...models.encoding import EncodingJob


ROUNDING = 1e-6  # of the greatest value, in float32


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Rows of one language, layer by layer."""

    language: str
    layers: tuple[str, ...]  # "0" is the embedding output; "pooled" what the whole pipeline gives
    rows: tuple[Rows, ...]  # (n, d) each
    lengths: Integers  # (n,) tokens; zeros where they are not known
    unknown: float = 0.0  # share of unknown tokens; 0 for arrays

    @property
    def n(self) -> int:
        """Number of sentences."""
        return len(self.rows[0])

    @property
    def constant(self) -> tuple[str, ...]:
        """Names of the layers, but the last, at which all sentences have one vector, rounding aside."""
        return tuple(name for name, rows in zip(self.layers[:-1], self.rows[:-1], strict=True) if is_constant(rows))

    def without(self, names: Collection[str]) -> Stack:
        """Return the stack without some of its layers."""
        kept = [place for place, name in enumerate(self.layers) if name not in names]
        return replace(self, layers=tuple(self.layers[i] for i in kept), rows=tuple(self.rows[i] for i in kept))

    @classmethod
    def of_encoded(cls, language: str, encoded: Encoded, layers: Sequence[int]) -> Stack:
        """Take the asked hidden states of encoded texts, and their pooled output last."""
        names = (*(str(layer) for layer in layers), POOLED)
        rows = (*encoded.hidden, encoded.pooled)
        return cls(language, names, rows, encoded.tokens.astype(np.int64), encoded.unknown_share)

    @classmethod
    def of_arrays(cls, language: str, layers: Sequence[Rows] | Rows, names: Sequence[str] | None = None) -> Stack:
        """Take arrays as they are: (l, n, d), or a sequence of (n, d).

        Raises
        ------
        DataError
            If there is no layer, a layer is not a matrix, or the layers differ in rows or in number from the names.
        """
        rows = tuple(np.asarray(layer) for layer in layers)
        if not rows or any(layer.ndim != 2 for layer in rows) or len({len(layer) for layer in rows}) != 1:
            shapes = [layer.shape for layer in rows]
            raise DataError(f"{language}: expected layers (sentences × width) with the same sentences, got {shapes}")
        labels = tuple(names) if names is not None else tuple(str(place) for place in range(len(rows)))
        if len(labels) != len(rows):
            raise DataError(f"{language}: expected a name for each of {len(rows)} layers, got {len(labels)}")
        return cls(language, labels, rows, np.zeros(len(rows[0]), np.int64))


def is_constant(rows: Rows) -> bool:
    """Return whether all rows (n, d) are one vector, rounding aside."""
    spread = float(np.ptp(rows, axis=0).max(initial=0.0))
    return bool(spread <= ROUNDING * float(np.abs(rows[0]).max(initial=0.0)))


def constant_layers(stacks: Sequence[Stack], model: str = "") -> tuple[ConstantLayer, ...]:
    """Return the layers that are constant in some language, of stacks with the same layers.

    Parameters
    ----------
    stacks : sequence of Stack
    model : str
        Named where there are two.
    """
    found: dict[str, list[str]] = {}
    for stack in stacks:
        for name in stack.constant:
            found.setdefault(name, []).append(stack.language)
    return tuple(
        ConstantLayer(name, place, tuple(found[name]), model)
        for place, name in enumerate(stacks[0].layers)
        if name in found
    )


def embed_stack(
    encoder: Encoder,
    texts: Sequence[str],
    layers: Sequence[int] | None,
    *,
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> tuple[Encoded, tuple[int, ...]]:
    """Encode texts with all hidden states, or the asked ones, in one pass; return them and their numbers."""
    from ...models.encoding import encode_cached

    asked = encoder.checked_layers(range(encoder.layers) if layers is None else layers)
    encoded = encode_cached(encoder, texts, layers=asked, cache=cache, batch_tokens=batch_tokens, progress=progress)
    return encoded, asked


def stack_jobs(encoder: Encoder, columns: Sequence[Sequence[str]], layers: Sequence[int] | None) -> list[EncodingJob]:
    """Return what `embed_stack` will ask of an encoder for some columns of texts."""
    from ...models.encoding import EncodingJob

    asked = range(encoder.layers) if layers is None else layers
    return [EncodingJob(encoder, texts, asked) for texts in columns]


def check_stacks(source: Stack, target: Stack) -> None:
    """Refuse too few rows, rows that do not pair up, and rows that are zero or not finite at any layer.

    A layer that is constant may be there, unless it is the last.

    Raises
    ------
    DataError
    """
    if source.n != target.n:
        raise DataError(f"expected as many rows of {target.language} as of {source.language}: {target.n}, {source.n}")
    for stack in (source, target):
        constant = stack.constant
        for name, rows in zip(stack.layers, stack.rows, strict=True):
            if name in constant and np.isfinite(rows).all() and rows.any():
                continue
            try:
                wide = np.asarray(rows, np.float64)
                check_rows(wide, wide)
            except DataError as error:
                raise DataError(f"{stack.language}, layer {name}: {error}") from error


def same_layers(source: Stack, target: Stack) -> None:
    """Refuse stacks whose layers do not correspond.

    Raises
    ------
    DataError
    """
    if source.layers != target.layers:
        raise DataError(f"expected the same layers on both sides, got {source.layers} and {target.layers}")


def unread(stacks: Sequence[Stack]) -> tuple[str, ...]:
    """Say which languages the model does not read, so that noise cannot be told from what it misses."""
    return tuple(
        f"{stack.unknown:.0%} of the {stack.language} tokens are unknown to the model: there are no latent shares"
        for stack in stacks
        if stack.unknown > UNREAD
    )


def fingerprint(stacks: Sequence[Stack]) -> str:
    """blake2b of all arrays."""
    digest = hashlib.blake2b(digest_size=16)
    for stack in stacks:
        for rows in stack.rows:
            digest.update(np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()
