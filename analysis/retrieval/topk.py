"""Cosines between two sets of rows, tile by tile, and the k best of every line: never an n × m matrix.

Both sides may be memory-mapped and larger than memory. A tile is made in a buffer that is allocated once and fits the
caches of a processor; all further work is in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from ..checks import unit_rows
from ..types import Rows
from .ties import first_of_ties

#: Rows and columns of a tile: 16 MB on a processor; on an accelerator as much as keeps it busy.
CPU_SIDE, DEVICE_SIDE = 2048, 16_384
#: Sides up to this size are kept as unit rows; larger ones are read and normalised again for each tile.
HELD_BYTES, DEVICE_HELD_BYTES = 256 * 2**20, 4 * 2**30
GROUP = 16


class UnitRows:
    """Rows at unit length, float32, given in blocks; a row of zeros stays.

    Parameters
    ----------
    x : array (n, d)
        float16, float32 or float64; memory-mapped if you like.
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
    """Cosines of some queries with some candidates, valid until the next tile is made."""

    rows: slice  # of the queries
    columns: slice  # of the candidates
    cosines: torch.Tensor  # (rows, columns)


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """All tiles of queries (n, d) against candidates (m, d); the same numbers, bit for bit, each time they are made."""

    queries: UnitRows
    candidates: UnitRows
    side: int

    @classmethod
    def of(cls, queries: Rows, candidates: Rows, device: str, side: int | None = None) -> Tiles:
        """Prepare both sides; the side of a tile is chosen by the device where it is not given."""
        chosen = side or (CPU_SIDE if device == "cpu" else DEVICE_SIDE)
        return cls(UnitRows(queries, device), UnitRows(candidates, device), chosen)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of queries and candidates."""
        return len(self.queries), len(self.candidates)

    def buffer(self) -> torch.Tensor:
        """Return room for one tile."""
        n, m = self.shape
        return torch.empty(min(self.side, n) * min(self.side, m), device=self.queries.device)

    def __iter__(self) -> Iterator[Tile]:
        buffer = self.buffer()
        for rows in _slices(len(self.queries), self.side):
            queries = self.queries.block(rows.start, rows.stop)
            for columns in _slices(len(self.candidates), self.side):
                candidates = self.candidates.block(columns.start, columns.stop)
                tile = shaped(buffer, len(queries), len(candidates))
                product(queries, candidates, tile)
                yield Tile(rows, columns, tile)


def one_torch_thread(device: str) -> AbstractContextManager[object]:
    """Keep torch to one thread on a processor, where the products of tiles take all.

    What is done to a tile is bound by memory: two threads of torch take twice as long for it as one.
    """
    return threadpool_limits(1, user_api="openmp") if device == "cpu" else nullcontext()


def shaped(buffer: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return the front of a flat buffer as a matrix."""
    return buffer[: rows * columns].view(rows, columns)


def _slices(length: int, size: int) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def product(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """Write a bᵀ into `out`; on a processor through numpy, whose library is up to half again as fast on some."""
    if a.device.type == "cpu":
        np.matmul(a.numpy(), b.numpy().T, out=out.numpy())
    else:
        torch.mm(a, b.T, out=out)


class TopK:
    """The k largest entries of every line, kept over tiles, and those that tie with the last of them.

    Only entries above the k-th best so far are looked at: of a tile, the maxima of groups of 16 entries, then the
    groups that reach the bound. All memory beyond the result is O(tile).

    Parameters
    ----------
    lines : int
        Number of lines over all tiles.
    k : int
        Entries kept; each line must meet at least k in all.
    device : str
    tie : float
        Entries within it are ties (see `ties`); 0 where only the values count.

    Attributes
    ----------
    values : tensor (lines, w)
        Largest first; w is k, or more where entries tie with the k-th, −∞ where a line has fewer.
    places : tensor (lines, w) of int64
    """

    def __init__(self, lines: int, k: int, device: str = "cpu", *, tie: float = 0.0) -> None:
        self.k, self.tie = k, tie
        self.values = torch.full((lines, k), -torch.inf, device=device)
        self.places = torch.zeros((lines, k), dtype=torch.int64, device=device)

    def update(self, lines: slice, tile: torch.Tensor, first_place: int, *, axis: int = 0) -> None:
        """Take in the entries of a tile: its lines are its rows (axis 0) or its columns (1).

        Along a line the tile's entries stand at `first_place` and after, behind all that were met before.
        """
        entries = _reaching(self.values[lines, : self.k], tile, axis, self.tie)
        if not len(entries.line):
            return
        met, place = torch.unique_consecutive(entries.line, return_inverse=True)
        fresh_values, fresh_places = _padded(place, entries.value, entries.place + first_place, len(met))
        here = met + lines.start
        values = torch.cat([self.values[here], fresh_values], dim=1)
        places = torch.cat([self.places[here], fresh_places], dim=1)
        ordered = values.sort(dim=1, descending=True, stable=True)
        values, places = self._without_losers(ordered.values, places.gather(1, ordered.indices))
        self._widen(values.shape[1])
        self.values[here, : values.shape[1]] = values
        self.values[here, values.shape[1] :] = -torch.inf
        self.places[here, : values.shape[1]] = places

    def best(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores and places of the k best of every line, ties by place, (lines, k) each."""
        return first_of_ties(self.values, self.places, self.k, self.tie)

    def _without_losers(self, values: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Drop what no tie can bring among the k best: what is too far below the k-th, or behind k equal entries."""
        k = self.k
        low = values[:, k - 1 : k] - self.tie
        stays = (values[:, k:] >= low) & (values[:, k:] != values[:, :-k]) & (values[:, k:] > -torch.inf)
        width = k + int(stays.sum(dim=1).max()) if self.tie and stays.numel() else k
        if width > k:
            values = torch.cat([values[:, :k], values[:, k:].masked_fill(~stays, -torch.inf)], dim=1)
            ordered = values.sort(dim=1, descending=True, stable=True)
            values, places = ordered.values, places.gather(1, ordered.indices)
        return values[:, :width], places[:, :width]

    def _widen(self, width: int) -> None:
        more = width - self.values.shape[1]
        if more > 0:
            self.values = torch.nn.functional.pad(self.values, (0, more), value=-torch.inf)
            self.places = torch.nn.functional.pad(self.places, (0, more))


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Entries of a tile that may enter, ordered by line and by place along it."""

    line: torch.Tensor  # (e,) of int64
    place: torch.Tensor  # (e,) of int64
    value: torch.Tensor  # (e,)


def _reaching(best: torch.Tensor, tile: torch.Tensor, axis: int, tie: float) -> _Entries:
    """Find the entries of a tile that may enter, given the k best so far of their line, (lines, k)."""
    width, k = tile.shape[1 - axis], best.shape[1]
    size = max(1, min(GROUP, width // (4 * k)))
    groups = width // size
    maxima = _group_maxima(tile, axis, size, groups)
    bound = _bound(maxima, best, tie)
    line, group = (maxima >= bound[:, None]).nonzero(as_tuple=True)
    members = group[:, None] + groups * torch.arange(size, device=tile.device)
    beyond = torch.arange(groups * size, width, device=tile.device)
    if len(beyond):
        rest = tile.narrow(1 - axis, groups * size, len(beyond))
        rest = rest if axis == 0 else rest.T
        rest_line, rest_place = (rest >= bound[:, None]).nonzero(as_tuple=True)
    flat = tile.reshape(-1)
    step, stride = (tile.shape[1], 1) if axis == 0 else (1, tile.shape[1])
    values = flat.take(line[:, None] * step + members * stride)
    pair, member = (values >= bound[line, None]).nonzero(as_tuple=True)
    lines, places, found = line[pair], members[pair, member], values[pair, member]
    if len(beyond):
        lines, places = torch.cat([lines, rest_line]), torch.cat([places, beyond[rest_place]])
        found = torch.cat([found, rest[rest_line, rest_place]])
    order = (lines * width + places).argsort()
    return _Entries(lines[order], places[order], found[order])


def _group_maxima(tile: torch.Tensor, axis: int, size: int, groups: int) -> torch.Tensor:
    """Return the maxima of groups along each line, (lines, groups); group g holds every `groups`-th entry from g on.

    So arranged, the reduction runs over contiguous memory along both axes.
    """
    rows, columns = tile.shape
    if axis == 0:
        return tile[:, : size * groups].reshape(rows, size, groups).amax(dim=1)
    return tile[: size * groups].reshape(size, groups, columns).amax(dim=0).T.contiguous()


def _bound(maxima: torch.Tensor, best: torch.Tensor, tie: float) -> torch.Tensor:
    """Return the least value that an entry of each line must have to enter, (lines,).

    An entry no larger than the k-th best so far stands behind k entries at least as large, and loses to each of them in
    any tie. Where k entries have not been met yet, the k-th largest of the groups' maxima is a bound, ties below it.
    """
    last = best[:, -1]
    above = torch.nextafter(last, torch.full_like(last, torch.inf))
    if maxima.shape[1] < best.shape[1] or bool(torch.isfinite(last).all()):
        return above
    return torch.maximum(above, maxima.topk(best.shape[1], dim=1).values[:, -1] - tie)


def _padded(
    line: torch.Tensor, values: torch.Tensor, places: torch.Tensor, lines: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Set entries ordered by line into a matrix with a row for each line, −∞ where a line has fewer."""
    counts = torch.bincount(line, minlength=lines)
    column = torch.arange(len(line), device=line.device) - (counts.cumsum(0) - counts)[line]
    widest = int(counts.max())
    value_rows = torch.full((lines, widest), -torch.inf, device=line.device)
    place_rows = torch.zeros((lines, widest), dtype=torch.int64, device=line.device)
    value_rows[line, column] = values
    place_rows[line, column] = places
    return value_rows, place_rows
