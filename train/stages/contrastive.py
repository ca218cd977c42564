"""`polyglot train contrastive`: the encoder paired with itself, symmetric InfoNCE over text pairs, cached gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...distributed import Processes
from ...errors import ConfigError
from ...probe.results.training import SCHEMA, LanguageMetrics, LanguageOutcome, TrainResult
from ..config import ContrastiveConfig
from ..engine.sampler import Batch, Source, text_keys
from ..engine.session import Run, corpus_name, opened_run, prints_of
from ..engine.student import Student, TokenRows, token_lengths
from ..evaluation.metrics import language_metrics
from ..evaluation.retention import open_old_language, retention, score_old_language, without_questions
from ..evaluation.splits import TrainingPairs, open_pairs, open_question_pairs, open_references, without_held_out
from ..evaluation.validation import PairWatch, WatchedPairs
from ..insertion.vocabulary import TokenizerReport, report_tokenizer

if TYPE_CHECKING:
    import torch

    from ...models.encoder import Encoder

PRECISION = "float32"  # cached gradients run the encoder again inside `backward`, where autocast is not in force


@dataclass(frozen=True, slots=True, eq=False)
class TextRows:
    """Rows of two or more texts: anchor, positive, and negatives.

    Parameters
    ----------
    columns : list of lists of token ids
    source : Source
        For the sampler.
    """

    columns: list[TokenRows]
    source: Source

    @classmethod
    def of(cls, student: Student, *columns: Sequence[str]) -> TextRows:
        """Tokenise columns of n texts each; only the first two decide which rows may share a batch."""
        tokens = [student.tokenise(column) for column in columns]
        return cls(tokens, Source(token_lengths(*tokens), text_keys(*columns[:2])))


class PairObjective:
    """The library's InfoNCE with cached gradients over rows of texts.

    Parameters
    ----------
    student : Student
        Computing in float32.
    datasets : sequence of TextRows
        Each may have columns of its own number: a batch holds rows of one data set on every process.
    criterion : Module
        A loss of the library over (features of each column, labels).
    processes : Processes
        The criterion averages over processes as data-parallel training does.
    """

    def __init__(
        self, student: Student, datasets: Sequence[TextRows], criterion: torch.nn.Module, processes: Processes
    ) -> None:
        self.student, self.datasets, self.criterion, self.processes = student, datasets, criterion, processes
        self.first_row = 0

    @property
    def module(self) -> torch.nn.Module:
        """The encoder."""
        return self.student.model  # type: ignore[no-any-return]

    @property
    def table(self) -> torch.nn.Embedding:
        """Its word embeddings."""
        return self.student.table

    def touched(self, batch: Batch) -> NDArray[np.int64]:
        """Return the token ids of a batch."""
        columns = self.datasets[batch.dataset].columns
        parts = [column[i] for column in columns for i in batch.rows]
        return np.concatenate([[self.student.tokenizer.pad_token_id or 0], *parts]).astype(np.int64)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return this process's share of the loss."""
        import torch

        mine = batch.of_rank(self.processes.rank, self.processes.world_size)
        columns = self.datasets[batch.dataset].columns
        features = [self.student.padded([column[i] for i in mine]) for column in columns]
        labels = torch.arange(len(mine), device=self.student.encoder.device)
        loss: torch.Tensor = self.criterion(features, labels)
        return loss / self.processes.world_size


def info_nce(student: Student, config: ContrastiveConfig, processes: Processes) -> Any:  # noqa: ANN401 - the library is imported late
    """Make the criterion: both directions, each with a softmax of its own; at narrower widths too if asked for.

    Raises
    ------
    ConfigError
        If a width is not narrower than the encoder.
    """
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss, MatryoshkaLoss

    if any(width >= student.encoder.dim for width in config.matryoshka):
        raise ConfigError(f"--matryoshka {config.matryoshka}: widths must be below {student.encoder.dim}")
    criterion = CachedMultipleNegativesRankingLoss(
        student.model,
        scale=config.scale,
        mini_batch_size=config.mini_batch,
        gather_across_devices=processes.world_size > 1,
        directions=("query_to_doc", "doc_to_query"),
        partition_mode="per_direction",
    )
    if not config.matryoshka:
        return criterion
    return MatryoshkaLoss(student.model, criterion, [student.encoder.dim, *config.matryoshka])


def run_contrastive(config: ContrastiveConfig, *, command: str = "", progress: bool = False) -> TrainResult:
    """Run the second stage.

    Parameters
    ----------
    config : ContrastiveConfig
    command : str
        What was typed, for the provenance.
    progress : bool
        Whether bars are drawn.

    Returns
    -------
    TrainResult
        Also written to `result.json` of the run folder.

    Raises
    ------
    ConfigError, DataError, ModelError, OutputError
        Before long work wherever that can be known.
    """
    with opened_run(config, command, progress=progress) as run:
        return _contrast(config, run)


def _opened(config: ContrastiveConfig) -> list[TrainingPairs]:
    """Open pairs of all kinds asked for; no text held out for one is trained on for another."""
    pivot, *others = config.langs
    opened: list[TrainingPairs] = []
    if "translations" in config.kinds:
        opened += [open_pairs(config.data, language, pivot, config.loop) for language in others]
    if "references" in config.kinds:
        opened.append(open_references(config.data, pivot, config.loop))
    if "questions" in config.kinds:
        from ...data.questions import open_questions

        opened.append(open_question_pairs(open_questions(config.questions, pivot, pivot), config.data, config.loop))
    return opened if len(config.kinds) == 1 else without_held_out(opened)


def _contrast(config: ContrastiveConfig, run: Run) -> TrainResult:
    pivot = config.langs[0]
    opened = _opened(config)
    text = open_old_language(config.retention, pivot, [t for pairs in opened for t in pairs.held_out.targets])
    if "questions" in config.kinds and config.retention.questions is None:
        text = without_questions(text)
    encoder = run.load(config.model)
    run.begin(encoder, [pairs.fingerprint for pairs in opened])
    for pairs in opened:
        read = _read(encoder, pairs)
        run.tell(read.sentence, *(f"! {warning}" for warning in read.warnings))
    student = Student(encoder, PRECISION)
    criterion = info_nce(student, config, run.processes)
    before = [_measured(encoder, pairs, config) for pairs in opened]
    old = score_old_language(encoder, text)
    datasets = [TextRows.of(student, pairs.training.sources, pairs.training.targets) for pairs in opened]
    objective = PairObjective(student, datasets, criterion, run.processes)
    watch = PairWatch.of(encoder, [_to_watch(pairs) for pairs in opened], config.loop)
    report = run.train(objective, [rows.source for rows in datasets], watch)
    after = run.trained(student)
    outcomes = tuple(
        _outcome(after, pairs, was, _measured(after, pairs, config)) for pairs, was in zip(opened, before, strict=True)
    )
    kept = retention(text, old, score_old_language(after, text), config.retention, seed=run.seed)
    result = TrainResult(
        schema=SCHEMA,
        stage="contrastive",
        method="infonce",
        model=config.model,
        base_fingerprint=after.base_fingerprint or encoder.fingerprint,
        fingerprint=after.fingerprint,
        run=str(run.folder.path),
        languages=outcomes,
        retention=kept,
        speed=run.speed(report, PRECISION, student),
        scores={},
        warnings=("the vectors of this model do not live in the space of its base: embed indexes again",),
        next_command=f"polyglot train finetune --model {run.folder.model}",
        provenance=run.closed(encoder, corpus_name(config), prints_of(outcomes), config.langs),
        shares_space_with_base=False,
        course=report.course,
    )
    run.keep(student, result)
    return result


def _measured(encoder: Encoder, pairs: TrainingPairs, config: ContrastiveConfig) -> LanguageMetrics:
    new, pivot = encoder.encode(pairs.held_out.sources).pooled, encoder.encode(pairs.held_out.targets).pooled
    groups, seed = pairs.held_out_groups, config.loop.seed
    certify = pairs.names if config.certificate and pairs.paired == "translations" else None
    return language_metrics(new, pivot, groups, seed=seed, certify=certify)


def _to_watch(pairs: TrainingPairs) -> WatchedPairs:
    watched = pairs.watched
    return WatchedPairs(watched.source, watched.target, watched.sources, watched.targets, pairs.watched_groups)


def _read(encoder: Encoder, pairs: TrainingPairs) -> TokenizerReport:
    return report_tokenizer(encoder.model.tokenizer, pairs.training.sources[:2000], pairs.training.source)


def _outcome(
    encoder: Encoder, pairs: TrainingPairs, before: LanguageMetrics, after: LanguageMetrics
) -> LanguageOutcome:
    read = _read(encoder, pairs)
    return LanguageOutcome(
        language=pairs.training.source,
        pairs=len(pairs.training),
        held_out=len(pairs.held_out),
        overlap_dropped=pairs.dropped,
        overlap_kept=pairs.overlapping,
        corpus_fingerprint=pairs.fingerprint,
        new_words=0,
        retired_words=0,
        unknown_rate_before=read.unknown_rate,
        unknown_rate_after=read.unknown_rate,
        fertility_before=read.fertility,
        fertility_after=read.fertility,
        accent_collisions_before=read.accent_collisions,
        accent_collisions_after=read.accent_collisions,
        before=before,
        after=after,
        paired=pairs.paired,
        held_out_fingerprint=pairs.held_out.fingerprint,
        held_out_groups=tuple(pairs.held_out_groups.tolist()),
    )
