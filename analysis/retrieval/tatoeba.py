"""Accuracy and weighted F1 of the first answers of a search, as classification of rows (method §8).

The Tatoeba benchmark takes the row number of the partner as the class of a query and the row number of the first answer
as the prediction; the candidates are all rows, equal texts included.
"""

from __future__ import annotations

import numpy as np

from ..resampling import Interval, Resamples, percentile_interval
from ..types import Floats, Labels


def weighted_f1(wanted: Labels, predicted: Labels, weights: Floats | None = None) -> float:
    """Return Σ_c s_c F1_c / Σ_c s_c with s_c the rows of class c, as `sklearn.metrics.f1_score` does.

    Parameters
    ----------
    wanted, predicted : array (n,) of int
        Classes, 0 or more.
    weights : array (n,), optional
        Weight of each row; 1 by default.

    Returns
    -------
    float
        0 to 1.
    """
    size = int(max(wanted.max(), predicted.max())) + 1
    support = np.bincount(wanted, weights, size)
    guessed = np.bincount(predicted, weights, size)
    hit = wanted == predicted
    right = np.bincount(wanted[hit], None if weights is None else weights[hit], size)
    total = support + guessed
    f1 = np.divide(2 * right, total, out=np.zeros(size), where=total > 0)
    return float(f1 @ support / support.sum())


def accuracy_interval(wanted: Labels, predicted: Labels, resamples: Resamples) -> Interval:
    """Return the accuracy of the first answers, rows (n,), with its cluster-bootstrap interval."""
    return percentile_interval(*resamples.mean((wanted == predicted).astype(np.float64)))


def f1_interval(wanted: Labels, predicted: Labels, resamples: Resamples) -> Interval:
    """Return the weighted F1 with its cluster-bootstrap interval; resampling repeats queries, never candidates."""
    drawn = [
        weighted_f1(wanted, predicted, weights[resamples.group_of_row].astype(np.float64))
        for weights in resamples.weights
    ]
    return percentile_interval(weighted_f1(wanted, predicted), np.array(drawn))
