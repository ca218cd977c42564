"""The text of a run: opened, cleared of evaluation text, split by concept groups."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .config import DataConfig

if TYPE_CHECKING:
    from ..data.bitext import Bitext, ParallelText

log = logging.getLogger(__name__)
LEAST_TRAINING = 20
LEAST_HELD_OUT = 10


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPairs:
    """Pairs (new language, pivot) to train on and to measure on; no concept group stands in both.

    Parameters
    ----------
    training, held_out : Bitext
    held_out_groups : (n,) int64
        Concept groups of the held-out rows.
    dropped : int
        Rows left out because they overlap with evaluation text.
    overlapping : int
        Rows that overlap but were kept because that was allowed.
    fingerprint : str
        Of the corpus as opened.
    """

    training: Bitext
    held_out: Bitext
    held_out_groups: NDArray[np.int64]
    dropped: int
    overlapping: int
    fingerprint: str


def open_pairs(config: DataConfig, language: str, pivot: str, seed: int) -> TrainingPairs:
    """Open the pairs of a language and the pivot and split them.

    Raises
    ------
    DataError
        If the corpus lacks a language, or too few pairs remain.
    """
    from ..data.groups import concept_groups
    from ..data.open import open_corpus

    least = LEAST_TRAINING + LEAST_HELD_OUT
    opened = open_corpus(config.corpus or None, (language, pivot), limit=config.limit, seed=seed, minimum=least)
    text, dropped, overlapping = _without_evaluation(opened, config)
    if len(text) < least:
        raise DataError(
            f"{text.name} has {len(text)} pairs after {dropped} overlapping rows were dropped: give more text"
        )
    bitext = _distinct(text.bitext(language, pivot))
    groups = concept_groups(bitext, seed=seed)
    held = _held_out_rows(groups, config, seed)
    training, held_rows = np.flatnonzero(~held), np.flatnonzero(held)
    if len(training) < LEAST_TRAINING or len(held_rows) < LEAST_HELD_OUT:
        raise DataError(
            f"{text.name} leaves {len(training)} pairs to train on and {len(held_rows)} held out: expected at least "
            f"{LEAST_TRAINING} and {LEAST_HELD_OUT}; give more text, or change the held-out share"
        )
    return TrainingPairs(
        bitext.take(training), bitext.take(held_rows), groups[held_rows], dropped, overlapping, opened.fingerprint
    )


def _without_evaluation(text: ParallelText, config: DataConfig) -> tuple[ParallelText, int, int]:
    """Return the text, the number of rows dropped, and the number of overlapping rows kept."""
    from ..data.open import open_corpus
    from ..data.overlap import check_overlap, drop_overlap

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


def _distinct(bitext: Bitext) -> Bitext:
    """Drop pairs that stand twice."""
    seen: dict[tuple[str, str], int] = {}
    for row, pair in enumerate(zip(bitext.sources, bitext.targets, strict=True)):
        seen.setdefault(pair, row)
    return bitext if len(seen) == len(bitext) else bitext.take(np.array(list(seen.values()), np.int64))


def _held_out_rows(groups: NDArray[np.int64], config: DataConfig, seed: int) -> NDArray[np.bool_]:
    """Hold out whole groups, drawn with the seed, up to the share and the number of rows asked for."""
    names, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    most = min(config.held_out * len(groups), config.held_out_rows)
    chosen = np.zeros(len(names), bool)
    rows = 0
    for group in np.random.default_rng([seed, 7]).permutation(len(names)):
        if rows + sizes[group] <= most:
            chosen[group] = True
            rows += sizes[group]
    return np.asarray(chosen[index])
