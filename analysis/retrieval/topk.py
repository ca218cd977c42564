"""The k best entries of every row or column of a score matrix that is given tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .ties import first_of_ties

GROUP = 16


class TopK:
    """The k largest entries of every line over all tiles, and those that tie with the last of them.

    A line is a row or a column of the score matrix. Only entries above the k-th best so far are examined: the maxima of
    groups of 16 entries of a tile, then the groups that reach the bound. Memory beyond the result is O(tile).

    Parameters
    ----------
    lines : int
        Number of lines over all tiles.
    k : int
        Entries of the result; each line must have at least k in all.
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
        """Add the entries of a tile, whose lines are its rows (axis 0) or its columns (axis 1).

        The tile's first entry of each line has the place `first_place`, after those of all earlier tiles.
        """
        entries = _entries_above(self.values[lines, : self.k], tile, axis, self.tie)
        if not len(entries.line):
            return
        changed, place = torch.unique_consecutive(entries.line, return_inverse=True)
        new_values, new_places = _padded(place, entries.value, entries.place + first_place, len(changed))
        here = changed + lines.start
        values = torch.cat([self.values[here], new_values], dim=1)
        places = torch.cat([self.places[here], new_places], dim=1)
        ordered = values.sort(dim=1, descending=True, stable=True)
        values, places = self._trimmed(ordered.values, places.gather(1, ordered.indices))
        more = values.shape[1] - self.values.shape[1]
        if more > 0:
            self.values = torch.nn.functional.pad(self.values, (0, more), value=-torch.inf)
            self.places = torch.nn.functional.pad(self.places, (0, more))
        self.values[here, : values.shape[1]] = values
        self.values[here, values.shape[1] :] = -torch.inf
        self.places[here, : values.shape[1]] = places

    @classmethod
    def merged(cls, parts: Sequence[TopK]) -> TopK:
        """Return the best entries over parts that saw different places of the same lines, in their order."""
        if len(parts) == 1:
            return parts[0]
        whole = cls(0, parts[0].k, str(parts[0].values.device), tie=parts[0].tie)
        values, places = (torch.cat([getattr(part, name) for part in parts], dim=1) for name in ("values", "places"))
        ordered = values.sort(dim=1, descending=True, stable=True)
        whole.values, whole.places = whole._trimmed(ordered.values, places.gather(1, ordered.indices))
        return whole

    @classmethod
    def stacked(cls, parts: Sequence[TopK]) -> TopK:
        """Return the entries of parts that saw different lines, one after the other."""
        if len(parts) == 1:
            return parts[0]
        whole = cls(0, parts[0].k, str(parts[0].values.device), tie=parts[0].tie)
        width = max(part.values.shape[1] for part in parts)

        def widened(rows: torch.Tensor, fill: float) -> torch.Tensor:
            return torch.nn.functional.pad(rows, (0, width - rows.shape[1]), value=fill)

        whole.values = torch.cat([widened(part.values, -torch.inf) for part in parts])
        whole.places = torch.cat([widened(part.places, 0) for part in parts])
        return whole

    def best(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores and places of the k best of every line, ties by place, (lines, k) each."""
        return first_of_ties(self.values, self.places, self.k, self.tie)

    def _trimmed(self, values: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Drop entries that cannot tie with the k-th best: those too far below it, or after k equal entries."""
        k = self.k
        low = values[:, k - 1 : k] - self.tie
        tied = (values[:, k:] >= low) & (values[:, k:] != values[:, :-k]) & (values[:, k:] > -torch.inf)
        width = k + int(tied.sum(dim=1).max()) if self.tie and tied.numel() else k
        if width > k:
            values = torch.cat([values[:, :k], values[:, k:].masked_fill(~tied, -torch.inf)], dim=1)
            ordered = values.sort(dim=1, descending=True, stable=True)
            values, places = ordered.values, places.gather(1, ordered.indices)
        return values[:, :width], places[:, :width]


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Entries of a tile that may be among the k best of their line, ordered by line and by place along it."""

    line: torch.Tensor  # (e,) of int64
    place: torch.Tensor  # (e,) of int64
    value: torch.Tensor  # (e,)


def _entries_above(best: torch.Tensor, tile: torch.Tensor, axis: int, tie: float) -> _Entries:
    """Return the entries of a tile that may be among the k best, given those so far of each line, (lines, k)."""
    width, k = tile.shape[1 - axis], best.shape[1]
    size = max(1, min(GROUP, width // (4 * k)))
    groups = width // size
    maxima = _group_maxima(tile, axis, size, groups)
    bound = _bound(maxima, best, tie)
    line, group = (maxima >= bound[:, None]).nonzero(as_tuple=True)
    members = group[:, None] + groups * torch.arange(size, device=tile.device)
    remainder = torch.arange(groups * size, width, device=tile.device)
    if len(remainder):
        rest = tile.narrow(1 - axis, groups * size, len(remainder))
        rest = rest if axis == 0 else rest.T
        rest_line, rest_place = (rest >= bound[:, None]).nonzero(as_tuple=True)
    flat = tile.reshape(-1)
    step, stride = (tile.shape[1], 1) if axis == 0 else (1, tile.shape[1])
    values = flat.take(line[:, None] * step + members * stride)
    pair, member = (values >= bound[line, None]).nonzero(as_tuple=True)
    lines, places, reached = line[pair], members[pair, member], values[pair, member]
    if len(remainder):
        lines, places = torch.cat([lines, rest_line]), torch.cat([places, remainder[rest_place]])
        reached = torch.cat([reached, rest[rest_line, rest_place]])
    order = (lines * width + places).argsort()
    return _Entries(lines[order], places[order], reached[order])


def _group_maxima(tile: torch.Tensor, axis: int, size: int, groups: int) -> torch.Tensor:
    """Return the maxima of groups along each line, (lines, groups); group g holds every `groups`-th entry from g on.

    With this arrangement the reduction runs over contiguous memory along both axes.
    """
    rows, columns = tile.shape
    if axis == 0:
        return tile[:, : size * groups].reshape(rows, size, groups).amax(dim=1)
    return tile[: size * groups].reshape(size, groups, columns).amax(dim=0).T.contiguous()


def _bound(maxima: torch.Tensor, best: torch.Tensor, tie: float) -> torch.Tensor:
    """Return the least value with which an entry of each line may be among the k best, (lines,).

    An entry no larger than the k-th best so far comes after k entries at least as large, and after each of them in any
    tie. Lines with fewer than k entries so far are bounded by the k-th largest of the group maxima, less the tolerance.
    """
    last = best[:, -1]
    above = torch.nextafter(last, torch.full_like(last, torch.inf))
    if maxima.shape[1] < best.shape[1] or bool(torch.isfinite(last).all()):
        return above
    return torch.maximum(above, maxima.topk(best.shape[1], dim=1).values[:, -1] - tie)


def _padded(
    line: torch.Tensor, values: torch.Tensor, places: torch.Tensor, lines: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return entries ordered by line as matrices (lines, w) of values and places, −∞ where a line has fewer."""
    counts = torch.bincount(line, minlength=lines)
    column = torch.arange(len(line), device=line.device) - (counts.cumsum(0) - counts)[line]
    widest = int(counts.max())
    value_rows = torch.full((lines, widest), -torch.inf, device=line.device)
    place_rows = torch.zeros((lines, widest), dtype=torch.int64, device=line.device)
    value_rows[line, column] = values
    place_rows[line, column] = places
    return value_rows, place_rows
