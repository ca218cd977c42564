"""What `polyglot probe linear-map` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.certificate.equivalence import MARGIN
from ...analysis.maps.ladder import DEFAULT_RUNGS, RUNGS
from ..experiment.checks import MINIMUM_ROWS, require, require_resampling


@dataclass(frozen=True, slots=True)
class LinearMapConfig:
    """What `polyglot probe linear-map` takes as settings.

    Parameters
    ----------
    rungs : tuple of str
        Rungs out of `analysis.ladder.RUNGS`.
    margin : float
        δ of the equivalence verdict, 0 < δ < 1: the share of the ceiling that may be lost.
    folds : int
        Outer folds, 3 … 20.
    permutations, costly_permutations : int
        Permuted refits of the closed-form rungs (≥ 2), and of the costly rungs and retrieval (≥ 1).
    resamples : int
        Cluster-bootstrap resamples, ≥ 100.
    power_replicates : int
        Planted replicates for the smallest detectable departure; 0 leaves it out.
    failure : bool
        Whether drift, learning curve, transfer and jackknife are computed.
    controls : bool
        Whether controls are measured: words alone, the wrong language, paraphrases, where there is what they need.
    untrained : bool
        Whether an encoder of the same shape with random weights is among the controls; it embeds all texts once more.
    texts : bool
        Whether sentences enter the result; without them it holds numbers only.
    same_space : bool or None
        Whether both sides live in one space; None decides by the models.
    exact_rows : int
        Pairs that are measured with all rows in memory, ≥ 50. Where there are more, closed-form maps are of all pairs,
        from moments, and everything else is of a random sample of at most so many.
    seed : int
        Seed of folds, features, permutations, resamples and the sample.
    """

    rungs: tuple[str, ...] = DEFAULT_RUNGS
    margin: float = MARGIN
    folds: int = 5
    permutations: int = 20
    costly_permutations: int = 5
    resamples: int = 1000
    power_replicates: int = 10
    failure: bool = True
    controls: bool = True
    untrained: bool = False
    texts: bool = True
    same_space: bool | None = None
    exact_rows: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        require(0 < self.margin < 1, f"--margin must lie between 0 and 1, got {self.margin}")
        require_resampling(folds=self.folds, permutations=self.permutations, resamples=self.resamples)
        require(1 <= self.costly_permutations <= self.permutations, "costly permutations must be 1 … --permutations")
        require(set(self.rungs) <= set(RUNGS), f"unknown rung: expected some of {', '.join(RUNGS)}")
        require(self.controls or not self.untrained, "the untrained encoder is a control: leave controls=False out")
        require(self.exact_rows >= MINIMUM_ROWS, f"--exact-rows must be at least {MINIMUM_ROWS}, got {self.exact_rows}")
        require("linear" in self.rungs, "the rung 'linear' cannot be left out: the verdict rests on it")
