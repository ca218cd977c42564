"""What a study was asked before it ran, and what its cells say to it: tables of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....probe.results.intervals import Interval
from ....probe.results.study import StudyContrast, StudyResult, StudyTest
from ...formatting import number

TESTED = ("estimate", "p, Holm", "holds")


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """Tests of one kind: a title, how many hold, names of columns, and rows of text."""

    title: str
    short: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def outcome_tables(result: StudyResult) -> tuple[OutcomeTable, ...]:
    """Return known answers, families, contrasts and predictors of a study; those that are empty are left out.

    Parameters
    ----------
    result : StudyResult
    """
    known = tuple(
        (cell.name, cell.expected, ", ".join(f"{name}: {said}" for name, said in cell.verdicts.items()))
        for cell in result.cells
        if cell.expected
    )
    right = sum(cell.as_expected is True for cell in result.cells)
    short = f"{right} of {len(known)} answered as expected"
    tables = [OutcomeTable("Known answers", short, ("cell", "expected", "verdicts"), known)]
    for family in result.families:
        rows = tuple((one.cell, one.about, *_tested(one.estimate, one.p_adjusted, one.holds)) for one in family.tests)
        title = f"{family.name}: {family.test}, margin {family.margin:g}"
        tables.append(OutcomeTable(title, _holding(family.tests), ("cell", "direction", *TESTED), rows))
    contrasts = tuple(
        (
            f"{one.name} (margin {one.margin:g})",
            f"{one.language}, {one.model}",
            ", ".join(number(value, 3) for value in one.by_seed),
            *_tested(one.estimate, one.p_adjusted, one.holds),
        )
        for one in result.contrasts
    )
    named = ("contrast", "of", "by seed", *TESTED)
    tables.append(OutcomeTable("Contrasts of methods, P@1", _holding(result.contrasts), named, contrasts))
    predictors = tuple(
        (one.measure, one.gain, str(one.cells), str(one.languages), _interval(one.correlation))
        for one in result.predictors
    )
    columns = ("measure", "gain by", "cells", "languages", "rank correlation")
    clear = sum(one.correlation.low > 0 or one.correlation.high < 0 for one in result.predictors)
    short = f"{clear} of {len(predictors)} correlations differ from 0"
    tables.append(OutcomeTable("What goes with a gain", short, columns, predictors))
    return tuple(table for table in tables if table.rows)


def _tested(estimate: Interval, p_adjusted: float, holds: bool) -> tuple[str, str, str]:
    return _interval(estimate), f"{p_adjusted:.2g}", "yes" if holds else "no"


def _holding(tests: Sequence[StudyTest] | Sequence[StudyContrast]) -> str:
    return f"{sum(one.holds for one in tests)} of {len(tests)} hold"


def _interval(estimate: Interval) -> str:
    return f"{number(estimate.value, 3)} [{number(estimate.low, 3)}, {number(estimate.high, 3)}]"
