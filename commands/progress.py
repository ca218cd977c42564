"""What a command says on stderr while it works: a line or a bar for each stage, as the rooms below log them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..models.progress import Progress
from ..stages import Stage, log


class StageDisplay(logging.Handler):
    """Shows for every thread the stage that it is at."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: dict[int | None, tuple[str, Progress]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Begin the line of a new stage, or count on in the one there is."""
        if not isinstance(record.msg, Stage):
            return
        stage, known = record.msg, self._bars.get(record.thread)
        name = f"{stage.about}: {stage.name}" if stage.about else stage.name[:1].upper() + stage.name[1:]
        if record.thread != threading.main_thread().ident:
            self._forget(threading.main_thread().ident)  # which waits for the others
        if known is None or known[0] != name:
            self._forget(record.thread)
            known = name, Progress(stage.total, name, unit="", at_once=True)
            self._bars[record.thread] = known
        known[1].reach(stage.done)

    def close(self) -> None:
        """Take all bars away."""
        for thread in list(self._bars):
            self._forget(thread)
        super().close()

    def _forget(self, thread: int | None) -> None:
        if (known := self._bars.pop(thread, None)) is not None:
            known[1].close()


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[None]:
    """Show the stages of what runs inside, except where all is to be quiet, and in all processes but the first."""
    if quiet or os.environ.get("RANK", "0") != "0":
        yield
        return
    display, before = StageDisplay(), (log.level, log.propagate)
    log.addHandler(display)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(display)
        log.setLevel(before[0])
        log.propagate = before[1]
        display.close()
