"""The optimiser of a run: dense AdamW, and lazy AdamW for the word embeddings, with one learning-rate schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ...distributed import Processes
from ..config import LoopConfig
from .lazy_adamw import LazyAdamW
from .objective import Objective
from .sampler import Batch

if TYPE_CHECKING:
    import torch

LAZY_PREFIX = "lazy|"


class Optimizer:
    """AdamW over the trainable parameters of an objective, gradients summed over processes and clipped.

    Parameters
    ----------
    objective : Objective
    config : LoopConfig
    steps : int
        Length of the learning-rate schedule.
    processes : Processes
    """

    def __init__(self, objective: Objective, config: LoopConfig, steps: int, processes: Processes) -> None:
        self._objective, self._config, self._steps, self._processes = objective, config, steps, processes
        self._lazy = self._make_lazy()
        self._rows: torch.Tensor | None = None  # of the table, in the current batch
        self._named, self._dense = self._make_dense()

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of step 1, 2, …, as a share of the highest: linear warm-up, then linear decay."""
        warm = max(1, round(self._config.warmup * self._steps))
        return step / warm if step < warm else max(0.0, (self._steps - step + 1) / max(1, self._steps - warm + 1))

    def prepare(self, batch: Batch, step: int) -> None:
        """Clear gradients, and bring the embeddings that a batch reads to the end of the step before."""
        import torch

        if self._dense is not None:
            self._dense.zero_grad(set_to_none=True)
        if self._lazy is not None:
            self._lazy.table.grad = None
            self._rows = torch.from_numpy(np.unique(self._objective.token_ids(batch))).to(self._lazy.table.device)
            self._lazy.catch_up(self._rows, step - 1)

    def step(self, step: int) -> None:
        """Take step 1, 2, … with the gradients of the prepared batch."""
        import torch

        table_gradient = self._sum_gradients()
        gradients = [p.grad for _, p in self._named if p.grad is not None]
        gradients += [] if table_gradient is None else [table_gradient]
        norm = torch.nn.utils.get_total_norm(gradients)
        factor = torch.clamp(self._config.max_grad_norm / (norm + 1e-6), max=1.0)
        if factor < 1:
            torch._foreach_mul_(gradients, factor)
        if self._dense is not None:
            for group in self._dense.param_groups:
                group["lr"] = self.learning_rate(step) * group["highest"]
            self._dense.step()
        if self._lazy is not None and self._rows is not None and table_gradient is not None:
            self._lazy.step(self._rows, table_gradient, step)

    def _sum_gradients(self) -> torch.Tensor | None:
        """Sum gradients over processes; return that of the rows of the table, (r, d), if it is updated lazily."""
        import torch

        if self._processes.world_size > 1:
            for _, parameter in self._named:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
        self._processes.sum_together(p.grad for _, p in self._named if p.grad is not None)
        if self._lazy is None or self._rows is None:
            return None
        gradient = torch.zeros(len(self._rows), self._lazy.table.shape[1], device=self._rows.device)
        if self._lazy.table.grad is not None:
            sparse = self._lazy.table.grad.coalesce()
            gradient.index_add_(0, torch.searchsorted(self._rows, sparse.indices()[0]), sparse.values())
        self._processes.sum_together([gradient])
        return gradient

    def finish(self, step: int) -> None:
        """Bring the whole embedding table to the end of a step."""
        if self._lazy is not None:
            self._lazy.finish(step)

    def release_table(self) -> None:
        """Give the embedding table dense gradients again, as an ordinary model has."""
        if self._lazy is not None and self._objective.table is not None:
            self._objective.table.sparse = False

    @contextmanager
    def up_to_date(self, step: int) -> Iterator[None]:
        """Bring the whole table to the end of a step within the context, and restore it exactly afterwards."""
        if self._lazy is None:
            yield
            return
        with self._lazy.up_to_date(step):
            yield

    def state(self) -> dict[str, torch.Tensor]:
        """Return the tensors from which training resumes; rows of the table that lag behind are saved as they are."""
        state: dict[str, torch.Tensor] = {}
        if self._dense is not None:
            for name, parameter in self._named:
                state |= {f"{name}|{key}": value for key, value in self._dense.state[parameter].items()}
        if self._lazy is not None:
            state |= {f"{LAZY_PREFIX}{key}": value for key, value in self._lazy.state().items()}
        return state

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Resume from what `state` returned."""
        if self._dense is not None:
            for name, parameter in self._named:
                own = {key.split("|")[1]: value for key, value in state.items() if key.split("|")[0] == name}
                self._dense.state[parameter] = {
                    key: value.to(parameter.device, copy=True) for key, value in own.items()
                }
        if self._lazy is not None:
            lazy = {key: value for key, value in state.items() if key.startswith(LAZY_PREFIX)}
            self._lazy.restore({key.removeprefix(LAZY_PREFIX): value for key, value in lazy.items()})

    def _make_lazy(self) -> LazyAdamW | None:
        table, highest = self._objective.table, self._config.table_learning_rate
        if table is None or not table.weight.requires_grad or self._config.embedding_update == "dense":
            return None
        table.sparse = True
        weight: Any = table.weight
        return LazyAdamW(weight, lambda step: self.learning_rate(step) * highest, first_row=self._objective.first_row)

    def _make_dense(self) -> tuple[list[tuple[str, torch.nn.Parameter]], torch.optim.AdamW | None]:
        """Return the densely updated parameters and their AdamW: matrices, which decay; biases and norms; the table."""
        import torch

        lazy = None if self._lazy is None else self._lazy.table
        table = None if self._objective.table is None else self._objective.table.weight
        named = [(n, p) for n, p in self._objective.module.named_parameters() if p.requires_grad and p is not lazy]
        highest, table_highest = self._config.learning_rate, self._config.table_learning_rate
        decay = self._config.weight_decay
        matrices = [(n, p) for n, p in named if p.ndim > 1 and p is not table]
        vectors = [(n, p) for n, p in named if p.ndim <= 1]
        whole_table = [(n, p) for n, p in named if p is table]
        settings = ((matrices, decay, highest), (vectors, 0.0, highest), (whole_table, 0.0, table_highest))
        groups: list[dict[str, Any]] = [
            {"params": [p for _, p in pairs], "weight_decay": weight_decay, "highest": rate}
            for pairs, weight_decay, rate in settings
            if pairs
        ]
        dense = torch.optim.AdamW(groups, lr=0.0, fused=True) if groups else None
        return [*matrices, *vectors, *whole_table], dense
