"""Ridge in its dual form for every penalty at once, and the penalty with the least error on inner folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from ..splits import group_folds
from ..types import Floats, Indices, Labels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PENALTIES: tuple[float, ...] = tuple(float(v) for v in np.geomspace(0.03, 10.0, 11))
CHOICE_ROWS = 3000  # the penalty of unit rows does not depend on their number, so a sample chooses it
INNER_FOLDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class KernelPath:
    """Dual ridge maps for every penalty, through one eigendecomposition of the kernel of the training rows."""

    features: csr_array  # (n, f) unit rows
    y: Floats  # (n, q)
    training: Indices
    mean: Floats  # (q,)
    eigenvalues: Floats  # (t,)
    vectors: Floats  # (t, t)
    turned: Floats  # (t, q) training targets along the eigenvectors

    @classmethod
    def of(cls, features: csr_array, y: Floats, training: Indices) -> Self:
        """Decompose the kernel of the training rows."""
        own = features[training]
        eigenvalues, vectors = np.linalg.eigh(products(own, own))
        mean = y[training].mean(axis=0)
        return cls(features, y, training, mean, eigenvalues, vectors, vectors.T @ (y[training] - mean))

    def errors(self, rows: Indices) -> Floats:
        """Return Σ‖y − ŷ‖² over some rows for every penalty, (penalties,)."""
        across = products(self.features[rows], self.features[self.training]) @ self.vectors
        centred = self.y[rows] - self.mean
        solve = 1 / (self.eigenvalues + np.asarray(PENALTIES)[:, None])
        linear = np.einsum("ij,ij->i", across.T @ centred, self.turned)
        quadratic = (across.T @ across) * (self.turned @ self.turned.T)
        errors: Floats = np.square(centred).sum() - 2 * solve @ linear + np.einsum("ki,ki->k", solve @ quadratic, solve)
        return errors


def penalty_by_folds(
    features_of: Callable[[Indices], csr_array], y: Floats, groups: Labels, rng: np.random.Generator
) -> float:
    """Choose λ out of `PENALTIES` by the error over inner folds.

    Parameters
    ----------
    features_of : callable
        Unit rows of all n texts, (n, f), as the given training rows weigh them.
    y : array (n, q)
    groups : array (n,)
        Kept whole by the folds; with fewer than folds, the largest penalty is taken.
    rng : Generator
        Deals groups to folds.
    """
    if len(np.unique(groups)) < INNER_FOLDS:
        return PENALTIES[-1]
    folds, errors = group_folds(groups, INNER_FOLDS, rng), np.zeros(len(PENALTIES))
    for fold in range(INNER_FOLDS):
        training = np.flatnonzero(folds != fold)
        errors += KernelPath.of(features_of(training), y, training).errors(np.flatnonzero(folds == fold))
    return PENALTIES[int(np.argmin(errors))]


def choice_rows(n: int, rng: np.random.Generator) -> Indices:
    """Draw the rows on which a penalty is chosen, at most `CHOICE_ROWS` of n, in order."""
    return np.sort(rng.permutation(n)[:CHOICE_ROWS])


def products(left: csr_array, right: csr_array) -> Floats:
    """Return the products of the rows of both, dense."""
    return np.asarray((left @ right.T).toarray(), np.float64)
