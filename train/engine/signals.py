"""Ctrl-C and SIGTERM: a run stops after a whole step, with a checkpoint."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A run was stopped by a signal.

    Parameters
    ----------
    number : int
        The signal.
    where : str
        Where the run stopped, for the message.
    resumable : bool
        Whether the run can be resumed.
    """

    def __init__(self, number: int, where: str, *, resumable: bool) -> None:
        super().__init__(where)
        self.signal, self.resumable = number, resumable


@dataclass(slots=True)
class SignalHandler:
    """Raise `Interrupted` on a signal, at once or after the training step.

    Attributes
    ----------
    pending : int, optional
        A signal that came while signals were deferred.
    resumable : bool
        Whether the run can be resumed.
    defer_repeated : bool
        Defer repeated signals as well: a launcher sends them again.
    """

    pending: int | None = None
    resumable: bool = False
    defer_repeated: bool = False
    deferring: bool = False

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal: raise at once, or defer it to the end of the step; a second signal is not deferred.

        Raises
        ------
        Interrupted
        """
        if self.deferring and (self.defer_repeated or self.pending is None):
            self.pending = number
            return
        raise Interrupted(number, "outside of the training steps", resumable=self.resumable)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer signals within the context, which checks `pending` after each step."""
        self.deferring = True
        try:
            yield
        finally:
            self.deferring = False
        if self.pending is not None:  # it came after the last check
            self.receive(self.pending)


@contextmanager
def handle_signals(*, defer_repeated: bool = False) -> Iterator[SignalHandler]:
    """Handle SIGINT and SIGTERM within the context; in a thread other than the main one, handle nothing.

    Parameters
    ----------
    defer_repeated : bool
        Defer repeated signals as well.
    """
    signals = SignalHandler(defer_repeated=defer_repeated)
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.signal(number, signals.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
