"""`polyglot compare`, `index` and `report`: what is made of results that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from ..errors import ConfigError, DataError
from . import options
from .loading import typed_command

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
    from .report import Report

    if len(results) < 2:
        raise ConfigError(
            f"expected 2 to 8 results, got one: give another, or show this one by `polyglot report {results[0]}`"
        )
    report = Report(out / "compare", output_format, plotlyjs, open_page, quiet)
    texts = [read_result(path) for path in results]
    _require_one_kind(results, texts)
    from ..probe.compare import run as probe

    sources = [probe.Source(path.as_posix(), text) for path, text in zip(results, texts, strict=True)]
    result = probe.run(sources, probe.CompareConfig(seed=seed), command=typed_command())
    report.show(result, report.write(result, name or probe.file_name(result)), result.sentence)


def _require_one_kind(paths: list[Path], texts: list[str]) -> None:
    """Refuse results of several kinds before what compares them is loaded.

    Raises
    ------
    ConfigError
    """
    from ..probe.results.serialization import read_schema

    kinds = [read_schema(text) for text in texts]
    for path, kind in zip(paths, kinds, strict=True):
        if kind != kinds[0]:
            raise ConfigError(f"compare takes results of one kind, got {kinds[0]} ({paths[0]}) and {kind} ({path})")


def index(
    folder: Annotated[Path, typer.Argument(help="Folder of results.")] = options.REPORTS,
    open_page: options.OpenPage = False,
) -> None:
    """List all results of a folder on one page, its index.html: sorted by columns, filtered by words."""
    require_results(folder)
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
    from ..render.plotlyjs import PLOTLYJS, PlotlyJs
    from .report import require_one_of

    require_one_of("--plotlyjs", plotlyjs, PLOTLYJS)
    require_one_of("--image", image, IMAGES)
    text = read_result(result)
    from ..render.images import ImageForm, write_images
    from ..render.write import write_page

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
        If it cannot be read, or is none.
    """
    from ..probe.results.serialization import read_schema

    try:
        missing, folder = not path.is_file(), path.is_dir()
    except OSError as error:  # a name that no file can have
        raise DataError(f"cannot read {path}: {error.strerror}; give the .json of a result") from error
    if missing:
        what = "is a folder" if folder else "does not exist"
        raise DataError(f"{path} {what}: give the .json of a result, such as reports/linear-map/fr-en.json")
    if path.suffix == ".npy":
        raise DataError(
            f"{path} holds vectors, no result: measure them by `polyglot probe linear-map --vectors X.npy Y.npy`, and "
            "give the .json that it leaves"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path} as text ({error}): give the .json that a probe left") from error
    try:
        read_schema(text)
    except DataError as error:
        beside = path.with_suffix(".json")
        found = f"{beside} beside it" if path.suffix != ".json" and beside.is_file() else "the .json that a probe left"
        raise DataError(f"{path} is {error}; give {found}") from error
    return text


def require_results(folder: Path, schema: str = "") -> None:
    """Refuse a folder without any result, or without any of a schema; it stops at the first one.

    Raises
    ------
    DataError
    """
    if folder.is_file():
        raise DataError(f"{folder} is a file: give the folder that holds results, such as {folder.parent}")
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}: give one that holds results, such as reports")
    for path in sorted(folder.rglob("*.json")):
        if is_result(path, schema):
            return
    what = "linear-map results" if schema else "results"
    raise DataError(f"{folder} holds no {what}: make one first, such as by `polyglot probe linear-map fr en`")


def is_result(path: Path, schema: str = "") -> bool:
    """Return whether a file holds a result, of one schema where that is given."""
    from ..probe.results.serialization import read_schema

    try:
        return read_schema(read_result(path)) == schema or not schema
    except DataError:
        return False
