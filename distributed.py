"""Processes of one run, as `torchrun` starts them: which part of the work each takes, and what they exchange.

One process alone needs no process group, and every method returns at once. Several open the default group of torch
when they first exchange something and close it at exit, unless the caller has opened one.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

# A process may wait as long as the largest part of the work takes; where one dies, torchrun ends the others.
LONGEST_WAIT = timedelta(days=14)


class ProcessDone(Exception):
    """No error: this process has done its part, and the first one goes on alone."""


@dataclass(frozen=True, slots=True)
class Processes:
    """One process among all processes of a run.

    Parameters
    ----------
    rank : int
        Number of this process, from 0 to `world_size` − 1; the first one measures and writes.
    world_size : int
        Number of processes.

    Examples
    --------
    >>> Processes(1, 4).numbers_of(range(10))
    [1, 5, 9]
    >>> Processes(1, 4).rows_of(10)
    slice(2, 5, None)
    """

    rank: int = 0
    world_size: int = 1

    @classmethod
    def current(cls) -> Processes:
        """Return this process in the default group of torch, else as `torchrun` says in the environment, else alone."""
        dist: Any = sys.modules.get("torch.distributed")  # where it was never imported, nobody has opened a group
        if dist is not None and dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    @property
    def alone(self) -> bool:
        """Whether there is only this process."""
        return self.world_size == 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one process that writes files and messages."""
        return self.rank == 0

    def numbers_of(self, numbers: Sequence[int]) -> list[int]:
        """Return the numbers that fall to this process: those that are its own modulo the number of processes.

        Parameters
        ----------
        numbers : sequence of int
            Over all processes each falls to exactly one.
        """
        return [number for number in numbers if number % self.world_size == self.rank]

    def rows_of(self, length: int) -> slice:
        """Return the rows that fall to this process: one run of them for each, all about as long.

        Parameters
        ----------
        length : int
            Number of rows over all processes.
        """
        return slice(length * self.rank // self.world_size, length * (self.rank + 1) // self.world_size)

    def only_first_goes_on(self) -> None:
        """Let only the first process go on.

        Raises
        ------
        ProcessDone
            In every other process.
        """
        if not self.is_first:
            raise ProcessDone

    def barrier(self) -> None:
        """Wait until every process is here."""
        if not self.alone:
            _opened_group().barrier()

    def all_reduce(self, values: torch.Tensor, operation: Literal["sum", "max", "min"] = "sum") -> None:
        """Replace every value by its sum, maximum or minimum over all processes, in place.

        Parameters
        ----------
        values : tensor of any shape
            Of the same shape in every process.
        operation : {"sum", "max", "min"}
        """
        if self.alone:
            return
        dist = _opened_group()
        reduce = {"sum": dist.ReduceOp.SUM, "max": dist.ReduceOp.MAX, "min": dist.ReduceOp.MIN}[operation]
        if dist.get_backend() == "nccl" and not values.is_cuda:  # a caller's group of accelerators only
            moved = values.cuda()
            dist.all_reduce(moved, reduce)
            values.copy_(moved)
        else:
            dist.all_reduce(values, reduce)

    def sum_together(self, tensors: Iterable[torch.Tensor]) -> None:
        """Sum tensors over processes, in place, in one message.

        Parameters
        ----------
        tensors : iterable of tensor
            Of one type and device; the same shapes in the same order in every process.
        """
        held = [] if self.alone else list(tensors)
        if not held:
            return
        import torch

        flat = torch.cat([tensor.reshape(-1) for tensor in held])
        self.all_reduce(flat)
        for tensor, part in zip(held, torch.split(flat, [tensor.numel() for tensor in held]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def minimum(self, value: int) -> int:
        """Return the lowest of the values of all processes."""
        if self.alone:
            return value
        import torch

        lowest = torch.tensor(value)
        self.all_reduce(lowest, "min")
        return int(lowest.item())

    def all_agree(self, fine: bool) -> bool:
        """Tell whether all processes are fine, so that none waits for one that failed."""
        return bool(self.minimum(int(fine)))

    def broadcast(self, value: float) -> float:
        """Return the value of the first process; the others need not have one."""
        if self.alone:
            return value
        import torch

        shared = torch.tensor(value, dtype=torch.float64)
        _opened_group().broadcast(shared, src=0)
        return float(shared.item())

    def gather(self, values: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """Return the values of all processes side by side along one axis, in their order.

        Only the own ones carry a gradient. That is exact where each process computes its share of the loss from its
        own rows and gradients are summed over processes.

        Parameters
        ----------
        values : tensor of any shape
            Of the same shape in every process.
        dim : int
            The axis along which they are joined.
        """
        if self.alone:
            return values
        import torch

        parts = [torch.empty_like(values) for _ in range(self.world_size)]
        _opened_group().all_gather(parts, values.detach().contiguous())
        parts[self.rank] = values
        return torch.cat(parts, dim)

    def gather_uneven(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows of all processes, in their order, without gradients.

        Parameters
        ----------
        rows : tensor (b, …)
            Their number b may differ between processes.
        """
        if self.alone:
            return rows
        import torch

        sizes = self.gather(torch.tensor([len(rows)])).tolist()
        padded = rows.new_zeros((max(sizes), *rows.shape[1:]))
        padded[: len(rows)] = rows
        parts = torch.split(self.gather(padded), max(sizes))
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


@contextmanager
def apart() -> Iterator[Processes]:
    """Let what runs inside take this process for the only one; yield which of all processes it is.

    For work of which each process takes whole parts, such as the cells of a study. The environment of this process is
    changed for as long as that takes; a group of torch that is open already is not.
    """
    here = Processes.current()
    names = ("RANK", "WORLD_SIZE")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield here
    finally:
        os.environ.update(before)


def _opened_group() -> Any:  # noqa: ANN401 - torch.distributed, which is imported late
    """Return `torch.distributed`, its default group open."""
    import torch
    import torch.distributed as dist

    if not dist.is_initialized():
        # Counts and random states travel between processors, gradients and scores between accelerators.
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=LONGEST_WAIT)
        atexit.register(_close_group)
    return dist


def _close_group() -> None:
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()
