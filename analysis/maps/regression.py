"""Regression of y on x from sums over the training rows: one engine for every affine rung.

The ladder, the permutation null, the power statement and the learning curve hand it fold sums; the jackknife, the
estimators and streamed work hand it `Moments`. Each part of a solution is computed once, when it is first needed.

Every rung is shrunk towards a plainer one. The prior map P is the identity within one space, else the partial isometry
that turns the strongest components of x onto what they predict of y. A rotation is the polar factor of
Sxy + κ ‖Sxy‖ / (n √d) P, so that the prior weighs as κ pairs do; a linear map is ridge towards s·P or s·Q,
(Sxx + λI) W = Sxy + λ s P with λ = penalty · tr(Sxx) / (n p), so that it weighs as `penalty` pairs do. Counted in
pairs, what inner folds choose holds for a fit to more rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ..types import Floats
from .affine import AffineMap, PairSums, has_instrument
from .procrustes import best_scale, procrustes, similarity_scale
from .ridge import LEAST_PENALTY, RidgeFactor

Centre = Literal["zero", "prior", "rotation"]
ROWS_A_COMPONENT = 10  # of the prior across spaces
LARGEST_PENALTY = 1e12  # relative, as good as infinite


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """What a linear map is shrunk towards, and how much.

    Parameters
    ----------
    penalty : float
        Pairs that the prior weighs as, ≥ 0: 0 for least squares, infinite for the prior itself.
    scale : float
        s ≥ 0, the factor of the prior.
    towards : {"zero", "prior", "rotation"}
        Nothing (plain ridge regression), the prior map, or the rotation of the same regression.
    kappa : float
        κ of that rotation.
    """

    penalty: float
    scale: float = 0.0
    towards: Centre = "zero"
    kappa: float = 0.0


class Regression:
    """Least squares of y on x over some training rows, about their means.

    Parameters
    ----------
    rows : PairSums
        Sums over the training rows.
    prior : array (p, q), optional
        The prior map, with orthonormal rows or columns: the identity within one space. By default that of the
        strongest components of x.
    """

    def __init__(self, rows: PairSums, prior: Floats | None = None) -> None:
        self.rows = rows
        self._given_prior = prior
        self._linear: dict[Shrinkage, AffineMap] = {}
        self._rotations: dict[float, Floats] = {}
        self._scales: dict[float, float] = {}
        self._turned: dict[tuple[Centre, float], Floats] = {}

    @cached_property
    def mean_x(self) -> Floats:
        """Mean of x, (p,)."""
        return self.rows.mean_x

    @cached_property
    def mean_y(self) -> Floats:
        """Mean of y, (q,)."""
        return self.rows.mean_y

    @cached_property
    def sxx(self) -> Floats:
        """Scatter of x, (p, p)."""
        return self.rows.scatter_xx(self.mean_x)

    @cached_property
    def sxy(self) -> Floats:
        """Cross-scatter of x and y, (p, q)."""
        return self.rows.scatter_xy(self.mean_x, self.mean_y)

    @cached_property
    def rotation_sxy(self) -> Floats:
        """Cross-scatter whose polar factor is a rotation, (p, q): that of x itself where there is an instrument."""
        if has_instrument(self.rows):
            return self.rows.rotation_xy(self.mean_x, self.mean_y)
        return self.sxy

    @cached_property
    def factor(self) -> RidgeFactor:
        """Eigendecomposition of the scatter of x."""
        return RidgeFactor.of(self.sxx)

    @cached_property
    def rotated(self) -> Floats:
        """Cross-scatter in coordinates of the factor, (p, q)."""
        return self.factor.rotate(self.sxy)

    @cached_property
    def gram(self) -> Floats:
        """Gram matrix of the rows of the rotated cross-scatter, (p, p)."""
        return self.rotated @ self.rotated.T

    @cached_property
    def prior(self) -> Floats:
        """The prior map P, (p, q)."""
        if self._given_prior is not None:
            return self._given_prior
        if self.is_prior_rotation:
            return procrustes(self.rotation_sxy)[0]
        axes = self.factor.vectors[:, -self._rank :]
        return axes @ procrustes(axes.T @ self.rotation_sxy)[0]

    @property
    def _rank(self) -> int:
        """How many components of x the prior turns."""
        p, q = self.sxy.shape
        return max(1, min(int(p), int(q), int(self.rows.n) // ROWS_A_COMPONENT))

    @property
    def is_prior_rotation(self) -> bool:
        """Whether the prior turns every component of x: then it is the Procrustes rotation, and so is that of any κ."""
        return self._given_prior is None and self._rank == self.sxy.shape[0]

    @property
    def is_factored(self) -> bool:
        """Whether the factor is there already, or shared with other regressions."""
        return "factor" in vars(self)

    def quadratic(self, held_out: PairSums) -> Floats:
        """Quadratic part of held-out errors about the training mean, in coordinates of the factor, (p, p)."""
        return self.factor.quadratic(error_scatter(held_out, self.mean_x))

    def affine(self, weights: Floats) -> AffineMap:
        """Return weights (p, q) with the training means."""
        return AffineMap(weights, self.mean_x, self.mean_y)

    def rotation(self, kappa: float = 0.0) -> Floats:
        """Return the rotation whose prior weighs as κ ≥ 0 pairs, (p, q): Procrustes at 0, the prior at infinity."""
        if kappa not in self._rotations:
            plain = np.isinf(kappa) or self.is_prior_rotation
            self._rotations[kappa] = self.prior if plain else self._polar(kappa)
        return self._rotations[kappa]

    def _polar(self, kappa: float) -> Floats:
        cross = self.rotation_sxy
        if kappa == 0:
            return procrustes(cross)[0]
        unit = float(np.linalg.norm(cross)) / np.sqrt(min(cross.shape)) / self.rows.n
        return procrustes(cross + (kappa * unit) * self.prior)[0]

    def similarity_scale(self, kappa: float = 0.0) -> float:
        """Return the best scale s ≥ 0 of the rotation."""
        if kappa not in self._scales:
            rotation = self.rotation(kappa)
            if self.is_orthogonal(kappa):
                aligned = float(np.einsum("ij,ij->", rotation, self.sxy))
                self._scales[kappa] = best_scale(aligned, float(np.trace(self.sxx)))
            else:
                self._scales[kappa] = similarity_scale(self.sxx, self.sxy, rotation)
        return self._scales[kappa]

    def is_orthogonal(self, kappa: float) -> bool:
        """Whether the rotation of some κ is square and so leaves lengths as they are."""
        p, q = self.sxy.shape
        return p == q and (self._given_prior is not None or self.is_prior_rotation or bool(np.isfinite(kappa)))

    def turned_centre(self, towards: Centre, kappa: float) -> Floats:
        """Return the prior or the rotation in coordinates of the factor, (p, q)."""
        key = (towards, kappa if towards == "rotation" else 0.0)
        if key not in self._turned:
            centre = self.centre(towards, kappa)
            assert centre is not None
            plain = towards == "prior" and is_identity(centre)
            self._turned[key] = self.factor.vectors.T if plain else self.factor.rotate(centre)
        return self._turned[key]

    def centre(self, towards: Centre, kappa: float = 0.0) -> Floats | None:
        """Return what a linear map is shrunk towards, (p, q), before its scale; None for zero."""
        if towards == "zero":
            return None
        return self.prior if towards == "prior" else self.rotation(kappa)

    def linear(self, shrinkage: Shrinkage) -> AffineMap:
        """Return the linear map of some shrinkage; without a penalty the least-norm one of least squares."""
        if shrinkage not in self._linear:
            self._linear[shrinkage] = self.affine(self._weights(shrinkage))
        return self._linear[shrinkage]

    def _weights(self, shrinkage: Shrinkage) -> Floats:
        """Without a factor at hand it is one Cholesky solve, a tenth of the time of an eigendecomposition."""
        centre = self.centre(shrinkage.towards, shrinkage.kappa)
        if np.isinf(shrinkage.penalty):
            return np.zeros_like(self.sxy) if centre is None else shrinkage.scale * centre
        relative = shrinkage.penalty / self.rows.n
        if self.is_factored or relative < LEAST_PENALTY:
            right = self.rotated
            if centre is not None and relative > 0:
                pull = self.turned_centre(shrinkage.towards, shrinkage.kappa)
                right = right + (relative * self.factor.unit * shrinkage.scale) * pull
            return self.factor.weights(right, relative)
        width = len(self.sxx)
        strength = relative * (float(np.trace(self.sxx)) / width or 1.0)
        right = self.sxy if centre is None else self.sxy + (strength * shrinkage.scale) * centre
        from scipy.linalg import solve as solve_linear

        weights: Floats = solve_linear(self.sxx + strength * np.eye(width), right, assume_a="pos")
        return weights


def is_identity(matrix: Floats) -> bool:
    """Tell whether a matrix (p, q) is the identity."""
    p, q = matrix.shape
    return p == q and bool(np.array_equal(matrix, np.eye(p)))


def error_scatter(held_out: PairSums, about: Floats) -> Floats:
    """Return the quadratic part of the errors of linear maps on held-out rows, (p, p)."""
    return held_out.error_xx(about) if has_instrument(held_out) else held_out.scatter_xx(about)


class Split:
    """A regression, and sums over rows that it has not seen.

    Parameters
    ----------
    training : Regression
    held_out : PairSums
    """

    def __init__(self, training: Regression, held_out: PairSums) -> None:
        self.training = training
        self.held_out = held_out

    @cached_property
    def sxx(self) -> Floats:
        """Quadratic part of held-out errors about the training mean, (p, p)."""
        return error_scatter(self.held_out, self.training.mean_x)

    @cached_property
    def sxy(self) -> Floats:
        """Held-out cross-scatter about the training means, (p, q)."""
        return self.held_out.scatter_xy(self.training.mean_x, self.training.mean_y)

    @cached_property
    def total(self) -> float:
        """Σ‖y‖² of the held-out rows about the training mean."""
        return self.held_out.total_y(self.training.mean_y)

    @cached_property
    def _turned(self) -> tuple[Floats, Floats]:
        """Held-out cross-scatter and quadratic in coordinates of the training factor."""
        return self.training.factor.rotate(self.sxy), self.training.quadratic(self.held_out)

    def rotation_error(self, kappa: float, scale: float = 1.0) -> float:
        """Return Σ‖y − ŷ‖² over the held-out rows for a scaled rotation; a square one leaves lengths as they are."""
        rotation = self.training.rotation(kappa)
        if not self.training.is_orthogonal(kappa):
            return self.error(scale * rotation)
        aligned = float(np.einsum("ij,ij->", rotation, self.sxy))
        return self.total - 2 * scale * aligned + scale**2 * float(np.trace(self.sxx))

    def error(self, weights: Floats) -> float:
        """Return Σ‖y − ŷ‖² over the held-out rows for weights (p, q)."""
        linear = float(np.einsum("ij,ij->", weights, self.sxy))
        return self.total - 2 * linear + float(np.einsum("ij,ij->", weights, self.sxx @ weights))

    def ridge_errors(self, penalties: Sequence[float]) -> Floats:
        """Return Σ‖y − ŷ‖² over the held-out rows for every penalty of ridge towards zero, (penalties,)."""
        return self.errors_in_scale(penalties, "zero")[0]

    def errors_in_scale(
        self, penalties: Sequence[float], towards: Centre, kappa: float = 0.0
    ) -> tuple[Floats, Floats, Floats]:
        """Return held-out errors as quadratics in the scale s of the prior: a − 2 b s + c s² for every penalty.

        Parameters
        ----------
        penalties : sequence of float
            In pairs, ≥ 0.
        towards : {"zero", "prior", "rotation"}
        kappa : float
            κ of the rotation.

        Returns
        -------
        a, b, c : array (penalties,)
        """
        training, factor = self.training, self.training.factor
        relative = np.minimum(np.asarray(penalties, np.float64) / training.rows.n, LARGEST_PENALTY)
        shrink = factor.inverses(relative)
        cross, held = self._turned
        plain = self.total - 2 * shrink @ row_products(training.rotated, cross)
        plain = plain + quadratic_forms(shrink, training.gram * held, shrink)
        if towards == "zero":
            return plain, np.zeros_like(plain), np.zeros_like(plain)
        pull = training.turned_centre(towards, kappa)
        keep = (relative * factor.unit)[:, None].astype(shrink.dtype) * shrink
        slope = keep @ row_products(pull, cross) - quadratic_forms(shrink, (training.rotated @ pull.T) * held, keep)
        if training.is_orthogonal(kappa if towards == "rotation" else np.inf):  # its rows are orthonormal
            return plain, slope, keep**2 @ np.diagonal(held)
        return plain, slope, quadratic_forms(keep, (pull @ pull.T) * held, keep)


def row_products(a: Floats, b: Floats) -> Floats:
    """Return the inner product of each row of a with the same row of b, (n,)."""
    products: Floats = np.einsum("ij,ij->i", a, b)
    return products


def quadratic_forms(left: Floats, matrix: Floats, right: Floats) -> Floats:
    """Return left_k · matrix · right_k for every row k, (k,)."""
    return row_products(left @ matrix, right)
