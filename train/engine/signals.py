"""Ctrl-C and SIGTERM: a run stops between two steps, with a checkpoint, instead of in the middle of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A run was told to stop by a signal.

    Parameters
    ----------
    number : int
        The signal.
    where : str
        What was being done, for the message.
    resumable : bool
        Whether the run folder holds something to go on from.
    """

    def __init__(self, number: int, where: str, *, resumable: bool) -> None:
        super().__init__(where)
        self.signal, self.resumable = number, resumable


@dataclass(slots=True)
class Signals:
    """What was asked of this process.

    Attributes
    ----------
    waiting : int, optional
        A signal that came while it was deferred.
    resumable : bool
        Whether the run folder holds something to go on from.
    """

    waiting: int | None = None
    resumable: bool = False
    patient: bool = False  # repeated signals wait too: a launcher sends them again
    deferred: bool = False

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Take a signal: raise at once, or wait for the end of a step; a second one is not made to wait.

        Raises
        ------
        Interrupted
        """
        if self.deferred and (self.patient or self.waiting is None):
            self.waiting = number
            return
        raise Interrupted(number, "outside of the training steps", resumable=self.resumable)

    @contextmanager
    def between_steps(self) -> Iterator[None]:
        """Let signals wait; whoever runs the steps looks at `waiting`."""
        self.deferred = True
        try:
            yield
        finally:
            self.deferred = False
        if self.waiting is not None:  # it came after the last step had been looked at
            self.receive(self.waiting)


@contextmanager
def heeded_signals(*, patient: bool = False) -> Iterator[Signals]:
    """Heed SIGINT and SIGTERM in the main thread, and give them back at the end; in another thread heed nothing.

    Parameters
    ----------
    patient : bool
        Let repeated signals wait as well.
    """
    signals = Signals(patient=patient)
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.signal(number, signals.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
