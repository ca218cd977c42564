"""`--method words`: a ridge from words to the vectors of the base, as static embeddings; nothing is trained.

The pivot goes on being embedded by the base, so nothing of it is lost: the new model is for queries in the new
languages, which are found in an index of the base.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...probe.results.training import TrainResult
from ..config import FinetuneConfig
from ..engine.history import TrainingReport
from ..engine.result import training_result
from ..engine.session import Run
from ..engine.student import Student
from ..evaluation.retention import RetentionBaseline, open_retention_text
from ..evaluation.splits import open_pairs
from ..insertion.words_model import ngram_model, portable_model
from .insertion_outcome import insertion_outcome, query_note, trained_outcome
from .new_language import NewLanguage, announce_tokenizer, measure_base, training_rows

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from ...models.encoder import Encoder


def insert_words(config: FinetuneConfig, run: Run) -> TrainResult:
    """Fit words of the languages of the settings, all in one model, and measure it as the other methods are."""
    datasets = [open_pairs(config.data, language, config.pivot, config.loop) for language in config.langs]
    held_out = [text for pairs in datasets for text in pairs.held_out.targets]
    text = open_retention_text(config.retention, config.pivot, held_out)
    encoder = run.load(config.model)
    run.start(encoder, [pairs.fingerprint for pairs in datasets])
    reports = [announce_tokenizer(encoder, run, pairs, config) for pairs in datasets]
    languages = [measure_base(encoder, run, *pair, config) for pair in zip(datasets, reports, strict=True)]
    retention = RetentionBaseline.measure(encoder, text).unchanged(config.retention, seed=run.seed)
    model, report = _fitted(config, languages)
    trained = _encoder(model, encoder, run)
    outcomes = tuple(trained_outcome(trained, config, new) for new in languages)
    outcome = insertion_outcome(config, run, outcomes, retention, query_note(config))
    result = training_result(run, Student(encoder, "float32"), trained, report, outcome)
    run.save(trained, result)
    return result


def _fitted(config: FinetuneConfig, languages: Sequence[NewLanguage]) -> tuple[SentenceTransformer, TrainingReport]:
    started, used = time.perf_counter(), time.process_time()
    texts, y, _ = training_rows(languages)
    fit = portable_model if config.portable else ngram_model
    model = fit(texts, y)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return model, TrainingReport(rows=len(texts), seconds=seconds, cpu_seconds=cpu)


def _encoder(model: SentenceTransformer, base: Encoder, run: Run) -> Encoder:
    from ...models.encoder import Encoder

    lineage = base.base_fingerprint or base.fingerprint
    return Encoder(model, name=str(run.folder.model), prompt="", base_fingerprint=lineage)
