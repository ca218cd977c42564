"""A study from its file to its result: cells are planned, run, and put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..distributed import Processes
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
    """

    file: StudyFile
    folder: StudyFolder
    inputs: Inputs
    cells: tuple[Cell, ...]

    @classmethod
    def planned(cls, file: StudyFile, out: Path) -> Study:
        """Plan a study whose results go into a folder.

        Raises
        ------
        DataError, ConfigError, ModelError, MissingExtraError
            If a text or a model cannot be opened.
        """
        inputs = Inputs(file, out)
        return cls(file, StudyFolder(out), inputs, plan(file, inputs))

    @property
    def by_key(self) -> dict[str, Cell]:
        """Cells by their keys."""
        return {cell.key: cell for cell in self.cells}

    def states(self) -> tuple[CellState, ...]:
        """Return how every cell stands now."""
        by_key, took = self.by_key, estimates(self.cells, self.folder, self.inputs)
        return tuple(self._state(cell, by_key, took[cell.key]) for cell in self.cells)

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
        run_cells(self.cells, runner, changed, first=processes.rank)
        from .outcome import outcome

        result = outcome(self.file, self.cells, self.folder, start)
        if processes.is_first:
            write_text(self.folder.path / RESULT, to_json(result))
        return result
