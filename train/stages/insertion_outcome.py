"""What a run that inserts languages says of each of them, and what it warns of."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...probe.results.training import LanguageOutcome, Retention
from ..config import FinetuneConfig
from ..engine.result import StageOutcome, TrainingText
from ..engine.session import Run
from ..evaluation.metrics import Certify, language_metrics
from ..evaluation.outcome import language_outcome
from ..evaluation.words_control import words_outcome, words_warnings
from ..insertion.tokenizer_report import SAMPLE, TokenizerReport, coverage_warnings, report_tokenizer, static_report
from ..insertion.vocabulary import AddedWords
from ..model_card import WITH_WORDS
from .new_language import NewLanguage

if TYPE_CHECKING:
    from ...models.encoder import Encoder

log = logging.getLogger(__name__)


def query_note(config: FinetuneConfig) -> str:
    """Say how a model that only reads the new languages is used beside its base."""
    languages = ", ".join(config.langs)
    return f"this model is for queries in {languages} only: embed {config.pivot} text with the base {config.model}"


def trained_outcome(
    trained: Encoder, config: FinetuneConfig, new: NewLanguage, added: AddedWords | None = None
) -> LanguageOutcome:
    """Measure a trained model on the held-out rows of a language, beside the base and beside words alone."""
    pairs = new.pairs
    report = _coverage(trained, pairs.training.sources, pairs.training.source)
    vectors = trained.encode(pairs.held_out.sources).pooled
    certify = Certify(pairs.names, new.instruments, report.unknown_rate) if config.certificate else None
    after = language_metrics(vectors, new.held_out_pivot, pairs.held_out_groups, seed=config.loop.seed, certify=certify)
    pivot = new.teacher, new.held_out_pivot
    words = None if config.method == "words" else words_outcome(pairs, pivot, after, config.loop.seed)
    return language_outcome(pairs, (new.before, after), (new.report, report), added, words)


def _coverage(trained: Encoder, texts: Sequence[str], language: str) -> TokenizerReport:
    if trained.layers:
        return report_tokenizer(trained.model.tokenizer, texts, language)
    sample = texts[:SAMPLE]
    return static_report(trained.encode(sample).tokens, sample, language)


def insertion_outcome(
    config: FinetuneConfig, run: Run, outcomes: tuple[LanguageOutcome, ...], retention: Retention, *notes: str
) -> StageOutcome:
    """Put together what a run that inserts languages adds to its result, with its warnings."""
    beside = f" --target-model {config.model}" if config.method in ("map", "words") else ""
    return StageOutcome(
        method=f"{config.method} {WITH_WORDS}" if config.with_words else config.method,
        model=config.model,
        text=TrainingText(config.data.corpus_name, [o.corpus_fingerprint for o in outcomes], config.langs),
        languages=outcomes,
        retention=retention,
        warnings=(*notes, *_warnings(config, outcomes, retention)),
        next_command=f"polyglot probe linear-map {config.langs[0]} {config.pivot} --model {run.folder.model}{beside}",
        shares_space_with_base=True,
    )


def _warnings(config: FinetuneConfig, outcomes: Sequence[LanguageOutcome], retention: Retention) -> tuple[str, ...]:
    warnings: list[str] = []
    for outcome in outcomes:
        if config.method != "words":  # its n-grams are no tokens
            warnings += coverage_warnings(outcome.language, outcome.unknown_rate_after, outcome.fertility_after)
        if outcome.overlap_kept:
            warnings.append(
                f"{outcome.overlap_kept} training rows of {outcome.language} overlap with evaluation text and were kept"
            )
    warnings += words_warnings(config.method, outcomes)
    if retention.broken:
        scores = " and ".join(retention.broken)
        warnings.append(
            f"{config.pivot} lost more than {retention.max_loss:g} point in {scores}: the model is saved; "
            "a higher --anchor-weight or a lower --learning-rate loses less"
        )
    for warning in warnings:
        log.warning("%s", warning)
    return tuple(warnings)
