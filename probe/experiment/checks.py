"""Checks that the settings of several probes share."""

from __future__ import annotations

from ...errors import ConfigError

MINIMUM_ROWS = 50  # of a ladder


def require(condition: bool, message: str) -> None:
    """Raise ConfigError with a message unless a condition holds."""
    if not condition:
        raise ConfigError(message)


def require_resampling(*, folds: int, permutations: int, resamples: int) -> None:
    """Check the numbers of folds, permutations and resamples of an experiment."""
    require(3 <= folds <= 20, f"--folds must lie between 3 and 20, got {folds}")
    require(permutations >= 2, f"--permutations must be at least 2, got {permutations}")
    require(resamples >= 100, f"expected at least 100 resamples, got {resamples}")
