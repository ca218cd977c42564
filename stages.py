"""What a long computation is at, as log records: the command line shows them, others may (level INFO) or need not.

Every room may import this module; it imports nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)
_about: ContextVar[str] = ContextVar("about", default="")


@dataclass(frozen=True, slots=True)
class Stage:
    """The message of a record.

    Parameters
    ----------
    name : str
        What is being done, a few words.
    about : str
        Of what, such as a direction; empty where there is one thing only.
    done, total : int
        Items that are finished, and all of them; 0 of 0 where nothing is counted.

    Examples
    --------
    >>> print(Stage("shuffling pairs", "en → fr", 3, 20))
    en → fr: shuffling pairs, 3 of 20
    """

    name: str
    about: str = ""
    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        named = f"{self.about}: {self.name}" if self.about else self.name
        return f"{named}, {self.done} of {self.total}" if self.total else named


def stage(name: str) -> None:
    """Say what begins now."""
    if log.isEnabledFor(logging.INFO):
        log.info(Stage(name, _about.get()))


def counted(items: Collection[T], name: str) -> Iterator[T]:
    """Yield items, and say how many of them are done.

    Parameters
    ----------
    items : collection
    name : str
        What is being done, a few words.

    Examples
    --------
    >>> list(counted([3, 4], "shuffling pairs"))
    [3, 4]
    """
    for done, item in enumerate(items):
        if log.isEnabledFor(logging.INFO):
            log.info(Stage(name, _about.get(), done, len(items)))
        yield item


@contextmanager
def about(what: str) -> Iterator[None]:
    """Name what the stages inside are about; it holds for this thread alone."""
    token = _about.set(what)
    try:
        yield
    finally:
        _about.reset(token)
