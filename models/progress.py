"""The one progress bar of the project, to stderr; plain lines where that is no terminal; bars of libraries hidden."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tqdm import tqdm

FIRST_LINE, NEXT_LINES = 1.0, 10.0  # seconds of work before it is worth a line, and between lines


def nothing(items: int) -> None:
    """Take the place of a progress bar where there is none."""


class Progress:
    """A bar that counts finished items; use it as a context manager.

    Parameters
    ----------
    total : int
        Number of items, ≥ 0; 0 where nothing is counted.
    description : str
        What is being done, a few words.
    unit : str
        Name of one item.
    visible : bool
        Whether the caller wants to see anything.
    at_once : bool
        Where stderr is no terminal: whether the description is printed when the work begins. By default the first
        line comes after a second of work, so that what is short says nothing.

    Examples
    --------
    >>> with Progress(2, "encoding", visible=False) as progress:
    ...     progress.advance(2)
    """

    def __init__(
        self, total: int, description: str, *, unit: str = "text", visible: bool = True, at_once: bool = False
    ) -> None:
        self._total, self._description, self._done, self._note = total, description, 0, ""
        self._bar: tqdm[None] | None = None
        self._lines = visible and not sys.stderr.isatty()
        self._due = time.monotonic() + (NEXT_LINES if at_once else FIRST_LINE)
        if self._lines and at_once:
            sys.stderr.write(f"{description} …\n")
            sys.stderr.flush()
        if visible and not self._lines:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total or None,
                desc=description if total else f"{description} …",
                bar_format=None if total else "{desc}",
                unit=unit,
                file=sys.stderr,
                dynamic_ncols=True,
                leave=False,
            )

    def advance(self, items: int = 1) -> None:
        """Count finished items.

        Parameters
        ----------
        items : int
            How many were finished since the last call, ≥ 0.
        """
        self.reach(self._done + items)

    def reach(self, done: int) -> None:
        """Count up to a number of finished items.

        Parameters
        ----------
        done : int
            How many are finished by now.
        """
        added, self._done = done - self._done, done
        if self._bar is not None:
            self._bar.update(added)
        elif self._lines and added and done < self._total and time.monotonic() >= self._due:
            self._due = time.monotonic() + NEXT_LINES
            note = f", {self._note}" if self._note else ""
            sys.stderr.write(f"{self._description}, {done} of {self._total}{note}\n")
            sys.stderr.flush()

    def show(self, note: str) -> None:
        """Show a few words behind the bar.

        Parameters
        ----------
        note : str
            Shown until the next call.
        """
        self._note = note
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def hidden_library_bars() -> Iterator[None]:
    """Keep transformers from drawing progress bars of its own."""
    from transformers.utils import logging

    library: Any = logging
    shown = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            library.enable_progress_bar()
