"""Grouped folds: all rows of a concept group share a fold, so that no translation is fitted and scored on."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from .types import Floats, Indices, Integers, Labels, Rows


def group_folds(groups: Labels, n_folds: int, rng: np.random.Generator) -> Integers:
    """Deal whole groups to folds of nearly equal size: shuffled, the largest groups first, each to the smallest fold.

    Parameters
    ----------
    groups : array (n,)
        Group number of each row.
    n_folds : int
        Number of folds, at least 2.
    rng : Generator
        Decides which groups meet in a fold.

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
    for group in groups:
        fold = int(np.argmin(filled))
        fold_of_group[group] = fold
        filled[fold] += 1


def permute_within_strata(groups: Labels, strata: Labels, rng: np.random.Generator) -> Indices:
    """Permute rows within strata so that no row keeps a partner of its own group.

    Each stratum is shuffled and turned by one place, which leaves no fixed point; the few rows whose new partner is of
    their own group are turned once more among all rows.

    Returns
    -------
    array (n,) of int
        ``partner[i]`` is the row whose y goes to row i.
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
    """Return the tenth of the sorted values into which each value falls, 0 … 9 (fewer where values repeat)."""
    edges = np.unique(np.quantile(values, np.linspace(0.1, 0.9, 9)))
    return np.searchsorted(edges, values, side="left").astype(np.int64)
