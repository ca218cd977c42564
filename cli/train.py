"""`polyglot train …`: the three stages, and new languages at any of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from . import options
from .loading import typed_command
from .report import require_one_of

if TYPE_CHECKING:
    from ..train.config import DataConfig, LoopConfig
    from ..train.result import TrainResult

app = typer.Typer(no_args_is_help=True, help="Train encoders in three stages, and insert languages into them.")

Run = Annotated[Path | None, typer.Option("--run", help="Run folder; by default runs/ and a telling name.")]
Langs = Annotated[list[str] | None, typer.Option("--lang", help="A language; repeat it.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")]
Epochs = Annotated[int | None, typer.Option("--epochs", help="Passes over the data.")]
MaxSteps = Annotated[int | None, typer.Option("--max-steps", help="Stop after so many steps.")]
BatchSize = Annotated[int | None, typer.Option("--batch-size", help="Rows in a batch over all processes.")]
LearningRate = Annotated[float | None, typer.Option("--learning-rate", help="Highest learning rate.")]
Evaluation = Annotated[
    list[str] | None,
    typer.Option("--evaluation", help="Corpus used for evaluation; overlapping training rows are dropped. Repeat it."),
]
AllowOverlap = Annotated[bool, typer.Option("--allow-overlap", help="Keep overlapping rows; the card says so.")]
MaxLoss = Annotated[float, typer.Option("--max-english-loss", help="Points that English may lose.")]
Sts = Annotated[Path | None, typer.Option("--sts", help="English sentence pairs with scores, for retention.")]


@app.command("finetune")
def finetune(
    langs: Langs = None,
    method: Annotated[
        str, typer.Option("--method", help="align, distill, anchor, embeddings, lora, or map (the control).")
    ] = "align",
    extend_vocab: Annotated[int, typer.Option("--extend-vocab", help="New words with token ids of their own.")] = 12000,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="Questions to train on, without --lang.")
    ] = None,
    model: options.Model = options.DEFAULT_MODEL,
    corpus: options.Corpus = None,
    limit: options.Limit = None,
    evaluation: Evaluation = None,
    allow_overlap: AllowOverlap = False,
    max_english_loss: MaxLoss = 1.0,
    sts: Sts = None,
    epochs: Epochs = None,
    max_steps: MaxSteps = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    seed: options.Seed = 0,
    run: Run = None,
    resume: Resume = False,
    device: options.Device = None,
    quiet: options.Quiet = False,
) -> None:
    """Insert languages by bitext (--lang), or train queries towards the passages that answer them."""
    from ..train.config import FinetuneConfig, LoopConfig, Method, RetentionConfig
    from ..train.finetune import run_finetune

    require_one_of("--method", method, get_args(Method))
    name = "-".join(["finetune", method, *(langs or ["questions"])])
    config = FinetuneConfig(
        out=run or Path("runs") / name,
        model=model,
        langs=tuple(langs or ()),
        method=cast("Method", method),
        extend_vocab=extend_vocab,
        questions=questions,
        resume=resume,
        device=device,
        loop=_loop(LoopConfig(), epochs, max_steps, batch_size, learning_rate, seed),
        data=_data(corpus, limit, evaluation, allow_overlap),
        retention=RetentionConfig(max_english_loss=max_english_loss, sts=sts),
    )
    _finish(run_finetune(config, command=typed_command(), progress=not quiet))


@app.command("contrastive")
def contrastive(
    langs: Langs = None,
    matryoshka: Annotated[list[int] | None, typer.Option("--matryoshka", help="A narrower width; repeat it.")] = None,
    model: options.Model = options.DEFAULT_MODEL,
    corpus: options.Corpus = None,
    limit: options.Limit = None,
    evaluation: Evaluation = None,
    allow_overlap: AllowOverlap = False,
    max_english_loss: MaxLoss = 1.0,
    sts: Sts = None,
    epochs: Epochs = None,
    max_steps: MaxSteps = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    seed: options.Seed = 0,
    run: Run = None,
    resume: Resume = False,
    device: options.Device = None,
    quiet: options.Quiet = False,
) -> None:
    """Pair the encoder with itself: symmetric InfoNCE over text pairs, large batches by cached gradients."""
    from ..train.config import ContrastiveConfig, LoopConfig, RetentionConfig
    from ..train.contrastive import run_contrastive

    base = LoopConfig(batch_size=256, learning_rate=5e-5, epochs=1)
    config = ContrastiveConfig(
        out=run or Path("runs") / "-".join(["contrastive", *(langs or ["en", "fr"])]),
        model=model,
        langs=tuple(langs or ("en", "fr")),
        matryoshka=tuple(matryoshka or ()),
        resume=resume,
        device=device,
        loop=_loop(base, epochs, max_steps, batch_size, learning_rate, seed),
        data=_data(corpus, limit, evaluation, allow_overlap),
        retention=RetentionConfig(max_english_loss=max_english_loss, sts=sts),
    )
    _finish(run_contrastive(config, command=typed_command(), progress=not quiet))


@app.command("pretrain")
def pretrain(
    langs: Langs = None,
    architecture: Annotated[str, typer.Option("--architecture", help="bert or modernbert.")] = "bert",
    size: Annotated[str, typer.Option("--size", help="tiny (for a CPU), small or base.")] = "small",
    model: Annotated[str | None, typer.Option("--model", help="Weights to go on from; by default new ones.")] = None,
    tokenizer: Annotated[str | None, typer.Option("--tokenizer", help="A tokenizer; by default a new one.")] = None,
    vocabulary: Annotated[int, typer.Option("--vocabulary", help="Pieces of a new tokenizer.")] = 8192,
    length: Annotated[int, typer.Option("--length", help="Tokens in a packed row.")] = 128,
    second: Annotated[str, typer.Option("--second", help="Second objective: none or retromae.")] = "none",
    corpus: options.Corpus = None,
    limit: options.Limit = None,
    epochs: Epochs = None,
    max_steps: MaxSteps = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    seed: options.Seed = 0,
    run: Run = None,
    resume: Resume = False,
    device: options.Device = None,
    quiet: options.Quiet = False,
) -> None:
    """Teach an encoder to fill in masked words of raw text, in one language or several."""
    from ..train.config import Architecture, PretrainConfig, SecondObjective, Size
    from ..train.pretrain import run_pretrain

    require_one_of("--architecture", architecture, get_args(Architecture))
    require_one_of("--size", size, get_args(Size))
    require_one_of("--second", second, get_args(SecondObjective))
    out = run or Path("runs") / "-".join(["pretrain", architecture, size, *(langs or ["en"])])
    config = PretrainConfig(
        out=out,
        langs=tuple(langs or ("en",)),
        architecture=cast("Architecture", architecture),
        size=cast("Size", size),
        model=model,
        tokenizer=tokenizer,
        vocabulary=vocabulary,
        length=length,
        second=cast("SecondObjective", second),
        resume=resume,
        device=device,
        loop=_loop(PretrainConfig(out=out).loop, epochs, max_steps, batch_size, learning_rate, seed),
        data=_data(corpus, limit, None, allow_overlap=False),
    )
    _finish(run_pretrain(config, command=typed_command(), progress=not quiet))


def _loop(
    base: LoopConfig,
    epochs: int | None,
    max_steps: int | None,
    batch_size: int | None,
    learning_rate: float | None,
    seed: int,
) -> LoopConfig:
    """Return the loop of a stage with what was given on the command line."""
    from dataclasses import replace

    return replace(
        base,
        epochs=base.epochs if epochs is None else epochs,
        max_steps=base.max_steps if max_steps is None else max_steps,
        batch_size=base.batch_size if batch_size is None else batch_size,
        learning_rate=base.learning_rate if learning_rate is None else learning_rate,
        seed=seed,
    )


def _data(corpus: list[str] | None, limit: int | None, evaluation: list[str] | None, allow_overlap: bool) -> DataConfig:
    from ..train.config import DataConfig

    return DataConfig(
        corpus=tuple(corpus or ()), limit=limit, evaluation=tuple(evaluation or ()), allow_overlap=allow_overlap
    )


def _finish(result: TrainResult) -> None:
    """Print what a run did; exit with 1 where the old language lost more than was allowed (the model is kept)."""
    from ..train.card import outcome_table
    from .tables import print_table

    print_table(("", "before", "after"), outcome_table(result))
    for warning in result.warnings:
        typer.echo(f"! {warning}")
    typer.echo(f"run: {result.run}")
    typer.echo(f"next: {result.next_command}")
    if result.retention is not None and result.retention.broken:
        lost = ", ".join(result.retention.broken)
        typer.echo(f"error: {lost} lost more than {result.retention.max_loss:g} points; the model is kept", err=True)
        raise typer.Exit(1)
