"""The text of a run: opened, without overlap with evaluation text, split by concept groups."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Integers
from ...errors import DataError
from ..config import DataConfig, LoopConfig, PairKind

if TYPE_CHECKING:
    from ...data.bitext import Bitext, ParallelText
    from ...data.questions import Questions

log = logging.getLogger(__name__)
LEAST_TRAINING = 20
LEAST_HELD_OUT = 10
TRAINING, HELD_OUT, VALIDATION = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPairs:
    """Pairs (new language, pivot) for training, validation and test; no concept group is in two of the parts.

    Parameters
    ----------
    training, held_out : Bitext
    held_out_groups : array (n,) of int64
        Concept groups of the held-out rows.
    validation : Bitext
        Rows evaluated during training: the held-out ones, or others if they decide which weights are kept.
    validation_groups : array (m,) of int64
        Their concept groups.
    dropped : int
        Rows left out because they overlap with evaluation text.
    overlapping : int
        Rows that overlap and were kept because that was allowed.
    fingerprint : str
        Of the corpus as opened.
    paired : str
        Kind of pairs: translations, references or questions.
    instruments : mapping of str to list of str
        The held-out rows in further languages of the corpus, by language; only of the built-in one.
    """

    training: Bitext
    held_out: Bitext
    held_out_groups: Integers
    validation: Bitext
    validation_groups: Integers
    dropped: int
    overlapping: int
    fingerprint: str
    paired: PairKind = "translations"
    instruments: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, str]:
        """Languages of both sides."""
        return self.training.source, self.training.target


def open_pairs(config: DataConfig, language: str, pivot: str, loop: LoopConfig) -> TrainingPairs:
    """Open the pairs of a language and the pivot and split them.

    Parameters
    ----------
    config : DataConfig
    language, pivot : str
    loop : LoopConfig
        Its seed draws the rows; with patience, validation rows are apart from the held-out ones.

    Raises
    ------
    DataError
        If the corpus lacks a language, or too few pairs remain.
    """
    text, overlap = _open_text(config, (language, pivot), loop.seed)
    pairs = _split(text.bitext(language, pivot), config, loop, overlap)
    return replace(pairs, instruments=_renderings(pairs.held_out, config, loop.seed))


def _renderings(held_out: Bitext, config: DataConfig, seed: int) -> dict[str, list[str]]:
    """Find the held-out pairs in the further languages of the corpus, which is opened again with these."""
    from ...data.builtin import default_instruments
    from ...data.open import open_corpus

    pair = (held_out.source, held_out.target)
    others = default_instruments(config.corpus, pair)
    if not others:
        return {}
    text = open_corpus(config.corpus or None, (*pair, *others), limit=config.limit, seed=seed, skip_bad=config.skip_bad)
    row_of = {sides: row for row, sides in enumerate(zip(*(text.column(code) for code in pair), strict=True))}
    rows = [row_of[sides] for sides in zip(held_out.sources, held_out.targets, strict=True)]
    columns = {code: text.column(code) for code in others}
    return {code: [column[row] for row in rows] for code, column in columns.items()}


def open_references(config: DataConfig, language: str, loop: LoopConfig) -> TrainingPairs:
    """Open the sentences of a language that have a second rendering, pair them with it, and split the pairs.

    Raises
    ------
    DataError
        If the corpus has none, or too few pairs remain.
    """
    from ...data.bitext import Bitext

    text, overlap = _open_text(config, (language,), loop.seed)
    renderings = text.references(language) or []
    rows = [row for row, rendering in enumerate(renderings) if rendering]
    if not rows:
        raise DataError(
            f"{text.name} has no second renderings in {language} to make pairs within one language: give a "
            f"corpus with a column {language}_reference, or --pairs questions, or a second --lang"
        )
    sentences = text.column(language)
    groups = None if text.groups is None else text.groups[rows]
    bitext = Bitext.of(
        text.name, (language, language), [sentences[i] for i in rows], [str(renderings[i]) for i in rows], groups=groups
    )
    return _split(bitext, config, loop, overlap, "references")


def open_question_pairs(questions: Questions, config: DataConfig, loop: LoopConfig) -> TrainingPairs:
    """Pair questions with the passages that answer them, and split them by passages.

    Raises
    ------
    DataError
        If too few pairs remain.
    """
    from ...data.bitext import Bitext

    answers = [questions.passages[i] for i in questions.relevant]
    languages = questions.query_language, questions.passage_language
    bitext = Bitext.of(questions.name, languages, questions.queries, answers, groups=questions.relevant)
    return _split(bitext, config, loop, Overlap(0, 0, questions.fingerprint), "questions")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Rows that overlap with evaluation text, dropped or kept, and the fingerprint of the text before dropping."""

    dropped: int
    overlapping: int
    fingerprint: str


def _open_text(config: DataConfig, languages: Sequence[str], seed: int) -> tuple[ParallelText, Overlap]:
    from ...data.open import open_corpus

    least = LEAST_TRAINING + LEAST_HELD_OUT
    opened = open_corpus(
        config.corpus or None,
        languages,
        columns=config.columns,
        limit=config.limit,
        seed=seed,
        skip_bad=config.skip_bad,
        minimum=least,
    )
    text, dropped, overlapping = _without_evaluation(opened, config)
    if len(text) < least:
        raise DataError(
            f"{text.name} has {len(text)} pairs after {dropped} overlapping rows were dropped: give more text"
        )
    return text, Overlap(dropped, overlapping, opened.fingerprint)


def _split(
    pairs: Bitext, config: DataConfig, loop: LoopConfig, overlap: Overlap, paired: PairKind = "translations"
) -> TrainingPairs:
    from ...data.groups import concept_groups

    bitext = _drop_duplicates(pairs)
    groups = concept_groups(bitext, seed=loop.seed)
    part = _assign_parts(groups, config, loop)
    training, held, validation = (np.flatnonzero(part == name) for name in (TRAINING, HELD_OUT, VALIDATION))
    if not loop.selects_best:
        validation = held
    if len(training) < LEAST_TRAINING or min(len(held), len(validation)) < LEAST_HELD_OUT:
        raise DataError(
            f"{pairs.name} leaves {len(training)} pairs to train on and {len(held)} held out: expected at least "
            f"{LEAST_TRAINING} and {LEAST_HELD_OUT}; give more text, or change the held-out share"
        )
    return TrainingPairs(
        bitext.take(training),
        bitext.take(held),
        groups[held],
        bitext.take(validation),
        groups[validation],
        overlap.dropped,
        overlap.overlapping,
        overlap.fingerprint,
        paired,
    )


def _without_evaluation(text: ParallelText, config: DataConfig) -> tuple[ParallelText, int, int]:
    """Return the text, the number of rows dropped, and the number of overlapping rows kept."""
    from ...data.leakage import check_overlap, drop_overlap
    from ...data.open import open_corpus

    dropped = overlapping = 0
    for name in config.evaluation:
        report = check_overlap(text, open_corpus([name], (), minimum=1))
        log.info("%s", report.sentence())
        if config.allow_overlap:
            overlapping += len(report.training_rows)
        else:
            dropped += len(report.training_rows)
            text = drop_overlap(text, report)
    return text, dropped, overlapping


def _drop_duplicates(bitext: Bitext) -> Bitext:
    """Keep the first of equal pairs."""
    seen: dict[tuple[str, str], int] = {}
    for row, pair in enumerate(zip(bitext.sources, bitext.targets, strict=True)):
        seen.setdefault(pair, row)
    return bitext if len(seen) == len(bitext) else bitext.take(np.array(list(seen.values()), np.int64))


def _assign_parts(groups: Integers, config: DataConfig, loop: LoopConfig) -> Integers:
    """Assign n rows to parts by whole groups drawn with the seed, up to the share and number to hold out, (n,).

    Validation rows, if they are apart, are the next groups of the same draw: the held-out ones are always the same.
    """
    names, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    most = min(config.held_out * len(groups), config.held_out_rows)
    part = np.full(len(names), TRAINING)
    rows = {HELD_OUT: 0, VALIDATION: 0}
    for group in np.random.default_rng([loop.seed, 7]).permutation(len(names)):
        for name in (HELD_OUT, VALIDATION) if loop.selects_best else (HELD_OUT,):
            if rows[name] + sizes[group] <= most:
                part[group] = name
                rows[name] += int(sizes[group])
                break
    return np.asarray(part[index])


def exclude_held_out(opened: list[TrainingPairs]) -> list[TrainingPairs]:
    """Drop training pairs with a text that is held out, or used for validation, in another kind of pairs.

    Raises
    ------
    DataError
        If too few pairs remain.
    """
    from ...data.groups import comparison_keys

    held_out = [text for p in opened for part in (p.held_out, p.validation) for text in (*part.sources, *part.targets)]
    keys = set(comparison_keys(held_out))
    return [replace(pairs, training=_without(pairs.training, keys)) for pairs in opened]


def _without(bitext: Bitext, keys: set[str]) -> Bitext:
    from ...data.groups import comparison_keys

    sides = zip(comparison_keys(bitext.sources), comparison_keys(bitext.targets), strict=True)
    rows = np.array([row for row, side in enumerate(sides) if not keys & set(side)], np.int64)
    if len(rows) < LEAST_TRAINING:
        raise DataError(f"{bitext.name} leaves {len(rows)} pairs to train on: expected at least {LEAST_TRAINING}")
    return bitext if len(rows) == len(bitext) else bitext.take(rows)
