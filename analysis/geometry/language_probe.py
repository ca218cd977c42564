"""How well the language of a sentence can be read off its embedding by a linear classifier, and what that is worth.

Folds are passed in, so that a sentence and its translation never fall on two sides. Accuracy alone says little: beside
it stand the accuracy on control labels (selectivity), the description length, and a baseline of plain features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ...errors import ConfigError, DataError
from ..types import Bools, Floats, Integers, Labels, Rows
from .erasure import check_labels

PORTIONS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)


def held_out_hits(x: Rows, labels: Labels, folds: Labels, *, penalty: float = 1.0) -> Bools:
    """Whether each row's class is told right by a classifier fitted on the other folds, (n,).

    Multinomial logistic regression on standardised columns, scaled on the training rows.

    Parameters
    ----------
    x : array (n, d)
        Rows: embeddings, or plain features for a baseline (token length, script).
    labels : int array (n,)
        0 … c − 1, every one in use.
    folds : int array (n,)
        The fold in which each row is held out; rows of one concept group share a fold.
    penalty : float
        Strength of the squared penalty, above 0; 1 is one unit for all training rows together.

    Raises
    ------
    ConfigError
        If the penalty is not positive.
    DataError
        If labels or folds do not fit, or a class is missing outside some fold.
    """
    classes = check_labels(x, labels)
    if folds.shape != labels.shape or len(np.unique(folds)) < 2:
        raise DataError(f"expected a fold for each of {len(x)} rows, at least two folds, got shape {folds.shape}")
    hits = np.empty(len(x), bool)
    for fold in np.unique(folds):
        held = folds == fold
        if len(np.unique(labels[~held])) < classes:
            raise DataError(f"outside fold {fold} a class is missing: give more rows of each language, or fewer folds")
        hits[held] = _fitted(x[~held], labels[~held], penalty).predict(x[held]) == labels[held]
    return hits


def _fitted(x: Rows, labels: Labels, penalty: float) -> Any:  # noqa: ANN401 - scikit-learn is not typed
    if not penalty > 0:
        raise ConfigError(f"expected a penalty above 0, got {penalty}")
    with threadpool_limits(1, user_api="blas"):  # a step is so small that threads wait longer than they work
        return make_pipeline(StandardScaler(), LogisticRegression(C=1 / penalty, max_iter=1000)).fit(x, labels)


def control_labels(types: Labels, classes: int, rng: np.random.Generator) -> Integers:
    """Draw a random label for each type of text, so that equal texts get equal labels (Hewitt and Liang, 2019).

    Parameters
    ----------
    types : int array (n,)
        Which text each row is; rows with equal text share a number.
    classes : int
        Number of labels, at least 2.
    rng : Generator
        Draws the labels, uniformly.

    Raises
    ------
    ConfigError
        If there are fewer than 2 classes.
    """
    if classes < 2:
        raise ConfigError(f"expected at least 2 classes, got {classes}")
    index = np.unique(types, return_inverse=True)[1]
    return rng.integers(classes, size=int(index.max()) + 1)[index].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Selectivity:
    """Held-out accuracy on the task and on its control (Hewitt and Liang, 2019)."""

    task_hits: Bools  # (n,)
    control_hits: Bools  # (n,)

    @property
    def accuracy(self) -> float:
        """Share of rows whose language is told right."""
        return float(self.task_hits.mean())

    @property
    def control_accuracy(self) -> float:
        """Share of rows whose random label is told right: chance, unless the classifier memorises."""
        return float(self.control_hits.mean())

    @property
    def selectivity(self) -> float:
        """Accuracy less control accuracy."""
        return self.accuracy - self.control_accuracy


def selectivity(
    x: Rows, labels: Labels, types: Labels, folds: Labels, rng: np.random.Generator, *, penalty: float = 1.0
) -> Selectivity:
    """Classify true and control labels by the same folds.

    Parameters
    ----------
    x, labels, folds, penalty
        As in `held_out_hits`.
    types : int array (n,)
        As in `control_labels`.
    rng : Generator
        Draws the control labels.

    Raises
    ------
    ConfigError, DataError
        As in `held_out_hits`.
    """
    controls = control_labels(types, check_labels(x, labels), rng)
    return Selectivity(
        held_out_hits(x, labels, folds, penalty=penalty), held_out_hits(x, controls, folds, penalty=penalty)
    )


@dataclass(frozen=True, slots=True, eq=False)
class DescriptionLength:
    """Bits to send the labels to someone who has the rows (Voita and Titov, 2020, online coding)."""

    bits: float
    uniform_bits: float  # n log₂ c: the cost without looking at the rows
    portions: Integers  # (t,) rows known before each step, and at the end
    step_bits: Floats  # (t,) cost of the rows up to each portion

    @property
    def compression(self) -> float:
        """Uniform bits over bits: 1 where the rows say nothing, higher the easier the labels are."""
        return self.uniform_bits / self.bits


def description_length(
    x: Rows,
    labels: Labels,
    groups: Labels,
    rng: np.random.Generator,
    *,
    portions: Sequence[float] = PORTIONS,
    penalty: float = 1.0,
) -> DescriptionLength:
    """Online description length of the labels given the rows.

    Concept groups are sent in random order; the rows of the first portion cost log₂ c each, those of each next portion
    −log₂ of the probability that a classifier fitted on all before gives to their label.

    Parameters
    ----------
    x, labels, penalty
        As in `held_out_hits`.
    groups : int array (n,)
        Concept groups: no group is cut, so that a translation is never coded by its source.
    rng : Generator
        Orders the groups.
    portions : sequence of float
        Rising shares of the groups, above 0, the last of them 1. Portions before which a class has not yet been seen
        are merged into the first.

    Raises
    ------
    ConfigError
        If the portions do not rise to 1.
    DataError
        If labels or groups do not fit, or a class is seen only in the last portion.
    """
    classes = check_labels(x, labels)
    if groups.shape != labels.shape:
        raise DataError(f"expected a group for each of {len(x)} rows, got shape {groups.shape}")
    order, ends = _coding_order(groups, rng, portions)
    ends = _after_all_classes(labels[order], ends, classes)
    steps = [float(ends[0] * np.log2(classes))]
    for start, end in pairwise(ends.tolist()):
        known, sent = order[:start], order[start:end]
        given = _fitted(x[known], labels[known], penalty).predict_proba(x[sent])[np.arange(len(sent)), labels[sent]]
        # A classifier of a few rows may be so sure that its probability underflows to 0: no label costs ∞ bits.
        steps.append(float(-np.log2(np.maximum(given, np.finfo(np.float64).tiny)).sum()))
    return DescriptionLength(sum(steps), float(len(x) * np.log2(classes)), ends, np.array(steps))


def _coding_order(groups: Labels, rng: np.random.Generator, portions: Sequence[float]) -> tuple[Integers, Integers]:
    """Rows ordered by shuffled groups, and how many rows each portion of the groups holds."""
    shares = np.asarray(portions, np.float64)
    if len(shares) < 2 or shares[0] <= 0 or shares[-1] != 1 or np.any(np.diff(shares) <= 0):
        raise ConfigError(f"expected rising portions above 0 that end with 1, got {tuple(portions)}")
    index, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    shuffled = rng.permutation(len(sizes))
    rank = np.argsort(shuffled)
    order = np.argsort(rank[index], kind="stable")
    known = np.maximum(1, np.round(shares * len(sizes)).astype(np.int64))
    return order, np.unique(np.cumsum(sizes[shuffled])[known - 1])


def _after_all_classes(labels: Labels, ends: Integers, classes: int) -> Integers:
    """Return the ends of the portions from the first that holds every class."""
    complete = max(int(np.argmax(labels == label)) for label in range(classes)) + 1
    usable = ends[ends >= complete]
    if len(usable) < 2:
        raise DataError("a class is first seen in the last portion: give more rows of each language")
    return usable
