"""The `polyglot` command: its groups, its plain commands, and how an error becomes one line."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Collection
from importlib import import_module
from typing import Annotated, NoReturn

import typer

from . import __version__
from .commands import results
from .commands import study as studies
from .commands.tables import print_table
from .distributed import ProcessDone
from .errors import PolyglotError

INTERRUPTED = 130  # as a shell counts a process that SIGINT ended
RESULTS, SYSTEM = "Results", "This installation"
EXAMPLES = """Examples:
  polyglot probe linear-map fr en                     the built-in sentences
  polyglot probe linear-map fr en --corpus my.tsv --model me5-small
  polyglot probe linear-map --vectors fr.npy en.npy   vectors that you have
  polyglot map fit fr en --out fr-en                  a map to search with

`polyglot COMMAND --help` shows the options of each with their defaults."""
#: Groups of commands with what they are for: the module of a group is imported only where its name is typed.
GROUPS = {
    "probe": "Measure the languages of a model: linear-map, retrieval, questions, layers, cka, geometry, …",
    "map": "Fit a map between languages, apply it to vectors, export it, check that a server applies it.",
    "train": "Train encoders in three stages, and insert languages into them.",
    "data": "Look at text, import it, check training text for leakage.",
}


def application(words: Collection[str] = tuple(GROUPS)) -> typer.Typer:
    """Return the command line.

    Parameters
    ----------
    words : collection of str
        What was typed: groups that are not among the words are named in the help, but hold no commands.
    """
    app = typer.Typer(
        name="polyglot",
        help="Is translation, inside an embedding model, approximately a linear map? Measure it, use it, train for it.",
        epilog=EXAMPLES,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for name, about in GROUPS.items():
        group = import_module(f".commands.{name}", __package__).app if name in words else typer.Typer()
        app.add_typer(group, name=name, help=about, no_args_is_help=True)
    for command in (results.report, results.compare, studies.study, results.index):
        app.command(rich_help_panel=RESULTS)(command)
    app.command("models", rich_help_panel=SYSTEM)(models_command)
    app.command("verify", rich_help_panel=SYSTEM)(verify_command)
    app.command("version", rich_help_panel=SYSTEM)(version_command)
    app.callback()(root)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Set up what all commands share."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s: %(message)s")
    for noisy in ("httpx", "urllib3", "filelock", "matplotlib", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def version_command() -> None:
    """Print the version."""
    typer.echo(__version__)


def models_command() -> None:
    """List the models that are known, where they come from, and what is installed here."""
    from .models.registry import installed, known

    rows = [(c.name, "yes" if installed(c) else "-", c.source, c.languages, c.prompt or "-") for c in known()]
    print_table(("model", "installed", "from", "languages", "prompt"), rows)


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
        application(sys.argv[1:])()
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
