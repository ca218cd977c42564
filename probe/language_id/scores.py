"""Language identity of one layer: read off by a classifier, coded online, removed, and what removal costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...analysis.geometry.erasure import Leace, MeanRemoval, Projection
from ...analysis.geometry.language_probe import PORTIONS, control_labels, description_length, held_out_hits
from ...analysis.resampling import Interval, jackknife_interval
from ...analysis.retrieval.scores import Pool, retrieve
from ...analysis.types import Floats, Integers
from ..experiment.design import Design
from ..results.language_id import AS_IT_IS, CONDITIONS, DIRECTIONS, MEANS, Condition, LayerLanguageId
from .config import LanguageIdConfig

LEAST_CODED = 16  # groups sent uncoded before the first classifier: fewer only make it sure of the wrong thing


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Rows of c languages under each other: row i of language l stands at l n + i."""

    rows: Floats  # (c n, d)
    labels: Integers  # (c n,)
    types: Integers  # (c n,) equal texts share a number
    design: Design  # of the n sentences
    pools: tuple[Pool, ...]  # distinct rows of each language

    @property
    def classes(self) -> int:
        """Number of languages."""
        return len(self.pools)

    @property
    def folds(self) -> Integers:
        """Fold of each of the c n rows: a sentence and its translations share one."""
        return np.tile(self.design.folds, self.classes)

    @property
    def groups(self) -> Integers:
        """Group of each of the c n rows."""
        return np.tile(self.design.groups, self.classes)

    def proportion(self, hits: NDArray[np.generic]) -> Interval:
        """Share of hits among all rows (c n,) with its interval."""
        return self.design.proportion(np.asarray(hits, np.float64).reshape(self.classes, -1).mean(axis=0))

    def mean(self, outcome: NDArray[np.generic]) -> Interval:
        """Mean of an outcome of all rows (c n,) with its cluster-bootstrap interval."""
        return self.design.mean(np.asarray(outcome, np.float64).reshape(self.classes, -1).mean(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class _Removed:
    """Rows after a removal: for each fold all rows by the map fitted outside it, and each row by its own fold's."""

    by_fold: tuple[Floats, ...]
    held_out: Floats  # (c n, d)


def layer_language_id(name: str, data: Labelled, languages: Sequence[str], config: LanguageIdConfig) -> LayerLanguageId:
    """Measure one layer as it is and after every removal.

    Control labels are read off the layer as it is: a few directions less change nothing about how much can be learnt
    by heart, and each condition would cost as many fits again.
    """
    controls = _control_hits(data, config)
    plain_hits = _retrieval_hits(data.rows, data)
    by_language: dict[str, Interval] = {}
    conditions = []
    for condition in CONDITIONS:
        removed = _removed(data, condition)
        told = _hits(data, removed, config)
        found = plain_hits if condition == AS_IT_IS else _retrieval_hits(removed.held_out, data)
        conditions.append(
            Condition(
                condition,
                accuracy=data.proportion(told).with_null(controls.mean(axis=1)),
                selectivity=data.mean(told - controls.mean(axis=0)),
                bits=coded_bits(removed.held_out, data.labels, data.groups, config),
                p_at_1=data.design.proportion(found),
                p_at_1_change=None if condition == AS_IT_IS else data.design.mean(found - plain_hits),
            )
        )
        if condition == AS_IT_IS:
            rows = told.reshape(data.classes, -1)
            by_language = {language: data.design.proportion(row) for language, row in zip(languages, rows, strict=True)}
    return LayerLanguageId(name, data.rows.shape[1], tuple(conditions), by_language)


def _removed(data: Labelled, condition: str) -> _Removed:
    if condition == AS_IT_IS:
        return _Removed(tuple(data.rows for _ in np.unique(data.folds)), data.rows)
    held_out = np.empty_like(data.rows)
    by_fold = []
    for fold in np.unique(data.folds):
        outside = data.folds != fold
        moved = _fitted_removal(data, condition, outside)
        by_fold.append(moved)
        held_out[~outside] = moved[~outside]
    return _Removed(tuple(by_fold), held_out)


def _fitted_removal(data: Labelled, condition: str, outside: NDArray[np.bool_]) -> Floats:
    """Fit a removal on some rows and apply it to all."""
    x, labels = data.rows[outside], data.labels[outside]
    if condition == MEANS:
        return MeanRemoval.fit(x, labels)(data.rows, data.labels)
    if condition == DIRECTIONS:
        return Projection.fit(x, labels)(data.rows)
    return Leace.fit(x, labels)(data.rows)


def _hits(data: Labelled, removed: _Removed, config: LanguageIdConfig) -> NDArray[np.bool_]:
    """Whether each row's language is told right, both classifier and removal fitted without its fold."""
    labels = data.labels
    if all(rows is data.rows for rows in removed.by_fold):
        return held_out_hits(_narrow(data.rows), labels, data.folds, penalty=config.penalty)
    hits = np.empty(len(labels), bool)
    for fold, rows in enumerate(removed.by_fold):
        held = data.folds == fold
        told = held_out_hits(_narrow(rows), labels, held.astype(np.int64), penalty=config.penalty)
        hits[held] = told[held]
    return hits


def _narrow(rows: Floats) -> NDArray[np.float32]:
    """Return rows in float32, in which a classifier is fitted twice as fast."""
    return rows.astype(np.float32)


def _control_hits(data: Labelled, config: LanguageIdConfig) -> Floats:
    """Hits on random labels, one row a draw, (draws, c n)."""
    rng = np.random.default_rng([config.seed, 31])
    rows = _narrow(data.rows)
    draws = (control_labels(data.types, data.classes, rng) for _ in range(config.controls))
    return np.array([held_out_hits(rows, labels, data.folds, penalty=config.penalty) for labels in draws], np.float64)


def coded_bits(rows: Floats, labels: Integers, groups: Integers, config: LanguageIdConfig) -> Interval:
    """Bits a text of the online code (Voita and Titov, 2020), mean and interval over random orders."""
    rng = np.random.default_rng([config.seed, 32])
    least = LEAST_CODED / len(np.unique(groups))
    portions = [portion for portion in PORTIONS if portion >= least] or [0.5, 1.0]
    orders = [
        description_length(_narrow(rows), labels, groups, rng, portions=portions, penalty=config.penalty).bits
        / len(rows)
        for _ in range(config.orders)
    ]
    mean = float(np.mean(orders))
    # For a mean, leaving one order out at a time gives the usual t interval.
    return jackknife_interval(mean, [(mean * len(orders) - bits) / (len(orders) - 1) for bits in orders])


def _retrieval_hits(rows: Floats, data: Labelled) -> Floats:
    """Share of a sentence's searches that find its translation first, over all ordered pairs of languages, (n,)."""
    sides = rows.reshape(data.classes, -1, rows.shape[1])
    outcomes = list(_pair_outcomes(sides, data))
    return np.asarray(np.mean(outcomes, axis=0), np.float64)


def _pair_outcomes(sides: Floats, data: Labelled) -> Iterator[NDArray[np.bool_]]:
    for a, b in combinations(range(data.classes), 2):
        for query, answer in ((a, b), (b, a)):
            ranks = retrieve(sides[query], sides[answer], data.design.groups, data.pools[answer])[0]
            yield ranks.cosine <= 1


def baseline_features(texts: Sequence[Sequence[str]], tokens: Sequence[Integers]) -> tuple[Floats, tuple[str, ...]]:
    """Token length, its logarithm, and the share of each script among the letters, (c n, features)."""
    flat = [text for column in texts for text in column]
    lengths = np.concatenate([np.asarray(column, np.float64) for column in tokens])
    counted = [_scripts(text) for text in flat]
    names = sorted({script for shares in counted for script in shares})
    shares = np.array([[found.get(name, 0.0) for name in names] for found in counted]).reshape(len(flat), -1)
    return np.column_stack([lengths, np.log1p(lengths), shares]), ("tokens", "log tokens", *names)


def _scripts(text: str) -> dict[str, float]:
    """Share of each script among the letters of a text, by the first word of the letters' Unicode names."""
    import unicodedata

    found: dict[str, float] = {}
    letters = [letter for letter in text if letter.isalpha()]
    for letter in letters:
        script = unicodedata.name(letter, "UNKNOWN").split()[0].lower()
        found[script] = found.get(script, 0.0) + 1 / len(letters)
    return found


def change_of(interval: Interval) -> str:
    """Print a change of P@1 in points."""
    return f"{100 * interval.value:+.1f} points [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]".replace(
        "-", "−"
    )
