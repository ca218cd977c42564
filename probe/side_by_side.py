"""Independent measurements side by side, each with its share of the processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")
MOST = 8  # beyond it memory counts for more than time


def side_by_side(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return what a work makes of each item, in order, several at a time.

    Our works are many small matrix products, decompositions and steps of solvers, which threads share better between
    items than within one.

    Examples
    --------
    >>> side_by_side(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    processors = os.cpu_count() or 1
    workers = max(1, min(len(items), processors, MOST))
    pool = ThreadPoolExecutor(workers)
    try:
        with threadpool_limits(max(1, processors // workers)):
            return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # an interrupt does not wait for the others
