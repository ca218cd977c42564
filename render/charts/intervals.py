"""Intervals as the columns and cells of a table."""

from __future__ import annotations

from ...probe.results.intervals import Interval
from ..view import Cell, Column

INTERVAL_COLUMNS = (
    Column("value"),
    Column("low"),
    Column("high"),
    Column("chance, mean"),
    Column("chance, 95th percentile"),
)


def interval_cells(estimate: Interval) -> tuple[Cell, ...]:
    """Return an interval as the cells of `INTERVAL_COLUMNS`."""
    return (estimate.value, estimate.low, estimate.high, estimate.null_mean, estimate.null_p95)
