"""Communication of a search whose candidates are divided among several processes.

Every process has all queries and its own shard of the candidates. The first pass exchanges the k best cosines of each
query; the second a threshold and a count for each query, or the k best scores with their places. Candidates themselves
are never exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from ...distributed import Processes


@dataclass(frozen=True, slots=True)
class OneShard:
    """All candidates in one process: nothing is exchanged."""

    def exist_anywhere(self, pairs: int) -> bool:
        """Return whether any process has right pairs, given their number in this process."""
        return pairs > 0

    def nearest(self, values: torch.Tensor, k: int) -> torch.Tensor:
        """Return the k best scores of every query over all shards, (n, k) or fewer, from those of this shard."""
        return values[:, :k]

    def best(self, values: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the best scores of every query over all shards and their places, (n, w), from those of this shard."""
        return values, places

    def most(self, values: torch.Tensor) -> None:
        """Replace every value by the largest over all shards, in place."""

    def total(self, values: torch.Tensor) -> None:
        """Replace every value by its sum over all shards, in place."""


@dataclass(frozen=True, slots=True)
class CandidateShards(OneShard):
    """A shard of the candidates in each of several processes.

    Scores differ from those of one process in their last bits only, where a pair is in a different tile; ranks are
    equal, since scores within 1e-6 are ties.

    Parameters
    ----------
    first : int
        Number of this process's first candidate among those of all processes, in order.
    processes : Processes
        The processes that share the candidates, and the place of this one among them.
    """

    first: int = 0
    processes: Processes = field(default_factory=Processes.current)

    def exist_anywhere(self, pairs: int) -> bool:
        """Return whether any process has right pairs, given their number in this process."""
        total = torch.tensor(float(pairs))
        self.total(total)
        return bool(total > 0)

    def nearest(self, values: torch.Tensor, k: int) -> torch.Tensor:
        """Return the k best scores of every query over all shards, (n, k) or fewer, from those of this shard."""
        padded = torch.full((len(values), k), -torch.inf, dtype=values.dtype, device=values.device)
        padded[:, : values.shape[1]] = values[:, :k]
        best = self.processes.gather(padded, dim=1).topk(k, dim=1).values
        return best[:, torch.isfinite(best).all(dim=0)]

    def best(self, values: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the best scores of every query over all shards and their places, (n, w), from those of this shard.

        Entries that tie with the last one are included, since the rule of ties needs them.
        """
        width = torch.tensor(float(values.shape[1]))
        self.most(width)
        more = (0, int(width) - values.shape[1])
        padded = torch.nn.functional.pad(values, more, value=-torch.inf)
        placed = torch.nn.functional.pad(places + self.first, more)
        scores, where = (self.processes.gather(own, dim=1) for own in (padded, placed))
        order = scores.sort(dim=1, descending=True, stable=True).indices
        return scores.gather(1, order), where.gather(1, order)

    def most(self, values: torch.Tensor) -> None:
        """Replace every value by the largest over all shards, in place."""
        self.processes.all_reduce(values, "max")

    def total(self, values: torch.Tensor) -> None:
        """Replace every value by its sum over all shards, in place."""
        self.processes.all_reduce(values)


ONE_SHARD = OneShard()
