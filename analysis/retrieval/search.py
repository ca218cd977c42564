"""Exact nearest-neighbour retrieval in tiles: the k nearest, and ranks of the right answers, by three criteria.

No n × m matrix is ever held: the first pass over tiles of cosines gathers neighbourhood means, the second scores.
With r(x) the mean cosine of x to its k nearest rows of the other side,

- cosine: cos(x, y);
- csls: 2 cos(x, y) − r(x) − r(y) (Conneau et al., 2018), k = 10;
- margin: cos(x, y) / ((r(x) + r(y)) / 2), the ratio of xsim (Artetxe and Schwenk, 2019), k = 4. It is taken over all
  candidates; the LASER program looks only at the k nearest by cosine. A denominator below 1e-6 counts as 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import ConfigError, DataError
from ..types import Integers, Rows
from .shards import ONE_SHARD, OneShard
from .ties import TIE
from .topk import Tile, Tiles, TopK, one_torch_thread, shaped

__all__ = [
    "CRITERIA",
    "CSLS_NEIGHBOURS",
    "MARGIN_NEIGHBOURS",
    "Criterion",
    "Gain",
    "MatchRanks",
    "Nearest",
    "match_ranks",
    "nearest",
    "nearest_both_ways",
    "right_pairs",
]

Criterion = Literal["cosine", "csls", "margin"]
CRITERIA: tuple[Criterion, ...] = ("cosine", "csls", "margin")
#: By which criterion a score ranks, and what a query of some rank gains where a wrong answer ahead of it goes.
Gain = tuple[Criterion, Callable[[Integers], NDArray[np.float64]]]
CSLS_NEIGHBOURS = 10
MARGIN_NEIGHBOURS = 4
LEAST_DENOMINATOR = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class MatchRanks:
    """Rank of the best right answer, 1 = first; ties (see `ties`) count against it."""

    cosine: Integers  # (n,)
    csls: Integers  # (n,)
    margin: Integers | None = None  # (n,), where it was asked for
    #: For each gain that was asked for: what all queries together would gain if one candidate were gone, (m,).
    influence: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def of(self, criterion: Criterion) -> Integers:
        """Return the ranks by a criterion.

        Raises
        ------
        ConfigError
            If the margin was not asked for.
        """
        ranks = {"cosine": self.cosine, "csls": self.csls, "margin": self.margin}[criterion]
        if ranks is None:
            raise ConfigError("ranks by margin were not taken: ask for them with margin=True")
        return ranks


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The k best candidates of every query, best first."""

    scores: NDArray[np.float32]  # (n, k)
    places: NDArray[np.int64]  # (n, k)


def match_ranks(  # noqa: PLR0913 - the neighbourhoods, the device and the criteria are settings
    queries: Rows,
    candidates: Rows,
    query_groups: NDArray[np.integer],
    candidate_groups: NDArray[np.integer],
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
        Rows of any length; cosines are taken. A row of zeros has cosine 0 with everything. Memory-mapped if you like.
    query_groups, candidate_groups : array (n,), (m,)
        A candidate is a right answer where its group equals that of the query.
    k, margin_k : int
        Neighbourhoods of CSLS and of the margin, ≥ 1; at most the pool is used.
    margin : bool
        Whether ranks by the margin are taken too.
    gains : mapping, optional
        Scores for which the influence of every candidate is wanted; costs a third pass.
    device : str
        A torch device.
    tile_side : int, optional
        Rows and columns of a tile; by default what suits the device.
    shards : OneShard
        `CandidateShards()` where each process of a group holds some of the candidates and all of the queries; then
        `forward` ranks among the candidates of all processes, and `backward` ranks the candidates held here. Not
        together with `gains`.

    Returns
    -------
    forward, backward : MatchRanks
        Of the n queries among the m candidates, and of the m candidates among the n queries. A row without any right
        answer ranks last plus one.

    Raises
    ------
    ConfigError
        If a neighbourhood is below 1, or gains are asked for over shards.
    DataError
        If widths differ, a side is empty, or no query has a right answer.
    """
    _check(queries, candidates, k, margin_k)
    if gains and shards is not ONE_SHARD:
        raise ConfigError("gains are not added up over shards: leave them out, or give all candidates to one process")
    right = _RightPairs.of(query_groups, candidate_groups, device)
    if not shards.exist_anywhere(len(right.rows)):
        raise DataError("no query has a right answer among the candidates: the groups have nothing in common")
    sizes: dict[Criterion, int] = {"cosine": 0, "csls": k}
    if margin:
        sizes["margin"] = margin_k
    with one_torch_thread(device):
        return _ranked(Tiles.of(queries, candidates, device, tile_side), right, sizes, gains or {}, shards)


def _ranked(
    tiles: Tiles,
    right: _RightPairs,
    sizes: Mapping[Criterion, int],
    gains: Mapping[str, Gain],
    shards: OneShard,
) -> tuple[MatchRanks, MatchRanks]:
    """Rank by each criterion with its neighbourhood: a pass for the neighbourhoods, one that counts, one for gains."""
    largest = max(sizes.values())
    hoods, cosines = _first_pass(tiles, largest, right)
    hoods = _Hoods(shards.nearest(hoods.queries, largest), hoods.candidates)
    counters: dict[str, _Counter] = {
        name: _Counter.of(_Scorer.of(name, hoods, size), right, cosines, tiles.shape) for name, size in sizes.items()
    }
    for counter in counters.values():
        shards.most(counter.least[0])
    scores, flags = tiles.buffer(), tiles.buffer()
    for tile, members in right.along(tiles):
        for counter in counters.values():
            counter.add(tile, members, scores, flags)
    for counter in counters.values():
        shards.total(counter.above[0])
    ranks: list[dict[str, Integers]] = [
        {name: counter.ranks(axis) for name, counter in counters.items()} for axis in (0, 1)
    ]
    felt = _influences(tiles, right, counters, gains, ranks) if gains else ({}, {})
    return MatchRanks(**ranks[0], influence=felt[0]), MatchRanks(**ranks[1], influence=felt[1])


def _influences(
    tiles: Tiles,
    right: _RightPairs,
    counters: Mapping[str, _Counter],
    gains: Mapping[str, Gain],
    ranks: list[dict[str, Integers]],
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Add up, over the wrong answers ahead of each right one, what the query would gain without them."""
    scores, flags = tiles.buffer(), tiles.buffer()
    device, (n, m) = scores.device, tiles.shape
    felt = [{name: torch.zeros(length, dtype=torch.float64, device=device) for name in gains} for length in (m, n)]
    gained = [
        {name: torch.from_numpy(gain(own[by])).to(device, torch.float32) for name, (by, gain) in gains.items()}
        for own in ranks
    ]
    for tile, members in right.along(tiles):
        sides = (tile.rows, tile.columns)
        for by, counter in counters.items():
            score = counter.scorer.score(tile, scores)
            for axis in (0, 1):
                flag = counter.ahead(axis, sides[axis], score, members, flags)
                for name in (name for name, (criterion, _) in gains.items() if criterion == by):
                    own = gained[axis][name][sides[axis]]
                    felt[axis][name][sides[1 - axis]] += own @ flag if axis == 0 else flag @ own
    forward, backward = ({name: total.cpu().numpy() for name, total in side.items()} for side in felt)
    return forward, backward


def nearest(
    queries: Rows,
    candidates: Rows,
    *,
    k: int,
    criterion: Criterion = "cosine",
    neighbours: int | None = None,
    device: str = "cpu",
    tile_side: int | None = None,
    shards: OneShard = ONE_SHARD,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return scores and row numbers of the k best candidates of every query, best first, (n, k) each.

    Parameters
    ----------
    queries, candidates : array (n, d), (m, d)
        Rows of any length; memory-mapped if you like.
    k : int
        1 … m. Of candidates that tie (see `ties`) those that stand first are returned, in their order.
    criterion : {"cosine", "csls", "margin"}
    neighbours : int, optional
        Neighbourhood of CSLS (10 by default) or of the margin (4); at most the pool is used.
    device : str
        A torch device.
    tile_side : int, optional
        Rows and columns of a tile; by default what suits the device.
    shards : OneShard
        `CandidateShards()` where each process of a group holds some of the candidates, at least k and as many as a
        neighbourhood, and all of the queries; the best of all of them are returned to each.

    Raises
    ------
    ConfigError
        If k or the neighbourhood is out of range.
    DataError
        If widths differ or a side is empty.
    """
    size = _checked_neighbours(queries, candidates, k, criterion, neighbours, most=len(candidates))
    with one_torch_thread(device):
        (found,) = _found(Tiles.of(queries, candidates, device, tile_side), k, criterion, size, shards=shards)
    return found.scores, found.places


def nearest_both_ways(
    queries: Rows,
    candidates: Rows,
    *,
    k: int,
    criterion: Criterion = "cosine",
    neighbours: int | None = None,
    device: str = "cpu",
    tile_side: int | None = None,
) -> tuple[Nearest, Nearest]:
    """Return the k best candidates of every query and the k best queries of every candidate, in the same passes.

    Parameters and errors are those of `nearest`; k may not exceed either side.
    """
    most = min(len(queries), len(candidates))
    size = _checked_neighbours(queries, candidates, k, criterion, neighbours, most=most)
    with one_torch_thread(device):
        forward, backward = _found(Tiles.of(queries, candidates, device, tile_side), k, criterion, size, backward=True)
    return forward, backward


def _checked_neighbours(
    queries: Rows, candidates: Rows, k: int, criterion: Criterion, neighbours: int | None, *, most: int
) -> int:
    """Return the neighbourhood of a criterion; refuse what cannot be searched."""
    size = neighbours or {"cosine": 1, "csls": CSLS_NEIGHBOURS, "margin": MARGIN_NEIGHBOURS}[criterion]
    _check(queries, candidates, size, size)
    if not 1 <= k <= most:
        raise ConfigError(f"expected 1 to {most} neighbours, got {k}")
    return size


def _found(
    tiles: Tiles, k: int, criterion: Criterion, size: int, *, backward: bool = False, shards: OneShard = ONE_SHARD
) -> tuple[Nearest, ...]:
    """Gather the k best of every line, and of every column where asked."""
    scorer = _scorer(tiles, criterion, size, shards)
    best = [TopK(length, k, tiles.queries.device, tie=scorer.tie) for length in tiles.shape[: 2 if backward else 1]]
    buffer = tiles.buffer() if criterion != "cosine" else torch.empty(0)
    for tile in tiles:
        score = scorer.score(tile, buffer)
        best[0].update(tile.rows, score, tile.columns.start)
        if backward:
            best[1].update(tile.columns, score, tile.rows.start, axis=1)
    best[0].values, best[0].places = shards.best(best[0].values, best[0].places)
    chosen = (lines.best() for lines in best)
    return tuple(Nearest(scorer.scale * scores.cpu().numpy(), places.cpu().numpy()) for scores, places in chosen)


def _scorer(tiles: Tiles, criterion: Criterion, size: int, shards: OneShard) -> _Scorer:
    if criterion == "cosine":
        return _Scorer.of(criterion, None, size)
    hoods, _ = _first_pass(tiles, size)
    return _Scorer.of(criterion, _Hoods(shards.nearest(hoods.queries, size), hoods.candidates), size)


def _check(queries: Rows, candidates: Rows, *neighbourhoods: int) -> None:
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        raise DataError(
            f"queries are {queries.shape[1:]} wide and candidates {candidates.shape[1:]}: expected equal widths"
        )
    if not len(queries) or not len(candidates):
        raise DataError(f"expected rows on both sides, got {len(queries)} queries and {len(candidates)} candidates")
    if min(neighbourhoods) < 1:
        raise ConfigError(f"a neighbourhood needs at least 1 row, got {min(neighbourhoods)}")


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


@dataclass(frozen=True, slots=True, eq=False)
class _Members:
    """Right pairs within one tile."""

    pairs: torch.Tensor  # their numbers among all right pairs
    rows: torch.Tensor  # within the tile
    columns: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _RightPairs:
    """Places of the right answers."""

    rows: torch.Tensor  # (r,) query of each right pair, ascending
    columns: torch.Tensor  # (r,) candidate of each right pair

    @classmethod
    def of(cls, queries: NDArray[np.integer], candidates: NDArray[np.integer], device: str) -> _RightPairs:
        rows, columns = right_pairs(queries, candidates)
        return cls(torch.from_numpy(rows).to(device), torch.from_numpy(columns).to(device))

    def along(self, tiles: Tiles) -> Iterator[tuple[Tile, _Members]]:
        """Yield every tile with the right pairs in it."""
        for tile in tiles:
            edges = torch.tensor([tile.rows.start, tile.rows.stop], device=self.rows.device)
            first, last = torch.searchsorted(self.rows, edges).tolist()
            columns = self.columns[first:last]
            inside = ((columns >= tile.columns.start) & (columns < tile.columns.stop)).nonzero().ravel()
            pairs = inside + first
            yield tile, _Members(pairs, self.rows[pairs] - tile.rows.start, self.columns[pairs] - tile.columns.start)


@dataclass(frozen=True, slots=True, eq=False)
class _Hoods:
    """Cosines to the nearest rows of the other side, nearest first."""

    queries: torch.Tensor  # (n, k) or fewer
    candidates: torch.Tensor  # (m, k) or fewer


def _first_pass(tiles: Tiles, k: int, right: _RightPairs | None = None) -> tuple[_Hoods, torch.Tensor]:
    """Gather the neighbourhoods of both sides, and the cosines of the right pairs."""
    n, m = tiles.shape
    device = tiles.queries.device
    near_query, near_candidate = TopK(n, min(k, m), device), TopK(m, min(k, n), device)
    pairs = right or _RightPairs(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))
    cosines = torch.empty(len(pairs.rows), device=device)
    for tile, members in pairs.along(tiles):
        near_query.update(tile.rows, tile.cosines, tile.columns.start)
        near_candidate.update(tile.columns, tile.cosines, tile.rows.start, axis=1)
        cosines[members.pairs] = tile.cosines[members.rows, members.columns]
    return _Hoods(near_query.values, near_candidate.values), cosines


@dataclass(frozen=True, slots=True, eq=False)
class _Scorer:
    """Turns cosines into scores; every step is elementwise, so that a pair scores the same wherever it is met.

    CSLS is scored at half its size: cos − r(x)/2 − r(y)/2 needs one step fewer.
    """

    criterion: Criterion
    queries: torch.Tensor  # (n,) r of the query
    candidates: torch.Tensor  # (m,)

    @classmethod
    def of(cls, criterion: Criterion, hoods: _Hoods | None, k: int) -> _Scorer:
        if criterion == "cosine" or hoods is None:
            return cls("cosine", torch.zeros(0), torch.zeros(0))
        means = [near[:, :k].mean(dim=1) / 2 for near in (hoods.queries, hoods.candidates)]
        return cls(criterion, means[0], means[1])

    @property
    def scale(self) -> np.float32:
        """What a score here is multiplied with to be the criterion's."""
        return np.float32(2.0 if self.criterion == "csls" else 1.0)

    @property
    def tie(self) -> float:
        """Scores here within it are ties; the margin magnifies rounding, as it divides by a mean below 1."""
        return 4 * TIE if self.criterion == "margin" else TIE

    def score(self, tile: Tile, buffer: torch.Tensor) -> torch.Tensor:
        """Score a tile, into a buffer unless the score is the cosine."""
        if self.criterion == "cosine":
            return tile.cosines
        out = shaped(buffer, *tile.cosines.shape)
        return self._between(tile.cosines, self.queries[tile.rows, None], self.candidates[tile.columns], out)

    def score_pairs(self, cosines: torch.Tensor, pairs: _RightPairs) -> torch.Tensor:
        """Score single pairs."""
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


@dataclass(frozen=True, slots=True, eq=False)
class _Counter:
    """Counts, tile by tile, the wrong answers that score at least as high as the best right one, both ways."""

    scorer: _Scorer
    least: tuple[torch.Tensor, torch.Tensor]  # (n,) and (m,) what ties with the best right answer, −∞ without one
    above: tuple[torch.Tensor, torch.Tensor]  # (n,) and (m,)

    @classmethod
    def of(cls, scorer: _Scorer, right: _RightPairs, cosines: torch.Tensor, shape: tuple[int, int]) -> _Counter:
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

    def add(self, tile: Tile, members: _Members, scores: torch.Tensor, flags: torch.Tensor) -> None:
        """Count within a tile. Sums of float flags are many times faster than those of booleans, and exact."""
        score = self.scorer.score(tile, scores)
        for axis, lines in enumerate((tile.rows, tile.columns)):
            self.above[axis][lines] += self.ahead(axis, lines, score, members, flags).sum(dim=1 - axis)

    def ahead(
        self, axis: int, lines: slice, score: torch.Tensor, members: _Members, flags: torch.Tensor
    ) -> torch.Tensor:
        """Flag with 1.0 the wrong answers of a tile that score at least as high as the best right one."""
        flag = shaped(flags, *score.shape)
        least = self.least[axis][lines]
        torch.ge(score, least[:, None] if axis == 0 else least, out=flag)
        flag[members.rows, members.columns] = 0.0
        return flag

    def ranks(self, axis: int) -> Integers:
        """Return the ranks of the queries (0) or of the candidates (1)."""
        return (self.above[axis] + 1).cpu().numpy().astype(np.int64)
