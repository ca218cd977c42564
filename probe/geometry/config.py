"""What `polyglot probe geometry` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ..experiment.checks import require


@dataclass(frozen=True, slots=True)
class GeometryConfig:
    """What `polyglot probe geometry` takes as settings.

    Parameters
    ----------
    layers : tuple of int or None
        Hidden states to measure besides the pooled output; None takes all.
    removed : int
        How many principal components are taken out for the second set of values, ≥ 1.
    neighbours : int
        k of hubness, ≥ 2.
    blocks : int
        Blocks of the jackknife, ≥ 5.
    rogue : int
        How many of the strongest coordinates are listed.
    seed : int
        Seed of blocks, scales and the isotropic reference.
    """

    layers: tuple[int, ...] | None = None
    removed: int = 3
    neighbours: int = 10
    blocks: int = 10
    rogue: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.removed >= 1, f"expected at least 1 component to remove, got {self.removed}")
        require(self.neighbours >= 2, f"expected at least 2 neighbours, got {self.neighbours}")
        require(self.blocks >= 5, f"expected at least 5 blocks, got {self.blocks}")
        require(self.rogue >= 1, f"expected at least 1 coordinate to list, got {self.rogue}")
