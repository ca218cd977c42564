"""The one progress bar of the project: to stderr, and only on a terminal; and the bars of other libraries hidden."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self


class Progress:
    """A bar that counts finished items; use it as a context manager.

    Parameters
    ----------
    total : int
        Number of items, ≥ 0.
    description : str
        What is being done, a few words.
    unit : str
        Name of one item.
    visible : bool
        Whether the caller wants a bar; even then none is drawn where stderr is not a terminal.

    Examples
    --------
    >>> with Progress(2, "encoding", visible=False) as progress:
    ...     progress.advance(2)
    """

    def __init__(self, total: int, description: str, *, unit: str = "text", visible: bool = True) -> None:
        from tqdm import tqdm

        self._bar: tqdm[None] = tqdm(
            total=total,
            desc=description,
            unit=unit,
            file=sys.stderr,
            disable=not (visible and sys.stderr.isatty()),
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
        self._bar.update(items)

    def show(self, note: str) -> None:
        """Show a few words behind the bar.

        Parameters
        ----------
        note : str
            Shown until the next call.
        """
        self._bar.set_postfix_str(note, refresh=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()


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
