"""Embeddings of more texts than fit into memory: encoded into the cache, and read from it a run of rows at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .cache import EmbeddingCache
from .embeddings import Encoded, blocks, distinct, joined
from .encoding import encode_block
from .progress import Progress

if TYPE_CHECKING:
    from .encoder import Encoder

KEPT_BLOCKS = 16  # texts that repeat lie in blocks far apart


class CachedRows:
    """Pooled embeddings of texts, (n, d) of float32, of which some blocks at a time are in memory.

    Where nothing can be written to a cache all blocks are kept.

    Parameters
    ----------
    encoder : Encoder
    texts : sequence of str, length n
    cache : EmbeddingCache, optional
    batch_tokens : int, optional
        As for `encode_cached`.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self,
        encoder: Encoder,
        texts: Sequence[str],
        cache: EmbeddingCache | None = None,
        *,
        batch_tokens: int | None = None,
    ) -> None:
        unique, self._places = distinct(texts)
        self._blocks = list(blocks(unique))
        self._encoder, self._cache = encoder, cache
        self._budget = encoder.checked_budget(batch_tokens)
        self._held: OrderedDict[int, Encoded] = OrderedDict()
        self.shape: tuple[int, ...] = (len(self._places), encoder.dim)

    def __len__(self) -> int:
        """Return the number of texts."""
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """Return the embeddings of a run of texts, (m, d)."""
        return self._take(self._places[rows]).pooled

    def take(self, rows: NDArray[np.intp]) -> Encoded:
        """Return the embeddings of some texts, with their counts of tokens.

        Parameters
        ----------
        rows : array (m,) of int
            Positions from 0 to n − 1.
        """
        return self._take(self._places[rows])

    def encode(self, *, progress: bool = False) -> None:
        """Encode all texts that are not in the cache, one block in memory at a time.

        Parameters
        ----------
        progress : bool
            Draw a bar, if on a terminal.
        """
        with Progress(sum(map(len, self._blocks)), "encoding", visible=progress) as bar:
            for number, texts in enumerate(self._blocks):
                self._block(number)
                bar.advance(len(texts))

    def _take(self, places: NDArray[np.intp]) -> Encoded:
        size = len(self._blocks[0]) if self._blocks else 1
        numbers, inside = np.divmod(places, size)
        parts, at = [self._encoder.empty(0)], []
        for number in np.unique(numbers).tolist():
            own = np.flatnonzero(numbers == number)
            parts.append(self._block(number).take(inside[own]))
            at.append(own)
        order = np.argsort(np.concatenate(at)) if at else np.empty(0, np.intp)
        return joined(parts).take(order)

    def _block(self, number: int) -> Encoded:
        found = self._held.pop(number, None)
        if found is None:
            found = encode_block(self._encoder, self._blocks[number], (), self._budget, self._cache)
        self._held[number] = found
        if self._cache is not None and self._cache.writes and len(self._held) > KEPT_BLOCKS:
            self._held.popitem(last=False)
        return found
