"""The `polyglot` command: its groups, its plain commands, and how an error becomes one line."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Annotated, NoReturn

import typer

from . import __version__
from .commands import data, probe, results, train
from .commands import map as maps
from .commands.tables import print_table
from .distributed import ProcessDone
from .errors import PolyglotError

INTERRUPTED = 130  # as a shell counts a process that SIGINT ended

app = typer.Typer(
    name="polyglot",
    help="Is translation, inside an embedding model, approximately a linear map? Measure it, train for it, report it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(probe.app, name="probe")
app.add_typer(data.app, name="data")
app.add_typer(maps.app, name="map")
app.add_typer(train.app, name="train")
app.command("compare")(results.compare)
app.command("index")(results.index)
app.command("report")(results.report)


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Set up what all commands share."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s: %(message)s")
    for noisy in ("httpx", "urllib3", "filelock", "matplotlib", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


@app.command("version")
def version_command() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command("models")
def models_command() -> None:
    """List the models that are known, where they come from, and what is installed here."""
    from .models.registry import installed, known

    rows = [(c.name, "yes" if installed(c) else "-", c.source, c.languages, c.prompt or "-") for c in known()]
    print_table(("model", "installed", "from", "languages", "prompt"), rows)


@app.command("verify")
def verify_command() -> None:
    """Replay the published reference values and print every deviation; exit code 1 if one is out of tolerance."""
    from .probe.verify import replay

    deviations = replay()
    rows = [
        (
            d.section,
            d.measure,
            f"{d.published:.10g}",
            f"{d.ours:.10g}",
            f"{d.deviation:.1e}",
            "ok" if d.ok else "OFF",
            d.dissent,
        )
        for d in deviations
    ]
    print_table(("section", "measure", "published", "ours", "deviation", "", "known dissent"), rows)
    failed = sum(not d.ok for d in deviations)
    typer.echo(f"{len(deviations) - failed} of {len(deviations)} published values reproduced within tolerance")
    if failed:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; a `PolyglotError` becomes one line on stderr and exit code 1, Ctrl-C one and 130."""
    try:
        app()
    except PolyglotError as error:
        if "--debug" in sys.argv:
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except MemoryError as error:
        typer.echo(f"error: not enough memory ({error}); give fewer rows with --limit, or narrower ones", err=True)
        sys.exit(1)
    except ProcessDone:
        sys.exit(0)
    except KeyboardInterrupt:
        _leave_interrupted()
    except SystemExit as stop:
        # Typer turns an interrupt into a silent exit before it comes here.
        if isinstance(getattr(stop.__context__, "__cause__", None), KeyboardInterrupt):
            _leave_interrupted()
        raise


def _leave_interrupted() -> NoReturn:
    """Leave without waiting for threads in the middle of a long computation: files are whole at any moment."""
    typer.echo("interrupted", err=True)
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)
    sys.exit(INTERRUPTED)
