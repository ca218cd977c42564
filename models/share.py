"""Processes of one run, as `torchrun` starts them: each fills the shared cache with its share, the first goes on.

Encoding is what takes the time, and blocks of texts need nothing of each other. So every process encodes the blocks
whose number is its own, modulo the number of processes; they meet; the first reads what all of them wrote. What one
could not write, the first encodes itself.
"""

import atexit
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from .progress import Progress

if TYPE_CHECKING:
    from .cache import EmbeddingCache
    from .encoder import Encoder

# A process may wait as long as the largest share takes; where one dies, torchrun ends the others.
LONGEST_WAIT = timedelta(days=14)


class ShareDone(Exception):
    """No error: a process has encoded its share of the texts; the first process measures and writes."""


@dataclass(frozen=True, slots=True)
class Share:
    """One process among all that share the work of a run.

    Parameters
    ----------
    rank : int
        From 0 to `world` − 1; the first one measures and writes.
    world : int
        Number of processes.

    Examples
    --------
    >>> Share(1, 4).of(range(10))
    [1, 5, 9]
    """

    rank: int = 0
    world: int = 1

    @classmethod
    def of_environment(cls) -> "Share":
        """Read what `torchrun` says in the environment; one process alone where it says nothing."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    def of(self, numbers: Sequence[int]) -> list[int]:
        """Give the numbers that fall to this process.

        Parameters
        ----------
        numbers : sequence of int
            Numbers of blocks; over all processes each falls to exactly one.
        """
        return [number for number in numbers if number % self.world == self.rank]

    def part(self, length: int) -> slice:
        """Give the rows that fall to this process, one run of them for each, all about as long.

        Parameters
        ----------
        length : int
            Number of rows over all processes.
        """
        return slice(length * self.rank // self.world, length * (self.rank + 1) // self.world)

    def leave(self) -> None:
        """Let only the first process go on.

        Raises
        ------
        ShareDone
            In every other process.
        """
        if self.rank:
            raise ShareDone

    def meet(self) -> None:
        """Wait until all processes are here; one process alone waits for nobody."""
        if self.world == 1:
            return
        import torch.distributed as dist

        if not dist.is_initialized():
            dist.init_process_group("gloo", timeout=LONGEST_WAIT)
            atexit.register(dist.destroy_process_group)
        dist.barrier()


@dataclass(frozen=True, slots=True, eq=False)
class EncodingJob:
    """Texts that one encoder will be asked for, and the hidden states wanted besides the pooled output."""

    encoder: "Encoder"
    texts: Sequence[str]
    layers: Sequence[int] = ()


def encode_together(
    jobs: Sequence[EncodingJob],
    cache: "EmbeddingCache | None",
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
        Where it goes; its `share` says which process this is.
    batch_tokens : int, optional
        Upper limit of rows × longest row in a batch.
    progress : bool
        Draw a bar in the first process, if on a terminal.
    stay : bool
        Return in every process: they go on together.

    Raises
    ------
    ShareDone
        In every process but the first, once all shares are done, unless they stay.
    """
    if cache is None or cache.share.world == 1:
        return
    for job in jobs:
        _fill(job, cache, batch_tokens, progress=progress and cache.share.rank == 0)
    cache.share.meet()
    if not stay:
        cache.share.leave()
    cache.share = Share()  # what is asked for later, each that is still here encodes alone


def _fill(job: EncodingJob, cache: "EmbeddingCache", batch_tokens: int | None, *, progress: bool) -> None:
    from .cache import encode_block
    from .embeddings import blocks, distinct

    layers = job.encoder.checked_layers(job.layers)
    budget = job.encoder.checked_budget(batch_tokens)
    shards = list(blocks(distinct(job.texts)[0]))
    mine = cache.share.of(range(len(shards)))
    with Progress(sum(len(shards[number]) for number in mine), "encoding my share", visible=progress) as bar:
        for number in mine:
            encode_block(job.encoder, shards[number], layers, budget, cache)
            bar.advance(len(shards[number]))
