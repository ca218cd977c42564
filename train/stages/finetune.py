"""`polyglot train finetune`: insert a language, or train queries towards the passages that answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...errors import DataError
from ...probe.results.training import TrainResult
from ..config import FinetuneConfig
from ..engine.history import TrainingReport
from ..engine.result import training_result
from ..engine.session import Run, open_run
from ..engine.student import Student
from ..engine.trainer import train
from ..evaluation.evaluators import PairEvaluator
from ..evaluation.retention import RetentionBaseline, open_retention_text
from ..evaluation.splits import open_pairs
from ..insertion.objective import InsertionObjective, LanguageRows
from ..insertion.rotation import append_rotation, fit_rotation
from ..insertion.vocabulary import AddedWords, add_words
from ..insertion.words_addition import WordsBeside, append_words
from .finetune_queries import train_queries
from .finetune_words import insert_words
from .insertion_outcome import insertion_outcome, query_note, trained_outcome
from .new_language import NewLanguage, announce_tokenizer, measure_base, training_rows


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
        if not config.langs:
            return train_queries(config, run)
        return insert_words(config, run) if config.method == "words" else _insert(config, run)


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
    reports = [announce_tokenizer(encoder, run, pairs, config) for pairs in datasets]
    languages = [measure_base(encoder, run, *pair, config) for pair in zip(datasets, reports, strict=True)]
    baseline = RetentionBaseline.measure(encoder, text)
    if is_map:
        return _insert_map(config, run, student, languages[0], baseline)
    added = [add_words(student, new.pairs.training, config.extend_vocab, method=config.method) for new in languages]
    report = _train(config, run, student, languages, added)
    if config.with_words:
        texts, vectors, _ = training_rows(languages)
        append_words(student, texts, vectors, first_new=min(a.first_row for a in added))
    trained = run.trained_encoder(student)
    retention = baseline.compare(trained, config.retention, seed=run.seed)
    outcomes = tuple(trained_outcome(trained, config, *pair) for pair in zip(languages, added, strict=True))
    outcome = insertion_outcome(config, run, outcomes, retention)
    result = training_result(run, student, trained, report, outcome)
    run.save(student.encoder, result)
    return result


def _train(
    config: FinetuneConfig, run: Run, student: Student, languages: Sequence[NewLanguage], added: Sequence[AddedWords]
) -> TrainingReport:
    if config.method == "embeddings" and not any(a.words for a in added):
        raise DataError("the bitext gives the new language no word of its own: --method embeddings can train nothing")
    rows = [LanguageRows.of(student, new.pairs.training, new.teacher) for new in languages]
    first = min(a.first_row for a in added)
    if config.with_words:
        beside = WordsBeside.out_of_fold(student, *training_rows(languages), first_new=first, seed=run.seed)
        parts = beside.split([len(one.teacher) for one in rows])
        rows = [replace(one, words=part) for one, part in zip(rows, parts, strict=True)]
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
    outcomes = (trained_outcome(trained, config, new),)
    outcome = insertion_outcome(config, run, outcomes, retention, query_note(config))
    result = training_result(run, student, trained, TrainingReport(), outcome)
    run.save(student.encoder, result)
    return result
