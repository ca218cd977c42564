"""Settings of the retention test."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .checks import option, require


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """How the loss of English is measured, and how much of it is allowed.

    Parameters
    ----------
    max_english_loss : float
        Points (of 100) that English similarity or retrieval may lose; a run that loses more exits with 1. ≥ 0.
    sts : Path, optional
        English sentence pairs with scores: CSV with the columns sentence1, sentence2, score, with or without a header.
    questions : Path, optional
        Folder of English questions and passages in the format of XQuAD; by default the built-in set.
    """

    max_english_loss: float = 1.0
    sts: Path | None = None
    questions: Path | None = field(default=None, metadata=option("--retention-questions"))

    def __post_init__(self) -> None:
        """Check the range."""
        require(self.max_english_loss >= 0, f"--max-english-loss must not be negative, got {self.max_english_loss}")
