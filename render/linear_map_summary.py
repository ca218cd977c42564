"""A linear-map result in the terminal."""

from __future__ import annotations

from ..probe.linear_map_result import Direction, LinearMapResult
from .linear_map_ladder import rungs_in_order
from .summary import SummaryColumn, SummaryPart, SummaryTable
from .words import MISSING, interval, language_name, number, percent_interval, rung_name


def summary_parts(result: LinearMapResult) -> tuple[SummaryPart, ...]:
    """Return a table of the ladder and the verdict for each direction."""
    return tuple(_part(direction) for direction in result.directions)


def _part(direction: Direction) -> SummaryPart:
    label = f"{language_name(direction.source)} → {language_name(direction.target)}"
    heading = f"{label}  ({direction.n} pairs, {direction.groups} groups, {direction.pool} candidates)"
    return SummaryPart(heading, direction.certificate.sentence, _table(direction), direction.warnings)


def _table(direction: Direction) -> SummaryTable:
    there, back = f"{direction.source} → {direction.target}", f"{direction.target} → {direction.source}"
    columns = (
        SummaryColumn("map", right=False),
        SummaryColumn("held-out R²"),
        SummaryColumn("chance", drop=3),
        SummaryColumn("share of best", drop=1),
        SummaryColumn("verdict", drop=1, right=False),
        SummaryColumn(f"P@1 {there}", drop=2),
        SummaryColumn("CSLS", drop=5),
        SummaryColumn(f"P@1 {back}", drop=4),
    )
    rungs = rungs_in_order(direction)
    judged = direction.certificate
    rows = tuple(
        (
            rung_name(name),
            interval(scores.r2, 2),
            number(scores.r2.null_p95, 2),
            percent_interval(judged.shares[name]) if name in judged.shares else MISSING,
            "best" if name == judged.ceiling else judged.equivalences.get(name, ""),
            percent_interval(scores.p_at_1),
            percent_interval(scores.p_at_1_csls),
            percent_interval(scores.backward.p_at_1),
        )
        for name, scores in rungs.items()
    )
    names = list(rungs)
    return SummaryTable(columns, rows, names.index(judged.verdict) if judged.verdict in names else None)
