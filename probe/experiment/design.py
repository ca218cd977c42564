"""How paired rows are grouped, folded, resampled and permuted: drawn once, the same for every layer and measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...analysis.certificate.jackknife import BLOCKS
from ...analysis.resampling import Interval, Resamples, blocks_of_groups, percentile_interval, proportion_interval
from ...analysis.retrieval.scores import Pool
from ...analysis.splits import deciles, group_folds, permute_within_strata
from ...analysis.types import Integers

SMALL_POOL = 200


@dataclass(frozen=True, slots=True)
class Draws:
    """How often things are drawn, and from which seed."""

    folds: int
    permutations: int
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Groups, folds, jackknife blocks, bootstrap weights and broken pairs of n paired rows."""

    groups: Integers  # (n,)
    folds: Integers  # (n,)
    blocks: tuple[NDArray[np.intp], ...]
    resamples: Resamples
    partners: tuple[NDArray[np.intp], ...]  # each (n,): the row whose y goes to row i
    pools: tuple[Pool, Pool]  # distinct rows of the source side and of the target side
    pool_resamples: tuple[Resamples, Resamples]

    @classmethod
    def draw(cls, groups: Integers, lengths: Integers, pools: tuple[Pool, Pool], draws: Draws) -> Design:
        """Draw everything from one seed; pairs are broken within deciles of length (n,)."""
        folds = group_folds(groups, draws.folds, np.random.default_rng(draws.seed))
        rng = np.random.default_rng([draws.seed, 3])
        strata = deciles(lengths.astype(np.float64))
        partners = tuple(permute_within_strata(groups, strata, rng) for _ in range(draws.permutations))
        drawn = [
            Resamples.draw(g, np.random.default_rng([draws.seed, turn]), draws.resamples)
            for turn, g in enumerate((groups, pools[0].groups, pools[1].groups), start=10)
        ]
        blocks = tuple(blocks_of_groups(groups, folds, BLOCKS))
        return cls(groups, folds, blocks, drawn[0], partners, pools, (drawn[1], drawn[2]))

    def proportion(self, hits: NDArray[np.generic]) -> Interval:
        """Return the share of hits (n,), each 0 to 1, with its cluster-bootstrap interval; exact limits at 0 and 1."""
        value, drawn = self.resamples.mean(np.asarray(hits, np.float64))
        return _around(proportion_interval(value, drawn, self.resamples.n_groups))

    def pool_proportion(self, hits: NDArray[np.generic], side: int) -> Interval:
        """Return the same for hits of the distinct texts of the source (side 0) or of the target (side 1)."""
        resamples = self.pool_resamples[side]
        value, drawn = resamples.mean(np.asarray(hits, np.float64))
        return _around(proportion_interval(value, drawn, resamples.n_groups))

    def mean(self, outcome: NDArray[np.generic]) -> Interval:
        """Return the mean of a per-row outcome (n,) with its cluster-bootstrap interval."""
        return _around(percentile_interval(*self.resamples.mean(np.asarray(outcome, np.float64))))


def _around(found: Interval) -> Interval:
    """Where every resample gives one value, sums in another order may differ from it in the last digit."""
    return replace(found, low=min(found.low, found.value), high=max(found.high, found.value))


def pool_of_texts(texts: Sequence[str], groups: Integers) -> Pool:
    """Take the first row of each distinct text."""
    rows = np.sort(np.unique(np.array(texts, dtype=object), return_index=True)[1])
    return Pool(rows, groups[rows])


def design_warnings(design: Design, width: int) -> tuple[str, ...]:
    """Name the pitfalls that rows and width show (method §11)."""
    found = []
    n, repeated = len(design.groups), len(design.groups) - len(np.unique(design.groups))
    smallest = min(len(pool.rows) for pool in design.pools)
    if repeated:
        found.append(f"{repeated} of {n} pairs repeat or nearly repeat another: they share its fold and its resamples")
    if n < 2 * width:
        found.append(f"{n} pairs in {width} dimensions: fewer than two pairs a dimension, maps rest on their penalties")
    if smallest < SMALL_POOL:
        found.append(f"the pool holds {smallest} candidates: P@1 is easy, do not compare it with larger pools")
    return tuple(found)
