"""What `polyglot probe questions` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ConfigError


@dataclass(frozen=True, slots=True)
class QuestionConfig:
    """Settings of question retrieval.

    Parameters
    ----------
    resamples : int
        Cluster-bootstrap resamples of questions, ≥ 100.
    permutations : int
        Permutations of questions for the null, ≥ 20.
    texts : bool
        Whether questions and passages enter the result.
    seed : int
    """

    resamples: int = 1000
    permutations: int = 20
    texts: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        if self.resamples < 100 or self.permutations < 20:
            raise ConfigError(
                f"expected at least 100 resamples and 20 permutations, got {self.resamples} and {self.permutations}"
            )
