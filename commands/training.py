"""Options that the training stages share, each defined once and given to a command as a record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    from ..train.config import DataConfig, LoopConfig, RetentionConfig

OF_THE_LOOP = (
    "epochs",
    "max_steps",
    "batch_size",
    "learning_rate",
    "embedding_learning_rate",
    "warmup",
    "weight_decay",
    "max_grad_norm",
    "precision",
    "dropout",
    "checkpoint_every",
    "evaluate_every",
    "patience",
    "seed",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """What was given for the options of every stage; None leaves a number to the stage."""

    corpus: options.Corpus = None
    limit: options.Limit = None
    skip_bad: options.SkipBad = False
    held_out: Annotated[float | None, typer.Option("--held-out", help="Share of the text kept for measuring.")] = None
    epochs: Annotated[int | None, typer.Option("--epochs", help="Passes over the data.")] = None
    max_steps: Annotated[int | None, typer.Option("--max-steps", help="Stop after so many steps.")] = None
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Rows in a batch over all processes.")] = None
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Highest learning rate.")] = None
    embedding_learning_rate: Annotated[
        float | None, typer.Option("--embedding-learning-rate", help="The same for word embeddings.")
    ] = None
    warmup: Annotated[float | None, typer.Option("--warmup", help="Share of the steps in which the rate rises.")] = None
    weight_decay: Annotated[float | None, typer.Option("--weight-decay", help="Decoupled decay of matrices.")] = None
    max_grad_norm: Annotated[float | None, typer.Option("--max-grad-norm", help="Longest gradient.")] = None
    precision: Annotated[
        str | None, typer.Option("--precision", help="Of matrix products: auto, float32 or bfloat16.")
    ] = None
    dropout: Annotated[str | None, typer.Option("--dropout", help="off, or model for the model's own.")] = None
    checkpoint_every: Annotated[int | None, typer.Option("--checkpoint-every", help="Steps between checkpoints.")] = (
        None
    )
    evaluate_every: Annotated[
        int | None, typer.Option("--evaluate-every", help="Steps between measurements of the held-out score.")
    ] = None
    patience: Annotated[
        int | None, typer.Option("--patience", help="Stop after so many evaluations without a better score.")
    ] = None
    seed: options.Seed = 0
    run: Annotated[
        Path | None,
        typer.Option(
            "--out", "--run", help="Run folder; by default runs/ and a telling name. (torchrun takes no --run.)"
        ),
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False
    device: options.Device = None
    quiet: options.Quiet = False

    def folder(self, *name: str) -> Path:
        """Return the run folder, by default one of a telling name."""
        return self.run or Path("runs") / "-".join(name)

    def loop(self, base: LoopConfig, certify_every: int | None = None) -> LoopConfig:
        """Return the loop of a stage with what was given."""
        from dataclasses import replace

        given = {name: getattr(self, name) for name in OF_THE_LOOP if getattr(self, name) is not None}
        return replace(base, **given, certify_every=certify_every)

    def data(self, evaluation: list[str] | None = None, *, allow_overlap: bool = False) -> DataConfig:
        """Return which text is used, and how."""
        from dataclasses import replace

        from ..train.config import DataConfig

        data = DataConfig(
            corpus=tuple(self.corpus or ()),
            limit=self.limit,
            skip_bad=self.skip_bad,
            evaluation=tuple(evaluation or ()),
            allow_overlap=allow_overlap,
        )
        return data if self.held_out is None else replace(data, held_out=self.held_out)


@dataclass(frozen=True, slots=True)
class Further:
    """What was given for the options of stages that train an encoder further, and measure what it loses."""

    model: options.Model = options.DEFAULT_MODEL
    evaluation: Annotated[
        list[str] | None,
        typer.Option("--evaluation", help="Corpus for evaluation; overlapping training rows are dropped. Repeat it."),
    ] = None
    allow_overlap: Annotated[bool, typer.Option("--allow-overlap", help="Keep overlapping rows; the card says so.")] = (
        False
    )
    max_english_loss: Annotated[float, typer.Option("--max-english-loss", help="Points that English may lose.")] = 1.0
    sts: Annotated[Path | None, typer.Option("--sts", help="English sentence pairs with scores, for retention.")] = None
    retention_questions: Annotated[
        Path | None,
        typer.Option("--retention-questions", help="Folder of English questions and passages, for retention."),
    ] = None
    no_certificate: Annotated[bool, typer.Option("--no-certificate", help="Leave the linear-map certificate out.")] = (
        False
    )
    certify_every: Annotated[
        int | None, typer.Option("--certify-every", help="Steps between linear-map certificates.")
    ] = None

    def retention(self) -> RetentionConfig:
        """Return how the loss of English is measured."""
        from ..train.config import RetentionConfig

        return RetentionConfig(max_english_loss=self.max_english_loss, sts=self.sts, questions=self.retention_questions)
