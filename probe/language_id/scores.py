"""Language identity of one layer: classified, coded online, removed, and the cost of its removal in retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...analysis.geometry.erasure import Leace, MeanRemoval, Projection
from ...analysis.geometry.language_probe import PORTIONS, control_labels, description_length, held_out_hits
from ...analysis.resampling import Interval, jackknife_interval
from ...analysis.retrieval.scores import Pool, retrieve
from ...analysis.types import Bools, Floats, Integers, Values
from ..experiment.design import Design
from ..results.language_id import AS_IT_IS, CONDITIONS, DIRECTIONS, MEANS, Condition, LayerLanguageId
from .config import LanguageIdConfig

LEAST_CODED = 16  # groups sent uncoded before the first classifier: with fewer it is confidently wrong


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

    def proportion(self, hits: Values) -> Interval:
        """Share of hits among all rows (c n,) with its interval."""
        return self.design.proportion(np.asarray(hits, np.float64).reshape(self.classes, -1).mean(axis=0))

    def mean(self, outcome: Values) -> Interval:
        """Mean of an outcome of all rows (c n,) with its cluster-bootstrap interval."""
        return self.design.mean(np.asarray(outcome, np.float64).reshape(self.classes, -1).mean(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """Rows after a removal: for each fold all rows by the map fitted outside it, and each row by its own fold's."""

    by_fold: tuple[Floats, ...]
    held_out: Floats  # (c n, d)


def layer_language_id(name: str, data: Labelled, languages: Sequence[str], config: LanguageIdConfig) -> LayerLanguageId:
    """Measure one layer as it is and after every removal.

    Control labels are classified on the layer as it is only: removing a few directions does not change how much can be
    memorised, and each condition would cost as many fits again.
    """
    rng = np.random.default_rng([config.seed, 31])
    rows = data.rows.astype(np.float32)  # in which a classifier is fitted twice as fast
    draws = [control_labels(data.types, data.classes, rng) for _ in range(config.controls)]
    controls = np.array([held_out_hits(rows, labels, data.folds, penalty=config.penalty) for labels in draws], float)
    plain_hits = retrieval_hits(data.rows, data)
    by_language: dict[str, Interval] = {}
    conditions = []
    for condition in CONDITIONS:
        removal = remove_language(data, condition)
        hits = classifier_hits(data, removal, config)
        plain = condition == AS_IT_IS
        found = plain_hits if plain else retrieval_hits(removal.held_out, data)
        conditions.append(
            Condition(
                condition,
                accuracy=data.proportion(hits).with_null(controls.mean(axis=1)),
                selectivity=data.mean(hits - controls.mean(axis=0)),
                bits=coded_bits(removal.held_out, data.labels, data.groups, config),
                p_at_1=data.design.proportion(found),
                p_at_1_change=None if plain else data.design.mean(found - plain_hits),
            )
        )
        if plain:
            of_languages = zip(languages, hits.reshape(data.classes, -1), strict=True)
            by_language = {language: data.design.proportion(row) for language, row in of_languages}
    return LayerLanguageId(name, data.rows.shape[1], tuple(conditions), by_language)


def remove_language(data: Labelled, condition: str) -> Removal:
    """Remove language identity by a map fitted outside each fold."""
    folds = np.unique(data.folds)
    if condition == AS_IT_IS:
        return Removal(tuple(data.rows for _ in folds), data.rows)
    held_out = np.empty_like(data.rows)
    by_fold = []
    for fold in folds:
        outside = data.folds != fold
        x, labels = data.rows[outside], data.labels[outside]
        if condition == MEANS:
            removed = MeanRemoval.fit(x, labels)(data.rows, data.labels)
        else:
            removed = (Projection if condition == DIRECTIONS else Leace).fit(x, labels)(data.rows)
        by_fold.append(removed)
        held_out[~outside] = removed[~outside]
    return Removal(tuple(by_fold), held_out)


def classifier_hits(data: Labelled, removal: Removal, config: LanguageIdConfig) -> Bools:
    """Return whether each row's language is classified right, classifier and removal fitted without its fold."""
    if all(rows is data.rows for rows in removal.by_fold):
        return held_out_hits(data.rows.astype(np.float32), data.labels, data.folds, penalty=config.penalty)
    hits = np.empty(len(data.labels), bool)
    for fold, rows in enumerate(removal.by_fold):
        held = data.folds == fold
        narrow = rows.astype(np.float32)
        hits[held] = held_out_hits(narrow, data.labels, held.astype(np.int64), penalty=config.penalty)[held]
    return hits


def coded_bits(rows: Floats, labels: Integers, groups: Integers, config: LanguageIdConfig) -> Interval:
    """Bits a text of the online code (Voita and Titov, 2020), mean and interval over random orders."""
    rng = np.random.default_rng([config.seed, 32])
    least = LEAST_CODED / len(np.unique(groups))
    portions = [portion for portion in PORTIONS if portion >= least] or [0.5, 1.0]
    orders = [
        description_length(rows.astype(np.float32), labels, groups, rng, portions=portions, penalty=config.penalty).bits
        / len(rows)
        for _ in range(config.orders)
    ]
    mean = float(np.mean(orders))
    # For a mean, leaving one order out at a time gives the usual t interval.
    return jackknife_interval(mean, [(mean * len(orders) - bits) / (len(orders) - 1) for bits in orders])


def retrieval_hits(rows: Floats, data: Labelled) -> Floats:
    """Return the share of a sentence's searches that find its translation first, over all ordered pairs, (n,)."""
    sides = rows.reshape(data.classes, -1, rows.shape[1])
    hits = []
    for a, b in combinations(range(data.classes), 2):
        for query, answer in ((a, b), (b, a)):
            hits.append(retrieve(sides[query], sides[answer], data.design.groups, data.pools[answer])[0].cosine <= 1)
    return np.asarray(np.mean(hits, axis=0), np.float64)
