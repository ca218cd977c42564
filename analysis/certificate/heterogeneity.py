"""Where one map does not fit all rows: differences between local maps, transfer between domains (method §6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maps.affine import AffineMap
from ..maps.fold_moments import ALL_ROWS, FoldedSource, FoldedTarget, narrowed
from ..maps.ridge import RidgeFactor, row_space
from ..maps.shrinkage import choose_shrinkage
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

    @property
    def p_value(self) -> float:
        """One-sided p-value of the mean difference against the bootstrap from the global map."""
        return permutation_p_value(self.statistic, self.null)


def local_drift(x: Floats, y: Floats, penalty: float, *, seed: int = 0) -> LocalDrift | None:
    """Compare linear maps fitted in regions of the source space with what one global map would give.

    A local map is the least-squares map of all rows plus a ridge regression, within the region, of its residuals. Local
    fits differ by sampling noise alone, and the null is a bootstrap of that noise: residuals are permuted within each
    region and the whole fit is made again. Whatever linear map is true, least squares takes it out exactly, of the
    observed targets as of the redrawn ones, so that neither its size nor the shrinkage of the local fits enters the
    test.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
        Source and target.
    penalty : float
        Penalty of the local fits in pairs: that of the global one, which is relative to the rows of each region.
    seed : int
        Seed of regions and bootstrap.

    Returns
    -------
    LocalDrift or None
        None where there are too few rows for three regions, or fewer than two for each dimension that x spans.
    """
    regions = _regions(x, min(REGIONS, len(x) // ROWS_A_REGION), seed)
    about = x - x.mean(axis=0)
    basis = _column_basis(about)
    freedom = len(x) - 1 - basis.shape[1]
    if len(regions) < MINIMUM_REGIONS or freedom < len(x) // 2:
        return None
    relative = penalty / len(x)
    centred = [x[rows] - x[rows].mean(axis=0) for rows in regions]
    factors = [RidgeFactor.of(c.T @ c) for c in centred]
    overall = RidgeFactor.of(about.T @ about)
    global_map = overall.weights(overall.rotate(about.T @ (y - y.mean(axis=0))), relative)
    scale = float(np.linalg.norm(global_map)) or 1.0
    pairs = list(zip(*np.tril_indices(len(regions), -1), strict=True))
    # Of the bootstrap 1e-6 is enough: everything in it is float32, also for the observed statistic beside it.
    basis, turned, vectors, inverses = narrowed(
        (
            basis,
            tuple(f.rotate(c.T) for f, c in zip(factors, centred, strict=True)),
            tuple(f.vectors for f in factors),
            tuple(f.inverse(relative)[:, None] for f in factors),
        )
    )

    def differences(residuals: Floats) -> Floats:
        local = zip(vectors, inverses, turned, regions, strict=True)
        maps = [own @ (inverse * (rotated @ residuals[rows])) for own, inverse, rotated, rows in local]
        return np.array([np.linalg.norm(maps[i] - maps[j]) for i, j in pairs], np.float64) / scale

    rng = np.random.default_rng([seed, 9])
    residuals = _residuals(basis, narrowed(y - y.mean(axis=0)))
    noise = residuals * np.float32(np.sqrt((len(x) - 1) / freedom))  # least squares takes some of the noise with it
    null = np.empty(BOOTSTRAPS)
    for turn in range(BOOTSTRAPS):
        redrawn = noise.copy()
        for rows in regions:
            redrawn[rows] = noise[rng.permutation(rows)]
        null[turn] = differences(_residuals(basis, redrawn)).mean()
    observed = differences(residuals)
    means = [x[rows].mean(axis=0) for rows in regions]
    spread = float(np.sqrt(row_squares(about).mean())) or 1.0
    distances = np.array([np.linalg.norm(means[i] - means[j]) for i, j in pairs]) / spread
    return LocalDrift(distances, observed, float(observed.mean()), null)


def _regions(x: Floats, k: int, seed: int) -> list[NDArray[np.intp]]:
    """Return the rows of each of up to k clusters of x that is large enough for a map."""
    from sklearn.cluster import MiniBatchKMeans

    k = min(k, len(np.unique(x[:500], axis=0)))
    if k < MINIMUM_REGIONS:
        return []
    labels = MiniBatchKMeans(k, n_init=1, batch_size=2048, random_state=seed).fit(x).labels_
    regions = [np.flatnonzero(labels == region) for region in range(k)]
    return [rows for rows in regions if len(rows) >= ROWS_A_REGION]


def _column_basis(about: Floats) -> Floats:
    """Return an orthonormal basis, (n, r), of the columns of rows about their mean."""
    eigenvalues, vectors = np.linalg.eigh(about.T @ about)
    present = eigenvalues > SMALLEST_EIGENVALUE * max(float(eigenvalues[-1]), 1e-300)
    basis: Floats = about @ vectors[:, present] / np.sqrt(eigenvalues[present])
    return basis


def _residuals(basis: Floats, y: Floats) -> Floats:
    """Return the residuals of the least-squares map of all rows, (n, q)."""
    about = y - y.mean(axis=0)
    residuals: Floats = about - basis @ (basis.T @ about)
    return residuals


def domain_transfer(
    x: Floats,
    y: Floats,
    domains: NDArray[np.str_],
    groups: NDArray[np.int64],
    *,
    prior: Floats | None = None,
    seed: int = 0,
) -> tuple[list[str], Floats]:
    """Fit linear maps in each domain and score them in every other; within a domain by cross-validation by group.

    Rows of a concept group that the fitted domain holds too are not scored.

    Parameters
    ----------
    x, y : array (n, p), (n, q)
    domains, groups : array (n,)
    prior : array (p, q), optional
        What the maps are shrunk towards, as in `Regression`.
    seed : int

    Returns
    -------
    names : list of str
        Domains with at least 40 groups, the 20 largest, in alphabetical order.
    r2 : array (domains, domains)
        R² of the map fitted in the row's domain on the column's, about the column's own mean; NaN where fewer than 40
        rows can be scored. The fitted offset counts: a map that misplaces a whole domain loses by it.
    """
    labels, place = np.unique(domains, return_inverse=True)
    distinct = np.unique(np.column_stack([place, groups]), axis=0)
    sizes = np.bincount(distinct[:, 0], minlength=len(labels))
    large = np.flatnonzero(sizes >= DOMAIN_ROWS)
    names = sorted(labels[large[np.argsort(-sizes[large], kind="stable")]][:MAX_DOMAINS].tolist())
    rows = {name: np.flatnonzero(domains == name) for name in names}
    r2 = np.full((len(names), len(names)), np.nan)
    for i, trained in enumerate(names):
        own = rows[trained]
        fitted, within = domain_map(x[own], y[own], groups[own], np.random.default_rng([seed, 10, i]), prior)
        for j, scored in enumerate(names):
            others = rows[scored][~np.isin(groups[rows[scored]], groups[own])]
            if i == j:
                r2[i, j] = within
            elif len(others) >= DOMAIN_ROWS:
                error = row_squares(y[others] - fitted(x[others])).sum()
                r2[i, j] = 1 - float(error / row_squares(y[others] - y[others].mean(axis=0)).sum())
    return names, r2


def domain_map(
    x: Floats, y: Floats, groups: NDArray[np.int64], rng: np.random.Generator, prior: Floats | None = None
) -> tuple[AffineMap, float]:
    """Return the linear map of the rows of a domain, shrunk to the prior, and its cross-validated R² within it."""
    coordinates, basis = row_space(x)
    own_prior = None if prior is None else basis.T @ prior
    target = FoldedTarget.of(FoldedSource.of(coordinates, group_folds(groups, 5, rng)), y, own_prior)
    chosen = []
    for fold in range(5):
        inner = target.inner_splits(fold)
        chosen.append(choose_shrinkage(inner, np.inf))
    median = sorted(chosen, key=lambda shrinkage: shrinkage.penalty)[2]
    weights = target.regression(ALL_ROWS).linear(median).weights
    splits = [target.split(frozenset({fold}), fold) for fold in range(5)]
    fits = zip(splits, chosen, strict=True)
    error = sum(split.error(split.training.linear(shrinkage).weights) for split, shrinkage in fits)
    spread = sum(split.total for split in splits)
    return AffineMap(basis @ weights, x.mean(axis=0), y.mean(axis=0)), 1 - error / spread
