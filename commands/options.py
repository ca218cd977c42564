"""Options that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

V = TypeVar("V")
TEXT, MODEL, REPORT = "Text", "Model", "Report"  # panels of the help, below the options of the command itself


def renamed(new: str) -> Callable[[V], V]:
    """Return the callback of an option's old spelling: it still works, and prints its new name on stderr."""

    def tell(value: V) -> V:
        if value:
            typer.echo(f"this option is now called {new}; the old name goes with the next version", err=True)
        return value

    return tell


Source = Annotated[str, typer.Argument(metavar="SRC", help="Source language, such as fr.")]
Target = Annotated[str, typer.Argument(metavar="TGT", help="Target language, such as en.")]
Languages = Annotated[list[str], typer.Argument(metavar="LANG…", help="Languages, such as en fr de.")]
Model = Annotated[
    str,
    typer.Option("--model", help="A name out of `polyglot models`, a local folder, a hub id.", rich_help_panel=MODEL),
]
TargetModel = Annotated[
    str | None,
    typer.Option("--target-model", help="Model of the target side, if another one.", rich_help_panel=MODEL),
]
Corpus = Annotated[
    list[str] | None,
    typer.Option(
        "--corpus",
        help="File, folder, or a name out of `polyglot data list`; repeat it for a pair of Moses files. By default the "
        "built-in sentences.",
        rich_help_panel=TEXT,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        help="What stands in each column of the files, such as -,en,fr (- is left out), or NAME=LANGUAGE. By default "
        "the file says it.",
        rich_help_panel=TEXT,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", help="Sample at most so many rows, with the seed. By default all.", rich_help_panel=TEXT),
]
Device = Annotated[
    str | None,
    typer.Option("--device", help="cpu, cuda or mps. By default the best there is.", rich_help_panel=MODEL),
]
BatchTokens = Annotated[
    int | None,
    typer.Option(
        "--batch-tokens",
        help="Padded tokens in an encoder batch. By default what suits the device.",
        rich_help_panel=MODEL,
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of samples, folds, features and resamples.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of reports.", rich_help_panel=REPORT)]
OpenPage = Annotated[bool, typer.Option("--open", help="Open the page in the browser.", rich_help_panel=REPORT)]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", help="Print the page's path and the verdict only; no progress.", rich_help_panel=REPORT),
]
Format = Annotated[str, typer.Option("--format", help="What is written: html, json or both.", rich_help_panel=REPORT)]
Plotlyjs = Annotated[
    str,
    typer.Option("--plotlyjs", help="Where pages find plotly.js: inline, cdn or directory.", rich_help_panel=REPORT),
]
NoTexts = Annotated[
    bool,
    typer.Option("--no-texts", help="Leave sentences out of the result: numbers only.", rich_help_panel=REPORT),
]
TrustCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run code that a model folder brings.", rich_help_panel=MODEL)
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task", help="query or document: its prompt and route, in a model that has them.", rich_help_panel=MODEL
    ),
]
HalfCache = Annotated[
    bool,
    typer.Option("--half-cache", help="Keep embeddings as float16: half the disk, 3 digits.", rich_help_panel=MODEL),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Measure even if the report was measured from the same inputs.", rich_help_panel=REPORT
    ),
]
Instrument = Annotated[
    list[str] | None,
    typer.Option(
        "--instrument",
        help="A further language of the same rows that takes noise out; repeat it. By default three of the built-in "
        "corpus.",
        rich_help_panel=TEXT,
    ),
]
NoInstruments = Annotated[
    bool,
    typer.Option(
        "--no-instruments",
        help="Use no further language: noise stays in, geometry is not judged.",
        rich_help_panel=TEXT,
    ),
]
FittedMap = Annotated[Path | None, typer.Option("--map", help="Folder of a fitted map for the source side.")]
Again = Annotated[bool, typer.Option("--again", hidden=True, callback=renamed("--force"))]
Through = Annotated[Path | None, typer.Option("--through", hidden=True, callback=renamed("--map"))]
SkipBad = Annotated[
    bool,
    typer.Option("--skip-bad", help="Leave out rows that cannot be used, and count them.", rich_help_panel=TEXT),
]

REPORTS = Path("reports")
DEFAULT_MODEL = "minilm"
