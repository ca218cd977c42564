"""Texts into embeddings through the cache, alone or with all processes of a run.

Blocks of texts need nothing of each other. So of several processes each encodes the blocks whose number is its own,
modulo the number of processes; when all are there, the first reads what all of them wrote. What one could not write,
the first encodes itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..distributed import Processes
from .cache import COUNTS, POOLED, EmbeddingCache, block_key
from .embeddings import Encoded, blocks, distinct, joined
from .progress import Progress, nothing

if TYPE_CHECKING:
    from .encoder import Encoder


def encode_cached(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    layers: Sequence[int] = (),
    cache: EmbeddingCache | None = None,
    batch_tokens: int | None = None,
    progress: bool = False,
) -> Encoded:
    """Embed texts, reading from the cache what is there and adding to it what is not.

    Parameters
    ----------
    encoder : Encoder
        The model.
    texts : sequence of str, length n
        Equal texts are computed once.
    layers : sequence of int
        Hidden states to give besides the pooled output, as for `Encoder.encode`.
    cache : EmbeddingCache, optional
        Without it everything is computed; the numbers are the same bits on the same machine and token budget.
    batch_tokens : int, optional
        Upper limit of rows × longest row in a batch; the encoder's default if not given.
    progress : bool
        Draw a bar, if on a terminal.

    Returns
    -------
    Encoded
        Rows in the order of `texts`.

    Raises
    ------
    DataError
        Something in `texts` is not text.
    ConfigError
        A layer does not exist, or the budget is not positive.
    """
    asked = encoder.checked_layers(layers)
    budget = encoder.checked_budget(batch_tokens)
    unique, places = distinct(texts)
    parts = [encoder.empty(len(asked))]
    with Progress(len(unique), "encoding", visible=progress) as bar:
        for block in blocks(unique):
            parts.append(encode_block(encoder, block, asked, budget, cache, advance=bar.advance))
    whole = joined(parts)
    return whole if len(unique) == len(places) else whole.take(places)


def encode_block(
    encoder: Encoder,
    texts: Sequence[str],
    layers: tuple[int, ...],
    budget: int,
    cache: EmbeddingCache | None,
    *,
    advance: Callable[[int], object] = nothing,
) -> Encoded:
    """Embed one block of distinct texts, and leave in the cache what was not there.

    Parameters
    ----------
    encoder : Encoder
        The model.
    texts : sequence of str
        As `distinct` and `blocks` give them.
    layers : tuple of int
        As `Encoder.checked_layers` gives them.
    budget : int
        Token budget of a batch.
    cache : EmbeddingCache or None
        Without it everything is computed.
    advance : callable
        Called with the number of texts that are done, again and again.
    """
    if cache is None:
        return encoder.encode_block(texts, layers=layers, batch_tokens=budget, advance=advance)
    key = block_key(encoder.fingerprint, texts)
    width = encoder.empty(0).hidden.shape[-1]
    shapes: dict[str, tuple[int, ...]] = {POOLED: (len(texts), encoder.dim), COUNTS: (3, len(texts))}
    shapes |= {_layer_part(layer): (len(texts), width) for layer in layers}
    found = {part: cache.read(key, part, shape) for part, shape in shapes.items()}
    missing = tuple(layer for layer in dict.fromkeys(layers) if found[_layer_part(layer)] is None)
    if missing or found[POOLED] is None or found[COUNTS] is None:
        encoded = encoder.encode_block(texts, layers=missing, batch_tokens=budget, advance=advance)
        made = _as_parts(encoded, missing)
        for part, array in made.items():
            if found[part] is None:
                found[part] = cache.as_stored(part, array)
                cache.write(key, part, array)
    else:
        advance(len(texts))
    return _from_parts({part: array for part, array in found.items() if array is not None}, layers, width)


def _layer_part(layer: int) -> str:
    return f"layer-{layer:03d}"


def _as_parts(encoded: Encoded, layers: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a block as the cache holds them, each under its name."""
    parts: dict[str, NDArray[Any]] = {
        POOLED: encoded.pooled,
        COUNTS: np.stack([encoded.tokens, encoded.truncated.astype(np.int32), encoded.unknown]),
    }
    return parts | {_layer_part(layer): encoded.hidden[place] for place, layer in enumerate(layers)}


def _from_parts(parts: dict[str, NDArray[Any]], layers: tuple[int, ...], width: int) -> Encoded:
    tokens, truncated, unknown = parts[COUNTS]
    hidden = np.empty((len(layers), len(tokens), width), np.float32)
    for place, layer in enumerate(layers):
        hidden[place] = parts[_layer_part(layer)]
    return Encoded(parts[POOLED], hidden, tokens, truncated.astype(bool), unknown)


@dataclass(frozen=True, slots=True, eq=False)
class EncodingJob:
    """Texts that one encoder will be asked for, and the hidden states wanted besides the pooled output."""

    encoder: Encoder
    texts: Sequence[str]
    layers: Sequence[int] = ()


def encode_together(
    jobs: Sequence[EncodingJob],
    cache: EmbeddingCache | None,
    *,
    batch_tokens: int | None = None,
    progress: bool = False,
    stay: bool = False,
) -> None:
    """Fill the cache with the processes of this run; only the first of them returns, unless all are to stay.

    One process alone, or one without a cache, returns at once: it encodes when it is asked. No embedding is held
    longer than it takes to write it.

    Parameters
    ----------
    jobs : sequence of EncodingJob
        All that the run will ask for.
    cache : EmbeddingCache, optional
        Where embeddings are written; its `processes` tell which process this is.
    batch_tokens : int, optional
        Upper limit of rows × longest row in a batch.
    progress : bool
        Draw a bar in the first process, if on a terminal.
    stay : bool
        Return in every process: they go on together.

    Raises
    ------
    ProcessDone
        In every process but the first, once all blocks are encoded, unless they stay.
    """
    if cache is None or cache.processes.alone:
        return
    for job in jobs:
        layers, budget = job.encoder.checked_layers(job.layers), job.encoder.checked_budget(batch_tokens)
        all_blocks = list(blocks(distinct(job.texts)[0]))
        mine = [all_blocks[number] for number in cache.processes.numbers_of(range(len(all_blocks)))]
        visible = progress and cache.processes.is_first
        with Progress(sum(map(len, mine)), "encoding my part", visible=visible) as bar:
            for block in mine:
                encode_block(job.encoder, block, layers, budget, cache, advance=bar.advance)
    cache.processes.barrier()
    if not stay:
        cache.processes.only_first_goes_on()
    cache.processes = Processes()  # what is asked for later, each process that is still here encodes alone
