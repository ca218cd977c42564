"""`polyglot train finetune`: insert a language, or train queries towards the passages that answer them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats32
from ...errors import DataError
from ...probe.results.training import LanguageMetrics, LanguageOutcome, Retention, TrainResult
from ..config import FinetuneConfig
from ..engine.history import TrainingReport
from ..engine.result import StageOutcome, TrainingText, training_result
from ..engine.session import Run, open_run
from ..engine.student import Student
from ..engine.trainer import train
from ..evaluation.evaluators import EvaluationPairs, PairEvaluator
from ..evaluation.metrics import Certify, language_metrics
from ..evaluation.outcome import language_outcome
from ..evaluation.retention import RetentionBaseline, open_retention_text
from ..evaluation.splits import TrainingPairs, open_pairs
from ..insertion.objective import InsertionObjective, LanguageRows
from ..insertion.rotation import append_rotation, fit_rotation
from ..insertion.tokenizer_report import TokenizerReport, coverage_warnings, report_tokenizer
from ..insertion.vocabulary import AddedWords, add_words
from .finetune_queries import train_queries

if TYPE_CHECKING:
    from ...models.encoder import Encoder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class NewLanguage:
    """A language before training: its pairs, f0 of its pivot side, metrics and tokenizer report of the base."""

    pairs: TrainingPairs
    teacher: Floats32  # array (n, d), f0 of the pivot side of the training rows
    held_out_pivot: Floats32  # array (m, d), f0 of the pivot side of the held-out rows
    before: LanguageMetrics
    report: TokenizerReport
    validation: EvaluationPairs
    instruments: Mapping[str, Floats32]  # by language, (m, d), f0 of the held-out rows in further languages


def run_finetune(config: FinetuneConfig, *, command: str = "", progress: bool = False) -> TrainResult:
    """Run the third stage: insert the languages of the settings; without any, train queries towards passages.

    Parameters
    ----------
    config : FinetuneConfig
    command, progress
        As for `open_run`.

    Returns
    -------
    TrainResult
        Also written to `result.json` of the run folder. With `gate_broken`, English lost more than allowed; the model
        is saved all the same.

    Raises
    ------
    ConfigError, DataError, ModelError, OutputError, MissingExtraError
        Before long work wherever that can be known.
    """
    with open_run(config, command, progress=progress) as run:
        return _insert(config, run) if config.langs else train_queries(config, run)


def _insert(config: FinetuneConfig, run: Run) -> TrainResult:
    is_map = config.method == "map"
    if is_map and len(config.langs) > 1:
        raise DataError(f"the method map fits one language, got {len(config.langs)}: run it once for each")
    datasets = [open_pairs(config.data, language, config.pivot, config.loop) for language in config.langs]
    held_out = [text for pairs in datasets for text in pairs.held_out.targets]
    text = open_retention_text(config.retention, config.pivot, held_out)
    encoder = run.load(config.model)
    precision = run.start(encoder, [pairs.fingerprint for pairs in datasets])
    student = Student(encoder, "float32" if is_map else precision)
    reports = [_report_tokenizer(encoder, run, pairs, config) for pairs in datasets]
    languages = [_new_language(encoder, run, *pair, config) for pair in zip(datasets, reports, strict=True)]
    baseline = RetentionBaseline.measure(encoder, text)
    if is_map:
        return _insert_map(config, run, student, languages[0], baseline)
    added = [add_words(student, new.pairs.training, config.extend_vocab, method=config.method) for new in languages]
    report = _train(config, run, student, languages, added)
    trained = run.trained_encoder(student)
    retention = baseline.compare(trained, config.retention, seed=run.seed)
    outcomes = tuple(_language_outcome(trained, config, *pair) for pair in zip(languages, added, strict=True))
    outcome = _stage_outcome(config, run, outcomes, retention)
    result = training_result(run, student, trained, report, outcome)
    run.save(student, result)
    return result


def _report_tokenizer(encoder: Encoder, run: Run, pairs: TrainingPairs, config: FinetuneConfig) -> TokenizerReport:
    """Announce how the tokenizer of the base covers a language, before anything takes long."""
    language = pairs.training.source
    report = report_tokenizer(encoder.model.tokenizer, pairs.training.sources, language)
    extends = config.extend_vocab > 0 and config.method != "map"
    run.announce(report.sentence, *(f"! {warning}" for warning in report.warnings if not extends))
    if extends:
        run.announce(f"at most {config.extend_vocab} words of {language} get token ids of their own")
    return report


def _new_language(
    encoder: Encoder, run: Run, pairs: TrainingPairs, report: TokenizerReport, config: FinetuneConfig
) -> NewLanguage:
    held_out, validation = pairs.held_out, pairs.validation
    further = pairs.instruments if config.certificate else {}
    columns = [
        pairs.training.targets,
        held_out.targets,
        held_out.sources,
        validation.targets if config.loop.evaluates else [],
        *further.values(),
    ]
    vectors = run.encode(encoder, [text for column in columns for text in column])
    borders = np.cumsum([len(column) for column in columns[:-1]])
    teacher, held_out_pivot, held_out_new, validation_pivot, *others = np.split(vectors, borders)
    instruments = dict(zip(further, others, strict=True))
    certify = Certify(pairs.names, instruments, report.unknown_rate) if config.certificate else None
    before = language_metrics(held_out_new, held_out_pivot, pairs.held_out_groups, seed=run.seed, certify=certify)
    evaluation = EvaluationPairs(validation, pairs.validation_groups, validation_pivot)
    return NewLanguage(pairs, teacher, held_out_pivot, before, report, evaluation, instruments)


def _train(
    config: FinetuneConfig, run: Run, student: Student, languages: Sequence[NewLanguage], added: Sequence[AddedWords]
) -> TrainingReport:
    if config.method == "embeddings" and not any(a.words for a in added):
        raise DataError("the bitext gives the new language no word of its own: --method embeddings can train nothing")
    rows = [LanguageRows.of(student, new.pairs.training, new.teacher) for new in languages]
    first = min(a.first_row for a in added)
    objective = InsertionObjective(student, rows, config, run.processes, first_row=first)
    evaluator = PairEvaluator.of(student.encoder, [new.validation for new in languages], config.loop)
    report = train(run, objective, [r.index for r in rows], evaluator)
    objective.finish()
    return report


def _insert_map(
    config: FinetuneConfig, run: Run, student: Student, new: NewLanguage, baseline: RetentionBaseline
) -> TrainResult:
    """Fit the control: a rotation for queries of one new language; English is still embedded by the base."""
    rotation = fit_rotation(run.encode(student.encoder, new.pairs.training.sources), new.teacher)
    retention = baseline.unchanged(config.retention, seed=run.seed)
    append_rotation(student, *rotation)
    trained = run.trained_encoder(student)
    outcomes = (_language_outcome(trained, config, new, None),)
    language = new.pairs.training.source
    note = f"this model is for queries in {language} only: embed {config.pivot} text with the base {config.model}"
    outcome = _stage_outcome(config, run, outcomes, retention, note)
    result = training_result(run, student, trained, TrainingReport(), outcome)
    run.save(student, result)
    return result


def _language_outcome(
    trained: Encoder, config: FinetuneConfig, new: NewLanguage, added: AddedWords | None
) -> LanguageOutcome:
    pairs = new.pairs
    report = report_tokenizer(trained.model.tokenizer, pairs.training.sources, pairs.training.source)
    vectors = trained.encode(pairs.held_out.sources).pooled
    certify = Certify(pairs.names, new.instruments, report.unknown_rate) if config.certificate else None
    after = language_metrics(vectors, new.held_out_pivot, pairs.held_out_groups, seed=config.loop.seed, certify=certify)
    return language_outcome(pairs, (new.before, after), (new.report, report), added)


def _stage_outcome(
    config: FinetuneConfig, run: Run, outcomes: tuple[LanguageOutcome, ...], retention: Retention, *notes: str
) -> StageOutcome:
    return StageOutcome(
        method=config.method,
        model=config.model,
        text=TrainingText(config.data.corpus_name, [o.corpus_fingerprint for o in outcomes], config.langs),
        languages=outcomes,
        retention=retention,
        warnings=(*notes, *_warnings(config, outcomes, retention)),
        next_command=f"polyglot probe linear-map {config.langs[0]} {config.pivot} --model {run.folder.model}",
        shares_space_with_base=True,
    )


def _warnings(config: FinetuneConfig, outcomes: Sequence[LanguageOutcome], retention: Retention) -> tuple[str, ...]:
    warnings: list[str] = []
    for outcome in outcomes:
        warnings += coverage_warnings(outcome.language, outcome.unknown_rate_after, outcome.fertility_after)
        if outcome.overlap_kept:
            warnings.append(
                f"{outcome.overlap_kept} training rows of {outcome.language} overlap with evaluation text and were kept"
            )
    if retention.broken:
        scores = " and ".join(retention.broken)
        warnings.append(
            f"{config.pivot} lost more than {retention.max_loss:g} point in {scores}: the model is saved; "
            "a higher --anchor-weight or a lower --learning-rate loses less"
        )
    for warning in warnings:
        log.warning("%s", warning)
    return tuple(warnings)
