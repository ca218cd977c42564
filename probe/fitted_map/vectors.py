"""Rows of vectors through a fitted map, as its folder says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...analysis.checks import unit_rows
from ...analysis.maps.estimators import Map
from ...errors import DataError

LINEAGE_FILE = "polyglot.json"


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the folder of a map says of its models."""

    normalised: bool = False  # whether mapped vectors are brought to unit length
    source_width: int | None = None  # of the source model before it cuts its vectors, where it does

    @classmethod
    def read(cls, folder: Path) -> Lineage:
        """Read it from the folder of a map; a folder without it holds a map of vectors."""
        try:
            held = json.loads((folder / LINEAGE_FILE).read_text(encoding="utf-8"))
            width = held.get("source_width")
            return cls(bool(held.get("normalised", False)), width if isinstance(width, int) else None)
        except (OSError, ValueError, AttributeError):
            return cls()


def mapped_rows(fitted: Map, x: NDArray[np.floating], *, normalised: bool) -> NDArray[np.float64]:
    """Map rows (n, p) to (n, q), at unit length where the target model ends so.

    Raises
    ------
    DataError
        If a row is not finite.
    """
    return as_target(fitted.transform(finite(x)), normalised=normalised)


def finite(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return rows (n, p) as they are.

    Raises
    ------
    DataError
        If one is not finite.
    """
    whole = np.isfinite(x).all(axis=1)
    if not whole.all():
        raise DataError(f"row {int(np.argmin(whole))} of a block holds NaN or infinity: encode it again")
    return x


def as_target(mapped: NDArray[np.float64], *, normalised: bool) -> NDArray[np.float64]:
    """Bring mapped rows (n, q) to unit length where the target model ends so."""
    return np.asarray(unit_rows(mapped, zeros="keep"), np.float64) if normalised else mapped
