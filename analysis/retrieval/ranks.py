"""Ranks of the right answers among all candidates, in both directions, by each criterion.

The n × m matrix is never formed: a first pass over tiles of cosines gathers the neighbourhood means, a second counts
the wrong answers ahead of the right ones, and a third, where gains are requested, sums the influence of each candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ...errors import ConfigError, DataError
from ..types import Floats, Integers, Labels, Rows
from .criteria import (
    Criterion,
    NeighbourCosines,
    Scorer,
    check_search,
    neighbour_cosines,
)
from .neighbourhoods import CSLS_NEIGHBOURS, MARGIN_NEIGHBOURS
from .right_pairs import RightPairs, TilePairs
from .shards import ONE_SHARD, OneShard
from .tiles import Tile, Tiles, shaped, shared_tiles

#: The criterion that ranks, and what a query of a given rank would gain if one wrong answer ahead of it were removed.
Gain = tuple[Criterion, Callable[[Integers], Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class MatchRanks:
    """Rank of the best right answer of every query, 1 = first; ties (see `ties`) count against it."""

    cosine: Integers  # (n,)
    csls: Integers  # (n,)
    margin: Integers | None = None  # (n,), where it was requested
    #: For each requested gain: what all queries together would gain if one candidate were removed, (m,).
    influence: Mapping[str, Floats] = field(default_factory=dict)

    def of(self, criterion: Criterion) -> Integers:
        """Return the ranks by a criterion.

        Raises
        ------
        ConfigError
            If the margin was not requested.
        """
        ranks = {"cosine": self.cosine, "csls": self.csls, "margin": self.margin}[criterion]
        if ranks is None:
            raise ConfigError("ranks by margin were not computed: give margin=True")
        return ranks


def match_ranks(  # noqa: PLR0913 - the neighbourhoods, the device and the criteria are settings
    queries: Rows,
    candidates: Rows,
    query_groups: Labels,
    candidate_groups: Labels,
    *,
    k: int = CSLS_NEIGHBOURS,
    margin: bool = False,
    margin_k: int = MARGIN_NEIGHBOURS,
    gains: Mapping[str, Gain] | None = None,
    device: str = "cpu",
    tile_side: int | None = None,
    shards: OneShard = ONE_SHARD,
) -> tuple[MatchRanks, MatchRanks]:
    """Rank the right answers of every query among all candidates, and of every candidate among all queries.

    Parameters
    ----------
    queries, candidates : array (n, d), (m, d)
        Rows of any length; cosines are taken. A row of zeros has cosine 0 with every row. They may be
        memory-mapped.
    query_groups, candidate_groups : array (n,), (m,)
        A candidate is a right answer where its group equals that of the query.
    k, margin_k : int
        Neighbourhood sizes of CSLS and of the margin, at least 1; capped at the number of rows.
    margin : bool
        Whether to rank by the margin too.
    gains : mapping, optional
        Scores for which to compute the influence of every candidate; costs a third pass.
    device : str
        A torch device.
    tile_side : int, optional
        Rows and columns of a tile; chosen by device by default.
    shards : OneShard
        `CandidateShards()` where each process of a group has all queries and a share of the candidates; then `forward`
        ranks among the candidates of all processes, and `backward` ranks those of this process. Not combined with
        `gains`.

    Returns
    -------
    forward, backward : MatchRanks
        Of the n queries among the m candidates, and of the m candidates among the n queries. A row without a right
        answer ranks last plus one.

    Raises
    ------
    ConfigError
        If a neighbourhood is below 1, or gains are requested over shards.
    DataError
        If widths differ, a side is empty, or no query has a right answer.
    """
    check_search(queries, candidates, k, margin_k)
    if gains and shards is not ONE_SHARD:
        raise ConfigError("gains are not summed over shards: leave them out, or give all candidates to one process")
    right = RightPairs.of(query_groups, candidate_groups, device)
    if not shards.exist_anywhere(len(right.rows)):
        raise DataError(
            "no query has a right answer among the candidates: no group occurs on both sides, give groups that match"
        )
    sizes: dict[Criterion, int] = {"cosine": 0, "csls": k}
    if margin:
        sizes["margin"] = margin_k
    with shared_tiles(queries, candidates, device, tile_side) as tiles:
        return _ranked(tiles, right, sizes, gains or {}, shards)


def _ranked(
    tiles: Tiles,
    right: RightPairs,
    sizes: Mapping[Criterion, int],
    gains: Mapping[str, Gain],
    shards: OneShard,
) -> tuple[MatchRanks, MatchRanks]:
    """Rank by each criterion with its neighbourhood size."""
    largest = max(sizes.values())
    near, cosines = neighbour_cosines(tiles, largest, right)
    near = NeighbourCosines(shards.nearest(near.queries, largest), near.candidates)
    counters: dict[str, _RankCounter] = {
        name: _RankCounter.of(Scorer.of(name, near, size), right, cosines, tiles.shape) for name, size in sizes.items()
    }
    for counter in counters.values():
        shards.most(counter.threshold[0])

    def counted(share: Tiles) -> list[_RankCounter]:
        own = [counter.emptied() for counter in counters.values()]
        scores, flags = share.buffer(), share.buffer()
        for tile, inside in right.by_tile(share):
            for counter in own:
                counter.add(tile, inside, scores, flags)
        return own

    for parts in tiles.shared(counted):
        for counter, part in zip(counters.values(), parts, strict=True):
            counter.include(part)
    for counter in counters.values():
        shards.total(counter.ahead[0])
    ranks: list[dict[str, Integers]] = [
        {name: counter.ranks(axis) for name, counter in counters.items()} for axis in (0, 1)
    ]
    of_candidates, of_queries = _influences(tiles, right, counters, gains, ranks) if gains else ({}, {})
    return MatchRanks(**ranks[0], influence=of_candidates), MatchRanks(**ranks[1], influence=of_queries)


def _influences(
    tiles: Tiles,
    right: RightPairs,
    counters: Mapping[str, _RankCounter],
    gains: Mapping[str, Gain],
    ranks: list[dict[str, Integers]],
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return for each gain the influence of every candidate, (m,), and of every query as a candidate, (n,)."""
    scores, flags = tiles.buffer(), tiles.buffer()
    device, (n, m) = scores.device, tiles.shape
    influence = [{name: torch.zeros(length, dtype=torch.float64, device=device) for name in gains} for length in (m, n)]
    gain_of_query = [
        {name: torch.from_numpy(gain(own[by])).to(device, torch.float32) for name, (by, gain) in gains.items()}
        for own in ranks
    ]
    for tile, inside in right.by_tile(tiles):
        sides = (tile.rows, tile.columns)
        for by, counter in counters.items():
            score = counter.scorer.score(tile, scores)
            for axis in (0, 1):
                flag = counter.flag_ahead(axis, sides[axis], score, inside, flags)
                for name in (name for name, (criterion, _) in gains.items() if criterion == by):
                    own = gain_of_query[axis][name][sides[axis]]
                    influence[axis][name][sides[1 - axis]] += own @ flag if axis == 0 else flag @ own
    forward, backward = ({name: total.cpu().numpy() for name, total in side.items()} for side in influence)
    return forward, backward


@dataclass(frozen=True, slots=True, eq=False)
class _RankCounter:
    """Counts in both directions the wrong answers that tie with the best right one or score higher."""

    scorer: Scorer
    threshold: tuple[torch.Tensor, torch.Tensor]  # (n,), (m,) least score that ties with the best right one, or −∞
    ahead: tuple[torch.Tensor, torch.Tensor]  # (n,), (m,) wrong answers counted so far

    @classmethod
    def of(cls, scorer: Scorer, right: RightPairs, cosines: torch.Tensor, shape: tuple[int, int]) -> _RankCounter:
        """Set the thresholds from the cosines of the right pairs, (r,)."""
        scores = scorer.score_pairs(cosines, right)
        tied = scores - scorer.tie
        lowest = [torch.full((length,), -torch.inf, device=scores.device) for length in shape]
        return cls(
            scorer,
            (
                lowest[0].scatter_reduce(0, right.rows, tied, "amax"),
                lowest[1].scatter_reduce(0, right.columns, tied, "amax"),
            ),
            (torch.zeros_like(lowest[0], dtype=torch.float64), torch.zeros_like(lowest[1], dtype=torch.float64)),
        )

    def add(self, tile: Tile, inside: TilePairs, scores: torch.Tensor, flags: torch.Tensor) -> None:
        """Count within a tile; sums of float flags are many times faster than those of booleans, and exact."""
        score = self.scorer.score(tile, scores)
        for axis, lines in enumerate((tile.rows, tile.columns)):
            self.ahead[axis][lines] += self.flag_ahead(axis, lines, score, inside, flags).sum(dim=1 - axis)

    def emptied(self) -> _RankCounter:
        """Return a counter with the same thresholds that has counted nothing, for a share of the tiles."""
        return replace(self, ahead=(torch.zeros_like(self.ahead[0]), torch.zeros_like(self.ahead[1])))

    def include(self, part: _RankCounter) -> None:
        """Add what another counter has counted in other tiles."""
        for axis in (0, 1):
            self.ahead[axis].add_(part.ahead[axis])

    def flag_ahead(
        self, axis: int, lines: slice, score: torch.Tensor, inside: TilePairs, flags: torch.Tensor
    ) -> torch.Tensor:
        """Return 1.0 where a wrong answer of a tile ties with the best right one or scores higher, else 0.0."""
        flag = shaped(flags, *score.shape)
        threshold = self.threshold[axis][lines]
        torch.ge(score, threshold[:, None] if axis == 0 else threshold, out=flag)
        flag[inside.rows, inside.columns] = 0.0
        return flag

    def ranks(self, axis: int) -> Integers:
        """Return the ranks of the queries (0) or of the candidates (1)."""
        return (self.ahead[axis] + 1).cpu().numpy().astype(np.int64)
