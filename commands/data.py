"""`polyglot data …`: look at corpora, import them, check them for leakage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .tables import print_table

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_command() -> None:
    """List the corpora that have a name."""
    from ..data.listing import list_corpora

    rows = [(c.name, c.languages, "hub" if c.needs_network else "here", c.what) for c in list_corpora()]
    print_table(("corpus", "languages", "where", "what"), rows)


@app.command("show", epilog="Example: polyglot data show fr en --corpus my.tsv")
def show_command(
    source: options.Source,
    target: options.Target,
    rows: Annotated[int, typer.Option("--rows", help="How many pairs to show.")] = 10,
    corpus: options.Corpus = None,
    columns: options.Columns = None,
    seed: options.Seed = 0,
    skip_bad: options.SkipBad = False,
) -> None:
    """Show a few pairs of a corpus, drawn with the seed."""
    from ..data.listing import preview

    pairs = preview(corpus, source, target, columns=columns or (), rows=rows, seed=seed, skip_bad=skip_bad)
    print_table((pairs.source, pairs.target), list(zip(pairs.sources, pairs.targets, strict=True)))


@app.command("import", epilog="Example: polyglot data import my.tmx --out my.parquet --lang fr --lang en")
def import_command(
    corpus: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files, a folder, or the name of a corpus.")],
    out: Annotated[Path, typer.Option("--out", help="What to write: .parquet, or .arrow for more rows than memory.")],
    languages: Annotated[
        list[str] | None, typer.Option("--lang", help="A language to keep; repeat it. By default all.")
    ] = None,
    columns: options.Columns = None,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    skip_bad: options.SkipBad = False,
) -> None:
    """Turn any corpus into one file, with its fingerprint and the count of what was dropped and why."""
    from ..data.importing import import_corpus

    report = import_corpus(
        corpus, out, languages or (), columns=columns or (), limit=limit, seed=seed, skip_bad=skip_bad
    )
    for dropped in report.dropped:
        typer.echo(f"dropped {dropped.rows}: {dropped.reason}", err=True)
    typer.echo(f"{report.rows} rows in {', '.join(report.languages)}, fingerprint {report.fingerprint}")
    typer.echo(report.path)


@app.command("check", epilog="Example: polyglot data check train.tsv test.tsv")
def check_command(
    training: Annotated[str, typer.Argument(metavar="TRAIN", help="The corpus that a model learns from.")],
    evaluation: Annotated[str, typer.Argument(metavar="EVAL", help="The corpus that it is judged on.")],
    languages: Annotated[
        list[str] | None, typer.Option("--lang", help="A language to compare; repeat it. By default all in common.")
    ] = None,
    examples: Annotated[int, typer.Option("--examples", help="Examples shown of each kind.")] = 3,
) -> None:
    """Find evaluation text inside training text; exit code 1 if there is any."""
    from ..data.leakage import check_overlap
    from ..data.open import open_corpus

    wanted = languages or ()
    report = check_overlap(open_corpus([training], wanted, minimum=1), open_corpus([evaluation], wanted, minimum=1))
    rows = [(o.language, o.kind.value, str(len(o.training_rows)), str(len(o.evaluation_rows))) for o in report.overlaps]
    print_table(("language", "overlap", "training rows", "evaluation rows"), rows)
    for overlap in report.overlaps:
        for example in overlap.examples[:examples]:
            typer.echo(
                f"  {overlap.language} {overlap.kind.value}: {example.training_text} ↔ {example.evaluation_text}"
            )
    typer.echo(report.sentence())
    if len(report.training_rows):
        raise typer.Exit(1)
