"""Where the marks of several results stand in the rows of a panel, and how they look."""

from __future__ import annotations

from ...charts.theme import ROW_HEIGHT

SPREAD = 0.6
LEAST_ROW = 13  # pixels that a result needs in a row of its own


def offset(place: int, results: int) -> float:
    """Return how far below the middle of a row the mark of a result stands."""
    return SPREAD / max(2, results - 1) * (place - (results - 1) / 2)


def height(rows: int, results: int) -> int:
    """Return the height of a panel in pixels, for rows that each hold the marks of some results."""
    return 124 + max(rows, 2) * max(ROW_HEIGHT, LEAST_ROW * results)
