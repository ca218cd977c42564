"""How long the cells of a study take: from those that are done, else from rough rates that are stated."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .cells import Cell
from .folder import StudyFolder
from .inputs import Inputs
from .kinds import PROBES, STAGES, TOKENS

ROUGH_ROWS = 1500
TOKEN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that a cell takes, or took; measured, or by the rough rate of its kind."""

    seconds: float
    measured: bool


def estimates(cells: Sequence[Cell], folder: StudyFolder, inputs: Inputs) -> dict[str, Estimate]:
    """Return the seconds of every cell by its key.

    A cell that is done took what its result says. Of the others each takes the median of those done cells that are
    nearest to it: of its kind, model and method, else of its kind; else the rough rate of its kind, by its rows.
    """
    took = {cell.key: seconds for cell in cells if (seconds := _seconds(folder, cell)) is not None}
    found = {}
    for cell in cells:
        if cell.key in took:
            found[cell.key] = Estimate(took[cell.key], measured=True)
            continue
        alike = [other for other in cells if other.key in took and other.kind == cell.kind]
        near = [other for other in alike if (other.base, other.method) == (cell.base, cell.method)]
        known = [took[other.key] for other in near or alike]
        found[cell.key] = Estimate(statistics.median(known), True) if known else Estimate(_rough(cell, inputs), False)
    return found


def _seconds(folder: StudyFolder, cell: Cell) -> float | None:
    if not folder.done(cell):
        return None
    return 0.0 if cell.kind == TOKENS else _stated(folder.result(cell))


@cache
def _stated(result: Path) -> float | None:
    """Return the seconds that a result says; read once, since a finished cell stays as it is."""
    try:
        value = json.loads(result.read_text(encoding="utf-8"))
        return float(value["provenance"]["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _rough(cell: Cell, inputs: Inputs) -> float:
    if cell.kind == TOKENS:
        return TOKEN_SECONDS
    if cell.kind in STAGES:
        return STAGES[cell.kind].rough_seconds
    text = inputs.text(inputs.study.corpora[cell.corpus], (inputs.study.pivot, cell.language))
    return PROBES[cell.kind].rough_seconds * len(text) / ROUGH_ROWS


def in_words(seconds: float) -> str:
    """Return a duration in words.

    Examples
    --------
    >>> in_words(0.2), in_words(75), in_words(7500)
    ('1 s', '1 min', '2 h 5 min')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
