"""`polyglot train …`: the three stages, and new languages at any of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from .loading import typed_command
from .report import require_one_of
from .shared import given_as
from .training import Further, Stage

if TYPE_CHECKING:
    from ..probe.results.training import TrainResult

app = typer.Typer(no_args_is_help=True, help="Train encoders in three stages, and insert languages into them.")

Langs = Annotated[list[str] | None, typer.Option("--lang", help="A language; repeat it.")]
Questions = Annotated[
    Path | None, typer.Option("--questions", help="Folder of questions and passages to train on, such as XQuAD's.")
]
Scale = Annotated[float, typer.Option("--scale", help="Scale of the cosines in the contrastive loss.")]


@app.command("finetune")
@given_as(further=Further, stage=Stage)
def finetune(
    further: Further,
    stage: Stage,
    langs: Langs = None,
    method: Annotated[
        str, typer.Option("--method", help="align, distill, anchor, embeddings, lora, or map (the control).")
    ] = "align",
    pivot: Annotated[str, typer.Option("--pivot", help="The language that the base knows.")] = "en",
    extend_vocab: Annotated[int, typer.Option("--extend-vocab", help="New words with token ids of their own.")] = 12000,
    anchor_weight: Annotated[
        float, typer.Option("--anchor-weight", help="How strongly English is held where it was.")
    ] = 3.0,
    pull_weight: Annotated[
        float, typer.Option("--pull-weight", help="How strongly a sentence is pulled onto its translation.")
    ] = 3.0,
    scale: Scale = 20.0,
    lora_rank: Annotated[int, typer.Option("--lora-rank", help="Rank of the adapters of lora.")] = 16,
    questions: Questions = None,
    negatives: Annotated[int, typer.Option("--negatives", help="Mined hard negatives for each question.")] = 3,
) -> None:
    """Insert languages by bitext (--lang), or train questions towards the passages that answer them."""
    from ..train.config import FinetuneConfig, LoopConfig, Method
    from ..train.stages.finetune import run_finetune

    require_one_of("--method", method, get_args(Method))
    config = FinetuneConfig(
        out=stage.folder("finetune", method, *(langs or ["questions"])),
        model=further.model,
        langs=tuple(langs or ()),
        pivot=pivot,
        method=cast("Method", method),
        extend_vocab=extend_vocab,
        anchor_weight=anchor_weight,
        pull_weight=pull_weight,
        scale=scale,
        lora_rank=lora_rank,
        questions=questions,
        negatives=negatives,
        certificate=not further.no_certificate,
        resume=stage.resume,
        device=stage.device,
        loop=stage.loop(LoopConfig(), further.certify_every),
        data=stage.data(further.evaluation, allow_overlap=further.allow_overlap),
        retention=further.retention(),
    )
    _run(run_finetune, config, stage)


@app.command("contrastive")
@given_as(further=Further, stage=Stage)
def contrastive(
    further: Further,
    stage: Stage,
    langs: Langs = None,
    pairs: Annotated[
        list[str] | None, typer.Option("--pairs", help="translations, references or questions; repeat it.")
    ] = None,
    questions: Questions = None,
    mini_batch: Annotated[int, typer.Option("--mini-batch", help="Rows that are held in memory at a time.")] = 32,
    scale: Scale = 20.0,
    matryoshka: Annotated[list[int] | None, typer.Option("--matryoshka", help="A narrower width; repeat it.")] = None,
) -> None:
    """Pair the encoder with itself: symmetric InfoNCE over text pairs, large batches by cached gradients."""
    from ..train.config import ContrastiveConfig, LoopConfig, PairKind
    from ..train.stages.contrastive import run_contrastive

    chosen = tuple(langs or ("en", "fr"))
    config = ContrastiveConfig(
        out=stage.folder("contrastive", *chosen),
        model=further.model,
        langs=chosen,
        pairs=cast("tuple[PairKind, ...]", tuple(pairs or ())),
        questions=questions,
        mini_batch=mini_batch,
        scale=scale,
        matryoshka=tuple(matryoshka or ()),
        certificate=not further.no_certificate,
        resume=stage.resume,
        device=stage.device,
        loop=stage.loop(LoopConfig(batch_size=256, learning_rate=5e-5, epochs=1), further.certify_every),
        data=stage.data(further.evaluation, allow_overlap=further.allow_overlap),
        retention=further.retention(),
    )
    _run(run_contrastive, config, stage)


@app.command("pretrain")
@given_as(stage=Stage)
def pretrain(
    stage: Stage,
    langs: Langs = None,
    architecture: Annotated[str, typer.Option("--architecture", help="bert or modernbert.")] = "bert",
    size: Annotated[str, typer.Option("--size", help="tiny (for a CPU), small or base.")] = "small",
    model: Annotated[str | None, typer.Option("--model", help="Weights to go on from; by default new ones.")] = None,
    tokenizer: Annotated[str | None, typer.Option("--tokenizer", help="A tokenizer; by default a new one.")] = None,
    vocabulary: Annotated[int, typer.Option("--vocabulary", help="Pieces of a new tokenizer.")] = 8192,
    length: Annotated[int, typer.Option("--length", help="Tokens in a packed row.")] = 128,
    masked: Annotated[float, typer.Option("--masked", help="Share of the words that are masked.")] = 0.3,
    second: Annotated[str, typer.Option("--second", help="Second objective: none or retromae.")] = "none",
) -> None:
    """Teach an encoder to fill in masked words of raw text, in one language or several."""
    from ..train.config import Architecture, PretrainConfig, SecondObjective, Size
    from ..train.stages.pretrain import run_pretrain

    require_one_of("--architecture", architecture, get_args(Architecture))
    require_one_of("--size", size, get_args(Size))
    require_one_of("--second", second, get_args(SecondObjective))
    out = stage.folder("pretrain", architecture, size, *(langs or ["en"]))
    config = PretrainConfig(
        out=out,
        langs=tuple(langs or ("en",)),
        architecture=cast("Architecture", architecture),
        size=cast("Size", size),
        model=model,
        tokenizer=tokenizer,
        vocabulary=vocabulary,
        length=length,
        masked=masked,
        second=cast("SecondObjective", second),
        resume=stage.resume,
        device=stage.device,
        loop=stage.loop(PretrainConfig(out=out).loop),
        data=stage.data(),
    )
    _run(run_pretrain, config, stage)


def _run(run: Callable[..., TrainResult], config: Any, stage: Stage) -> None:  # noqa: ANN401 - of any stage
    """Train and say what came out; an interrupt becomes one line with the command that goes on."""
    from ..train.engine.signals import Interrupted

    command = typed_command()
    speaks = os.environ.get("RANK", "0") == "0"
    try:
        result = run(config, command=command, progress=not stage.quiet)
    except Interrupted as stop:
        if speaks:
            go_on = command if stage.resume else f"{command} --resume"
            typer.echo(f"interrupted: {stop}" + (f"; go on with: {go_on}" if stop.resumable else ""), err=True)
        raise typer.Exit(128 + stop.signal) from None
    if speaks:
        _show(result)
    if result.gate_broken:
        raise typer.Exit(1)


def _show(result: TrainResult) -> None:
    """Print what a run did, and loudly where the old language lost more than was allowed (the model is kept)."""
    from ..train.model_card import outcome_table
    from .tables import print_table

    print_table(("", "before", "after"), outcome_table(result))
    for warning in result.warnings:
        typer.echo(f"! {warning}")
    typer.echo(f"run: {result.run}")
    typer.echo(f"next: {result.next_command}")
    if result.retention is not None and result.retention.broken:
        lost = ", ".join(result.retention.broken)
        typer.echo(f"error: {lost} lost more than {result.retention.max_loss:g} points; the model is kept", err=True)
