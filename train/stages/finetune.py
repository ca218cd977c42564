"""`polyglot train finetune`: insert a language, or bring queries near the passages that answer them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats32
from ...errors import DataError
from ...probe.results.training import SCHEMA, LanguageMetrics, LanguageOutcome, Retention, TrainResult
from ..config import FinetuneConfig
from ..engine.session import Run, corpus_name, opened_run, prints_of
from ..engine.student import Student
from ..engine.trainer import LoopReport
from ..evaluation.metrics import language_metrics
from ..evaluation.retention import OldLanguage, OldScores, open_old_language, retention, score_old_language
from ..evaluation.splits import TrainingPairs, open_pairs
from ..evaluation.validation import PairWatch, WatchedPairs
from ..insertion.objective import AddedWords, InsertionObjective, LanguageRows, add_words, append_rotation, fit_rotation
from ..insertion.vocabulary import TokenizerReport, reading_warnings, report_tokenizer

if TYPE_CHECKING:
    from ...models.encoder import Encoder

log = logging.getLogger(__name__)
READ_FOR_REPORT = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Entering:
    """A language before training: its pairs, what f0 makes of them, and how the base reads it."""

    language: str
    pairs: TrainingPairs
    teacher: Floats32  # f0 of the pivot, training rows
    held_pivot: Floats32  # f0 of the pivot, held-out rows
    before: LanguageMetrics
    read: TokenizerReport
    to_watch: WatchedPairs


@dataclass(frozen=True, slots=True, eq=False)
class Old:
    """The old language before training."""

    text: OldLanguage
    before: OldScores


def run_finetune(config: FinetuneConfig, *, command: str = "", progress: bool = False) -> TrainResult:
    """Run the third stage: with languages, insert them; without, train queries towards passages.

    Parameters
    ----------
    config : FinetuneConfig
    command : str
        What was typed, for the provenance.
    progress : bool
        Whether bars are drawn.

    Returns
    -------
    TrainResult
        Also written to `result.json` of the run folder. `gate_broken` tells whether English lost more than allowed;
        the model is kept all the same.

    Raises
    ------
    ConfigError, DataError, ModelError, OutputError, MissingExtraError
        Before long work wherever that can be known.
    """
    with opened_run(config, command, progress=progress) as run:
        if config.langs:
            return _insert(config, run)
        from .finetune_queries import train_queries

        return train_queries(config, run)


def _insert(config: FinetuneConfig, run: Run) -> TrainResult:
    if config.method == "map" and len(config.langs) > 1:
        raise DataError(f"the method map fits one language, got {len(config.langs)}: run it once for each")
    opened = [open_pairs(config.data, language, config.pivot, config.loop) for language in config.langs]
    held_pivot = [text for pairs in opened for text in pairs.held_out.targets]
    text = open_old_language(config.retention, config.pivot, held_pivot)
    encoder = run.load(config.model)
    precision = run.begin(encoder, [pairs.fingerprint for pairs in opened])
    student = Student(encoder, precision)
    reads = [_read(encoder, run, pairs, config) for pairs in opened]
    entering = [_entering(encoder, run, *pair, config) for pair in zip(opened, reads, strict=True)]
    old = Old(text, score_old_language(encoder, text))
    if config.method == "map":
        return _insert_map(config, run, student, entering[0], old)
    added = [add_words(student, e.pairs.training, config.extend_vocab, method=config.method) for e in entering]
    report = _train(config, run, student, entering, added)
    after = run.trained(student)
    kept = retention(old.text, old.before, score_old_language(after, text), config.retention, seed=run.seed)
    outcomes = tuple(_outcome(after, config, e, a) for e, a in zip(entering, added, strict=True))
    result = _result(config, run, (encoder, after), outcomes, kept)
    warnings = _warnings(config, outcomes, kept)
    speed = run.speed(report, precision, student)
    result = dataclasses.replace(result, speed=speed, warnings=warnings, course=report.course)
    run.keep(student, result)
    return result


def _read(encoder: Encoder, run: Run, pairs: TrainingPairs, config: FinetuneConfig) -> TokenizerReport:
    """Tell how the base reads a language, before anything takes long."""
    texts = pairs.training
    read = report_tokenizer(encoder.model.tokenizer, texts.sources[:READ_FOR_REPORT], texts.source)
    extends = config.extend_vocab > 0 and config.method != "map"
    run.tell(read.sentence, *(f"! {w}" for w in read.warnings if not extends))
    if extends:
        run.tell(f"at most {config.extend_vocab} words of {texts.source} get token ids of their own")
    return read


def _entering(
    encoder: Encoder, run: Run, pairs: TrainingPairs, read: TokenizerReport, config: FinetuneConfig
) -> Entering:
    held, training, watched = pairs.held_out, pairs.training, pairs.watched
    texts = [training.targets, held.targets, held.sources, watched.targets if config.loop.watches else []]
    vectors = run.encode(encoder, [text for part in texts for text in part])
    teacher, held_pivot, held_new, seen = np.split(vectors, np.cumsum([len(part) for part in texts[:-1]]))
    groups = pairs.held_out_groups
    before = language_metrics(
        held_new, held_pivot, groups, seed=run.seed, certify=pairs.names if config.certificate else None
    )
    to_watch = WatchedPairs(*pairs.names, watched.sources, watched.targets, pairs.watched_groups, seen)
    return Entering(training.source, pairs, teacher, held_pivot, before, read, to_watch)


def _train(
    config: FinetuneConfig, run: Run, student: Student, entering: Sequence[Entering], added: Sequence[AddedWords]
) -> LoopReport:
    if config.method == "embeddings" and not any(a.words for a in added):
        raise DataError("the bitext gives the new language no word of its own: --method embeddings can train nothing")
    rows = [LanguageRows.of(student, e.pairs.training, e.teacher) for e in entering]
    first = min(a.first_row for a in added)
    objective = InsertionObjective(student, rows, config, run.processes, first_row=first)
    watch = PairWatch.of(student.encoder, [e.to_watch for e in entering], config.loop)
    report = run.train(objective, [r.source for r in rows], watch)
    objective.finish()
    return report


def _outcome(after: Encoder, config: FinetuneConfig, entering: Entering, added: AddedWords) -> LanguageOutcome:
    pairs, seed = entering.pairs, config.loop.seed
    read = report_tokenizer(after.model.tokenizer, pairs.training.sources[:READ_FOR_REPORT], entering.language)
    new = after.encode(pairs.held_out.sources).pooled
    certify = pairs.names if config.certificate else None
    measured = language_metrics(new, entering.held_pivot, pairs.held_out_groups, seed=seed, certify=certify)
    return LanguageOutcome(
        language=entering.language,
        pairs=len(pairs.training),
        held_out=len(pairs.held_out),
        overlap_dropped=pairs.dropped,
        overlap_kept=pairs.overlapping,
        corpus_fingerprint=pairs.fingerprint,
        new_words=added.words,
        retired_words=added.retired,
        unknown_rate_before=entering.read.unknown_rate,
        unknown_rate_after=read.unknown_rate,
        fertility_before=entering.read.fertility,
        fertility_after=read.fertility,
        accent_collisions_before=entering.read.accent_collisions,
        accent_collisions_after=read.accent_collisions,
        before=entering.before,
        after=measured,
        held_out_fingerprint=pairs.held_out.fingerprint,
        held_out_groups=tuple(pairs.held_out_groups.tolist()),
    )


def _insert_map(config: FinetuneConfig, run: Run, student: Student, only: Entering, old: Old) -> TrainResult:
    """Fit the control: a rotation for queries of one new language; English goes on through the base."""
    base = student.encoder
    fitted = fit_rotation(run.encode(base, only.pairs.training.sources), only.teacher)
    kept = retention(old.text, old.before, old.before, config.retention, seed=run.seed)
    append_rotation(student, *fitted)
    after = run.trained(student)
    outcomes = (_outcome(after, config, only, AddedWords(0, 0, 0)),)
    note = f"this model is for queries in {only.language} only: embed {config.pivot} text with the base {config.model}"
    warnings = (note, *_warnings(config, outcomes, kept))
    result = dataclasses.replace(_result(config, run, (base, after), outcomes, kept), warnings=warnings)
    run.keep(student, result)
    return result


def _result(
    config: FinetuneConfig,
    run: Run,
    encoders: tuple[Encoder, Encoder],
    outcomes: tuple[LanguageOutcome, ...],
    kept: Retention,
) -> TrainResult:
    base, after = encoders
    return TrainResult(
        schema=SCHEMA,
        stage="finetune",
        method=config.method,
        model=config.model,
        base_fingerprint=after.base_fingerprint or base.fingerprint,
        fingerprint=after.fingerprint,
        run=str(run.folder.path),
        languages=outcomes,
        retention=kept,
        speed=run.speed(LoopReport(0, 0, 0.0, 0.0, ()), "float32"),
        scores={},
        warnings=(),
        next_command=f"polyglot probe linear-map {config.langs[0]} {config.pivot} --model {run.folder.model}",
        provenance=run.closed(base, corpus_name(config), prints_of(outcomes), config.langs),
    )


def _warnings(config: FinetuneConfig, outcomes: Sequence[LanguageOutcome], kept: Retention) -> tuple[str, ...]:
    found: list[str] = []
    for outcome in outcomes:
        found += reading_warnings(outcome.language, outcome.unknown_rate_after, outcome.fertility_after)
        if outcome.overlap_kept:
            found.append(
                f"{outcome.overlap_kept} training rows of {outcome.language} overlap with evaluation text and were kept"
            )
    if kept.broken:
        lost = (
            f"{config.pivot} lost more than {config.retention.max_english_loss:g} point in {' and '.join(kept.broken)}"
        )
        found.append(f"{lost}: the model is kept; a higher --anchor-weight or a lower --learning-rate loses less")
    for warning in found:
        log.warning("%s", warning)
    return tuple(found)
