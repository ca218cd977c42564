"""Losses and evaluations of a run: when to evaluate, which weights are best, when patience ends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...probe.results.training import Evaluation, MapVerdict, TrainingHistory
from ..config import LoopConfig

LOSSES_REPORTED = 10


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """Steps, time and losses of a finished training loop."""

    steps: int = 0
    rows: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of this process, all threads: the cost of the run where others share the machine
    losses: tuple[float, ...] = ()  # mean of each tenth of the steps, those before an interruption included
    history: TrainingHistory | None = None

    @property
    def rows_per_second(self) -> float:
        """Rows in a second, start and checkpoints included."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class RunHistory:
    """Losses of all steps and all evaluations so far; a checkpoint contains them, so that a resumed run has them all.

    Parameters
    ----------
    config : LoopConfig
    planned : int
        Greatest number of steps.
    """

    config: LoopConfig
    planned: int
    losses: list[float] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)

    def due(self, step: int) -> tuple[bool, bool]:
        """Return whether the score and whether the certificate are to be measured after a step."""
        every = (self.config.evaluate_every, self.config.certify_every)
        score, certificate = (k is not None and (step % k == 0 or step == self.planned) for k in every)
        return score, certificate

    def add(self, step: int, score: float | None, certificates: dict[str, MapVerdict]) -> Evaluation:
        """Record an evaluation."""
        since = self.evaluations[-1].step if self.evaluations else 0
        losses = self.losses[since:step]
        self.evaluations.append(Evaluation(step, sum(losses) / max(1, len(losses)), score, certificates))
        return self.evaluations[-1]

    @property
    def best(self) -> Evaluation | None:
        """The first evaluation with the best score."""
        scored = [evaluation for evaluation in self.evaluations if evaluation.score is not None]
        return max(scored, key=lambda evaluation: evaluation.score or 0.0, default=None)

    @property
    def out_of_patience(self) -> bool:
        """Whether the score has not risen for as many evaluations as patience allows."""
        if self.config.patience is None or self.best is None:
            return False
        later = [e for e in self.evaluations if e.score is not None and e.step > self.best.step]
        return len(later) >= self.config.patience

    def mean_losses(self) -> tuple[float, ...]:
        """Return the mean loss of each tenth of the steps."""
        losses = np.array(self.losses)
        parts = np.array_split(losses, min(LOSSES_REPORTED, max(1, len(losses))))
        return tuple(round(float(part.mean()), 5) for part in parts if len(part))

    def result(self, name: str, steps: int) -> TrainingHistory | None:
        """Return the history for the result, the score named; None if nothing was evaluated."""
        if not self.evaluations:
            return None
        kept = self.best.step if self.config.selects_best and self.best else steps
        return TrainingHistory(name, tuple(self.evaluations), kept, steps, self.planned)

    def evaluations_as_json(self) -> list[Any]:
        """Return the evaluations as JSON values, for a checkpoint."""
        from ...probe.results.serialization import to_json

        return [json.loads(to_json(evaluation)) for evaluation in self.evaluations]

    def restore(self, losses: list[float], evaluations: list[Any]) -> None:
        """Take losses, and evaluations as JSON values, from a checkpoint."""
        from ...probe.results.serialization import from_json

        self.losses = losses
        self.evaluations = [from_json(json.dumps(evaluation), Evaluation) for evaluation in evaluations]
