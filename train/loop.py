"""The loop of all stages: batch in, step taken, checkpoint kept, progress logged.

Why not the library's trainer: its checkpoints are pickles; its optimisers and its data-parallel wrapper visit the whole
embedding table at every step, where a batch touches some hundred rows; it samples before it knows lengths; and it draws
data sets on each process independently. Losses, collators, evaluators and mining of the libraries are used as they are.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..models.progress import Progress
from .config import LoopConfig
from .lazy_adamw import LazyAdamW
from .ranks import Ranks
from .rundir import Checkpoint, RunFolder
from .sampler import Batch, BatchPlan

if TYPE_CHECKING:
    import torch

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
    losses: tuple[float, ...]  # mean of each tenth of the steps of this process run

    @property
    def rows_per_second(self) -> float:
        """Rows in a second, start and checkpoints included."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class _Log:
    losses: list[float] = field(default_factory=list)
    rows: int = 0

    def tenths(self) -> tuple[float, ...]:
        parts = np.array_split(np.array(self.losses), min(10, max(1, len(self.losses))))
        return tuple(round(float(part.mean()), 5) for part in parts if len(part))


class Loop:
    """Train an objective over a plan of batches.

    Parameters
    ----------
    objective : Objective
    plan : BatchPlan
    config : LoopConfig
    folder : RunFolder
        Where checkpoints go.
    ranks : Ranks
    """

    def __init__(
        self, objective: Objective, plan: BatchPlan, config: LoopConfig, folder: RunFolder, ranks: Ranks
    ) -> None:
        self.objective, self.plan, self.config, self.folder, self.ranks = objective, plan, config, folder, ranks
        self.total = plan.total
        self._lazy = self._make_lazy()
        self._names, self._dense = self._make_dense()

    def rate(self, step: int) -> float:
        """Return the learning rate of step 1, 2, …, as a share of the highest."""
        warm = max(1, round(self.config.warmup * self.total))
        return step / warm if step < warm else max(0.0, (self.total - step + 1) / max(1, self.total - warm + 1))

    def run(self) -> LoopReport:
        """Train from the last checkpoint, or from the start, to the end.

        Raises
        ------
        ModelError
            If the loss is not finite.
        OutputError
            If a checkpoint cannot be written; the run can be resumed from the one before.
        """
        import torch

        torch.manual_seed(self.config.seed + self.ranks.rank)
        start = self._restore()
        began, worked, notes = time.perf_counter(), time.process_time(), _Log()
        self._set_mode()
        with Progress(self.total, "training", unit="step", visible=self.ranks.writes) as bar:
            bar.advance(start)
            for batch in self.plan.batches(start):
                notes.losses.append(self._step(batch))
                notes.rows += len(batch.rows)
                bar.advance()
                self._after(batch.step + 1, notes, began)
        self._finish()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - worked
        return LoopReport(self.total, notes.rows, seconds, cpu_seconds, notes.tenths())

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
        if not self.ranks.all_agree(np.isfinite(value)):
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
        if self.ranks.world > 1:
            for parameter in held:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
        self.ranks.sum_dense(p.grad for p in held if p.grad is not None)
        if self._lazy is None or rows is None:
            return None
        sparse = self._lazy.table.grad
        gathered = torch.zeros(len(rows), self._lazy.table.shape[1], device=rows.device)
        if sparse is not None:
            whole = sparse.coalesce()
            gathered.index_add_(0, torch.searchsorted(rows, whole.indices()[0]), whole.values())
        self.ranks.sum_dense([gathered])
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

    def _after(self, step: int, notes: _Log, began: float) -> None:
        if step % LOG_EVERY == 0:
            speed = notes.rows / (time.perf_counter() - began)
            log.info("step %d of %d, loss %.4f, %.1f rows/s", step, self.total, notes.losses[-1], speed)
        if step % self.config.checkpoint_every == 0 and step < self.total:
            self._save(step)

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

    def _finish(self) -> None:
        if self._lazy is not None:
            self._lazy.finish(self.total)
            if self.objective.table is not None:
                self.objective.table.sparse = False
        self.objective.module.eval()
        self.ranks.wait()

    def _trained(self) -> dict[str, torch.Tensor]:
        return {n: p.detach() for n, p in self.objective.module.named_parameters() if p.requires_grad}

    def _save(self, step: int) -> None:
        import torch

        if self._lazy is not None:
            self._lazy.finish(step)
        rng = self.ranks.gather_uneven(torch.get_rng_state()[None])
        if not self.ranks.writes:
            self.ranks.wait()
            return
        optimiser = {}
        for name, parameter in zip(self._names, self._parameters(), strict=False):
            for key, value in self._dense.state[parameter].items():
                optimiser[f"{name}|{key}"] = value
        lazy = {} if self._lazy is None else {f"lazy|{key}": value for key, value in self._lazy.state().items()}
        self.folder.save_checkpoint(Checkpoint(step, self.ranks.world, self._trained(), {**optimiser, **lazy}, rng))
        self.ranks.wait()

    def _parameters(self) -> list[torch.nn.Parameter]:
        return [p for group in self._dense.param_groups for p in group["params"]]

    def _restore(self) -> int:
        import torch

        kept = self.folder.load_checkpoint(self.ranks.world)
        if kept is None:
            return 0
        with torch.no_grad():
            for name, parameter in self.objective.module.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(kept.weights[name])
        for name, parameter in zip(self._names, self._parameters(), strict=False):
            state = {key.split("|")[1]: value for key, value in kept.optimiser.items() if key.split("|")[0] == name}
            self._dense.state[parameter] = {key: value.clone() for key, value in state.items()}
        if self._lazy is not None:
            self._lazy.restore({k[5:]: v.clone() for k, v in kept.optimiser.items() if k.startswith("lazy|")})
        torch.set_rng_state(kept.rng[self.ranks.rank].clone())
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
