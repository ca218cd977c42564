"""Scores of the first answers of a search as classifications of rows: accuracy and weighted F1 (method §8).

The Tatoeba benchmark takes the row number of the partner as the class of a query and the row number of the first answer
as the prediction; the candidates are all rows, equal texts included.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..resampling import Interval, Resamples, percentile_interval
from ..types import Labels


def weighted_f1(wanted: Labels, predicted: Labels, weights: NDArray[np.floating] | None = None) -> float:
    """Return Σ_c s_c F1_c / Σ_c s_c with s_c the number of rows that want class c, as `sklearn.metrics.f1_score` does.

    Parameters
    ----------
    wanted, predicted : array (n,) of int
        Classes, 0 or more.
    weights : array (n,), optional
        How often each row counts; once by default.

    Returns
    -------
    float
        0 … 1.
    """
    size = int(max(wanted.max(), predicted.max())) + 1
    support = np.bincount(wanted, weights, size)
    given = np.bincount(predicted, weights, size)
    hit = wanted == predicted
    right = np.bincount(wanted[hit], None if weights is None else weights[hit], size)
    total = support + given
    f1 = np.divide(2 * right, total, out=np.zeros(size), where=total > 0)
    return float(f1 @ support / support.sum())


def accuracy_interval(wanted: Labels, predicted: Labels, resamples: Resamples) -> Interval:
    """Return the share of right first answers with its cluster-bootstrap interval."""
    return percentile_interval(*resamples.mean((wanted == predicted).astype(np.float64)))


def f1_interval(wanted: Labels, predicted: Labels, resamples: Resamples) -> Interval:
    """Return the weighted F1 with its cluster-bootstrap interval; a row drawn twice counts twice, in the pool once."""
    drawn = [
        weighted_f1(wanted, predicted, weights[resamples.group_of_row].astype(np.float64))
        for weights in resamples.weights
    ]
    return percentile_interval(weighted_f1(wanted, predicted), np.array(drawn))
