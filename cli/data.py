"""`polyglot data …`: look at corpora, import them, check them for leakage."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="Look at corpora, import them, check them for leakage.")
