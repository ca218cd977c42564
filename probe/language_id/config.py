"""What `polyglot probe language-id` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ..experiment.checks import require


@dataclass(frozen=True, slots=True)
class LanguageIdConfig:
    """What `polyglot probe language-id` takes as settings.

    Parameters
    ----------
    layers : tuple of int or None
        Hidden states to probe besides the pooled output: none by default, None takes all.
    penalty : float
        Strength of the classifier's squared penalty, above 0.
    folds : int
        Folds by group, 2 … 20.
    controls : int
        How often random labels are drawn, ≥ 2.
    orders : int
        Random orders of the online code, ≥ 2.
    resamples : int
        Cluster-bootstrap resamples, ≥ 100.
    seed : int
        Seed of folds, labels, orders and resamples.
    """

    layers: tuple[int, ...] | None = ()
    penalty: float = 1.0
    folds: int = 5
    controls: int = 3
    orders: int = 3
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.penalty > 0, f"expected a penalty above 0, got {self.penalty}")
        require(2 <= self.folds <= 20, f"--folds must lie between 2 and 20, got {self.folds}")
        require(self.controls >= 2, f"expected at least 2 draws of control labels, got {self.controls}")
        require(self.orders >= 2, f"expected at least 2 orders of the online code, got {self.orders}")
        require(self.resamples >= 100, f"expected at least 100 resamples, got {self.resamples}")
