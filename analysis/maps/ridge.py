"""Ridge regression, factorised once: every λ and every target after that costs a few matrix products.

Minimises ‖Y − XW‖² + λ‖W‖² (Hoerl and Kennard, 1970) through the eigenvectors of XᵀX. Validation errors of a whole
λ path come from moments of the validation rows, without predicting a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..types import Floats

#: Penalties relative to the mean eigenvalue of XᵀX, tr(XᵀX)/p; the last stands for "no map at all".
RELATIVE_PENALTIES: tuple[float, ...] = (
    *(float(v) for v in np.geomspace(1e-6, 1e3, 19)),
    1e9,
)
LEAST_PENALTY = 1e-9  # below it a scatter may be singular in floating point
ROUNDING = 1e-5  # below it, against the greatest eigenvalue, a negative one is float32's rounding
NEGLIGIBLE, SMALLEST = 1e-12, 1e-300  # against the greatest eigenvalue, against zero


@dataclass(frozen=True, slots=True, eq=False)
class RidgeFactor:
    """Eigendecomposition of a scatter matrix XᵀX (p, p); directions that no row has may be left out."""

    eigenvalues: Floats  # (r,) ascending, not negative
    vectors: Floats  # (p, r) columns
    unit: float  # mean of all p eigenvalues, in which relative penalties count; 1 for a scatter of zeros

    @classmethod
    def of(cls, sxx: Floats) -> RidgeFactor:
        """Factorise a scatter matrix, (p, p), symmetric.

        With an instrument it is indefinite by its noise: below twice the most negative eigenvalue nothing is known.
        """
        eigenvalues, vectors = np.linalg.eigh(sxx)
        least, greatest = float(eigenvalues[0]), float(eigenvalues[-1])
        eigenvalues = np.maximum(eigenvalues, -2 * least if -least > ROUNDING * greatest else 0.0)
        return cls(eigenvalues, vectors, float(eigenvalues.mean()) or 1.0)

    @classmethod
    def of_rows(cls, x: Floats) -> RidgeFactor:
        """Factorise xᵀx for rows x (n, p); with fewer rows than columns through x xᵀ, whose directions suffice."""
        rows, width = x.shape
        if rows >= width:
            return cls.of(x.T @ x)
        eigenvalues, left = np.linalg.eigh(x @ x.T)
        held = eigenvalues > NEGLIGIBLE * max(float(eigenvalues[-1]) if rows else 0.0, SMALLEST)
        eigenvalues = eigenvalues[held]
        return cls(eigenvalues, x.T @ (left[:, held] / np.sqrt(eigenvalues)), float(eigenvalues.sum()) / width or 1.0)

    def rotate(self, sxy: Floats) -> Floats:
        """Express a cross-scatter (p, q) in eigenvector coordinates."""
        return self.vectors.T @ sxy

    def quadratic(self, sxx: Floats) -> Floats:
        """Express another scatter (p, p) in eigenvector coordinates."""
        return self.vectors.T @ sxx @ self.vectors

    def quadratic_of_rows(self, x: Floats) -> Floats:
        """Express the scatter xᵀx of other rows (n, p) in eigenvector coordinates."""
        turned = x @ self.vectors
        return turned.T @ turned

    def weights(self, rotated: Floats, penalty: float) -> Floats:
        """Return W (p, q) for a relative penalty ≥ 0, given the rotated cross-scatter; of least norm at 0."""
        return self.vectors @ (rotated * self.inverse(penalty)[:, None])

    def path_errors(
        self,
        rotated: Floats,
        rotated_validation: Floats,
        quadratic_validation: Floats,
        total_validation: float,
        *,
        gram: Floats | None = None,
        penalties: Sequence[float] = RELATIVE_PENALTIES,
    ) -> Floats:
        """Return Σ‖y − xW(λ)‖² over validation rows for every penalty.

        Parameters
        ----------
        rotated : array (p, q)
            Rotated cross-scatter of the training rows.
        rotated_validation : array (p, q)
            Rotated cross-scatter of the validation rows, about the training means.
        quadratic_validation : array (p, p)
            Scatter of the validation x in eigenvector coordinates, about the training mean.
        total_validation : float
            Σ‖y‖² of the validation rows, about the training mean.
        gram : array (p, p), optional
            rotated @ rotated.T, where it is at hand.
        penalties : sequence of float
            Relative penalties ≥ 0.

        Returns
        -------
        array (penalties,)
        """
        shrink = self.inverses(penalties)
        linear = np.einsum("ij,ij->i", rotated, rotated_validation)
        quadratic = (rotated @ rotated.T if gram is None else gram) * quadratic_validation
        errors: Floats = total_validation - 2 * shrink @ linear + np.einsum("ki,ki->k", shrink @ quadratic, shrink)
        return errors

    def inverse(self, penalty: float) -> Floats:
        """Return 1 / (eigenvalue + λ), (r,), for a relative penalty; see `inverses`."""
        inverse: Floats = self.inverses([penalty])[0]
        return inverse

    def inverses(self, penalties: Sequence[float] | Floats) -> Floats:
        """Return 1 / (eigenvalue + λ), (penalties, r), for relative penalties.

        Without a penalty it is 0 in directions that no row has: the least-norm solution.
        """
        relative = np.asarray(penalties, np.float64)[:, None]
        shrunk = self.eigenvalues + (relative * self.unit).astype(self.eigenvalues.dtype)
        if (none := relative[:, 0] < LEAST_PENALTY).any():
            shrunk[np.ix_(none, self.eigenvalues <= NEGLIGIBLE * self.eigenvalues[-1:])] = np.inf
        inverses: Floats = 1.0 / np.maximum(shrunk, np.finfo(self.eigenvalues.dtype).tiny)
        return inverses


def row_space(x: Floats) -> tuple[Floats, Floats]:
    """Express rows by an orthonormal basis of the space that they span, where that is narrower than they are wide.

    Ridge regression on the result gives the same predictions at the same penalty, at a cost that falls with the rows.

    Parameters
    ----------
    x : array (n, p)

    Returns
    -------
    coordinates : array (n, r), basis : array (p, r)
        With coordinates = x @ basis; x itself and the identity where n ≥ p.
    """
    rows, width = x.shape
    if rows >= width:
        return x, np.eye(width)
    basis = np.linalg.svd(x, full_matrices=False)[2].T
    return x @ basis, basis
