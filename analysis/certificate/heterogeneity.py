"""Where a map fails: drift of local maps, parts of the rows, and transfer from domain to domain (method §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maps.affine import AffineMap, choose_penalty, ridge_errors
from ..maps.fold_moments import FoldedSource, FoldedTarget
from ..maps.ridge import RELATIVE_PENALTIES, RidgeFactor, row_space
from ..resampling import permutation_p_value
from ..retrieval.scores import row_squares
from ..splits import group_folds
from ..types import Floats

REGIONS = 8
ROWS_A_REGION = 30
MINIMUM_REGIONS = 3
SMALLEST_EIGENVALUE = 1e-10
BOOTSTRAPS = 40
MAX_DOMAINS = 20
DOMAIN_ROWS = 40


@dataclass(frozen=True, slots=True, eq=False)
class LocalDrift:
    """Distances between regions, differences of their maps, and the test of their mean difference."""

    distances: Floats  # (pairs,) in units of the root mean square distance from the mean
    differences: Floats  # (pairs,) ‖Wi − Wj‖ in units of the norm of the global map
    statistic: float  # mean difference
    null: Floats  # (bootstraps,) the same under the global map


def local_drift(x: Floats, y: Floats, penalty: float, *, seed: int = 0) -> LocalDrift | None:
    """Compare linear maps fitted in regions of the source space with what one global map would give.

    A local map is the least-squares map of all rows plus a ridge regression, within the region, of what that map
    leaves. Local fits differ by sampling noise alone, and the null is a bootstrap of that noise: what is left is
    permuted within each region and the whole fit is made again. Whatever linear map is true, least squares takes it
    out exactly, of the observed targets as of the redrawn ones, so that neither its size nor the shrinkage of the
    local fits enters the test.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Source and target.
    penalty : float
        Relative penalty of the local fits: that of the global one.
    seed : int
        Seed of regions and bootstrap.

    Returns
    -------
    LocalDrift or None
        None where there are too few rows for three regions, or fewer than two for each dimension that x spans.
    """
    regions = _regions(x, min(REGIONS, len(x) // ROWS_A_REGION), seed)
    span = _orthonormal_span(x)
    freedom = len(x) - 1 - span.shape[1]
    if len(regions) < MINIMUM_REGIONS or freedom < len(x) // 2:
        return None
    centred = [x[rows] - x[rows].mean(axis=0) for rows in regions]
    factors = [RidgeFactor.of(c.T @ c) for c in centred]
    scale = _norm_of_global(x, y, penalty)

    def differences(left: Floats) -> Floats:
        local = zip(factors, centred, regions, strict=True)
        return _pairwise([f.weights(f.rotate(c.T @ left[rows]), penalty) for f, c, rows in local]) / scale

    rng = np.random.default_rng([seed, 9])
    left = _left_by_global(span, y)
    noise = left * np.sqrt((len(x) - 1) / freedom)  # least squares takes some of the noise with it
    redrawn = (_left_by_global(span, _permuted_within(noise, regions, rng)) for _ in range(BOOTSTRAPS))
    null = np.array([differences(r).mean() for r in redrawn])
    observed = differences(left)
    means = np.stack([x[rows].mean(axis=0) for rows in regions])
    spread = float(np.sqrt(row_squares(x - x.mean(axis=0)).mean())) or 1.0
    distances = np.array([np.linalg.norm(a - b) for a, b in _pairs(list(means))]) / spread
    return LocalDrift(distances, observed, float(observed.mean()), null)


def drift_p_value(drift: LocalDrift) -> float:
    """One-sided p-value of the mean difference against the bootstrap from the global map."""
    return permutation_p_value(drift.statistic, drift.null)


def _regions(x: Floats, k: int, seed: int) -> list[NDArray[np.intp]]:
    """Return the rows of each of up to k clusters of x that is large enough for a map."""
    from sklearn.cluster import MiniBatchKMeans

    k = min(k, len(np.unique(x[:500], axis=0)))
    if k < MINIMUM_REGIONS:
        return []
    labels = MiniBatchKMeans(k, n_init=1, batch_size=2048, random_state=seed).fit(x).labels_
    regions = [np.flatnonzero(labels == region) for region in range(k)]
    return [rows for rows in regions if len(rows) >= ROWS_A_REGION]


def _orthonormal_span(x: Floats) -> Floats:
    """Return an orthonormal basis, (n, r), of the columns of x about their means."""
    about = x - x.mean(axis=0)
    eigenvalues, vectors = np.linalg.eigh(about.T @ about)
    kept = eigenvalues > SMALLEST_EIGENVALUE * max(float(eigenvalues[-1]), 1e-300)
    span: Floats = about @ vectors[:, kept] / np.sqrt(eigenvalues[kept])
    return span


def _left_by_global(span: Floats, y: Floats) -> Floats:
    """Return what the least-squares map of all rows leaves of y, (n, q)."""
    about = y - y.mean(axis=0)
    left: Floats = about - span @ (span.T @ about)
    return left


def _norm_of_global(x: Floats, y: Floats, penalty: float) -> float:
    about = x - x.mean(axis=0)
    factor = RidgeFactor.of(about.T @ about)
    return float(np.linalg.norm(factor.weights(factor.rotate(about.T @ (y - y.mean(axis=0))), penalty))) or 1.0


def _permuted_within(rows: Floats, regions: list[NDArray[np.intp]], rng: np.random.Generator) -> Floats:
    permuted = rows.copy()
    for region in regions:
        permuted[region] = rows[rng.permutation(region)]
    return permuted


def _pairs(items: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
    return [(items[i], items[j]) for i in range(len(items)) for j in range(i)]


def _pairwise(maps: Sequence[Floats]) -> Floats:
    return np.array([np.linalg.norm(a - b) for a, b in _pairs(maps)])


def domain_transfer(
    x: Floats, y: Floats, domains: NDArray[np.str_], groups: NDArray[np.int64], *, seed: int = 0
) -> tuple[list[str], Floats]:
    """Fit ridge maps in each domain and score them in every other; within a domain by cross-validation by group.

    Rows of a concept group that the fitted domain holds too are not scored.

    Returns
    -------
    names : list of str
        Domains with at least 40 groups, the 20 largest, in alphabetical order.
    r2 : array (domains, domains)
        R² of the map fitted in the row's domain on the column's, about the column's own mean; NaN where fewer than 40
        rows can be scored. The fitted offset counts: a map that lands a domain beside itself loses by it.
    """
    labels, counts = _groups_a_domain(domains, groups)
    large = labels[counts >= DOMAIN_ROWS]
    sizes = counts[counts >= DOMAIN_ROWS]
    names = sorted(large[np.argsort(-sizes, kind="stable")][:MAX_DOMAINS].tolist())
    rows = {name: np.flatnonzero(domains == name) for name in names}
    r2 = np.full((len(names), len(names)), np.nan)
    for i, trained in enumerate(names):
        own = rows[trained]
        fitted, within = _domain_map(x[own], y[own], groups[own], np.random.default_rng([seed, 10, i]))
        for j, scored in enumerate(names):
            others = rows[scored][~np.isin(groups[rows[scored]], groups[own])]
            if i == j:
                r2[i, j] = within
            elif len(others) >= DOMAIN_ROWS:
                r2[i, j] = _r2(y[others], fitted(x[others]))
    return names, r2


def _groups_a_domain(domains: NDArray[np.str_], groups: NDArray[np.int64]) -> tuple[NDArray[np.str_], NDArray[np.intp]]:
    """Return the domains and the number of concept groups in each."""
    labels, place = np.unique(domains, return_inverse=True)
    pairs = np.unique(np.column_stack([place, groups]), axis=0)
    return labels, np.bincount(pairs[:, 0], minlength=len(labels))


def _domain_map(x: Floats, y: Floats, groups: NDArray[np.int64], rng: np.random.Generator) -> tuple[AffineMap, float]:
    """Return the map of a domain, and its cross-validated R² within it."""
    folds = group_folds(groups, 5, rng)
    coordinates, basis = row_space(x)
    source = FoldedSource.of(coordinates, folds)
    target = FoldedTarget.of(source, y)
    everything: frozenset[int] = frozenset()
    penalties = [choose_penalty(target, fold) for fold in range(5)]
    penalty = sorted(penalties)[2]
    factor = source.factor(everything)
    weights = factor.weights(target.rotated_cross(everything), penalty)
    error = 0.0
    for fold, chosen in enumerate(penalties):
        index = RELATIVE_PENALTIES.index(chosen)
        error += float(ridge_errors(target, frozenset({fold}), fold)[index])
    spread = sum(target.total(fold, target.mean(frozenset({fold}))) for fold in range(5))
    return AffineMap(basis @ weights, x.mean(axis=0), y.mean(axis=0)), 1 - error / spread


def _r2(y: Floats, prediction: Floats) -> float:
    return 1 - float(row_squares(y - prediction).sum() / row_squares(y - y.mean(axis=0)).sum())
