"""The training loop of all stages.

Why not the library's trainer: its checkpoints are pickles; its optimisers and its data-parallel wrapper visit the whole
embedding table at every step, where a batch touches some hundred rows; it samples before it knows lengths; and it draws
data sets on each process independently. Losses, collators, evaluators and mining of the libraries are used as they are.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...models.progress import Progress
from ...probe.results.training import MapVerdict
from .history import RunHistory, TrainingReport
from .metrics_logger import MetricsLogger
from .objective import Evaluator, Objective
from .optimizer import Optimizer
from .random_state import random_state, set_random_state
from .run_folder import Checkpoint
from .sampler import Batch, BatchPlan, RowIndex
from .session import Run
from .signals import Interrupted

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
LOG_EVERY = 50


def train(
    run: Run, objective: Objective, datasets: Sequence[RowIndex], evaluator: Evaluator | None = None
) -> TrainingReport:
    """Train an objective over data sets as the settings of a run say.

    Parameters
    ----------
    run : Run
    objective : Objective
    datasets : sequence of RowIndex
        One for each data set of the objective.
    evaluator : Evaluator, optional
        Measures held-out rows during training if the settings ask for it.

    Raises
    ------
    DataError, ModelError, OutputError, Interrupted
        As `Trainer.run`; and if a data set is too small.
    """
    loop = run.config.loop
    plan = BatchPlan(datasets, loop.batch_size, loop.epochs, loop.max_steps, loop.seed, run.processes.world_size)
    return Trainer(objective, plan, run, evaluator if loop.evaluates else None).run()


class Trainer:
    """Train an objective over a plan of batches.

    Parameters
    ----------
    objective : Objective
    plan : BatchPlan
    run : Run
        Whose settings, folder, processes and signals are used.
    evaluator : Evaluator, optional
    """

    def __init__(self, objective: Objective, plan: BatchPlan, run: Run, evaluator: Evaluator | None = None) -> None:
        self.objective, self.plan, self.evaluator = objective, plan, evaluator
        self.config, self.folder, self.processes, self.signals = run.config.loop, run.folder, run.processes, run.signals
        self.progress = run.progress and run.processes.is_first
        self.total = plan.total
        self.history = RunHistory(self.config, self.total)
        self.optimizer = Optimizer(objective, self.config, self.total, self.processes)

    def run(self) -> TrainingReport:
        """Train from the last checkpoint, or from the start, to the end or until patience runs out.

        Raises
        ------
        ModelError
            If the loss is not finite.
        OutputError
            If a checkpoint cannot be written; the run can be resumed from the one before.
        Interrupted
            If a signal came; a checkpoint of the last whole step is saved.
        """
        import torch

        torch.manual_seed(self.config.seed + self.processes.rank)
        step, rows = self._restore(), 0
        start, cpu_start = time.perf_counter(), time.process_time()
        self._set_mode()
        bar = Progress(self.total, "training", unit="step", visible=self.progress)
        logger = MetricsLogger(self.folder, step, writes=self.processes.is_first)
        with self.signals.deferred(), logger, bar:
            bar.advance(step)
            for batch in self.plan.batches(step):
                if self.history.out_of_patience:
                    break
                self.history.losses.append(self._step(batch))
                rows += len(batch.rows)
                step = batch.step + 1
                self._after_step(step, logger)
                bar.advance()
                bar.show(self._recent_scores())
        self._finish(step)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        history = None if self.evaluator is None else self.history.result(self.evaluator.name, step)
        return TrainingReport(step, rows, seconds, cpu_seconds, self.history.mean_losses(), history)

    def _step(self, batch: Batch) -> float:
        step = batch.step + 1
        self.optimizer.prepare(batch, step)
        loss = self.objective.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        value = float(loss.detach())
        if not self.processes.all_agree(np.isfinite(value)):
            raise ModelError(
                f"the loss is not finite at step {step}; the last checkpoint is kept: lower --learning-rate, "
                "or use --precision float32"
            )
        self.optimizer.step(step)
        return value

    def _after_step(self, step: int, logger: MetricsLogger) -> None:
        """Log, evaluate and save whatever is due after a step; evaluations go into the checkpoint."""
        if step % LOG_EVERY == 0:
            loss = float(np.mean(self.history.losses[-LOG_EVERY:]))
            log.info("step %d of %d, loss %.4f", step, self.total, loss)
            logger.log(step, {"loss": loss, "rate": self.optimizer.learning_rate(step)})
        score, certify = self.history.due(step)
        if self.evaluator is not None and (score or certify):
            self._evaluate(self.evaluator, step, score=score, certify=certify)
            logger.log_evaluation(self.evaluator.name, self.history.evaluations[-1])
        due = step % self.config.checkpoint_every == 0 and step < self.total
        if due:
            self.optimizer.finish(step)
            self._save(step)
        self._stop_if_signalled(step, saved=due)

    def _evaluate(self, evaluator: Evaluator, step: int, *, score: bool, certify: bool) -> None:
        """Evaluate the model after a step; the weights are saved if they are the best and the score decides."""
        with self._evaluation_mode(step):
            value, certificates = 0.0, dict[str, MapVerdict]()
            if self.processes.is_first:
                value, certificates = evaluator.evaluate(certify=certify)
            value = self.processes.broadcast(value)
            evaluation = self.history.add(step, value if score else None, certificates)
            log.info("step %d of %d, %s %.4f", step, self.total, evaluator.name, value)
            if self.config.selects_best and self.history.best is evaluation and self.processes.is_first:
                self.folder.save_best(self._trained_weights())
        self.processes.barrier()

    @contextmanager
    def _evaluation_mode(self, step: int) -> Iterator[None]:
        """Make the weights those after a step, without dropout; training then continues as if not evaluated."""
        before = random_state(self._device)
        self.objective.module.eval()
        with self.optimizer.up_to_date(step):
            yield
        self._set_mode()
        set_random_state(before, self._device)

    def _stop_if_signalled(self, step: int, *, saved: bool) -> None:
        pending = self.signals.pending
        if self.processes.minimum(0 if pending else 1):
            return
        if not saved:
            self._save(step)
        self.signals.pending = None
        raise Interrupted(pending or signal.SIGTERM, f"step {step} of {self.total} is saved", resumable=True)

    def _recent_scores(self) -> str:
        loss = f"loss {np.mean(self.history.losses[-LOG_EVERY:]):.3f}"
        scores = [evaluation.score for evaluation in self.history.evaluations if evaluation.score is not None]
        return f"{loss}, {self.evaluator.name} {scores[-1]:.3f}" if scores and self.evaluator else loss

    @property
    def _device(self) -> torch.device:
        return next(self.objective.module.parameters()).device

    def _set_mode(self) -> None:
        self.objective.module.train(self.config.dropout == "model")

    def _finish(self, step: int) -> None:
        self.optimizer.finish(step)
        self.optimizer.release_table()
        if self.config.selects_best and self.history.best is not None and self.history.best.step != step:
            self._load_weights(self.folder.load_best())
        self.objective.module.eval()
        self.processes.barrier()

    # ------------------------------------------------------------ checkpoints

    def _trained_weights(self) -> dict[str, torch.Tensor]:
        return {n: p.detach() for n, p in self.objective.module.named_parameters() if p.requires_grad}

    def _load_weights(self, weights: dict[str, torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.objective.module.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(weights[name])

    def _save(self, step: int) -> None:
        import torch

        states = self.processes.gather_uneven(random_state(self._device)[None])
        if self.processes.is_first:
            checkpoint = Checkpoint(
                step,
                self.processes.world_size,
                self._trained_weights(),
                self.optimizer.state(),
                states,
                torch.tensor(self.history.losses, dtype=torch.float64),
                self.history.evaluations_as_json(),
            )
            self.folder.save_checkpoint(checkpoint)
        self.processes.barrier()

    def _restore(self) -> int:
        """Load the last checkpoint if there is one; return its step, or 0."""
        checkpoint = self.folder.load_checkpoint(self.processes.world_size)
        if checkpoint is None:
            return 0
        self._load_weights(checkpoint.weights)
        self.optimizer.restore(checkpoint.optimizer)
        set_random_state(checkpoint.random_state[self.processes.rank], self._device)
        self.history.restore(checkpoint.losses.tolist(), checkpoint.evaluations)
        log.info("resumed at step %d of %d", checkpoint.step, self.total)
        return checkpoint.step
