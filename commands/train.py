"""`polyglot train …`: the three stages, and new languages at any of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from ..train.config import ContrastiveConfig, FinetuneConfig, PretrainConfig, StageConfig
from . import options
from .loading import check_languages, check_models, typed_command
from .settings import with_settings

if TYPE_CHECKING:
    from ..probe.results.training import TrainResult

app = typer.Typer(no_args_is_help=True)


@app.command("finetune", epilog="Example: polyglot train finetune --lang fr --corpus my.tsv")
@with_settings(FinetuneConfig)
def finetune(config: FinetuneConfig, quiet: options.Quiet = False) -> None:
    """Insert languages by bitext (--lang), or train questions towards the passages that answer them."""
    check_models(config.model)
    check_languages(config.langs)
    from ..train.stages.finetune import run_finetune

    _run(run_finetune, config, quiet=quiet)


@app.command("contrastive", epilog="Example: polyglot train contrastive --corpus my.tsv")
@with_settings(ContrastiveConfig)
def contrastive(config: ContrastiveConfig, quiet: options.Quiet = False) -> None:
    """Train an encoder on text pairs: symmetric InfoNCE, with large batches by cached gradients."""
    check_models(config.model)
    check_languages(config.langs)
    from ..train.stages.contrastive import run_contrastive

    _run(run_contrastive, config, quiet=quiet)


@app.command("pretrain", epilog="Example: polyglot train pretrain --corpus my.txt")
@with_settings(PretrainConfig)
def pretrain(config: PretrainConfig, quiet: options.Quiet = False) -> None:
    """Train an encoder to predict masked words of raw text, in one language or several."""
    check_models(config.model)
    check_languages(config.langs)
    _check_text(config)
    from ..train.stages.pretrain import run_pretrain

    _run(run_pretrain, config, quiet=quiet)


def _check_text(config: PretrainConfig) -> None:
    """Refuse text that is not there, before what trains on it is loaded."""
    from ..data.open import find_corpus

    for language in config.langs:
        find_corpus(config.data.corpus or None, (language,), columns=config.data.columns, limit=config.data.limit)


def _run(run: Callable[..., TrainResult], config: StageConfig, *, quiet: bool) -> None:
    """Train and print the metrics; an interrupt becomes one line with the command that resumes the run."""
    from ..train.engine.signals import Interrupted

    command = typed_command()
    prints = os.environ.get("RANK", "0") == "0"
    try:
        result = run(config, command=command, progress=not quiet)
    except Interrupted as stop:
        if prints:
            resume = command if config.resume else f"{command} --resume"
            typer.echo(f"interrupted: {stop}" + (f"; continue with: {resume}" if stop.resumable else ""), err=True)
        raise typer.Exit(128 + stop.signal) from None
    if prints:
        _print_result(result)
    if result.gate_broken:
        raise typer.Exit(1)


def _print_result(result: TrainResult) -> None:
    """Print metrics and warnings of a run, and an error if the base language lost more than allowed."""
    from ..train.model_card import outcome_table
    from .tables import print_table

    print_table(("", "before", "after"), outcome_table(result))
    for warning in result.warnings:
        typer.echo(f"! {warning}")
    typer.echo(f"run: {result.run}")
    typer.echo(f"next: {result.next_command}")
    if result.retention is not None and result.retention.broken:
        scores = ", ".join(result.retention.broken)
        typer.echo(f"error: {scores} lost more than {result.retention.max_loss:g} points; the model is saved", err=True)
