"""Batches: one data set (and so one direction) a batch, no text twice in a batch, rows of like length together.

The order is a function of the seed alone, so a resumed run takes up the batch where it stopped, and every process knows
the whole batch and takes its own rows of it. That also keeps processes together when there are several data sets:
drawing them independently makes ranks wait for each other for ever, or mixes languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ...analysis.types import Integers
from ...errors import DataError

POOL_BATCHES = 16
SMOOTHING = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What the sampler must know of a data set.

    Parameters
    ----------
    lengths : (n,) int64
        Tokens of each row, the longer side.
    keys : (n, c) int64
        Numbers of the normalised texts of the c columns: equal numbers never share a batch.
    """

    lengths: Integers
    keys: Integers

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Row numbers of one batch over all processes, and the data set to which they belong."""

    step: int
    dataset: int
    rows: Integers  # (b,)

    def of_rank(self, rank: int, world: int) -> Integers:
        """Return the rows of one process: every world-th, so that all have about the same lengths."""
        return self.rows[rank::world]


@dataclass(frozen=True, slots=True, eq=False)
class BatchPlan:
    """All batches of a run.

    Parameters
    ----------
    sources : sequence of Source
        Data sets; with several, each step draws one ∝ n^0.5.
    batch_size : int
        Integers over all processes.
    epochs : int
        As many steps as this many passes over all data sets.
    max_steps : int, optional
        Upper limit of steps.
    seed : int
        Decides everything.
    world : int
        Number of processes; a batch is cut to a multiple of it.
    """

    sources: Sequence[Source]
    batch_size: int
    epochs: int
    max_steps: int | None
    seed: int
    world: int = 1

    def __post_init__(self) -> None:
        """Check that there is something to draw."""
        if not self.sources or any(len(source) < max(2, self.world) for source in self.sources):
            sizes = ", ".join(str(len(source)) for source in self.sources) or "none"
            raise DataError(f"each data set needs at least {max(2, self.world)} rows, got {sizes}; give more text")

    @property
    def total(self) -> int:
        """Number of steps."""
        streams = [_passes(source, self.batch_size, self.world, self._rng(i)) for i, source in enumerate(self.sources)]
        steps = sum(len(batches) for stream in streams for batches in islice(stream, self.epochs))
        return steps if self.max_steps is None else min(steps, self.max_steps)

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """Yield the batches from a step on."""
        yield from islice(self._all(), start, self.total)

    def _all(self) -> Iterator[Batch]:
        streams = [
            (rows for batches in _passes(source, self.batch_size, self.world, self._rng(i)) for rows in batches)
            for i, source in enumerate(self.sources)
        ]
        weights = np.array([len(source) for source in self.sources], np.float64) ** SMOOTHING
        chooser = np.random.default_rng([self.seed, len(self.sources)])
        step = 0
        while True:
            dataset = int(chooser.choice(len(streams), p=weights / weights.sum()))
            yield Batch(step, dataset, next(streams[dataset]))
            step += 1

    def _rng(self, dataset: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 1, dataset])


def text_keys(*columns: Sequence[str]) -> Integers:
    """Give equal normalised texts equal numbers in all of c columns of n texts, (n, c)."""
    from ...data.groups import comparison_keys

    numbers: dict[str, int] = {}
    keyed = [[numbers.setdefault(key, len(numbers)) for key in comparison_keys(column)] for column in columns]
    return np.array(keyed, np.int64).T


def _passes(source: Source, batch_size: int, world: int, rng: np.random.Generator) -> Iterator[list[Integers]]:
    while True:
        batches = [rows[: len(rows) // world * world] for rows in one_pass(source, batch_size, rng)]
        yield [rows for rows in batches if len(rows)]


def one_pass(source: Source, batch_size: int, rng: np.random.Generator) -> list[Integers]:
    """Cut a data set into batches: shuffled, sorted by length within pools of some batches, the batches shuffled.

    Parameters
    ----------
    source : Source
    batch_size : int
        Greatest number of rows in a batch; only what duplicates leave over makes smaller ones.
    rng : Generator

    Returns
    -------
    list of (b,) int64
        Every row once.
    """
    order = rng.permutation(len(source))
    full: list[Integers] = []
    waiting: list[int] = []
    for start in range(0, len(order), batch_size * POOL_BATCHES):
        pool = np.array([*waiting, *order[start : start + batch_size * POOL_BATCHES]], np.int64)
        done, open_batches = _dealt(pool[np.argsort(source.lengths[pool], kind="stable")], source.keys, batch_size)
        full += done
        waiting = [row for batch in open_batches for row in batch]
        left = open_batches
    full += [np.array(batch, np.int64) for batch in left]
    return [full[place] for place in rng.permutation(len(full))]


def _dealt(pool: Integers, keys: Integers, batch_size: int) -> tuple[list[Integers], list[list[int]]]:
    """Put each row into the first open batch that has none of its texts; return full and open batches."""
    full: list[Integers] = []
    opened: list[tuple[list[int], set[int]]] = []
    for row in pool.tolist():
        texts = set(keys[row].tolist())
        place = next((batch for batch in opened if not batch[1] & texts), None)
        if place is None:
            place = ([], set())
            opened.append(place)
        place[0].append(row)
        place[1].update(texts)
        if len(place[0]) == batch_size:
            full.append(np.array(place[0], np.int64))
            opened.remove(place)
    return full, [batch for batch, _ in opened]
