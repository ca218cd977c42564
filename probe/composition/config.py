"""What `polyglot probe composition` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.certificate.equivalence import MARGIN
from ..experiment.checks import require, require_resampling


@dataclass(frozen=True, slots=True)
class CompositionConfig:
    """What `polyglot probe composition` takes as settings.

    Parameters
    ----------
    curved : bool
        Whether the nonlinear rung is fitted for every pair, so that a verdict can be `nonlinear`; several times dearer.
    margin : float
        δ of the equivalence verdict, 0 < δ < 1.
    folds : int
        Outer folds, 3 … 20.
    permutations : int
        Permuted pairings of every pair of languages, ≥ 2; the linear map is refitted on each.
    resamples : int
        Cluster-bootstrap resamples, ≥ 100.
    same_space : bool or None
        Whether all languages live in one space; None: yes for one encoder, no for arrays.
    seed : int
        Seed of folds, features, permutations and resamples.
    """

    curved: bool = False
    margin: float = MARGIN
    folds: int = 5
    permutations: int = 3
    resamples: int = 1000
    same_space: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        require(0 < self.margin < 1, f"--margin must lie between 0 and 1, got {self.margin}")
        require_resampling(folds=self.folds, permutations=self.permutations, resamples=self.resamples)
