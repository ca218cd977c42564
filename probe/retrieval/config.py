"""What `polyglot probe retrieval` takes as settings, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.retrieval.neighbourhoods import CSLS_NEIGHBOURS, MARGIN_NEIGHBOURS
from ...errors import ConfigError


@dataclass(frozen=True, slots=True)
class RetrievalConfig:
    """What `polyglot probe retrieval` takes as settings.

    Parameters
    ----------
    csls_neighbours, margin_neighbours : int
        Neighbourhoods of CSLS and of the xsim margin, ≥ 1.
    permutations : int
        Permuted pairings for the null, ≥ 20.
    resamples : int
        Cluster-bootstrap resamples, ≥ 100.
    examples : int
        Wrong answers shown with their texts, for each direction, ≥ 0.
    texts : bool
        Whether sentences enter the result; without them it holds numbers only.
    rows : bool
        Whether the outcome of every row enters the result.
    device : str
        Torch device of the search.
    seed : int
        Seed of permutations and resamples.
    """

    csls_neighbours: int = CSLS_NEIGHBOURS
    margin_neighbours: int = MARGIN_NEIGHBOURS
    permutations: int = 20
    resamples: int = 1000
    examples: int = 30
    texts: bool = True
    rows: bool = True
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range."""
        for name, least in (
            ("csls_neighbours", 1),
            ("margin_neighbours", 1),
            ("permutations", 20),
            ("resamples", 100),
            ("examples", 0),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f"expected {name.replace('_', ' ')} of at least {least}, got {getattr(self, name)}")
