"""How paired rows are grouped, folded, resampled and permuted: drawn once, the same for every layer and measure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from ...analysis.certificate.jackknife import BLOCKS
from ...analysis.resampling import Interval, Resamples, blocks_of_groups, percentile_interval, proportion_interval
from ...analysis.retrieval.scores import Pool
from ...analysis.splits import deciles, group_folds, permute_within_strata
from ...analysis.types import Floats, Indices, Integers, Values
from . import caveats


@dataclass(frozen=True, slots=True)
class Draws:
    """How often things are drawn, and from which seed."""

    folds: int
    permutations: int
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Groups, folds, jackknife blocks, bootstrap weights and permuted pairs of n paired rows."""

    groups: Integers  # (n,)
    folds: Integers  # (n,)
    blocks: tuple[Indices, ...]
    resamples: Resamples
    partners: tuple[Indices, ...]  # each (n,): the row whose y goes to row i
    pools: tuple[Pool, Pool]  # distinct rows of the source side and of the target side
    pool_resamples: tuple[Resamples, Resamples]

    @classmethod
    def draw(cls, groups: Integers, lengths: Integers, pools: tuple[Pool, Pool], draws: Draws) -> Design:
        """Draw everything from one seed; pairs are permuted within deciles of length (n,)."""
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

    def proportion(self, hits: Values) -> Interval:
        """Return the share of hits (n,), each 0 to 1, with its cluster-bootstrap interval; exact limits at 0 and 1."""
        value, drawn = self.resamples.mean(np.asarray(hits, np.float64))
        return _around(proportion_interval(value, drawn, self.resamples.n_groups))

    def pool_proportion(self, hits: Values, side: int) -> Interval:
        """Return the same for hits of the distinct texts of the source (side 0) or of the target (side 1)."""
        resamples = self.pool_resamples[side]
        value, drawn = resamples.mean(np.asarray(hits, np.float64))
        return _around(proportion_interval(value, drawn, resamples.n_groups))

    def mean(self, outcome: Values) -> Interval:
        """Return the mean of a per-row outcome (n,) with its cluster-bootstrap interval."""
        return _around(percentile_interval(*self.resamples.mean(np.asarray(outcome, np.float64))))


def _around(found: Interval) -> Interval:
    """Where every resample gives one value, sums in another order may differ from it in the last digit."""
    return replace(found, low=min(found.low, found.value), high=max(found.high, found.value))


def two_sided(value: float, drawn: Floats) -> float:
    """Two-sided p-value that an estimate is 0, normal with the spread of its resamples.

    The share of resamples beyond 0 is too coarse for a family of a hundred tests.
    """
    spread = float(np.std(drawn, ddof=1))
    if spread == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * norm.sf(abs(value) / spread))


def design_warnings(design: Design, width: int) -> tuple[str, ...]:
    """Return the warnings that rows, width and pools give rise to (method §11)."""
    return (
        *caveats.repeated_pairs(design.groups),
        *caveats.few_pairs(len(design.groups), width),
        *caveats.small_pool(min(len(pool.rows) for pool in design.pools)),
    )
