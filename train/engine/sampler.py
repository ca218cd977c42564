"""Batches: one data set (and so one direction) a batch, no text twice in a batch, rows of similar length together.

The order depends on the seed only, so a resumed run continues with the right batch, and every process knows the whole
batch and takes its own rows of it. With several data sets this also keeps processes in step: data sets drawn
independently make processes wait for each other for ever, or mix languages.
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
class RowIndex:
    """Lengths and text numbers of the rows of a data set.

    Parameters
    ----------
    lengths : array (n,) of int64
        Tokens of each row, in its longest column.
    keys : array (n, c) of int64
        Numbers of the normalised texts of c columns; equal numbers never share a batch.
    """

    lengths: Integers
    keys: Integers

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Row numbers of one batch over all processes, and their data set."""

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
    datasets : sequence of RowIndex
        With several data sets, each step draws one ∝ n^0.5.
    batch_size : int
        Rows over all processes.
    epochs : int
        As many steps as this many passes over all data sets.
    max_steps : int, optional
        Upper limit of steps.
    seed : int
        Seed of the order.
    world : int
        Number of processes; a batch is cut to a multiple of it.
    """

    datasets: Sequence[RowIndex]
    batch_size: int
    epochs: int
    max_steps: int | None
    seed: int
    world: int = 1

    def __post_init__(self) -> None:
        """Check that every data set has enough rows."""
        if not self.datasets or any(len(dataset) < max(2, self.world) for dataset in self.datasets):
            sizes = ", ".join(str(len(dataset)) for dataset in self.datasets) or "none"
            raise DataError(f"each data set needs at least {max(2, self.world)} rows, got {sizes}; give more text")

    @property
    def total(self) -> int:
        """Number of steps."""
        streams = [
            _epochs(dataset, self.batch_size, self.world, self._rng(i)) for i, dataset in enumerate(self.datasets)
        ]
        steps = sum(len(batches) for stream in streams for batches in islice(stream, self.epochs))
        return steps if self.max_steps is None else min(steps, self.max_steps)

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """Yield the batches from a step on."""
        streams = [
            (rows for batches in _epochs(dataset, self.batch_size, self.world, self._rng(i)) for rows in batches)
            for i, dataset in enumerate(self.datasets)
        ]
        weights = np.array([len(dataset) for dataset in self.datasets], np.float64) ** SMOOTHING
        chooser = np.random.default_rng([self.seed, len(self.datasets)])
        for step in range(self.total):
            dataset = int(chooser.choice(len(streams), p=weights / weights.sum()))
            rows = next(streams[dataset])
            if step >= start:
                yield Batch(step, dataset, rows)

    def _rng(self, dataset: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 1, dataset])


def text_keys(*columns: Sequence[str]) -> Integers:
    """Number the texts of c columns of n texts so that equal normalised texts have equal numbers, (n, c)."""
    from ...data.groups import comparison_keys

    numbers: dict[str, int] = {}
    keyed = [[numbers.setdefault(key, len(numbers)) for key in comparison_keys(column)] for column in columns]
    return np.array(keyed, np.int64).T


def _epochs(dataset: RowIndex, batch_size: int, world: int, rng: np.random.Generator) -> Iterator[list[Integers]]:
    while True:
        batches = [rows[: len(rows) // world * world] for rows in epoch_batches(dataset, batch_size, rng)]
        yield [rows for rows in batches if len(rows)]


def epoch_batches(dataset: RowIndex, batch_size: int, rng: np.random.Generator) -> list[Integers]:
    """Cut a data set into batches: rows shuffled, sorted by length within pools of batches, batches shuffled.

    Parameters
    ----------
    dataset : RowIndex
    batch_size : int
        Rows in a batch; rows with repeated texts may leave smaller batches at the end.
    rng : Generator

    Returns
    -------
    list of (b,) int64
        Every row once.
    """
    order = rng.permutation(len(dataset))
    full: list[Integers] = []
    waiting: list[int] = []
    for start in range(0, len(order), batch_size * POOL_BATCHES):
        pool = np.array([*waiting, *order[start : start + batch_size * POOL_BATCHES]], np.int64)
        done, open_batches = _fill_batches(
            pool[np.argsort(dataset.lengths[pool], kind="stable")], dataset.keys, batch_size
        )
        full += done
        waiting = [row for batch in open_batches for row in batch]
        left = open_batches
    full += [np.array(batch, np.int64) for batch in left]
    return [full[place] for place in rng.permutation(len(full))]


def _fill_batches(pool: Integers, keys: Integers, batch_size: int) -> tuple[list[Integers], list[list[int]]]:
    """Put each row into the first open batch without any of its texts; return full and open batches."""
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
