"""`polyglot study`: run the study that a file describes, or put the results of a folder on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, DataError
from . import options
from .loading import typed_command
from .progress import shown
from .report import require_writable
from .results import require_results
from .tables import print_table

if TYPE_CHECKING:
    from ..distributed import Processes
    from ..probe.results.study import StudyResult
    from ..render.pages.study.outcome import OutcomeTable
    from ..study.run import CellState, Study

PAGE, PROGRESS = "study.html", "progress.html"


def study(
    what: Annotated[
        Path, typer.Argument(metavar="FILE.toml|FOLDER", help="A study to run, or a folder of results.")
    ] = options.REPORTS,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the results of a FILE, by default FILE-results; page of a FOLDER."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Of a FILE: print its cells, which are done, and the time; run nothing.")
    ] = False,
    only: Annotated[
        str, typer.Option("--only", help="Of a FILE: only cells with this in their name, and trainings they need.")
    ] = "",
    open_page: options.OpenPage = False,
    quiet: options.Quiet = False,
) -> None:
    """Run the study that a file describes, cell by cell; or put all results of a folder on one page."""
    if what.suffix == ".toml":
        wanted = Wanted(out or what.with_name(f"{what.stem}-results"), only, dry_run, open_page, quiet)
        _run(what, wanted)
        return
    if dry_run or only:
        option = "--dry-run" if dry_run else "--only"
        raise ConfigError(f"{option} is of the file of a study, and {what} is none: give a FILE.toml")
    require_results(what, "polyglot/linear-map/1")
    from ..render.study import write_study

    _show(write_study(what, out or what / PAGE), open_page=open_page)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for besides the file."""

    out: Path
    only: str
    dry_run: bool
    open_page: bool
    quiet: bool


def _run(path: Path, wanted: Wanted) -> None:
    """Check the file before anything heavy is loaded, then plan and run."""
    from ..study.file import read_study_file

    if not path.is_file():
        raise DataError(f"there is no file {path}: give the TOML file of a study; docs/study.md shows one")
    file = read_study_file(path)
    if not wanted.dry_run:
        require_writable(wanted.out)
    from ..distributed import apart
    from ..study.run import Study

    with apart() as processes:
        if not wanted.quiet and processes.is_first:
            typer.echo("Reading texts and models", err=True)
        planned = Study.planned(file, wanted.out, wanted.only)
        if not wanted.dry_run:
            _run_planned(planned, processes, wanted)
        elif processes.is_first:
            _print_cells(planned)


def _run_planned(planned: Study, processes: Processes, wanted: Wanted) -> None:
    from ..train.engine.signals import Interrupted

    visible = not wanted.quiet and processes.is_first

    def write_states(states: Sequence[CellState]) -> None:
        _write_progress(planned, states)

    try:
        with shown(quiet=not visible):
            result = planned.run(processes, command=typed_command(), progress=visible, on_change=write_states)
    except Interrupted as stop:
        typer.echo(f"interrupted: {stop}; the same command goes on with what is left", err=True)
        raise typer.Exit(128 + stop.signal) from None
    if not processes.is_first:
        return
    page = _write_pages(planned, wanted.out, result)
    typer.echo(result.sentence)
    for warning in (*result.warnings, *result.left_out):
        typer.echo(f"! {warning}", err=True)
    typer.echo(wanted.out / "study.json")
    _show(page, open_page=wanted.open_page)


def _write_pages(planned: Study, folder: Path, result: StudyResult) -> Path:
    """Write the page of the study where it has linear maps, and the last page of its cells; return the former."""
    from ..render.pages.study.outcome import outcome_tables
    from ..render.study import write_study

    page = folder / PROGRESS
    try:
        page = write_study(planned.folder.cells, folder / PAGE, result)
    except DataError:  # no linear map of one model: the list of cells is the page
        (folder / PAGE).unlink(missing_ok=True)
    _write_progress(planned, planned.states(), outcome_tables(result))
    return page


def _write_progress(planned: Study, states: Sequence[CellState], tables: Sequence[OutcomeTable] = ()) -> None:
    from ..render.progress import ProgressRow, ProgressView, write_progress
    from ..study.estimate import in_words

    folder = planned.folder.path
    rows = [
        ProgressRow(
            one.cell.name,
            one.cell.kind,
            one.state,
            in_words(one.estimate.seconds) if one.state == "done" else "",
            one.reason,
        )
        for one in states
    ]
    page = PAGE if (folder / PAGE).is_file() else ""
    left = any(one.state not in ("done", "refused") for one in states)
    view = ProgressView(
        planned.file.title, _sentence(states), rows, page if tables else "", left and not tables, tables
    )
    write_progress(view, folder / PROGRESS)


def _sentence(states: Sequence[CellState]) -> str:
    """Say how many cells are done, and how long the rest takes, with what that rests on."""
    from ..study.estimate import in_words

    done = sum(one.state == "done" for one in states)
    refused = sum(one.state == "refused" for one in states)
    rest = [one for one in states if one.state not in ("done", "refused")]
    are = "is" if len(states) == 1 else "are"
    said = f"{done} of {len(states)} cells {are} done" + (f", {refused} refused" if refused else "")
    if not rest:
        return f"{said}."
    rough = sum(not one.estimate.measured for one in rest)
    basis = f"{rough} of {len(rest)} by rough rates" if rough else "by cells that are done"
    return f"{said}; the rest takes about {in_words(sum(one.estimate.seconds for one in rest))} ({basis})."


def _print_cells(planned: Study) -> None:
    """Print all cells with their state and time."""
    from ..study.estimate import in_words

    states = planned.states(planned.selected)
    rows = [
        (one.cell.name, one.state, ("" if one.estimate.measured else "~ ") + in_words(one.estimate.seconds))
        for one in states
    ]
    print_table(("cell", "state", "time"), rows)
    typer.echo(_sentence(states))


def _show(page: Path, *, open_page: bool) -> None:
    typer.echo(page)
    if open_page:
        typer.launch(str(page))
