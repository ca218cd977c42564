"""`polyglot probe …`: one command a probe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .loading import check_models, load_bitext, load_encoders, typed_command, user_cache
from .report import Report

app = typer.Typer(no_args_is_help=True, help="Measure the geometry of languages in an embedding model.")


@app.command("linear-map")
def linear_map(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Source language, such as fr.")] = "",
    target: Annotated[str, typer.Argument(metavar="TGT", help="Target language, such as en.")] = "",
    vectors: Annotated[
        tuple[Path, Path] | None, typer.Option("--vectors", help="Two .npy files of paired rows instead of text.")
    ] = None,
    same_space: Annotated[bool, typer.Option("--same-space", help="Both sides live in one space.")] = False,
    margin: Annotated[float, typer.Option("--margin", help="Share of the ceiling that may be lost.")] = 0.05,
    permutations: Annotated[int, typer.Option("--permutations", help="Permuted refits for the null.")] = 20,
    mlp: Annotated[bool, typer.Option("--mlp", help="Add the MLP rung.")] = False,
    no_texts: options.NoTexts = False,
    model: options.Model = options.DEFAULT_MODEL,
    target_model: options.TargetModel = None,
    corpus: options.Corpus = None,
    limit: options.Limit = None,
    device: options.Device = None,
    batch_tokens: options.BatchTokens = None,
    seed: options.Seed = 0,
    out: options.Out = options.REPORTS,
    output_format: options.Format = "both",
    plotlyjs: options.Plotlyjs = "inline",
    open_page: options.OpenPage = False,
    quiet: options.Quiet = False,
    trust_remote_code: options.TrustCode = False,
) -> None:
    """Is the map from SRC to TGT identity, shift, rotation, linear, or more?"""
    report = Report(out / "linear-map", output_format, plotlyjs, open_page, quiet)
    if vectors is None and not (source and target):
        raise typer.BadParameter("expected two languages such as `en fr`, or --vectors X.npy Y.npy")
    from ..analysis.ladder import DEFAULT_RUNGS
    from ..probe.linear_map_config import LinearMapConfig

    config = LinearMapConfig(
        rungs=(*DEFAULT_RUNGS, "mlp") if mlp else DEFAULT_RUNGS,
        margin=margin,
        permutations=permutations,
        costly_permutations=min(5, permutations),
        texts=not no_texts,
        same_space=True if same_space else None,
        seed=seed,
    )
    from ..probe import linear_map as probe

    if vectors is not None:
        result = probe.measure_files(*vectors, config, command=typed_command())
        name = "-".join(path.stem for path in vectors)
    else:
        check_models(model, target_model)
        bitext = load_bitext(corpus, source, target, limit=limit, seed=seed)
        encoders = load_encoders(model, target_model, device, trust_remote_code=trust_remote_code)
        result = probe.run(
            encoders,
            bitext,
            config,
            cache=user_cache(),
            command=typed_command(),
            batch_tokens=batch_tokens,
            progress=not quiet,
        )
        name = f"{bitext.source}-{bitext.target}"
    report.write(result, name, verdict=" ".join(d.certificate.sentence for d in result.directions))
