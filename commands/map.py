"""`polyglot map …`: fit a map, put it to use, export it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..errors import DataError
from ..files import check_free_for_map, open_matrix
from . import options
from .loading import check_map
from .progress import shown
from .report import require_one_of
from .results import read_result
from .shared import Common, shared

if TYPE_CHECKING:
    from ..probe.fitted_map import run, use

app = typer.Typer(no_args_is_help=True)

CHOSEN_BY = ("p_at_1", "r2")
PRECISIONS = ("float32", "float16")
EXPORTS = ("dense", "onnx")
Map = Annotated[Path, typer.Argument(metavar="MAP", help="Folder that `polyglot map fit` left.")]


@app.command("fit", epilog="Example: polyglot map fit fr en --out fr-en")
@shared
def fit(
    source: options.Source,
    target: options.Target,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to make for the map.")] = None,
    folder: Annotated[Path | None, typer.Option("--map", hidden=True, callback=options.renamed("--out"))] = None,
    rung: Annotated[str | None, typer.Option("--rung", help="Map to fit; by default the lowest that suffices.")] = None,
    chosen_by: Annotated[str, typer.Option("--chosen-by", help="Verdict that decides: p_at_1 or r2.")] = "p_at_1",
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="Result of probe linear-map whose verdict chooses; nothing is measured."),
    ] = None,
    with_words: Annotated[
        bool, typer.Option("--with-words", help="Words of the texts beside their vectors, in one map.")
    ] = False,
    target_model: options.TargetModel = None,
    common: Common,
) -> None:
    """Fit a map from SRC into the space of TGT, and write it with a card and a model that carries it."""
    folder = out or folder
    if folder is None:
        raise typer.BadParameter("expected the folder to make for the map: --out DIR")
    require_one_of("--chosen-by", chosen_by, CHOSEN_BY)
    if with_words and (rung is not None or certificate is not None):
        raise typer.BadParameter("--with-words is a map of its own: leave --rung and --certificate out")
    common.check(target_model)
    common.check_pair(source, target)
    _check_rung(rung)
    check_free_for_map(folder)
    if certificate is not None:
        read_result(certificate)
    with shown(quiet=common.quiet):
        bitext = common.bitext(source, target)
        from ..probe.fitted_map import run as probe

        config = probe.MapFitConfig(rung=rung, chosen_by=cast("run.ChosenBy", chosen_by), seed=common.seed)
        given = None if certificate is None else probe.read_certificate(certificate)
        encoders = common.encoders(target_model)
        if with_words:
            from ..probe.fitted_map.with_words import fit_with_words

            result = fit_with_words(encoders, bitext, folder, config, **common.run_options())
        else:
            result = probe.fit(encoders, bitext, folder, config, certificate=given, **common.run_options())
    typer.echo(folder)
    typer.echo(result.sentence)


def _check_rung(rung: str | None) -> None:
    """Refuse what is no map, before anything that fits one is loaded."""
    from ..analysis.maps.ladder import DEFAULT_RUNGS

    if rung is not None:
        require_one_of("--rung", rung, DEFAULT_RUNGS)


@app.command("apply", epilog="Example: polyglot map apply fr-en vectors.npy --out mapped.npy")
def apply_command(
    folder: Map,
    vectors: Annotated[Path, typer.Argument(metavar="VECTORS.npy", help="Rows in the space of the source.")],
    out: Annotated[Path, typer.Option("--out", help="The .npy file to write.")],
    texts: Annotated[Path | None, typer.Option("--texts", help="One text a line, for a map that reads words.")] = None,
    dtype: Annotated[str, typer.Option("--dtype", help="float32 or float16.")] = "float32",
) -> None:
    """Map a file of vectors, block by block."""
    require_one_of("--dtype", dtype, PRECISIONS)
    check_map(folder)
    open_matrix(vectors)
    from ..probe.fitted_map import use as probe

    rows, width = probe.apply(folder, vectors, out, texts=texts, dtype=cast("use.Precision", dtype))
    typer.echo(f"{rows} rows, {width} wide")
    typer.echo(out)


@app.command("export", epilog="Example: polyglot map export fr-en --to onnx --out fr-en.onnx")
def export_command(
    folder: Map,
    out: Annotated[Path, typer.Option("--out", help="Where the exported map goes.")],
    kind: Annotated[
        str, typer.Option("--to", help="dense (a sentence-transformers module), or onnx (extra `onnx`).")
    ] = "dense",
) -> None:
    """Write an affine map for use elsewhere."""
    require_one_of("--to", kind, EXPORTS)
    check_map(folder)
    from ..probe.fitted_map import use as probe

    written = probe.export(folder, out, cast("use.ExportKind", kind))
    typer.echo(f"to see whether a server applies it: {probe.canary_of(folder).text}; `polyglot map check` compares")
    typer.echo(written)


@app.command("check", epilog="Example: polyglot map check fr-en")
def check_command(
    given: Annotated[
        Path,
        typer.Argument(metavar="FOLDER|VECTOR.npy", help="Model folder, or what a server gave for the canary."),
    ],
    fitted: Annotated[
        Path | None,
        typer.Option("--map", help="Folder of the map; by default FOLDER, or the folder of VECTOR.npy."),
    ] = None,
) -> None:
    """Say whether a map was applied to its canary, the sentence on the card; exits with 1 if it was not."""
    for place in (given, fitted):
        if place is not None and not place.exists():
            raise DataError(f"no such file or folder: {place}; give what `polyglot map fit` wrote, or a .npy file")
    from ..probe.fitted_map.canary import check

    found = check(given, fitted)
    typer.echo(found.sentence)
    if not found.applied:
        raise typer.Exit(1)
