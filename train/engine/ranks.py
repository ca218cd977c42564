"""Processes of one run: who writes, and how gradients and embeddings meet. One process needs none of it.

Convention: each process computes its share of the loss of the whole batch, and gradients are summed over processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Ranks:
    """One process among all processes of a run."""

    rank: int = 0
    world: int = 1

    @property
    def writes(self) -> bool:
        """Whether this is the one process that writes files."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            import torch.distributed as dist

            dist.barrier()

    def all_agree(self, fine: bool) -> bool:
        """Tell whether all processes are fine, so that none waits for one that failed."""
        return bool(self.lowest(int(fine)))

    def lowest(self, value: int) -> int:
        """Return the lowest of the values of all processes."""
        if self.world == 1:
            return value
        import torch
        import torch.distributed as dist

        flag = torch.tensor(value)
        dist.all_reduce(flag, op=dist.ReduceOp.MIN)
        return int(flag.item())

    def of_the_first(self, value: float) -> float:
        """Return the value of the process that writes; the others need not have one."""
        if self.world == 1:
            return value
        import torch
        import torch.distributed as dist

        shared = torch.tensor(value, dtype=torch.float64)
        dist.broadcast(shared, src=0)
        return float(shared.item())

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows (b, …) of all processes, (world · b, …); only the own ones carry a gradient.

        Since every process computes its share of the loss from its own rows and gradients are summed, that is exact.
        """
        if self.world == 1:
            return rows
        import torch
        import torch.distributed as dist

        parts = [torch.empty_like(rows) for _ in range(self.world)]
        dist.all_gather(parts, rows.detach().contiguous())
        parts[self.rank] = rows
        return torch.cat(parts)

    def gather_uneven(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows of all processes, whose numbers may differ; without gradients."""
        if self.world == 1:
            return rows
        import torch
        import torch.distributed as dist

        size = torch.tensor(len(rows))
        sizes = [torch.empty_like(size) for _ in range(self.world)]
        dist.all_gather(sizes, size)
        longest = max(int(s) for s in sizes)
        padded = rows.new_zeros((longest, *rows.shape[1:]))
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(self.world)]
        dist.all_gather(parts, padded)
        return torch.cat([part[: int(s)] for part, s in zip(parts, sizes, strict=True)])

    def sum_dense(self, tensors: Iterable[torch.Tensor]) -> None:
        """Sum tensors over processes, in place, in one message."""
        if self.world == 1:
            return
        import torch
        import torch.distributed as dist

        held = list(tensors)
        if not held:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in held])
        dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in held])
        for tensor, part in zip(held, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


@contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """Join the processes that `torchrun` started, if it did; leave the group at the end if it was joined here."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks()
        return
    import torch
    import torch.distributed as dist

    opened = not dist.is_initialized()
    if opened:
        # Counts and random states travel between processors, gradients between accelerators.
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        if opened:
            dist.destroy_process_group()
