"""What the trainer needs of a stage: an objective to minimise, and an evaluator of held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...analysis.types import Integers
from ...probe.results.training import MapVerdict
from .sampler import Batch

if TYPE_CHECKING:
    import torch


class Objective(Protocol):
    """A module to train, and its loss on a batch."""

    @property
    def module(self) -> torch.nn.Module:
        """Everything that may be trained."""

    @property
    def table(self) -> torch.nn.Embedding | None:
        """The word embeddings if their rows can be updated lazily, else None."""

    @property
    def first_row(self) -> int:
        """First row of the table that is trained."""

    def token_ids(self, batch: Batch) -> Integers:
        """Return all token ids of a batch over all processes, not necessarily distinct."""

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return this process's share of the loss of a batch; the trainer calls `backward` on it."""


class Evaluator(Protocol):
    """A measurement of held-out rows that a stage can take during training."""

    @property
    def name(self) -> str:
        """Name of the score."""

    def evaluate(self, *, certify: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Return the score, larger is better, and if asked for the linear-map certificate of each language."""
