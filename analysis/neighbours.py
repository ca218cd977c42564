"""Exact nearest-neighbour retrieval in tiles: ranks of the right answers by cosine and by CSLS, both ways at once.

No n × m matrix is ever held: two passes over tiles of similarities, the first for neighbourhood means, the second for
ranks. CSLS(q, c) = 2 cos(q, c) − r(q) − r(c), r the mean cosine to the k nearest of the other side (Conneau et al., 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import DataError

Floats = NDArray[np.floating]
Ranks = NDArray[np.int64]
CSLS_NEIGHBOURS = 10
TILE_ENTRIES = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class MatchRanks:
    """Rank of the best right answer, 1 = first; ties count against it."""

    cosine: Ranks  # (n,)
    csls: Ranks  # (n,)


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Similarities of queries and candidates, made tile by tile, with the places of the right answers."""

    queries: torch.Tensor  # (n, d) unit rows
    candidates: torch.Tensor  # (m, d) unit rows
    rows: torch.Tensor  # (r,) query of each right pair, ascending
    columns: torch.Tensor  # (r,) candidate of each right pair
    tile_rows: int

    def __iter__(self) -> Iterator[tuple[int, torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Yield (first row, similarities, rows within the tile and columns of the right pairs in it)."""
        for start in range(0, len(self.queries), self.tile_rows):
            tile = self.queries[start : start + self.tile_rows] @ self.candidates.T
            first, last = torch.searchsorted(self.rows, torch.tensor([start, start + len(tile)])).tolist()
            yield start, tile, self.rows[first:last] - start, self.columns[first:last]


def match_ranks(
    queries: Floats,
    candidates: Floats,
    query_groups: NDArray[np.integer],
    candidate_groups: NDArray[np.integer],
    *,
    k: int = CSLS_NEIGHBOURS,
    device: str = "cpu",
) -> tuple[MatchRanks, MatchRanks]:
    """Rank the right answers of every query among all candidates, and of every candidate among all queries.

    Parameters
    ----------
    queries, candidates : array (n, d), (m, d)
        Rows of any length; cosines are taken. A row of zeros has cosine 0 with everything.
    query_groups, candidate_groups : array (n,), (m,)
        A candidate is a right answer where its group equals that of the query.
    k : int
        Neighbourhood of CSLS; at most the pool is used.
    device : str
        A torch device.

    Returns
    -------
    forward, backward : MatchRanks
        Of the n queries among the m candidates, and of the m candidates among the n queries. A row without any right
        answer ranks last plus one.

    Raises
    ------
    DataError
        If widths differ, or no query has a right answer.
    """
    if queries.shape[1] != candidates.shape[1]:
        raise DataError(f"queries are {queries.shape[1]} wide and candidates {candidates.shape[1]}: expected equal widths")
    tiles = _tiles(queries, candidates, query_groups, candidate_groups, device)
    if not len(tiles.rows):
        raise DataError("no query has a right answer among the candidates: the groups have nothing in common")
    near_query, near_candidate, right = _neighbourhoods(tiles, k)
    zeros = torch.zeros_like(near_query), torch.zeros_like(near_candidate)
    by_cosine = _Counter.of(tiles, right, *zeros)
    by_csls = _Counter.of(tiles, right, near_query / 2, near_candidate / 2)
    for start, tile, rows, columns in tiles:
        scratch = torch.empty_like(tile)
        by_cosine.add(start, tile, rows, columns, scratch)
        by_csls.add(start, tile, rows, columns, scratch)
    return (
        MatchRanks(by_cosine.query_ranks(), by_csls.query_ranks()),
        MatchRanks(by_cosine.candidate_ranks(), by_csls.candidate_ranks()),
    )


def nearest(
    queries: Floats, candidates: Floats, *, k: int, device: str = "cpu"
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return cosines and row numbers of the k nearest candidates of every query, nearest first, (n, k) each."""
    unit_queries, unit_candidates = unit_rows(queries, device), unit_rows(candidates, device)
    values, places = [], []
    tile_rows = max(1, TILE_ENTRIES // max(len(candidates), 1))
    for start in range(0, len(unit_queries), tile_rows):
        top = (unit_queries[start : start + tile_rows] @ unit_candidates.T).topk(k, dim=1)
        values.append(top.values.cpu())
        places.append(top.indices.cpu())
    return torch.cat(values).numpy(), torch.cat(places).numpy()


def unit_rows(x: Floats, device: str = "cpu") -> torch.Tensor:
    """Return the rows of x (n, d) at unit length, float32; a row of zeros stays."""
    rows = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)).to(device)
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)


def right_pairs(
    query_groups: NDArray[np.integer], candidate_groups: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (query, candidate) index arrays of all pairs of one group, ordered by query."""
    order = np.argsort(candidate_groups, kind="stable")
    first = np.searchsorted(candidate_groups[order], query_groups, side="left")
    last = np.searchsorted(candidate_groups[order], query_groups, side="right")
    sizes = last - first
    queries = np.repeat(np.arange(len(query_groups)), sizes)
    within = np.arange(len(queries)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return queries, order[np.repeat(first, sizes) + within]


def _tiles(
    queries: Floats,
    candidates: Floats,
    query_groups: NDArray[np.integer],
    candidate_groups: NDArray[np.integer],
    device: str,
) -> Tiles:
    rows, columns = right_pairs(query_groups, candidate_groups)
    return Tiles(
        unit_rows(queries, device),
        unit_rows(candidates, device),
        torch.from_numpy(rows).to(device),
        torch.from_numpy(columns).to(device),
        max(1, TILE_ENTRIES // max(len(candidates), 1)),
    )


def _neighbourhoods(tiles: Tiles, k: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """First pass: mean cosine to the k nearest, for queries (n,) and candidates (m,), and the cosine of right pairs."""
    n, m = len(tiles.queries), len(tiles.candidates)
    near_query = torch.empty(n, device=tiles.queries.device)
    best = torch.full((min(k, n), m), -torch.inf, device=tiles.queries.device)
    right = []
    for start, tile, rows, columns in tiles:
        near_query[start : start + len(tile)] = tile.topk(min(k, m), dim=1, sorted=False).values.mean(dim=1)
        top = tile.topk(min(k, len(tile)), dim=0, sorted=False).values
        best = torch.cat([best, top]).topk(len(best), dim=0, sorted=False).values
        right.append(tile[rows, columns])
    return near_query, best.mean(dim=0), torch.cat(right)


@dataclass(frozen=True, slots=True, eq=False)
class _Counter:
    """Counts, tile by tile, the candidates that score at least as high as the best right answer, both ways.

    The score of a pair is its cosine less an offset of the query and one of the candidate.
    """

    offset_query: torch.Tensor  # (n,)
    offset_candidate: torch.Tensor  # (m,)
    best_of_query: torch.Tensor  # (n,) best cosine less candidate offset among the right answers
    best_of_candidate: torch.Tensor  # (m,) best cosine less query offset
    above_query: torch.Tensor  # (n,) candidates at or above the best
    above_candidate: torch.Tensor  # (m,)

    @classmethod
    def of(cls, tiles: Tiles, right: torch.Tensor, offset_query: torch.Tensor, offset_candidate: torch.Tensor) -> _Counter:
        lowest_query, lowest_candidate = torch.full_like(offset_query, -torch.inf), torch.full_like(offset_candidate, -torch.inf)
        by_query = right - offset_candidate[tiles.columns]
        by_candidate = right - offset_query[tiles.rows]
        return cls(
            offset_query,
            offset_candidate,
            lowest_query.scatter_reduce(0, tiles.rows, by_query, "amax"),
            lowest_candidate.scatter_reduce(0, tiles.columns, by_candidate, "amax"),
            torch.zeros_like(offset_query),
            torch.zeros_like(offset_candidate),
        )

    def add(self, start: int, tile: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, scratch: torch.Tensor) -> None:
        here = slice(start, start + len(tile))
        torch.sub(tile, self.offset_candidate, out=scratch).ge_(self.best_of_query[here, None])
        self.above_query[here] += self._wrong(scratch, rows, columns).sum(dim=1)
        torch.sub(tile, self.offset_query[here, None], out=scratch).ge_(self.best_of_candidate)
        self.above_candidate.add_(self._wrong(scratch, rows, columns).sum(dim=0))

    @staticmethod
    def _wrong(above: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        above[rows, columns] = 0.0
        return above

    def query_ranks(self) -> Ranks:
        return _ranks(self.above_query)

    def candidate_ranks(self) -> Ranks:
        return _ranks(self.above_candidate)


def _ranks(above: torch.Tensor) -> Ranks:
    return (above + 1).cpu().numpy().astype(np.int64)
