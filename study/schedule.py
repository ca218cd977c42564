"""Which cell comes next: several processes take different cells, and each of them ends when all cells are settled."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from ..errors import ConfigError, DataError
from .cell_run import CellRunner
from .cells import Cell
from .folder import StudyFolder

WAIT_SECONDS = 0.5  # between looks at what other processes are at
log = logging.getLogger(__name__)


def run_cells(cells: Sequence[Cell], runner: CellRunner, on_change: Callable[[], object], *, first: int = 0) -> None:
    """Run all cells that are not done, and wait for those that other processes are at.

    A cell whose text or settings its probe refuses counts as settled, with the reason, and so do the cells that take
    its model. Any other error ends the run; the same command goes on with what is left.

    Parameters
    ----------
    cells : sequence of Cell
        Those that others need first.
    runner : CellRunner
    on_change : callable
        Called after every cell.
    first : int
        Number of the process: each begins at another cell.

    Raises
    ------
    ModelError, OutputError, MissingExtraError
        As the probes and stages.
    """
    folder = runner.folder
    start = first % max(len(cells), 1)
    turned = [*cells[start:], *cells[:start]]
    while True:
        ready = [cell for cell in turned if state(folder, cell, runner.cells) == "open"]
        if not ready:
            if all(state(folder, cell, runner.cells) in ("done", "refused") for cell in cells):
                return
            time.sleep(WAIT_SECONDS)
            continue
        if not any(_tried(cell, runner, on_change) for cell in ready):
            time.sleep(WAIT_SECONDS)


def _tried(cell: Cell, runner: CellRunner, on_change: Callable[[], object]) -> bool:
    """Run a cell unless another process is at it or has done it; return whether anything was run."""
    folder = runner.folder
    with folder.claim(cell) as mine:
        if not mine or folder.done(cell) or folder.failure(cell):
            return False
        try:
            runner.run(cell)
        except (ConfigError, DataError) as error:
            folder.fail(cell, str(error))
            log.warning("%s: %s", cell.name, error)
    on_change()
    return True


def state(folder: StudyFolder, cell: Cell, cells: Mapping[str, Cell]) -> str:
    """Return `done`, `refused`, `open`, or `waiting` for a cell whose model is not trained yet."""
    if folder.done(cell):
        return "done"
    if reason(folder, cell, cells):
        return "refused"
    return "open" if not cell.needs or folder.done(cells[cell.needs]) else "waiting"


def reason(folder: StudyFolder, cell: Cell, cells: Mapping[str, Cell]) -> str:
    """Return why a cell cannot be measured; empty where nothing is known against it."""
    if own := folder.failure(cell):
        return own
    if not cell.needs:
        return ""
    before: Cell = cells[cell.needs]
    why = reason(folder, before, cells)
    return f"its model is not there: {before.name}: {why}" if why else ""
