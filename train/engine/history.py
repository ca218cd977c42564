"""How a run goes: the held-out score and the certificate along the way, and the file and board that show them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from ...files import write_bytes
from ...probe.results.training import Evaluation, MapVerdict, TrainingHistory
from ..config import LoopConfig
from .run_folder import RunFolder

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

log = logging.getLogger(__name__)
METRICS_FILE, BOARD = "metrics.jsonl", "logs"


class Watch(Protocol):
    """What a stage can measure of its encoder between two steps."""

    @property
    def name(self) -> str:
        """What the score is."""

    def measure(self, *, certified: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Return the held-out score, the larger the better, and the certificate of each language if asked for."""


@dataclass(slots=True)
class Track:
    """Losses of all steps and everything measured so far: what a checkpoint keeps, so that a resumed run has it all.

    Parameters
    ----------
    config : LoopConfig
    total : int
        Steps at most.
    """

    config: LoopConfig
    total: int
    losses: list[float] = field(default_factory=list)
    moments: list[Evaluation] = field(default_factory=list)

    def due(self, step: int) -> tuple[bool, bool]:
        """Tell whether the score and whether the certificate are to be measured after a step."""
        every = (self.config.evaluate_every, self.config.certify_every)
        last = step == self.total
        scored, certified = (k is not None and (step % k == 0 or last) for k in every)
        return scored, certified

    def add(self, step: int, score: float | None, certificates: dict[str, MapVerdict]) -> Evaluation:
        """Note a measurement."""
        since = self.moments[-1].step if self.moments else 0
        losses = self.losses[since:step]
        self.moments.append(Evaluation(step, sum(losses) / max(1, len(losses)), score, certificates))
        return self.moments[-1]

    @property
    def best(self) -> Evaluation | None:
        """The first moment with the best score."""
        scored = [moment for moment in self.moments if moment.score is not None]
        return max(scored, key=lambda moment: moment.score or 0.0, default=None)

    @property
    def exhausted(self) -> bool:
        """Whether the score has not risen for as many evaluations as patience allows."""
        if self.config.patience is None or self.best is None:
            return False
        later = [m for m in self.moments if m.score is not None and m.step > self.best.step]
        return len(later) >= self.config.patience

    def course(self, name: str, step: int) -> TrainingHistory | None:
        """Return what goes into the result; None where nothing was measured on the way."""
        if not self.moments:
            return None
        kept = self.best.step if self.config.selects and self.best else step
        return TrainingHistory(name, tuple(self.moments), kept, step, self.total)


class Journal:
    """RUN/metrics.jsonl, a line a measurement, and a TensorBoard log if tensorboard is installed.

    Parameters
    ----------
    folder : RunFolder
    start : int
        Step from which the run goes on: lines after it are dropped, since their steps will be taken again.
    writes : bool
        Whether this process writes.
    """

    def __init__(self, folder: RunFolder, start: int, *, writes: bool) -> None:
        self._folder, self._start, self._writes = folder, start, writes
        self._path = folder.path / METRICS_FILE
        self._board = _board(folder.path / BOARD, start) if writes else None

    def __enter__(self) -> Self:
        if self._writes:
            with self._folder.writing("the metrics"):
                write_bytes(self._path, "".join(_lines_until(self._path, self._start)).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def note(self, step: int, numbers: dict[str, float], words: dict[str, str] | None = None) -> None:
        """Write down what was found after a step."""
        if not self._writes:
            return
        with self._folder.writing("the metrics"), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **numbers, **(words or {})}, ensure_ascii=False) + "\n")
        if self._board is not None:
            for name, number in numbers.items():
                self._board.add_scalar(name, number, step)

    def note_moment(self, name: str, moment: Evaluation) -> None:
        """Write down a measurement of the held-out rows."""
        numbers = {"loss": moment.loss} | ({} if moment.score is None else {name: moment.score})
        words = {}
        for language, found in moment.certificates.items():
            numbers |= {f"R² of {rung}, {language}": r2.value for rung, r2 in found.r2.items()}
            words[f"map of {language}"] = found.verdict
        self.note(moment.step, numbers, words)


def _lines_until(path: Path, step: int) -> list[str]:
    """Return the lines of a journal up to a step; a last line that was cut off is dropped."""
    kept = []
    with suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            with suppress(ValueError, KeyError, TypeError):
                if line.endswith("\n") and json.loads(line)["step"] <= step:
                    kept.append(line)
    return kept


def _board(folder: Path, start: int) -> SummaryWriter | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    made: Any = SummaryWriter
    return made(str(folder), purge_step=start + 1)  # type: ignore[no-any-return]


def moments_from(plain: Sequence[Any]) -> list[Evaluation]:
    """Read moments back from the JSON of a checkpoint."""
    from ...probe.results.serialization import from_json

    return [from_json(json.dumps(one), Evaluation) for one in plain]


def moments_plain(moments: Sequence[Evaluation]) -> list[Any]:
    """Return moments as JSON values."""
    from ...probe.results.serialization import to_json

    return [json.loads(to_json(moment)) for moment in moments]
