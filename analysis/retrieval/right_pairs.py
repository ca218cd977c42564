"""Pairs of queries and their right answers, by concept group, listed in full or tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ..types import Indices, Labels
from .tiles import Tile, Tiles


def right_pairs(query_groups: Labels, candidate_groups: Labels) -> tuple[Indices, Indices]:
    """Return (query, candidate) index arrays of all pairs with equal groups, ordered by query.

    Parameters
    ----------
    query_groups, candidate_groups : array (n,), (m,)
    """
    order = np.argsort(candidate_groups, kind="stable")
    first = np.searchsorted(candidate_groups[order], query_groups, side="left")
    last = np.searchsorted(candidate_groups[order], query_groups, side="right")
    sizes = last - first
    queries = np.repeat(np.arange(len(query_groups)), sizes)
    within = np.arange(len(queries)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return queries, order[np.repeat(first, sizes) + within]


@dataclass(frozen=True, slots=True, eq=False)
class TilePairs:
    """The right pairs within one tile."""

    numbers: torch.Tensor  # (p,) their numbers among all right pairs
    rows: torch.Tensor  # (p,) within the tile
    columns: torch.Tensor  # (p,) within the tile


@dataclass(frozen=True, slots=True, eq=False)
class RightPairs:
    """Row numbers of all pairs of a query and a right answer."""

    rows: torch.Tensor  # (r,) query of each right pair, ascending
    columns: torch.Tensor  # (r,) candidate of each right pair

    @classmethod
    def of(cls, query_groups: Labels, candidate_groups: Labels, device: str) -> RightPairs:
        """List the pairs of equal group, groups (n,) and (m,)."""
        rows, columns = right_pairs(query_groups, candidate_groups)
        return cls(torch.from_numpy(rows).to(device), torch.from_numpy(columns).to(device))

    def by_tile(self, tiles: Tiles) -> Iterator[tuple[Tile, TilePairs]]:
        """Yield every tile with the right pairs within it."""
        for tile in tiles:
            edges = torch.tensor([tile.rows.start, tile.rows.stop], device=self.rows.device)
            first, last = torch.searchsorted(self.rows, edges).tolist()
            columns = self.columns[first:last]
            inside = ((columns >= tile.columns.start) & (columns < tile.columns.stop)).nonzero().ravel()
            numbers = inside + first
            rows, columns = self.rows[numbers] - tile.rows.start, self.columns[numbers] - tile.columns.start
            yield tile, TilePairs(numbers, rows, columns)
