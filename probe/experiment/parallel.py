"""Independent measurements side by side, each with its share of the processors."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

from ...stages import counted

T = TypeVar("T")
R = TypeVar("R")
MOST = 8
MOST_BYTES = 4 * 2**30


def side_by_side(work: Callable[[T], R], items: Sequence[T], *, bytes_each: int = 0, name: str = "") -> list[R]:
    """Return what a work makes of each item, in order, several at a time.

    Our works are many small matrix products, decompositions and steps of solvers, which threads share better between
    items than within one.

    Parameters
    ----------
    work : callable
    items : sequence
    bytes_each : int
        What a work holds at a time, about: only so many are done at once as fit into 4 GiB, and at least one.
    name : str
        What is done, for the stages; by default the works say it themselves.

    Examples
    --------
    >>> side_by_side(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    processors = os.cpu_count() or 1
    fitting = MOST_BYTES // bytes_each if bytes_each else MOST
    workers = max(1, min(len(items), processors, MOST, fitting))
    pool = ThreadPoolExecutor(workers)
    try:
        with threadpool_limits(max(1, processors // workers)):
            done = pool.map(work, items)
            return [next(done) for _ in counted(items, name)] if name else list(done)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # an interrupt does not wait for the others


def in_turn(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return what a work makes of each item, one after the other, where there is no memory for several at once.

    Each has the threads that it would have side by side with another: more of them make small products slower. What one
    has left behind, circles of references among it, is freed before the next.

    Examples
    --------
    >>> in_turn(abs, [-1, 2])
    [1, 2]
    """
    done = []
    with threadpool_limits(max(1, (os.cpu_count() or 1) // 2)):
        for item in items:
            done.append(work(item))
            gc.collect()
    return done
