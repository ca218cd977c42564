"""A study from its file to its result: cells are planned, run, and put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..distributed import Processes
from ..errors import ConfigError
from ..files import write_text
from ..probe.results.provenance import Start
from ..probe.results.serialization import to_json
from ..probe.results.study import StudyResult
from .cell_run import CellRunner
from .cells import Cell, plan
from .estimate import Estimate, estimates
from .file import StudyFile
from .folder import StudyFolder
from .inputs import Inputs
from .schedule import reason, run_cells, state

RESULT = "study.json"


@dataclass(frozen=True, slots=True)
class CellState:
    """A cell as it stands: `done`, `refused`, `at work`, `open`, or `waiting` for a model; seconds; why refused."""

    cell: Cell
    state: str
    estimate: Estimate
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A planned study.

    Parameters
    ----------
    file : StudyFile
    folder : StudyFolder
    inputs : Inputs
    cells : tuple of Cell
        Those that others need first.
    selected : tuple of Cell
        Those that are to be run; all unless a part is asked for.
    """

    file: StudyFile
    folder: StudyFolder
    inputs: Inputs
    cells: tuple[Cell, ...]
    selected: tuple[Cell, ...]

    @classmethod
    def planned(cls, file: StudyFile, out: Path, only: str = "") -> Study:
        """Plan a study whose results go into a folder; with `only`, cells with that in their name and what they need.

        Raises
        ------
        DataError, ConfigError, ModelError, MissingExtraError
            If a text or a model cannot be opened.
        """
        inputs = Inputs(file, out)
        cells = plan(file, inputs)
        wanted = {cell.key for cell in cells if only in cell.name}
        for cell in reversed(cells):  # what is needed comes before
            wanted |= {cell.needs} if cell.key in wanted else set()
        selected = tuple(cell for cell in cells if cell.key in wanted)
        if not selected:
            raise ConfigError(f"no cell has {only!r} in its name; --dry-run without --only shows all {len(cells)}")
        return cls(file, StudyFolder(out), inputs, cells, selected)

    @property
    def by_key(self) -> dict[str, Cell]:
        """Cells by their keys."""
        return {cell.key: cell for cell in self.cells}

    def states(self, cells: Sequence[Cell] | None = None) -> tuple[CellState, ...]:
        """Return how cells stand now; by default all."""
        by_key, took = self.by_key, estimates(self.cells, self.folder, self.inputs)
        return tuple(self._state(cell, by_key, took[cell.key]) for cell in (self.cells if cells is None else cells))

    def _state(self, cell: Cell, by_key: dict[str, Cell], took: Estimate) -> CellState:
        found = state(self.folder, cell, by_key)
        if found == "open" and self.folder.claimed(cell):
            found = "at work"
        return CellState(cell, found, took, reason(self.folder, cell, by_key) if found == "refused" else "")

    def run(
        self,
        processes: Processes,
        *,
        command: str = "",
        progress: bool = False,
        on_change: Callable[[Sequence[CellState]], object] = lambda _: None,
    ) -> StudyResult:
        """Run what is not done and return the result, which the first process also writes.

        Parameters
        ----------
        processes : Processes
            All that work at this study; several that do not know of each other may too.
        command : str
            What was typed, for the provenance.
        progress : bool
            Whether bars are drawn.
        on_change : callable
            Called with the state of all cells at the beginning and after every cell.

        Raises
        ------
        DataError
            If a result cannot be read.
        ModelError, OutputError, MissingExtraError
            As probes and stages; the same call goes on with what is left.
        """
        start = Start.now(command)
        self.folder.prepare(self.cells)
        runner = CellRunner(self.file, self.folder, self.inputs, self.by_key, progress)

        def changed() -> None:
            on_change(self.states())

        changed()
        run_cells(self.selected, runner, changed, first=processes.rank)
        from .outcome import outcome

        result = outcome(self.file, self.cells, self.folder, start)
        if processes.is_first:
            write_text(self.folder.path / RESULT, to_json(result))
        return result
