"""Linear classifiers of the language of a sentence from its embedding, with controls of their accuracy.

Folds are given by the caller, so that a sentence and its translation share one. Accuracy alone says little: report it
with the accuracy on control labels (selectivity), the description length, and a baseline of plain features.
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
    """Whether a classifier fitted on the other folds predicts the class of each row correctly, (n,).

    Multinomial logistic regression on columns standardised by the training rows.

    Parameters
    ----------
    x : array (n, d)
        Rows: embeddings, or plain features for a baseline (token length, script).
    labels : int array (n,)
        0 … c − 1, every one in use.
    folds : int array (n,)
        The fold in which each row is held out; rows of one concept group share a fold.
    penalty : float
        Strength of the squared penalty, above 0: the inverse of scikit-learn's C.

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
    with threadpool_limits(1, user_api="blas"):  # steps are so small that several threads are slower
        return make_pipeline(StandardScaler(), LogisticRegression(C=1 / penalty, max_iter=1000)).fit(x, labels)


def control_labels(types: Labels, classes: int, rng: np.random.Generator) -> Integers:
    """Draw a random label for each type of text, so that equal texts get equal labels (Hewitt and Liang, 2019).

    Parameters
    ----------
    types : int array (n,)
        Number of the text of each row; equal texts share a number.
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
        """Share of rows whose language is predicted correctly."""
        return float(self.task_hits.mean())

    @property
    def control_accuracy(self) -> float:
        """Share of rows whose random label is predicted correctly: chance, unless the classifier memorises."""
        return float(self.control_hits.mean())

    @property
    def selectivity(self) -> float:
        """Accuracy less control accuracy."""
        return self.accuracy - self.control_accuracy


def selectivity(
    x: Rows, labels: Labels, types: Labels, folds: Labels, rng: np.random.Generator, *, penalty: float = 1.0
) -> Selectivity:
    """Classify true and control labels with the same folds.

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
    """Bits to transmit the labels given the rows, by online coding (Voita and Titov, 2020)."""

    bits: float
    uniform_bits: float  # n log₂ c: the cost without the rows
    portions: Integers  # (t,) rows transmitted before each step, and in all
    step_bits: Floats  # (t,) cost of the rows up to each portion

    @property
    def compression(self) -> float:
        """Uniform bits over bits: 1 where the rows hold no information on the labels, higher for easier labels."""
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

    Concept groups are transmitted in random order; rows of the first portion cost log₂ c each, those of every later one
    −log₂ of the probability of their label by a classifier fitted on all rows before.

    Parameters
    ----------
    x, labels, penalty
        As in `held_out_hits`.
    groups : int array (n,)
        Concept groups: none is divided, so that a translation is never coded with the help of its source.
    rng : Generator
        Orders the groups.
    portions : sequence of float
        Increasing shares of the groups, above 0, the last of them 1. Portions before all classes have occurred are
        merged into the first.

    Raises
    ------
    ConfigError
        If the portions do not increase to 1.
    DataError
        If labels or groups do not fit, or a class occurs only in the last portion.
    """
    classes = check_labels(x, labels)
    if groups.shape != labels.shape:
        raise DataError(f"expected a group for each of {len(x)} rows, got shape {groups.shape}")
    order, ends = _coding_order(groups, rng, portions)
    ends = _after_all_classes(labels[order], ends, classes)
    steps = [float(ends[0] * np.log2(classes))]
    for start, end in pairwise(ends.tolist()):
        known, sent = order[:start], order[start:end]
        probabilities = _fitted(x[known], labels[known], penalty).predict_proba(x[sent])
        own = probabilities[np.arange(len(sent)), labels[sent]]
        # With few rows a probability may underflow to 0; the floor avoids a cost of ∞ bits.
        steps.append(float(-np.log2(np.maximum(own, np.finfo(np.float64).tiny)).sum()))
    return DescriptionLength(sum(steps), float(len(x) * np.log2(classes)), ends, np.array(steps))


def _coding_order(groups: Labels, rng: np.random.Generator, portions: Sequence[float]) -> tuple[Integers, Integers]:
    """Rows ordered by shuffled groups, (n,), and the number of rows up to each portion of the groups, (t,)."""
    shares = np.asarray(portions, np.float64)
    if len(shares) < 2 or shares[0] <= 0 or shares[-1] != 1 or np.any(np.diff(shares) <= 0):
        raise ConfigError(f"expected increasing portions above 0 that end with 1, got {tuple(portions)}")
    index, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    shuffled = rng.permutation(len(sizes))
    rank = np.argsort(shuffled)
    order = np.argsort(rank[index], kind="stable")
    known = np.maximum(1, np.round(shares * len(sizes)).astype(np.int64))
    return order, np.unique(np.cumsum(sizes[shuffled])[known - 1])


def _after_all_classes(labels: Labels, ends: Integers, classes: int) -> Integers:
    """Return the ends of the portions from the first that includes every class."""
    complete = max(int(np.argmax(labels == label)) for label in range(classes)) + 1
    usable = ends[ends >= complete]
    if len(usable) < 2:
        raise DataError("a class occurs only in the last portion: give more rows of each language")
    return usable
