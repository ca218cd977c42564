"""Settings of the training loop, shared by all stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .checks import PYTHON_ONLY, require, require_choice

Precision = Literal["auto", "float32", "bfloat16"]
EmbeddingUpdate = Literal["lazy", "dense"]
Dropout = Literal["off", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopConfig:
    """Settings of the training loop.

    Parameters
    ----------
    epochs : int
        Passes over the data (with several data sets: as many steps as that many passes over all of them).
    max_steps : int, optional
        Stop after this many steps.
    batch_size : int
        Rows in a batch over all processes together, ≥ 2.
    learning_rate : float
        Highest learning rate, reached after the warm-up, > 0; it decays linearly to zero.
    embedding_learning_rate : float, optional
        Highest learning rate of the word embeddings; by default that of the other weights, and ten times that where
        languages are inserted: a rare word is in few batches.
    embedding_rate_factor : float
        The default of the one over the other, > 0.
    warmup : float
        Share of the steps in which the learning rate rises, in [0, 1).
    weight_decay : float
        Decoupled weight decay of matrices; embeddings, biases and norms have none.
    max_grad_norm : float
        Gradients are clipped to this norm, > 0.
    precision : {"auto", "float32", "bfloat16"}
        Precision of matrix products in the forward pass: auto, float32 or bfloat16. Weights and optimiser are always
        float32; auto takes bfloat16 where the processor multiplies it faster.
    embedding_update : {"lazy", "dense"}
        `lazy` visits only the embeddings that occur in a batch; the numbers are those of `dense`.
    dropout : {"off", "model"}
        off, or model for the dropout of the model itself.
    checkpoint_every : int
        Steps between checkpoints, ≥ 1.
    evaluate_every : int, optional
        Steps between evaluations of the held-out score; by default only before and after training.
    certify_every : int, optional
        Steps between linear-map certificates on held-out rows; by default only before and after training.
    patience : int, optional
        Stop after this many evaluations in a row without a better score, and keep the best weights. The rows that
        decide are taken out of the training rows: the reported metrics are measured on others.
    seed : int
        Seed of split, order and dropout, ≥ 0.
    """

    epochs: int = 3
    max_steps: int | None = None
    batch_size: int = 64
    learning_rate: float = 2e-4
    embedding_learning_rate: float | None = None
    embedding_rate_factor: float = field(default=1.0, metadata=PYTHON_ONLY)
    warmup: float = 0.05
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    precision: Precision = "auto"
    embedding_update: EmbeddingUpdate = field(default="lazy", metadata=PYTHON_ONLY)
    dropout: Dropout = "off"
    checkpoint_every: int = 200
    evaluate_every: int | None = None
    certify_every: int | None = None
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.batch_size >= 2, f"--batch-size must be at least 2, got {self.batch_size}")
        require(self.embedding_rate_factor > 0, f"the factor must be positive, got {self.embedding_rate_factor}")
        rates = self.learning_rate, self.table_learning_rate
        require(all(0 < rate <= 1 for rate in rates), f"learning rates must lie in (0, 1], got {rates}")
        require(0 <= self.warmup < 1, f"--warmup must lie in [0, 1), got {self.warmup}")
        require(self.weight_decay >= 0, f"--weight-decay must not be negative, got {self.weight_decay}")
        require(self.max_grad_norm > 0, f"--max-grad-norm must be positive, got {self.max_grad_norm}")
        for name in ("epochs", "max_steps", "checkpoint_every", "evaluate_every", "certify_every", "patience"):
            count = getattr(self, name)
            require(count is None or count >= 1, f"--{name.replace('_', '-')} must be at least 1, got {count}")
        require(
            self.patience is None or self.evaluate_every is not None,
            "--patience counts evaluations: give --evaluate-every as well",
        )
        require(self.seed >= 0, f"--seed must not be negative, got {self.seed}")
        require_choice("--precision", self.precision, Precision)
        require_choice("embedding_update", self.embedding_update, EmbeddingUpdate)
        require_choice("--dropout", self.dropout, Dropout)

    @property
    def table_learning_rate(self) -> float:
        """Highest learning rate of the word embeddings."""
        if self.embedding_learning_rate is None:
            return min(1.0, self.embedding_rate_factor * self.learning_rate)
        return self.embedding_learning_rate

    @property
    def selects_best(self) -> bool:
        """Whether a held-out score decides which weights are kept."""
        return self.patience is not None

    @property
    def evaluates(self) -> bool:
        """Whether anything is measured during training."""
        return self.evaluate_every is not None or self.certify_every is not None
