"""What `polyglot probe layers` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ..experiment.checks import require, require_resampling


@dataclass(frozen=True, slots=True)
class LayersConfig:
    """What `polyglot probe layers` takes as settings.

    Parameters
    ----------
    layers : tuple of int or None
        Hidden states to measure, 0 the embedding output, negative ones from the end; None takes all. The pooled
        output is always measured.
    neighbours : int
        k of mutual k-NN and CKNNA, ≥ 2.
    removed : int
        How many principal components, and how many rogue dimensions, are taken out for the values beside plain CKA.
    folds : int
        Outer folds, 3 … 20.
    permutations, costly_permutations : int
        Permuted pairings for the measures without a fit (≥ 2), and refits for maps and classifier (≥ 1).
    resamples : int
        Cluster-bootstrap resamples, ≥ 100.
    stress : bool
        Whether outliers, rogue dimensions, padding, shifts and shuffles are applied to the pooled output.
    seed : int
        Seed of folds, permutations, resamples and stress.
    """

    layers: tuple[int, ...] | None = None
    neighbours: int = 10
    removed: int = 3
    folds: int = 5
    permutations: int = 20
    costly_permutations: int = 5
    resamples: int = 1000
    stress: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.layers is None or len(self.layers) > 0, "--layers needs at least one layer")
        require(self.neighbours >= 2, f"expected at least 2 neighbours, got {self.neighbours}")
        require(self.removed >= 1, f"expected at least 1 direction to remove, got {self.removed}")
        require_resampling(folds=self.folds, permutations=self.permutations, resamples=self.resamples)
        require(1 <= self.costly_permutations <= self.permutations, "costly permutations must be 1 … --permutations")
