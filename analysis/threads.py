"""Threads over independent works of one computation, which share out the threads that BLAS has.

Small products and decompositions gain little from the threads of BLAS and much from running side by side. Within such
a work, and wherever BLAS has one thread, everything runs in turn: threads never multiply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")
R = TypeVar("R")
_dividing = Lock()  # limits of BLAS hold for the whole process: one computation divides them at a time


@dataclass(frozen=True, slots=True)
class Workers:
    """Some threads, or none besides the calling one.

    Parameters
    ----------
    number : int
        How many works run at one time, ≥ 1.
    pool : ThreadPoolExecutor, optional
        Absent for one.
    """

    number: int = 1
    pool: ThreadPoolExecutor | None = None

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return what a work makes of each item, in order.

        Examples
        --------
        >>> Workers().map(abs, [-1, 2, -3])
        [1, 2, 3]
        """
        if self.pool is None or len(items) < 2:
            return [work(item) for item in items]
        waiting = [self.pool.submit(copy_context().run, work, item) for item in items]
        return [one.result() for one in waiting]


ALONE = Workers()


@contextmanager
def workers(most: int) -> Iterator[Workers]:
    """Divide the threads of BLAS among at most so many workers, until the block is left.

    Parameters
    ----------
    most : int
        Works that are independent of each other; with one nothing is divided.

    Examples
    --------
    >>> with workers(3) as crew:
    ...     crew.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    if most < 2 or not _dividing.acquire(blocking=False):
        yield ALONE
        return
    try:
        blas = ThreadpoolController().select(user_api="blas")
        threads = min((one.num_threads for one in blas.lib_controllers), default=1)
        number = min(most, threads)
        if number < 2:
            yield ALONE
            return
        pool = ThreadPoolExecutor(number)
        try:
            with blas.limit(limits=max(1, threads // number)):
                yield Workers(number, pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an interrupt does not wait for the others
    finally:
        _dividing.release()
