"""The outcome of a run for one language, assembled in one place for all stages."""

from __future__ import annotations

from ...probe.results.training import LanguageMetrics, LanguageOutcome, WordsOutcome
from ..insertion.tokenizer_report import TokenizerReport
from ..insertion.vocabulary import AddedWords
from .splits import TrainingPairs


def language_outcome(
    pairs: TrainingPairs,
    metrics: tuple[LanguageMetrics, LanguageMetrics],
    reports: tuple[TokenizerReport, TokenizerReport],
    added: AddedWords | None = None,
    words: WordsOutcome | None = None,
) -> LanguageOutcome:
    """Assemble the outcome of a run for one language.

    Parameters
    ----------
    pairs : TrainingPairs
    metrics, reports : pairs
        Before and after training.
    added : AddedWords, optional
        The words that the language got.
    words : WordsOutcome, optional
        What words alone find.
    """
    before, after = reports
    return LanguageOutcome(
        language=pairs.training.source,
        pairs=len(pairs.training),
        held_out=len(pairs.held_out),
        overlap_dropped=pairs.dropped,
        overlap_kept=pairs.overlapping,
        corpus_fingerprint=pairs.fingerprint,
        new_words=0 if added is None else added.words,
        retired_words=0 if added is None else added.replaced,
        unknown_rate_before=before.unknown_rate,
        unknown_rate_after=after.unknown_rate,
        fertility_before=before.fertility,
        fertility_after=after.fertility,
        accent_collisions_before=before.accent_collisions,
        accent_collisions_after=after.accent_collisions,
        before=metrics[0],
        after=metrics[1],
        paired=pairs.paired,
        held_out_fingerprint=pairs.held_out.fingerprint,
        held_out_groups=tuple(pairs.held_out_groups.tolist()),
        words=words,
    )
