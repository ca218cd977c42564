"""The output folder of a study, and which process works at which cell.

OUT/cells/NAME-KEY.json    the result of a cell: a cell is done where this file is, which appears whole or not at all
OUT/runs/NAME-KEY/         the run folder of a training, with its model
OUT/tokens/NAME-KEY.json   how a tokenizer covers a language
OUT/failed/NAME-KEY.txt    why a cell cannot be measured; tried again by the next command
OUT/earlier/               cells that are no longer in the study, from which they come back
OUT/study.json, study.html, progress.html
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..files import output_errors, write_text
from ..train.engine.run_folder import MODEL
from .cells import Cell
from .kinds import STAGES, TOKENS

CELLS, RUNS, TOKEN_COUNTS, FAILED, EARLIER, CLAIMS = "cells", "runs", "tokens", "failed", "earlier", "claims"


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """The output folder of a study.

    Parameters
    ----------
    path : Path
        Need not exist.
    """

    path: Path

    @property
    def cells(self) -> Path:
        """Folder of the results."""
        return self.path / CELLS

    def result(self, cell: Cell) -> Path:
        """Return where the result of a cell lies."""
        return self.path / (TOKEN_COUNTS if cell.kind == TOKENS else CELLS) / f"{cell.file}.json"

    def run(self, cell: Cell) -> Path:
        """Return the run folder of a training."""
        return self.path / RUNS / cell.file

    def done(self, cell: Cell) -> bool:
        """Tell whether a cell is measured; a training also needs the model that it left."""
        return self.result(cell).is_file() and (cell.kind not in STAGES or (self.run(cell) / MODEL).is_dir())

    def failure(self, cell: Cell) -> str:
        """Return why a cell cannot be measured; empty where nothing is known against it."""
        try:
            return (self.path / FAILED / f"{cell.file}.txt").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def fail(self, cell: Cell, reason: str) -> None:
        """Note why a cell cannot be measured."""
        write_text(self.path / FAILED / f"{cell.file}.txt", f"{reason}\n")

    def prepare(self, cells: Collection[Cell]) -> None:
        """Forget failures, put away what is no longer in the study, and fetch what was put away and is in it again.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        with output_errors(self.path):
            for name in (CELLS, RUNS, TOKEN_COUNTS, CLAIMS):
                (self.path / name).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.path / FAILED, ignore_errors=True)
        wanted = {name for cell in cells for name in (f"{cell.file}.json", cell.file)}
        for name in (CELLS, RUNS):
            here, away = self.path / name, self.path / EARLIER / name
            if strange := [item for item in _listed(here) if item.name not in wanted]:
                away.mkdir(parents=True, exist_ok=True)
                _move(strange, away)
            _move([item for item in _listed(away) if item.name in wanted], here)

    @contextmanager
    def claim(self, cell: Cell) -> Iterator[bool]:
        """Try to be the only process at a cell: the claim ends with the process, however that ends.

        Yields
        ------
        bool
            Whether this process may work at the cell.
        """
        path = self.path / CLAIMS / f"{cell.file}.lock"
        with output_errors(path):
            opened = path.open("w")
        with opened as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def claimed(self, cell: Cell) -> bool:
        """Tell whether some process is at a cell."""
        if not (self.path / CLAIMS / f"{cell.file}.lock").is_file():
            return False
        with self.claim(cell) as free:
            return not free


def _listed(folder: Path) -> list[Path]:
    return sorted(item for item in folder.glob("*") if not item.name.startswith(".")) if folder.is_dir() else []


def _move(items: Collection[Path], folder: Path) -> None:
    for item in items:
        with suppress(OSError):  # another process moves the same
            item.rename(folder / item.name)
