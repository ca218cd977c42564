"""How a command leaves its result: JSON and a page in a folder; a summary with the verdict, and the page's path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import typer

from ..errors import ConfigError, OutputError
from ..stages import stage

FORMATS = ("html", "json", "both")


@dataclass(frozen=True, slots=True)
class Report:
    """Where results of one command go, and in which form; checked before any long work."""

    folder: Path
    output_format: str = "both"
    plotlyjs: str = "inline"
    open_page: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown forms and a folder that cannot be written.

        Raises
        ------
        ConfigError, OutputError
        """
        from ..render.plotlyjs import PLOTLYJS

        require_one_of("--format", self.output_format, FORMATS)
        require_one_of("--plotlyjs", self.plotlyjs, PLOTLYJS)
        require_writable(self.folder)

    def path_of(self, name: str) -> Path:
        """Return where the JSON of a result of this name lies."""
        return self.folder / f"{name}.json"

    def write(self, result: Any, name: str) -> Path:  # noqa: ANN401 - a result of any probe
        """Write the result under a name, and return the path of its page, or of its JSON where there is no page."""
        from ..files import write_text
        from ..probe.results.serialization import to_json
        from ..render.plotlyjs import PlotlyJs
        from ..render.write import write_page

        stage("writing the page")
        text = to_json(result)
        path = self.path_of(name)
        if self.output_format != "html":
            write_text(path, text)
        if self.output_format != "json":
            path = write_page(text, self.folder / f"{name}.html", plotlyjs=cast("PlotlyJs", self.plotlyjs))
        return path

    def show(self, result: Any, path: Path, verdict: str) -> None:  # noqa: ANN401 - a result of any probe
        """Print the summary, whose end is the verdict, and the path last; the path and the verdict alone if quiet."""
        if not self.quiet:
            from rich.console import Console

            from ..render.kinds import terminal_summary

            Console().print(terminal_summary(result))
        typer.echo(path)
        if self.quiet:
            typer.echo(verdict)
        if self.open_page and self.output_format != "json":
            typer.launch(str(path))


def require_one_of(option: str, given: str, allowed: Sequence[str]) -> None:
    """Refuse a value that an option does not take.

    Raises
    ------
    ConfigError
    """
    if given not in allowed:
        raise ConfigError(f"{option} must be one of {', '.join(allowed)}, got '{given}'")


def require_writable(folder: Path) -> None:
    """Make a folder and check that files can be made in it.

    Raises
    ------
    OutputError
        If it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}; give another folder with --out") from error
