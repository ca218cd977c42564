"""`polyglot compare`, `polyglot index` and `polyglot report`: what is made of results that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from . import options
from .loading import typed_command
from .report import Report, require_one_of

IMAGES = ("svg", "png")


def compare(
    results: Annotated[list[Path], typer.Argument(metavar="A.json B.json…", help="Results of one kind, 2 to 8.")],
    name: Annotated[str | None, typer.Option("--name", help="Name of the page; by default from the results.")] = None,
    out: options.Out = options.REPORTS,
    output_format: options.Format = "both",
    plotlyjs: options.Plotlyjs = "inline",
    open_page: options.OpenPage = False,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
) -> None:
    """Put results side by side: models, languages or training stages; differences are taken from the first."""
    from ..probe.compare import run as probe

    report = Report(out / "compare", output_format, plotlyjs, open_page, quiet)
    sources = [probe.Source(path.as_posix(), read_result(path)) for path in results]
    result = probe.run(sources, probe.CompareConfig(seed=seed), command=typed_command())
    report.write(result, name or probe.file_name(result), verdict=result.sentence)


def index(
    folder: Annotated[Path, typer.Argument(help="Folder of results.")] = options.REPORTS,
    open_page: options.OpenPage = False,
) -> None:
    """List all results of a folder on one page, its index.html: sortable, searchable."""
    from ..render.index import write_index

    page = write_index(folder)
    typer.echo(page)
    if open_page:
        typer.launch(str(page))


def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json", help="A result that a probe left.")],
    out: Annotated[Path | None, typer.Option("--out", help="Page to write; by default beside the result.")] = None,
    plotlyjs: options.Plotlyjs = "inline",
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Write every figure into this folder instead of a page.")
    ] = None,
    image: Annotated[str, typer.Option("--image", help="Form of the figures: svg or png.")] = "svg",
    open_page: options.OpenPage = False,
) -> None:
    """Render a result again: its page, or its figures as images."""
    from ..render.images import ImageForm, write_images
    from ..render.plotlyjs import PLOTLYJS, PlotlyJs
    from ..render.write import write_page

    require_one_of("--plotlyjs", plotlyjs, PLOTLYJS)
    require_one_of("--image", image, IMAGES)
    text = read_result(result)
    if figures is not None:
        for path in write_images(text, figures, cast("ImageForm", image)):
            typer.echo(path)
        return
    page = write_page(text, out or result.with_suffix(".html"), plotlyjs=cast("PlotlyJs", plotlyjs))
    typer.echo(page)
    if open_page:
        typer.launch(str(page))


def read_result(path: Path) -> str:
    """Read the text of a result.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    from ..errors import DataError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
