"""Retrieval among candidates that several processes hold in shards: what they must tell each other, and no more.

Every process has all queries and its own candidates. Of the first pass only the k best cosines of each query travel,
of the second one bound and one count a query; no candidate ever leaves its process.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class OneShard:
    """All candidates in one process: nothing travels."""

    def exist_anywhere(self, pairs: int) -> bool:
        """Tell whether any process has right pairs, given how many there are here."""
        return pairs > 0

    def nearest(self, values: torch.Tensor, k: int) -> torch.Tensor:
        """Return the k best of every query over all shards, (n, k) or fewer, from the best here, best first."""
        return values[:, :k]

    def most(self, values: torch.Tensor) -> None:
        """Replace every value by the largest over all shards, in place."""

    def total(self, values: torch.Tensor) -> None:
        """Replace every value by its sum over all shards, in place."""


@dataclass(frozen=True, slots=True)
class CandidateShards(OneShard):
    """A shard of the candidates in each process of the default torch process group.

    Results differ from those of one process only where the cosine of one pair differs in its last bits by the tile
    that it stands in; ties are taken within 1e-6, so ranks do not.
    """

    def exist_anywhere(self, pairs: int) -> bool:
        """Tell whether any process has right pairs, given how many there are here."""
        found = torch.tensor(float(pairs))
        self.total(found)
        return bool(found > 0)

    def nearest(self, values: torch.Tensor, k: int) -> torch.Tensor:
        """Return the k best of every query over all shards, (n, k) or fewer, from the best here, best first."""
        import torch.distributed as dist

        padded = torch.full((len(values), k), -torch.inf, dtype=values.dtype, device=values.device)
        padded[:, : values.shape[1]] = values[:, :k]
        parts = [torch.empty_like(padded) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, padded)
        best = torch.cat(parts, dim=1).topk(k, dim=1).values
        return best[:, torch.isfinite(best).all(dim=0)]

    def most(self, values: torch.Tensor) -> None:
        """Replace every value by the largest over all shards, in place."""
        import torch.distributed as dist

        dist.all_reduce(values, dist.ReduceOp.MAX)

    def total(self, values: torch.Tensor) -> None:
        """Replace every value by its sum over all shards, in place."""
        import torch.distributed as dist

        dist.all_reduce(values)


ONE_SHARD = OneShard()
