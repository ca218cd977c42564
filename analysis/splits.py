"""Grouped folds: all rows of a concept group share a fold, so that no translation is fitted and scored on."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from .types import Floats, Indices, Integers, Labels, Rows


def group_folds(groups: Labels, n_folds: int, rng: np.random.Generator) -> Integers:
    """Assign whole groups to folds of nearly equal size: in random order, the largest first, each to the smallest fold.

    Parameters
    ----------
    groups : array (n,)
        Group number of each row.
    n_folds : int
        Number of folds, at least 2.
    rng : Generator
        Assigns groups to folds.

    Returns
    -------
    array (n,) of int64
        Fold of each row, 0 … n_folds − 1.

    Raises
    ------
    DataError
        If there are fewer groups than folds.
    """
    names, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < n_folds:
        raise DataError(f"expected at least {n_folds} groups of rows for {n_folds} folds, got {len(names)}")
    shuffled = rng.permutation(len(names))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    fold_of_group = np.empty(len(names), np.int64)
    filled = np.zeros(n_folds)
    large = sizes[order] > 1
    for group in order[large]:
        fold = int(np.argmin(filled))
        fold_of_group[group] = fold
        filled[fold] += sizes[group]
    _deal_singles(order[~large], filled, fold_of_group)
    return fold_of_group[index]


def _deal_singles(groups: Integers, filled: Floats, fold_of_group: Integers) -> None:
    """Each to the smallest fold: one by one until the folds are level, in turn from then on."""
    dealt = 0
    while dealt < len(groups) and np.ptp(filled):
        fold = int(np.argmin(filled))
        fold_of_group[groups[dealt]] = fold
        filled[fold] += 1
        dealt += 1
    fold_of_group[groups[dealt:]] = np.arange(len(groups) - dealt) % len(filled)


def permute_within_strata(groups: Labels, strata: Labels, rng: np.random.Generator) -> Indices:
    """Permute rows within strata so that no row is paired with one of its own group.

    Each stratum is permuted by one random cycle, which has no fixed point; the few rows whose partner is of their own
    group then exchange it with a random row.

    Parameters
    ----------
    groups, strata : array (n,)
        Concept groups, and the strata of which partners are drawn.
    rng : Generator

    Returns
    -------
    array (n,) of int
        ``partner[i]`` is the row whose y is paired with row i.
    """
    partner = np.arange(len(groups))
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        partner[rows] = np.roll(rows, 1)
    for _ in range(10):
        same = np.flatnonzero(groups == groups[partner])
        if not len(same):
            break
        others = rng.integers(len(groups), size=len(same))
        for row, other in zip(same, others, strict=True):
            partner[row], partner[other] = partner[other], partner[row]
    return partner


def deciles(values: Rows) -> Integers:
    """Return the decile of each value, 0 … 9 (fewer where values repeat), values (n,)."""
    edges = np.unique(np.quantile(values, np.linspace(0.1, 0.9, 9)))
    return np.searchsorted(edges, values, side="left").astype(np.int64)
