"""Criteria by which candidates are ranked, computed tile by tile from cosines.

With r(x) the mean cosine of x to its k nearest rows of the other side,

- cosine: cos(x, y);
- csls: 2 cos(x, y) − r(x) − r(y) (Conneau et al., 2018), k = 10;
- margin: cos(x, y) / ((r(x) + r(y)) / 2), the ratio of xsim (Artetxe and Schwenk, 2019), k = 4. It is taken over all
  candidates; the LASER program looks only at the k nearest by cosine. A denominator below 1e-6 counts as 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from ...errors import ConfigError, DataError
from ..types import Rows
from .right_pairs import RightPairs
from .ties import TIE
from .tiles import Tile, Tiles, shaped
from .topk import TopK

Criterion = Literal["cosine", "csls", "margin"]
CRITERIA: tuple[Criterion, ...] = ("cosine", "csls", "margin")
LEAST_DENOMINATOR = 1e-6


def check_search(queries: Rows, candidates: Rows, *neighbourhoods: int) -> None:
    """Raise an error unless the sides have rows of equal width and every neighbourhood size is at least 1.

    Parameters
    ----------
    queries, candidates : array (n, d), (m, d)
    neighbourhoods : int

    Raises
    ------
    ConfigError
        If a neighbourhood is below 1.
    DataError
        If widths differ or a side is empty.
    """
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        raise DataError(
            f"expected queries and candidates of equal widths, got shapes {queries.shape} and {candidates.shape}"
        )
    if not len(queries) or not len(candidates):
        raise DataError(f"expected rows on both sides, got {len(queries)} queries and {len(candidates)} candidates")
    if min(neighbourhoods) < 1:
        raise ConfigError(f"a neighbourhood needs at least 1 row, got {min(neighbourhoods)}")


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourCosines:
    """Cosines of every row with its nearest rows of the other side, largest first."""

    queries: torch.Tensor  # (n, k) or fewer
    candidates: torch.Tensor  # (m, k) or fewer


def neighbour_cosines(tiles: Tiles, k: int, right: RightPairs | None = None) -> tuple[NeighbourCosines, torch.Tensor]:
    """Return the k largest cosines of every row of both sides, and the cosines of the right pairs, (r,)."""
    device = tiles.queries.device
    none = torch.zeros(0, dtype=torch.int64, device=device)
    pairs = right or RightPairs(none, none)
    cosines = torch.empty(len(pairs.rows), device=device)

    def gathered(share: Tiles) -> tuple[TopK, TopK]:
        best = both_sides(share, k)
        for tile, inside in pairs.by_tile(share):
            add_both_ways(best, share, tile, tile.cosines)
            cosines[inside.numbers] = tile.cosines[inside.rows, inside.columns]
        return best

    near = joined(tiles.shared(gathered))
    return NeighbourCosines(near[0].values, near[1].values), cosines


def both_sides(share: Tiles, k: int, tie: float = 0.0) -> tuple[TopK, TopK]:
    """Return empty lists of the k best candidates of a share's queries, and of the k best queries of every candidate.

    No list is longer than there are entries in all.
    """
    (n, m), device = share.shape, share.queries.device
    return TopK(len(share.rows), min(k, m), device, tie=tie), TopK(m, min(k, n), device, tie=tie)


def add_both_ways(best: tuple[TopK, ...], share: Tiles, tile: Tile, scores: torch.Tensor) -> None:
    """Add the scores of a tile to the lists of a share: of the queries, and of the candidates where there are two."""
    first = share.rows.start
    best[0].update(slice(tile.rows.start - first, tile.rows.stop - first), scores, tile.columns.start)
    for columns in best[1:]:
        columns.update(tile.columns, scores, tile.rows.start, axis=1)


def joined(shares: Sequence[tuple[TopK, ...]]) -> tuple[TopK, ...]:
    """Join the lists of shares, in the order of the queries."""
    rows, *columns = zip(*shares, strict=True)
    return TopK.stacked(rows), *(TopK.merged(parts) for parts in columns)


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """Turns cosines into scores; every step is elementwise, so that the score of a pair does not depend on its tile.

    CSLS is computed at half its value: cos − r(x)/2 − r(y)/2 needs one step fewer.
    """

    criterion: Criterion
    queries: torch.Tensor  # (n,) r / 2 of each query
    candidates: torch.Tensor  # (m,) r / 2 of each candidate

    @classmethod
    def of(cls, criterion: Criterion, near: NeighbourCosines | None, k: int) -> Scorer:
        """Take the mean cosines over the k nearest; the criterion "cosine" needs none."""
        if criterion == "cosine" or near is None:
            return cls("cosine", torch.zeros(0), torch.zeros(0))
        means = [cosines[:, :k].mean(dim=1) / 2 for cosines in (near.queries, near.candidates)]
        return cls(criterion, means[0], means[1])

    @property
    def scale(self) -> np.float32:
        """Factor from the scores computed here to the criterion."""
        return np.float32(2.0 if self.criterion == "csls" else 1.0)

    @property
    def tie(self) -> float:
        """Tolerance of ties between scores; larger for the margin, which divides by a mean below 1."""
        return 4 * TIE if self.criterion == "margin" else TIE

    def score(self, tile: Tile, buffer: torch.Tensor) -> torch.Tensor:
        """Return the scores of a tile, (rows, columns), in the buffer unless the criterion is the cosine."""
        if self.criterion == "cosine":
            return tile.cosines
        out = shaped(buffer, *tile.cosines.shape)
        return self._between(tile.cosines, self.queries[tile.rows, None], self.candidates[tile.columns], out)

    def score_pairs(self, cosines: torch.Tensor, pairs: RightPairs) -> torch.Tensor:
        """Return the scores of single pairs from their cosines, (r,)."""
        if self.criterion == "cosine":
            return cosines
        out = torch.empty_like(cosines)
        return self._between(cosines, self.queries[pairs.rows], self.candidates[pairs.columns], out)

    def _between(
        self, cosines: torch.Tensor, near_query: torch.Tensor, near_candidate: torch.Tensor, out: torch.Tensor
    ) -> torch.Tensor:
        if self.criterion == "csls":
            return torch.sub(cosines, near_candidate, out=out).sub_(near_query)
        torch.add(near_query, near_candidate, out=out).clamp_min_(LEAST_DENOMINATOR)
        return torch.div(cosines, out, out=out)
