"""AdamW for a word-embedding table of which a step reads few rows: the numbers of dense AdamW, at their cost only.

Dense AdamW updates every row at every step: a row without gradient continues along its decaying momentum. Here a row is
updated only when a batch reads it, in one operation for all missed steps. While its gradient is zero, step s adds

    −lr(s) · β₁^k m / (1 − β₁^s) / (√(β₂^k v / (1 − β₂^s)) + ε),   k = s − last,

which is −m / (√v + ε') · lr(s) · (β₁/√β₂)^k · √(1 − β₂^s) / (1 − β₁^s): the sum over the missed steps is one number for
each row. ε' = ε √((1 − β₂^s) / β₂^k) hardly changes while the momentum lasts and is taken at s = last; the sum is
truncated after `WINDOW` steps, where (β₁/√β₂)^k is below 10⁻⁶. The test compares with torch's own AdamW.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

WINDOW = 136


class LazyAdamW:
    """AdamW without weight decay over the rows of one table (Kingma and Ba, 2015, algorithm 1).

    Parameters
    ----------
    table : Parameter (v, d)
        Its gradient is sparse.
    rate : function
        Learning rate of step 1, 2, …
    first_row : int
        Rows before this one are never updated.
    betas, eps
        As for AdamW.

    Attributes
    ----------
    first_moment, second_moment : tensor (v, d)
        Of each row, at the step up to which it has been updated.
    last : tensor (v,) of int64
        That step.
    """

    def __init__(
        self,
        table: torch.nn.Parameter,
        rate: Callable[[int], float],
        *,
        first_row: int = 0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        import torch

        self.table, self.rate, self.first_row = table, rate, first_row
        self.betas, self.eps = betas, eps
        self._weights = torch.zeros(1, dtype=torch.float64)
        self.first_moment = torch.zeros_like(table, requires_grad=False)
        self.second_moment = torch.zeros_like(self.first_moment)
        self.last = torch.zeros(len(table), dtype=torch.int64, device=table.device)

    def catch_up(self, rows: torch.Tensor, step: int) -> None:
        """Update distinct rows (r,) to the end of a step, as dense AdamW would; rows never read stay."""
        import torch

        last = self.last[rows]
        stale = rows[(last > 0) & (last < step)]
        if len(stale):
            with torch.no_grad():
                self._apply_missed_steps(stale, step)
            self.last[stale] = step

    def _apply_missed_steps(self, rows: torch.Tensor, step: int) -> None:
        beta1, beta2 = self.betas
        gap = (step - self.last[rows]).to(self.table.dtype)[:, None]
        m, v = self.first_moment[rows], self.second_moment[rows]
        distance = self._missed_rate(rows, step).to(self.table.dtype)[:, None]
        damping = self.eps * (1 - beta2 ** self.last[rows].double()).sqrt().to(self.table.dtype)[:, None]
        self.table[rows] -= distance * m / (v.sqrt() + damping)
        self.first_moment[rows] = m * beta1**gap
        self.second_moment[rows] = v * beta2**gap

    def _missed_rate(self, rows: torch.Tensor, step: int) -> torch.Tensor:
        """Sum the learning rates of the missed steps, weighted as in the module's formula, (r,)."""
        import torch

        beta1, beta2 = self.betas
        weights = self._weights_until(step)
        k = torch.arange(1, WINDOW + 1)
        at = self.last[rows].cpu()[:, None] + k[None, :]
        value = weights[at.clamp(max=step)]
        decay = (beta1 / beta2**0.5) ** k.double()
        missed: torch.Tensor = (value * decay * (at <= step)).sum(dim=1)
        return missed.to(self.table.device)

    def _weights_until(self, step: int) -> torch.Tensor:
        """Return lr(s) √(1 − β₂^s) / (1 − β₁^s) of the steps 0, 1, … up to a step or more."""
        import torch

        beta1, beta2 = self.betas
        if step >= len(self._weights):
            more = range(len(self._weights), 2 * step + 1)
            added = [self.rate(s) * (1 - beta2**s) ** 0.5 / (1 - beta1**s) for s in more]
            self._weights = torch.cat([self._weights, torch.tensor(added, dtype=torch.float64)])
        return self._weights

    def step(self, rows: torch.Tensor, gradient: torch.Tensor, step: int) -> None:
        """Take a step with the gradient (r, d) of distinct rows (r,), which are up to date with the step before."""
        import torch

        moving = rows >= self.first_row
        rows, gradient = rows[moving], gradient[moving]
        beta1, beta2 = self.betas
        with torch.no_grad():
            m = self.first_moment[rows] * beta1 + (1 - beta1) * gradient
            v = self.second_moment[rows] * beta2 + (1 - beta2) * gradient**2
            size = self.rate(step) / (1 - beta1**step)
            self.table[rows] -= size * m / ((v / (1 - beta2**step)).sqrt() + self.eps)
        self.first_moment[rows], self.second_moment[rows] = m, v
        self.last[rows] = step

    def finish(self, step: int) -> None:
        """Bring all rows to the end of a step, before the table is read as a whole."""
        import torch

        self.catch_up(torch.arange(len(self.table), device=self.table.device), step)

    @contextmanager
    def up_to_date(self, step: int) -> Iterator[None]:
        """Bring all rows to the end of a step within the context, and restore them exactly afterwards."""
        import torch

        rows = torch.nonzero((self.last > 0) & (self.last < step)).flatten()
        tensors = (self.table, self.first_moment, self.second_moment, self.last)
        with torch.no_grad():
            before = [tensor[rows] for tensor in tensors]
        self.catch_up(rows, step)
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, saved in zip(tensors, before, strict=True):
                    tensor[rows] = saved

    def state(self) -> dict[str, torch.Tensor]:
        """Return the tensors from which the optimiser resumes."""
        return {"first_moment": self.first_moment, "second_moment": self.second_moment, "last": self.last}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Resume from a copy of what `state` returned, on the device of the table wherever it was saved."""
        held = {name: value.to(self.table.device, copy=True) for name, value in state.items()}
        self.first_moment, self.second_moment, self.last = held["first_moment"], held["second_moment"], held["last"]
