"""What `polyglot probe cka` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ..experiment.checks import require, require_resampling


@dataclass(frozen=True, slots=True)
class CkaConfig:
    """What `polyglot probe cka` takes as settings.

    Parameters
    ----------
    layers : tuple of int or None
        Hidden states to compare, 0 the embedding output, negative ones from the end; None takes all. The pooled
        output is always there.
    other_layers : tuple of int or None
        The same for the other model, where there is one.
    neighbours : int
        k of mutual k-NN, ≥ 2.
    folds : int
        Outer folds of the maps, 3 … 20.
    permutations : int
        Permuted pairings, ≥ 2; the maximum over all cells is taken of each.
    resamples : int
        Cluster-bootstrap resamples, ≥ 100.
    seed : int
        Seed of folds, permutations and resamples.
    """

    layers: tuple[int, ...] | None = None
    other_layers: tuple[int, ...] | None = None
    neighbours: int = 10
    folds: int = 5
    permutations: int = 5
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.layers is None or len(self.layers) > 0, "--layers needs at least one layer")
        require(self.other_layers is None or len(self.other_layers) > 0, "--other-layers needs at least one layer")
        require(self.neighbours >= 2, f"expected at least 2 neighbours, got {self.neighbours}")
        require_resampling(folds=self.folds, permutations=self.permutations, resamples=self.resamples)
