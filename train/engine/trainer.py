"""The loop of all stages: batch in, step taken, checkpoint kept, progress logged.

Why not the library's trainer: its checkpoints are pickles; its optimisers and its data-parallel wrapper visit the whole
embedding table at every step, where a batch touches some hundred rows; it samples before it knows lengths; and it draws
data sets on each process independently. Losses, collators, evaluators and mining of the libraries are used as they are.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...models.progress import Progress
from ...probe.results.training import MapVerdict, TrainingHistory
from .history import Journal, Track, Watch, moments_from, moments_plain
from .lazy_adamw import LazyAdamW
from .run_folder import Checkpoint
from .sampler import Batch, BatchPlan
from .signals import Interrupted

if TYPE_CHECKING:
    import torch

    from .session import Run

log = logging.getLogger(__name__)
LOG_EVERY = 50


class Objective(Protocol):
    """What a stage trains: a module, and its loss on a batch."""

    @property
    def module(self) -> torch.nn.Module:
        """Everything that may be trained."""

    @property
    def table(self) -> torch.nn.Embedding | None:
        """The word embeddings whose rows are updated lazily, if they are."""

    @property
    def first_row(self) -> int:
        """Rows of the table before this one never move."""

    def touched(self, batch: Batch) -> NDArray[np.int64]:
        """Return all token ids of a batch over all processes, not necessarily distinct."""

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return this process's share of the loss of a batch; the loop calls `backward` on it."""


@dataclass(frozen=True, slots=True)
class LoopReport:
    """What a loop did."""

    steps: int
    rows: int
    seconds: float
    cpu_seconds: float  # of this process, all threads: what the run costs when others share the machine
    losses: tuple[float, ...]  # mean of each tenth of the steps, those before an interruption included
    course: TrainingHistory | None = None

    @property
    def rows_per_second(self) -> float:
        """Rows in a second, start and checkpoints included."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0


class Loop:
    """Train an objective over a plan of batches.

    Parameters
    ----------
    objective : Objective
    plan : BatchPlan
    run : Run
        Whose settings, folder, processes and signals these are.
    watch : Watch, optional
        What is measured on the way, if the settings ask for it.
    """

    def __init__(self, objective: Objective, plan: BatchPlan, run: Run, watch: Watch | None = None) -> None:
        self.objective, self.plan, self.run_of, self.watch = objective, plan, run, watch
        self.config, self.folder, self.processes = run.config.loop, run.folder, run.processes
        self.total = plan.total
        self._track = Track(self.config, self.total)
        self._rows = 0
        self._lazy = self._make_lazy()
        self._names, self._dense = self._make_dense()

    def rate(self, step: int) -> float:
        """Return the learning rate of step 1, 2, …, as a share of the highest."""
        warm = max(1, round(self.config.warmup * self.total))
        return step / warm if step < warm else max(0.0, (self.total - step + 1) / max(1, self.total - warm + 1))

    def run(self) -> LoopReport:
        """Train from the last checkpoint, or from the start, to the end or until patience runs out.

        Raises
        ------
        ModelError
            If the loss is not finite.
        OutputError
            If a checkpoint cannot be written; the run can be resumed from the one before.
        Interrupted
            If a signal came; a checkpoint of the last whole step is kept.
        """
        import torch

        torch.manual_seed(self.config.seed + self.processes.rank)
        step = self._restore()
        began, worked = time.perf_counter(), time.process_time()
        self._set_mode()
        bar = Progress(self.total, "training", unit="step", visible=self.run_of.progress and self.processes.is_first)
        journal = Journal(self.folder, step, writes=self.processes.is_first)
        with self.run_of.signals.between_steps(), journal, bar:
            bar.advance(step)
            for batch in self.plan.batches(step):
                if self._track.exhausted:
                    break
                self._track.losses.append(self._step(batch))
                self._rows += len(batch.rows)
                step = batch.step + 1
                self._after(step, journal)
                bar.advance()
                bar.show(self._note())
        self._finish(step)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - worked
        return LoopReport(step, self._rows, seconds, cpu_seconds, self._tenths(), self._course(step))

    def _step(self, batch: Batch) -> float:
        step = batch.step + 1
        rows = self._catch_up(batch, step)
        self._dense.zero_grad(set_to_none=True)
        if self._lazy is not None:
            self._lazy.table.grad = None
        loss = self.objective.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        gradient = self._sum_gradients(rows)
        value = float(loss.detach())
        if not self.processes.all_agree(np.isfinite(value)):
            raise ModelError(
                f"the loss is not finite at step {step}; the last checkpoint is kept: lower --learning-rate, "
                "or use --precision float32"
            )
        self._clip(gradient)
        self._move(step, rows, gradient)
        return value

    def _catch_up(self, batch: Batch, step: int) -> torch.Tensor | None:
        import torch

        if self._lazy is None:
            return None
        rows = torch.from_numpy(np.unique(self.objective.touched(batch))).to(self._lazy.table.device)
        self._lazy.catch_up(rows, step - 1)
        return rows

    def _sum_gradients(self, rows: torch.Tensor | None) -> torch.Tensor | None:
        """Sum gradients over processes; return that of the touched rows of the table."""
        import torch

        held = [p for group in self._dense.param_groups for p in group["params"]]
        if self.processes.world_size > 1:
            for parameter in held:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
        self.processes.sum_together(p.grad for p in held if p.grad is not None)
        if self._lazy is None or rows is None:
            return None
        sparse = self._lazy.table.grad
        gathered = torch.zeros(len(rows), self._lazy.table.shape[1], device=rows.device)
        if sparse is not None:
            whole = sparse.coalesce()
            gathered.index_add_(0, torch.searchsorted(rows, whole.indices()[0]), whole.values())
        self.processes.sum_together([gathered])
        return gathered

    def _clip(self, gradient: torch.Tensor | None) -> None:
        import torch

        grads = [p.grad for group in self._dense.param_groups for p in group["params"] if p.grad is not None]
        grads += [] if gradient is None else [gradient]
        norm = torch.nn.utils.get_total_norm(grads)
        factor = torch.clamp(self.config.max_grad_norm / (norm + 1e-6), max=1.0)
        if factor < 1:
            torch._foreach_mul_(grads, factor)

    def _move(self, step: int, rows: torch.Tensor | None, gradient: torch.Tensor | None) -> None:
        for group in self._dense.param_groups:
            group["lr"] = self.rate(step) * group["highest"]
        self._dense.step()
        if self._lazy is not None and rows is not None and gradient is not None:
            self._lazy.step(rows, gradient, step)

    def _after(self, step: int, journal: Journal) -> None:
        """Do what is due between two steps; what is measured goes into the checkpoint."""
        if step % LOG_EVERY == 0:
            loss = float(np.mean(self._track.losses[-LOG_EVERY:]))
            log.info("step %d of %d, loss %.4f", step, self.total, loss)
            journal.note(step, {"loss": loss, "rate": self.rate(step)})
        scored, certified = self._track.due(step)
        if self.watch is not None and (scored or certified):
            self._measure(self.watch, step, scored=scored, certified=certified)
            journal.note_moment(self.watch.name, self._track.moments[-1])
        due = step % self.config.checkpoint_every == 0 and step < self.total
        if due:
            self._settle(step)
            self._save(step)
        self._stop_if_asked(step, saved=due)

    def _measure(self, watch: Watch, step: int, *, scored: bool, certified: bool) -> None:
        """Measure the encoder as it is; weights are kept where they are the best so far and that decides."""
        with self._aside(step):
            score, certificates = 0.0, dict[str, MapVerdict]()
            if self.processes.is_first:
                score, certificates = watch.measure(certified=certified)
            score = self.processes.broadcast(score)
            moment = self._track.add(step, score if scored else None, certificates)
            log.info("step %d of %d, %s %.4f", step, self.total, watch.name, score)
            if self.config.selects and self._track.best is moment and self.processes.is_first:
                self.folder.save_best(self._trained())
        self.processes.barrier()

    @contextmanager
    def _aside(self, step: int) -> Iterator[None]:
        """Give the encoder as it stands after a step, and go on as if nobody had looked."""
        import torch

        drawn = torch.get_rng_state()
        self.objective.module.eval()
        with nullcontext() if self._lazy is None else self._lazy.whole(step):
            yield
        self._set_mode()
        torch.set_rng_state(drawn)

    def _stop_if_asked(self, step: int, *, saved: bool) -> None:
        asked = self.run_of.signals.waiting
        if self.processes.minimum(0 if asked else 1):
            return
        if not saved:
            self._save(step)
        self.run_of.signals.waiting = None
        raise Interrupted(asked or signal.SIGTERM, f"step {step} of {self.total} is kept", resumable=True)

    def _note(self) -> str:
        recent = f"loss {np.mean(self._track.losses[-LOG_EVERY:]):.3f}"
        scores = [moment.score for moment in self._track.moments if moment.score is not None]
        return f"{recent}, {self.watch.name} {scores[-1]:.3f}" if scores and self.watch else recent

    def _tenths(self) -> tuple[float, ...]:
        losses = np.array(self._track.losses)
        parts = np.array_split(losses, min(10, max(1, len(losses))))
        return tuple(round(float(part.mean()), 5) for part in parts if len(part))

    def _course(self, step: int) -> TrainingHistory | None:
        return None if self.watch is None else self._track.course(self.watch.name, step)

    # ------------------------------------------------------------ making

    def _make_lazy(self) -> LazyAdamW | None:
        table = self.objective.table
        if table is None or not table.weight.requires_grad or self.config.embedding_update == "dense":
            return None
        table.sparse = True
        weight: Any = table.weight
        return LazyAdamW(weight, self._embedding_rate, first_row=self.objective.first_row)

    def _embedding_rate(self, step: int) -> float:
        highest = self.config.embedding_learning_rate or self.config.learning_rate
        return self.rate(step) * highest

    def _make_dense(self) -> tuple[list[str], torch.optim.AdamW]:
        import torch

        lazy = self._lazy.table if self._lazy is not None else None
        named = [(n, p) for n, p in self.objective.module.named_parameters() if p.requires_grad and p is not lazy]
        table = None if self.objective.table is None else self.objective.table.weight
        decayed = [p for _, p in named if p.ndim > 1 and p is not table]
        plain = [p for _, p in named if p.ndim <= 1]
        whole_table = [p for _, p in named if p is table]
        groups = [
            {"params": decayed, "weight_decay": self.config.weight_decay, "highest": self.config.learning_rate},
            {"params": plain, "weight_decay": 0.0, "highest": self.config.learning_rate},
            {"params": whole_table, "weight_decay": 0.0, "highest": self._highest_of_table()},
        ]
        names = {id(p): name for name, p in named}
        ordered = [names[id(p)] for p in (*decayed, *plain, *whole_table)]
        if not ordered:
            return [], torch.optim.AdamW([{"params": [torch.nn.Parameter(torch.zeros(1))], "highest": 1.0}])
        return ordered, torch.optim.AdamW([g for g in groups if g["params"]], lr=0.0, fused=True)

    def _highest_of_table(self) -> float:
        return self.config.embedding_learning_rate or self.config.learning_rate

    def _set_mode(self) -> None:
        self.objective.module.train(self.config.dropout == "model")

    # ------------------------------------------------------------ checkpoints

    def _settle(self, step: int) -> None:
        """Bring the whole embedding table to the end of a step."""
        if self._lazy is not None:
            self._lazy.finish(step)

    def _finish(self, step: int) -> None:
        self._settle(step)
        if self._lazy is not None and self.objective.table is not None:
            self.objective.table.sparse = False
        if self.config.selects and self._track.best is not None and self._track.best.step != step:
            self._put(self.folder.load_best())
        self.objective.module.eval()
        self.processes.barrier()

    def _trained(self) -> dict[str, torch.Tensor]:
        return {n: p.detach() for n, p in self.objective.module.named_parameters() if p.requires_grad}

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.objective.module.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(weights[name])

    def _save(self, step: int) -> None:
        """Keep a checkpoint; rows of the embedding table that lag behind are kept so, with the step they stand at."""
        import torch

        rng = self.processes.gather_uneven(torch.get_rng_state()[None])
        if not self.processes.is_first:
            self.processes.barrier()
            return
        optimiser = {}
        for name, parameter in zip(self._names, self._parameters(), strict=False):
            for key, value in self._dense.state[parameter].items():
                optimiser[f"{name}|{key}"] = value
        lazy = {} if self._lazy is None else {f"lazy|{key}": value for key, value in self._lazy.state().items()}
        losses, moments = torch.tensor(self._track.losses, dtype=torch.float64), moments_plain(self._track.moments)
        state = {**optimiser, **lazy}
        self.folder.save_checkpoint(
            Checkpoint(step, self.processes.world_size, self._trained(), state, rng, losses=losses, moments=moments)
        )
        self.processes.barrier()

    def _parameters(self) -> list[torch.nn.Parameter]:
        return [p for group in self._dense.param_groups for p in group["params"]]

    def _restore(self) -> int:
        import torch

        kept = self.folder.load_checkpoint(self.processes.world_size)
        if kept is None:
            return 0
        self._put(kept.weights)
        for name, parameter in zip(self._names, self._parameters(), strict=False):
            state = {key.split("|")[1]: value for key, value in kept.optimiser.items() if key.split("|")[0] == name}
            self._dense.state[parameter] = {key: value.clone() for key, value in state.items()}
        if self._lazy is not None:
            self._lazy.restore({k[5:]: v.clone() for k, v in kept.optimiser.items() if k.startswith("lazy|")})
        torch.set_rng_state(kept.rng[self.processes.rank].clone())
        self._track.losses = kept.losses.tolist()
        self._track.moments = moments_from(kept.moments)
        log.info("resumed at step %d of %d", kept.step, self.total)
        return kept.step


@contextmanager
def mixed_precision(precision: str, device: str) -> Iterator[None]:
    """Run matrix products in bfloat16 where that is asked for.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
    device : str
        Torch device.
    """
    import torch

    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16"):
        yield
