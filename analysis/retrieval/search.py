"""Exact nearest-neighbour search: the k best candidates of every query by cosine, CSLS or margin.

The n × m matrix is never formed: a first pass over tiles of cosines gathers the neighbourhood means (not needed for the
cosine), a second collects the best scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import ConfigError
from ..types import Floats32, Integers, Rows
from .criteria import (
    Criterion,
    NeighbourCosines,
    Scorer,
    add_both_ways,
    both_sides,
    check_search,
    joined,
    neighbour_cosines,
)
from .neighbourhoods import CSLS_NEIGHBOURS, MARGIN_NEIGHBOURS
from .shards import ONE_SHARD, OneShard
from .tiles import Tiles, shared_tiles
from .topk import TopK


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The k best candidates of every query, best first."""

    scores: Floats32  # (n, k)
    places: Integers  # (n, k) row numbers of the candidates


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
) -> tuple[Floats32, Integers]:
    """Return scores and row numbers of the k best candidates of every query, best first, (n, k) each.

    Parameters
    ----------
    queries, candidates : array (n, d), (m, d)
        Rows of any length; may be memory-mapped.
    k : int
        1 to m. Of candidates that tie (see `ties`) the first are returned, in their order.
    criterion : {"cosine", "csls", "margin"}
    neighbours : int, optional
        Neighbourhood size of CSLS (10 by default) or of the margin (4); capped at the number of rows.
    device : str
        A torch device.
    tile_side : int, optional
        Rows and columns of a tile; chosen by device by default.
    shards : OneShard
        `CandidateShards()` where each process of a group has all queries and a share of the candidates, at least k and
        at least as many as a neighbourhood; every process gets the best of all candidates.

    Raises
    ------
    ConfigError
        If k or the neighbourhood is out of range.
    DataError
        If widths differ or a side is empty.
    """
    size = _checked_neighbours(queries, candidates, k, criterion, neighbours, most=len(candidates))
    with shared_tiles(queries, candidates, device, tile_side) as tiles:
        (best,) = _searched(tiles, k, criterion, size, shards=shards)
    return best.scores, best.places


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
    with shared_tiles(queries, candidates, device, tile_side) as tiles:
        forward, backward = _searched(tiles, k, criterion, size, backward=True)
    return forward, backward


def _checked_neighbours(
    queries: Rows, candidates: Rows, k: int, criterion: Criterion, neighbours: int | None, *, most: int
) -> int:
    """Return the neighbourhood size of a criterion, or raise an error."""
    size = neighbours or {"cosine": 1, "csls": CSLS_NEIGHBOURS, "margin": MARGIN_NEIGHBOURS}[criterion]
    check_search(queries, candidates, size, size)
    if not 1 <= k <= most:
        raise ConfigError(f"expected 1 to {most} neighbours, got {k}")
    return size


def _searched(
    tiles: Tiles, k: int, criterion: Criterion, size: int, *, backward: bool = False, shards: OneShard = ONE_SHARD
) -> tuple[Nearest, ...]:
    """Return the k best candidates of every query, and the k best queries of every candidate if `backward`."""
    near = None
    if criterion != "cosine":
        near, _ = neighbour_cosines(tiles, size)
        near = NeighbourCosines(shards.nearest(near.queries, size), near.candidates)
    scorer = Scorer.of(criterion, near, size)

    def gathered(share: Tiles) -> tuple[TopK, ...]:
        best = both_sides(share, k, scorer.tie)[: 2 if backward else 1]
        buffer = share.buffer() if criterion != "cosine" else torch.empty(0)
        for tile in share:
            add_both_ways(best, share, tile, scorer.score(tile, buffer))
        return best

    best = joined(tiles.shared(gathered))
    best[0].values, best[0].places = shards.best(best[0].values, best[0].places)
    chosen = (lines.best() for lines in best)
    return tuple(Nearest(scorer.scale * scores.cpu().numpy(), places.cpu().numpy()) for scores, places in chosen)
