"""Cosines between two sets of rows, tile by tile, so that the n × m matrix is never formed.

Both sides may be memory-mapped and larger than memory. Tiles are computed in one buffer that fits the caches of a
processor; all further work is in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

from ..checks import unit_rows
from ..threads import ALONE, Workers, workers
from ..types import Rows

R = TypeVar("R")

#: Rows and columns of a tile: 16 MB on a processor; on an accelerator enough to occupy it.
CPU_SIDE, DEVICE_SIDE = 2048, 16_384
#: Each thread holds a tile, and the best entries of every candidate.
MOST_THREADS = 8
#: Sides up to this size are held in memory as unit rows; larger ones are read and normalised again for each tile.
#: So are cosines: all of a small search are computed once, those of a larger one in each pass.
HELD_BYTES, DEVICE_HELD_BYTES = 256 * 2**20, 4 * 2**30


class UnitRows:
    """Rows at unit length, float32, read in blocks; a row of zeros is unchanged.

    Parameters
    ----------
    x : array (n, d)
        float16, float32 or float64; may be memory-mapped.
    device : str
        A torch device.
    """

    def __init__(self, x: Rows, device: str = "cpu") -> None:
        self.x = x
        self.device = device
        self.held = self._unit(x) if 4 * x.size <= (HELD_BYTES if device == "cpu" else DEVICE_HELD_BYTES) else None

    def __len__(self) -> int:
        return len(self.x)

    def block(self, start: int, stop: int) -> torch.Tensor:
        """Return rows start … stop − 1 at unit length, (stop − start, d)."""
        return self._unit(self.x[start:stop]) if self.held is None else self.held[start:stop]

    def _unit(self, x: Rows) -> torch.Tensor:
        return torch.from_numpy(unit_rows(np.asarray(x, np.float32), zeros="keep")).to(self.device)


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Cosines of some queries with some candidates, valid until the next tile is computed."""

    rows: slice  # of the queries
    columns: slice  # of the candidates
    cosines: torch.Tensor  # (rows, columns)


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Tiles of queries (n, d) against candidates (m, d); every pass gives the same numbers, bit for bit."""

    queries: UnitRows
    candidates: UnitRows
    side: int
    blocks: tuple[slice, ...]  # of the queries, in order: all of them, or a thread's share
    crew: Workers = ALONE
    kept: dict[tuple[int, int], Tile] = field(default_factory=dict)  # for the passes after the first, of small sides

    @classmethod
    def of(cls, queries: Rows, candidates: Rows, device: str, side: int | None = None) -> Tiles:
        """Prepare both sides; without `side` the size of a tile is chosen by device."""
        chosen = side or (CPU_SIDE if device == "cpu" else DEVICE_SIDE)
        blocks = tuple(_slices(len(queries), chosen))
        return cls(UnitRows(queries, device), UnitRows(candidates, device), chosen, blocks)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of queries and candidates."""
        return len(self.queries), len(self.candidates)

    @property
    def rows(self) -> range:
        """Numbers of the queries in these tiles."""
        return range(self.blocks[0].start, self.blocks[-1].stop)

    def shared(self, work: Callable[[Tiles], R]) -> list[R]:
        """Return what a work makes of each share of the tiles, one for each thread, in the order of the queries."""
        edges = np.linspace(0, len(self.blocks), min(self.crew.number, len(self.blocks)) + 1).round().astype(int)
        if len(edges) == 2:
            return [work(self)]
        shares = [replace(self, blocks=self.blocks[a:b]) for a, b in pairwise(edges)]

        def alone(share: Tiles) -> R:
            with one_torch_thread("cpu"):  # the limit holds for the thread that sets it
                return work(share)

        return self.crew.map(alone, shares)

    def buffer(self) -> torch.Tensor:
        """Return an empty buffer for one tile."""
        n, m = self.shape
        return torch.empty(min(self.side, n) * min(self.side, m), device=self.queries.device)

    @property
    def keeps(self) -> bool:
        """Whether the tiles of all passes are held at a time: the n × m cosines take little memory."""
        n, m = self.shape
        return 4 * n * m <= (HELD_BYTES if self.queries.device == "cpu" else DEVICE_HELD_BYTES)

    def __iter__(self) -> Iterator[Tile]:
        buffer = None if self.keeps else self.buffer()
        for rows in self.blocks:
            for columns in _slices(len(self.candidates), self.side):
                place = rows.start, columns.start
                if place in self.kept:
                    yield self.kept[place]
                    continue
                tile = Tile(rows, columns, self._cosines(rows, columns, buffer))
                if self.keeps:
                    self.kept[place] = tile
                yield tile

    def _cosines(self, rows: slice, columns: slice, buffer: torch.Tensor | None) -> torch.Tensor:
        """Compute the cosines of a tile, in the buffer where there is one."""
        queries = self.queries.block(rows.start, rows.stop)
        candidates = self.candidates.block(columns.start, columns.stop)
        if buffer is None:
            buffer = torch.empty(len(queries) * len(candidates), device=self.queries.device)
        tile = shaped(buffer, len(queries), len(candidates))
        product(queries, candidates, tile)
        return tile


@contextmanager
def shared_tiles(queries: Rows, candidates: Rows, device: str, side: int | None = None) -> Iterator[Tiles]:
    """Prepare tiles as `Tiles.of` does, whose passes threads share; on an accelerator there is one."""
    with one_torch_thread(device):
        tiles = Tiles.of(queries, candidates, device, side)
        with workers(min(len(tiles.blocks), MOST_THREADS) if device == "cpu" else 1) as crew:
            yield replace(tiles, crew=crew)


def one_torch_thread(device: str) -> AbstractContextManager[object]:
    """Limit torch to one thread on a processor; the products of tiles use numpy and all threads.

    Work on a tile is bound by memory: two threads of torch take twice as long for it as one.
    """
    return _thread_pools().limit(limits=1, user_api="openmp") if device == "cpu" else nullcontext()


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    """Find the thread pools once: it takes longer than the search of a small pool."""
    return ThreadpoolController()


def shaped(buffer: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return the first entries of a flat buffer as a matrix (rows, columns)."""
    return buffer[: rows * columns].view(rows, columns)


def _slices(length: int, size: int) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def product(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """Write a bᵀ into `out`, a (n, d) and b (m, d); on some processors numpy is 1.5 times as fast as torch."""
    if a.device.type == "cpu":
        np.matmul(a.numpy(), b.numpy().T, out=out.numpy())
    else:
        torch.mm(a, b.T, out=out)
