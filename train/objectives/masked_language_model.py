"""Masked language modelling, with the reconstruction of RetroMAE as an optional second objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.types import Floats, Integers
from ...distributed import Processes
from ...probe.results.training import MapVerdict
from ..config import PretrainConfig
from ..engine.precision import mixed_precision
from ..engine.sampler import Batch
from .masking import IGNORED, WholeWordMasker
from .retromae import RetroMAEDecoder

if TYPE_CHECKING:
    import torch


class MaskedObjective:
    """Masked language modelling, and the reconstruction from the pooled vector if asked for.

    Parameters
    ----------
    model : BertForMaskedLM or ModernBertForMaskedLM
        On the device on which it is trained.
    packed : sequence of array (r, l) of int64
        Integers rows, one array for each language.
    masker : WholeWordMasker
    config : PretrainConfig
    processes : Processes
    precision : {"float32", "bfloat16"}
    """

    table = None
    first_row = 0

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - BERT or ModernBERT
        packed: Sequence[Integers],
        masker: WholeWordMasker,
        config: PretrainConfig,
        processes: Processes,
        *,
        precision: str = "float32",
    ) -> None:
        import torch

        self.packed, self.masker, self.config, self.processes, self.precision = (
            packed,
            masker,
            config,
            processes,
            precision,
        )
        parts = {"model": model}
        if config.second == "retromae":
            parts["decoder"] = RetroMAEDecoder.for_model(model).to(model.device)
        self._parts = torch.nn.ModuleDict(parts)

    @property
    def module(self) -> torch.nn.Module:
        """The model, and the decoder if there is one."""
        return self._parts

    def token_ids(self, batch: Batch) -> Integers:
        """Return nothing: the output layer reads every embedding."""
        return np.empty(0, np.int64)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return this process's share of the loss."""
        rows = self.packed[batch.dataset][batch.of_rank(self.processes.rank, self.processes.world_size)]
        rng = np.random.default_rng([self.config.loop.seed, 3, batch.step, self.processes.rank])
        with mixed_precision(self.precision, str(self._device())):
            return self._loss(rows, rng) / self.processes.world_size

    def masked_loss(self, rows: Integers, rng: np.random.Generator) -> torch.Tensor:
        """Return the mean masked-token loss of rows (b, l), without the second objective."""
        return self._forward(rows, rng, hidden=False).loss  # type: ignore[no-any-return]

    def _loss(self, rows: Integers, rng: np.random.Generator) -> torch.Tensor:
        import torch

        second = self.config.second == "retromae"
        output = self._forward(rows, rng, hidden=second)
        if not second:
            return output.loss  # type: ignore[no-any-return]
        pooled = output.hidden_states[-1].mean(dim=1)
        masked, labels = self.masker(rows, self.config.decoder_masked, rng)
        model: Any = self._parts["model"]
        table = model.get_input_embeddings()
        scores = self._parts["decoder"](pooled, table(self._tensor(masked))) @ table.weight.T
        target = self._tensor(labels).flatten()
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1).float(), target, ignore_index=IGNORED)
        return output.loss + loss  # type: ignore[no-any-return]

    def _forward(self, rows: Integers, rng: np.random.Generator, *, hidden: bool) -> Any:  # noqa: ANN401
        ids, labels = self.masker(rows, self.config.masked, rng)
        if (labels == IGNORED).all():
            labels[:, 1] = rows[:, 1]
        tokens = self._tensor(ids)
        mask = tokens.new_ones(tokens.shape)
        return self._parts["model"](
            input_ids=tokens, attention_mask=mask, labels=self._tensor(labels), output_hidden_states=hidden
        )

    def _tensor(self, rows: Integers) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(rows)).to(self._device())

    def _device(self) -> torch.device:
        return next(self._parts.parameters()).device


def held_out_losses(objective: MaskedObjective, rows: Integers) -> Floats:
    """Return the masked-token loss of each of h held-out rows (h, l), with the same masks at every call, (h,)."""
    import torch

    objective.module.eval()
    rng = np.random.default_rng([objective.config.loop.seed, 4])
    with torch.inference_mode():
        return np.array([float(objective.masked_loss(row[None], rng)) for row in rows])


@dataclass(frozen=True, slots=True, eq=False)
class MaskedLossEvaluator:
    """The negative masked-token loss of held-out rows, so that larger is better."""

    objective: MaskedObjective
    rows: Integers
    name: str = "− masked-token loss"

    def evaluate(self, *, certify: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Return the score. There is no certificate."""
        assert not certify
        return -float(held_out_losses(self.objective, self.rows).mean()), {}
