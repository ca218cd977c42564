"""`polyglot train contrastive`: symmetric InfoNCE of an encoder over text pairs, with cached gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...probe.results.training import LanguageMetrics, TrainResult
from ..config import ContrastiveConfig
from ..engine.result import NEW_SPACE, StageOutcome, TrainingText, training_result
from ..engine.session import Run, open_run
from ..engine.student import Student
from ..engine.trainer import train
from ..evaluation.evaluators import EvaluationPairs, PairEvaluator
from ..evaluation.metrics import Certify, language_metrics
from ..evaluation.outcome import language_outcome
from ..evaluation.retention import RetentionBaseline, open_retention_text
from ..evaluation.splits import TrainingPairs, exclude_held_out, open_pairs, open_question_pairs, open_references
from ..insertion.tokenizer_report import report_tokenizer
from ..objectives.contrastive import PRECISION, ContrastiveObjective, TextRows, info_nce

if TYPE_CHECKING:
    from ...models.encoder import Encoder


def run_contrastive(config: ContrastiveConfig, *, command: str = "", progress: bool = False) -> TrainResult:
    """Run the second stage.

    Parameters
    ----------
    config : ContrastiveConfig
    command, progress
        As for `open_run`.

    Returns
    -------
    TrainResult
        Also written to `result.json` of the run folder.

    Raises
    ------
    ConfigError, DataError, ModelError, OutputError
        Before long work wherever that can be known.
    """
    with open_run(config, command, progress=progress) as run:
        return _train(config, run)


def open_datasets(config: ContrastiveConfig) -> list[TrainingPairs]:
    """Open pairs of all kinds in the settings; no text held out in one kind is trained on in another.

    Raises
    ------
    DataError
        If the corpus lacks a language, or too few pairs remain.
    """
    pivot, *others = config.langs
    datasets: list[TrainingPairs] = []
    if "translations" in config.kinds:
        datasets += [open_pairs(config.data, language, pivot, config.loop) for language in others]
    if "references" in config.kinds:
        datasets.append(open_references(config.data, pivot, config.loop))
    if "questions" in config.kinds:
        from ...data.questions import open_questions

        datasets.append(open_question_pairs(open_questions(config.questions, pivot, pivot), config.data, config.loop))
    return datasets if len(config.kinds) == 1 else exclude_held_out(datasets)


def _train(config: ContrastiveConfig, run: Run) -> TrainResult:
    datasets = open_datasets(config)
    text = open_retention_text(config.retention, config.langs[0], [t for p in datasets for t in p.held_out.targets])
    if "questions" in config.kinds and config.retention.questions is None:
        text = text.without_questions()  # they are trained on
    encoder = run.load(config.model)
    run.start(encoder, [pairs.fingerprint for pairs in datasets])
    tokenizer, training = encoder.model.tokenizer, [pairs.training for pairs in datasets]
    reports = [report_tokenizer(tokenizer, bitext.sources, bitext.source) for bitext in training]
    for report in reports:
        run.announce(report.sentence, *(f"! {warning}" for warning in report.warnings))
    student = Student(encoder, PRECISION)
    criterion = info_nce(
        student, run.processes, scale=config.scale, mini_batch=config.mini_batch, matryoshka=config.matryoshka
    )
    unknown = [report.unknown_rate for report in reports]
    before = [_metrics(encoder, *one, config) for one in zip(datasets, unknown, strict=True)]
    baseline = RetentionBaseline.measure(encoder, text)
    rows = [TextRows.of(student, bitext.sources, bitext.targets) for bitext in training]
    validation = [EvaluationPairs(pairs.validation, pairs.validation_groups) for pairs in datasets]
    evaluator = PairEvaluator.of(encoder, validation, config.loop)
    objective = ContrastiveObjective(student, rows, criterion, run.processes)
    loop = train(run, objective, [r.index for r in rows], evaluator)
    trained = run.trained_encoder(student)
    languages = tuple(
        language_outcome(pairs, (was, _metrics(trained, pairs, report.unknown_rate, config)), (report, report))
        for pairs, was, report in zip(datasets, before, reports, strict=True)
    )
    outcome = StageOutcome(
        method="infonce",
        model=config.model,
        text=TrainingText(config.data.corpus_name, [pairs.fingerprint for pairs in datasets], config.langs),
        languages=languages,
        retention=baseline.compare(trained, config.retention, seed=run.seed),
        warnings=(NEW_SPACE,),
        next_command=f"polyglot train finetune --model {run.folder.model}",
    )
    result = training_result(run, student, trained, loop, outcome)
    run.save(student.encoder, result)
    return result


def _metrics(encoder: Encoder, pairs: TrainingPairs, unknown: float, config: ContrastiveConfig) -> LanguageMetrics:
    new, pivot = encoder.encode(pairs.held_out.sources).pooled, encoder.encode(pairs.held_out.targets).pooled
    certify = None
    if config.certificate and pairs.paired == "translations":
        instruments = {code: encoder.encode(texts).pooled for code, texts in pairs.instruments.items()}
        certify = Certify(pairs.names, instruments, unknown)
    return language_metrics(new, pivot, pairs.held_out_groups, seed=config.loop.seed, certify=certify)
