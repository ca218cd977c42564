"""Retrieval among candidates that several processes hold in shards: what they must tell each other, and no more.

Every process has all queries and its own candidates. Of the first pass only the k best cosines of each query travel,
of the second one bound and one count a query, or the k best scores with their places; no candidate ever leaves its
process.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from ...distributed import Processes


@dataclass(frozen=True, slots=True)
class OneShard:
    """All candidates in one process: nothing travels."""

    def exist_anywhere(self, pairs: int) -> bool:
        """Tell whether any process has right pairs, given how many there are here."""
        return pairs > 0

    def nearest(self, values: torch.Tensor, k: int) -> torch.Tensor:
        """Return the k best of every query over all shards, (n, k) or fewer, from the best here, best first."""
        return values[:, :k]

    def best(self, values: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the best of every query over all shards, with their places, (n, w) each, from the best here."""
        return values, places

    def most(self, values: torch.Tensor) -> None:
        """Replace every value by the largest over all shards, in place."""

    def total(self, values: torch.Tensor) -> None:
        """Replace every value by its sum over all shards, in place."""


@dataclass(frozen=True, slots=True)
class CandidateShards(OneShard):
    """A shard of the candidates in each of several processes.

    Results differ from those of one process only where the cosine of one pair differs in its last bits by the tile
    that it stands in; ties are taken within 1e-6, so ranks do not.

    Parameters
    ----------
    first : int
        Number of the first candidate held here among those of all processes, which hold them in their order.
    processes : Processes
        This process among those that hold the candidates.
    """

    first: int = 0
    processes: Processes = field(default_factory=Processes.current)

    def exist_anywhere(self, pairs: int) -> bool:
        """Tell whether any process has right pairs, given how many there are here."""
        found = torch.tensor(float(pairs))
        self.total(found)
        return bool(found > 0)

    def nearest(self, values: torch.Tensor, k: int) -> torch.Tensor:
        """Return the k best of every query over all shards, (n, k) or fewer, from the best here, best first."""
        padded = torch.full((len(values), k), -torch.inf, dtype=values.dtype, device=values.device)
        padded[:, : values.shape[1]] = values[:, :k]
        best = self.processes.gather(padded, dim=1).topk(k, dim=1).values
        return best[:, torch.isfinite(best).all(dim=0)]

    def best(self, values: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the best of every query over all shards, with their places, (n, w) each, from the best here.

        What ties with the last of the best here comes along, as the rule of ties needs it.
        """
        width = torch.tensor(float(values.shape[1]))
        self.most(width)
        more = (0, int(width) - values.shape[1])
        padded = torch.nn.functional.pad(values, more, value=-torch.inf)
        placed = torch.nn.functional.pad(places + self.first, more)
        found, where = (self.processes.gather(own, dim=1) for own in (padded, placed))
        order = found.sort(dim=1, descending=True, stable=True).indices
        return found.gather(1, order), where.gather(1, order)

    def most(self, values: torch.Tensor) -> None:
        """Replace every value by the largest over all shards, in place."""
        self.processes.all_reduce(values, "max")

    def total(self, values: torch.Tensor) -> None:
        """Replace every value by its sum over all shards, in place."""
        self.processes.all_reduce(values)


ONE_SHARD = OneShard()
