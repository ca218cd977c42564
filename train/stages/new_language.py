"""A language before it is inserted: its pairs, what the base makes of them, and how its tokenizer covers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats32, Labels
from ...probe.results.training import LanguageMetrics
from ..config import FinetuneConfig
from ..engine.session import Run
from ..evaluation.evaluators import EvaluationPairs
from ..evaluation.metrics import Certify, language_metrics
from ..evaluation.splits import TrainingPairs
from ..insertion.tokenizer_report import TokenizerReport, report_tokenizer

if TYPE_CHECKING:
    from ...models.encoder import Encoder


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


def training_rows(languages: Sequence[NewLanguage]) -> tuple[list[str], Floats32, Labels]:
    """Return the n training sentences of all languages, f0 of their pivot side (n, d), and their groups (n,).

    Translations of one sentence are a group.
    """
    texts = [text for new in languages for text in new.pairs.training.sources]
    sentences: dict[str, int] = {}
    rows = [sentences.setdefault(text, len(sentences)) for new in languages for text in new.pairs.training.targets]
    return texts, np.concatenate([new.teacher for new in languages]), np.array(rows, np.int64)


def announce_tokenizer(encoder: Encoder, run: Run, pairs: TrainingPairs, config: FinetuneConfig) -> TokenizerReport:
    """Announce how the tokenizer of the base covers a language, before anything takes long."""
    language = pairs.training.source
    report = report_tokenizer(encoder.model.tokenizer, pairs.training.sources, language)
    extends = config.extend_vocab > 0 and config.method not in ("map", "words")
    run.announce(report.sentence, *(f"! {warning}" for warning in report.warnings if not extends))
    if extends:
        run.announce(f"at most {config.extend_vocab} words of {language} get token ids of their own")
    return report


def measure_base(
    encoder: Encoder, run: Run, pairs: TrainingPairs, report: TokenizerReport, config: FinetuneConfig
) -> NewLanguage:
    """Embed the pairs of a language with the base, and measure it on the held-out ones."""
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
