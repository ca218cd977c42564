"""The page of the cells of a study: which are done, how long the rest takes, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files import write_text
from ..probe.results.intervals import Interval
from ..probe.results.study import StudyResult
from .escaping import without_lone_surrogates
from .formatting import number
from .page import assets, content_security_policy, environment

TEMPLATE = "progress.html"


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """A cell: its name, its kind, its state in a word, a time in words, and why it was refused."""

    name: str
    kind: str
    state: str
    time: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """Tests of one kind: a title, names of columns, and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ProgressView:
    """What the page shows."""

    title: str
    sentence: str
    rows: Sequence[ProgressRow]
    study: str = ""  # address of the page of the study, where there is one
    again: bool = True  # whether a browser reads the page again after a while
    tables: Sequence[OutcomeTable] = ()


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
    tables = [OutcomeTable("Known answers", ("cell", "expected", "verdicts"), known)]
    for family in result.families:
        rows = tuple((one.cell, one.about, *_tested(one.estimate, one.p_adjusted, one.holds)) for one in family.tests)
        title = f"{family.name}: {family.test}, margin {family.margin:g}"
        tables.append(OutcomeTable(title, ("cell", "direction", *TESTED), rows))
    contrasts = tuple(
        (
            f"{one.name} (margin {one.margin:g})",
            f"{one.language}, {one.model}",
            ", ".join(number(value, 3) for value in one.by_seed),
            *_tested(one.estimate, one.p_adjusted, one.holds),
        )
        for one in result.contrasts
    )
    tables.append(OutcomeTable("Contrasts of methods, P@1", ("contrast", "of", "by seed", *TESTED), contrasts))
    predictors = tuple(
        (one.measure, one.gain, str(one.cells), str(one.languages), _interval(one.correlation))
        for one in result.predictors
    )
    columns = ("measure", "gain by", "cells", "languages", "rank correlation")
    tables.append(OutcomeTable("What goes with a gain", columns, predictors))
    return tuple(table for table in tables if table.rows)


TESTED = ("estimate", "p, Holm", "holds")


def _tested(estimate: Interval, p_adjusted: float, holds: bool) -> tuple[str, str, str]:
    return _interval(estimate), f"{p_adjusted:.2g}", "yes" if holds else "no"


def _interval(estimate: Interval) -> str:
    return f"{number(estimate.value, 3)} [{number(estimate.low, 3)}, {number(estimate.high, 3)}]"


def write_progress(view: ProgressView, page: Path) -> Path:
    """Write the page, atomically, and return its path.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    shared = assets(())
    html = environment().get_template(TEMPLATE).render(
        view=view, assets=shared, policy=content_security_policy(shared.scripts)
    )  # fmt: skip
    write_text(page, without_lone_surrogates(html))
    return page
