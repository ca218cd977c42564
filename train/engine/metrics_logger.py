"""The metrics of a run as they come: RUN/metrics.jsonl, and TensorBoard if it is installed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ...files import write_bytes
from ...probe.results.training import Evaluation
from .run_folder import RunFolder

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

METRICS_FILE, TENSORBOARD = "metrics.jsonl", "logs"


class MetricsLogger:
    """Write RUN/metrics.jsonl, one line a measurement, and a TensorBoard log if tensorboard is installed.

    Parameters
    ----------
    folder : RunFolder
    start : int
        Step from which the run resumes: later lines are dropped, since their steps will be taken again.
    writes : bool
        Whether this process writes.
    """

    def __init__(self, folder: RunFolder, start: int, *, writes: bool) -> None:
        self._folder, self._start, self._writes = folder, start, writes
        self._path = folder.path / METRICS_FILE
        self._board = _summary_writer(folder.path / TENSORBOARD, start) if writes else None

    def __enter__(self) -> Self:
        if self._writes:
            with self._folder.writing("the metrics"):
                write_bytes(self._path, "".join(lines_until(self._path, self._start)).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def log(self, step: int, numbers: dict[str, float], texts: dict[str, str] | None = None) -> None:
        """Write the numbers of a step to both logs, and texts to the file only."""
        if not self._writes:
            return
        with self._folder.writing("the metrics"), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **numbers, **(texts or {})}, ensure_ascii=False) + "\n")
        if self._board is not None:
            for name, number in numbers.items():
                self._board.add_scalar(name, number, step)

    def log_evaluation(self, name: str, evaluation: Evaluation) -> None:
        """Write an evaluation of the held-out rows, whose score has a name."""
        numbers = {"loss": evaluation.loss} | ({} if evaluation.score is None else {name: evaluation.score})
        texts = {}
        for language, certificate in evaluation.certificates.items():
            numbers |= {f"R² of {rung}, {language}": r2.value for rung, r2 in certificate.r2.items()}
            texts[f"map of {language}"] = certificate.verdict
        self.log(evaluation.step, numbers, texts)


def lines_until(path: Path, step: int) -> list[str]:
    """Return the lines of a metrics file up to a step; an incomplete last line is dropped."""
    lines = []
    with suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            with suppress(ValueError, KeyError, TypeError):
                if line.endswith("\n") and json.loads(line)["step"] <= step:
                    lines.append(line)
    return lines


def _summary_writer(folder: Path, start: int) -> SummaryWriter | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    writer: Any = SummaryWriter
    return writer(str(folder), purge_step=start + 1)  # type: ignore[no-any-return]
