"""Structural maps: rungs between what lies under the noise of two sides, fitted through instruments (method §3).

x̂, the prediction of x from instruments, stands in for one of the two x in the normal equations, so that noise of x
cancels. Every rung is shrunk towards the plainer one. Penalties are absolute, so the same one serves an inner fit and
the final fit of more rows: a prior is worth a fixed number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..types import Floats, Indices, Integers
from .affine import AffineMap
from .fold_moments import fold_scatters
from .instruments import rows_of_folds

Folds = frozenset[int]
KAPPAS: tuple[float, ...] = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FEW_KAPPAS: tuple[float, ...] = (0.0, 0.1, 1.0)
LOG_PENALTIES: Floats = np.linspace(-5.0, 4.0, 91)  # a tenth of a decade
CONDITION, LEAST_CONDITION = 1e-8, 1e-13  # of squared singular values, for the polar factor
LARGEST_SCALE = 2.0  # of the prior, in scales of the similarity rung


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """Second moments about training means, to which a map is fitted."""

    n: int
    mean_x: Floats  # (p,)
    mean_y: Floats  # (q,)
    xx: Floats  # (p, p) Σ x̂xᵀ, symmetrised
    xy: Floats  # (p, q) Σ x̂yᵀ
    rigid: Floats  # (p, q) Σ xyᵀ, for rotations: noise leaves its polar factor unbiased, and x̂ would drown weak axes
    yy: float  # Σ‖y‖²

    @property
    def unit(self) -> float:
        """Mean eigenvalue of the source scatter: the unit of penalties."""
        return float(np.trace(self.xx)) / len(self.xx) or 1.0

    def loss(self, weights: Floats) -> float:
        """Return Σ‖y − xW‖² for weights W (p, q)."""
        quadratic = float(np.einsum("ij,ij->", weights, self.xx @ weights))
        return self.yy - 2 * float(np.einsum("ij,ij->", weights, self.xy)) + quadratic

    def orthogonal_loss(self, rotation: Floats) -> float:
        """Return the same for an orthogonal matrix (p, p), which leaves the length of x as it is."""
        return self.yy - 2 * float(np.einsum("ij,ij->", rotation, self.xy)) + float(np.trace(self.xx))


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentedSums:
    """Sums of each fold about provisional centres; training scatters follow by addition."""

    rows: tuple[Indices, ...]
    centre_x: Floats  # (p,)
    centre_y: Floats  # (q,)
    sum_z: Floats  # (k, p) of x̂
    sum_x: Floats  # (k, p)
    sum_y: Floats  # (k, q)
    zx: Floats  # (k, p, p)
    zy: Floats  # (k, p, q)
    zz: Floats  # (k, p, p)
    xy: Floats  # (k, p, q)
    yy: Floats  # (k,)
    denoised: Floats  # (n, p) x̂ about the centre

    @classmethod
    def of(cls, x: Floats, y: Floats, folds: Integers, denoised: Floats) -> InstrumentedSums:
        """Gather sums of x (n, p), y (n, q) and x̂ `denoised` (n, p) over folds (n,)."""
        rows, cx, cy = rows_of_folds(folds), x.mean(axis=0), y.mean(axis=0)
        x, y, z = x - cx, y - cy, denoised - cx
        crosses = [z[r].T @ x[r] for r in rows]
        return cls(
            rows,
            cx,
            cy,
            sum_z=np.stack([z[r].sum(axis=0) for r in rows]),
            sum_x=np.stack([x[r].sum(axis=0) for r in rows]),
            sum_y=np.stack([y[r].sum(axis=0) for r in rows]),
            zx=np.stack([(c + c.T) / 2 for c in crosses]),
            zy=np.stack([z[r].T @ y[r] for r in rows]),
            zz=fold_scatters(z, rows),
            xy=np.stack([x[r].T @ y[r] for r in rows]),
            yy=np.array([float(np.sum(y[r] ** 2)) for r in rows]),
            denoised=z,
        )

    def training(self, excluded: Folds) -> Scatter:
        """Scatter of all rows outside some folds about their own means."""
        used = [k for k in range(len(self.rows)) if k not in excluded]
        return self._scatter(used, used)

    def validation(self, excluded: Folds, fold: int) -> Scatter:
        """Scatter of one fold about the means of the rows outside `excluded`, whose loss is Σ‖y − x̂W‖².

        That is a proper loss for a choice: its noise does not depend on W, while Σ x̂xᵀ of a fold is indefinite.
        """
        used = [k for k in range(len(self.rows)) if k not in excluded]
        held = self._scatter([fold], used)
        mean = held.mean_x - self.centre_x
        cross = np.outer(self.sum_z[fold], mean)
        return replace(held, xx=self.zz[fold] - cross - cross.T + held.n * np.outer(mean, mean))

    def _scatter(self, folds: list[int], about: list[int]) -> Scatter:
        size, n = (sum(len(self.rows[k]) for k in part) for part in (about, folds))
        mean_x, mean_y = self.sum_x[about].sum(axis=0) / size, self.sum_y[about].sum(axis=0) / size
        sz, sx, sy = (s[folds].sum(axis=0) for s in (self.sum_z, self.sum_x, self.sum_y))
        cross = (np.outer(sz + sx, mean_x) + np.outer(mean_x, sz + sx)) / 2
        means = np.outer(mean_x, sy) - n * np.outer(mean_x, mean_y)
        return Scatter(
            n,
            mean_x + self.centre_x,
            mean_y + self.centre_y,
            xx=self.zx[folds].sum(axis=0) - cross + n * np.outer(mean_x, mean_x),
            xy=self.zy[folds].sum(axis=0) - np.outer(sz, mean_y) - means,
            rigid=self.xy[folds].sum(axis=0) - np.outer(sx, mean_y) - means,
            yy=float(self.yy[folds].sum() - 2 * sy @ mean_y + n * mean_y @ mean_y),
        )

    def inner(self, held_out: int) -> list[tuple[Folds, int]]:
        """Inner splits (excluded folds, validation fold) of a fold's training rows: its two neighbours in the ring."""
        n_folds = len(self.rows)
        return [(frozenset({held_out, k % n_folds}), k % n_folds) for k in (held_out - 1, held_out + 1)]


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """What the linear rung chose."""

    penalty: float  # absolute
    scale: float  # of the prior
    prior: str  # "identity" or "rotation"
    loss: float


@dataclass(frozen=True, slots=True, eq=False)
class _Turned:
    """Sums of one inner split in the eigenbasis of its training scatter."""

    data: Floats  # (p, q) training Σ x̂yᵀ
    gram: Floats  # (p, p) of its rows
    cross: Floats  # (p, q) validation Σ x̂yᵀ
    held_xx: Floats  # (p, p) validation Σ x̂x̂ᵀ
    held_yy: float


def polar(matrix: Floats) -> Floats:
    """Return the (semi-)orthogonal polar factor of a matrix (p, q)."""
    if matrix.shape[0] == matrix.shape[1]:
        squares, vectors = np.linalg.eigh(matrix.T @ matrix)
        if squares[0] > LEAST_CONDITION * squares[-1]:
            factor: Floats = (matrix @ (vectors / np.sqrt(squares))) @ vectors.T
            for _ in range(0 if squares[0] > CONDITION * squares[-1] else 2):
                factor = 1.5 * factor - 0.5 * factor @ (factor.T @ factor)  # Newton–Schulz: what rounding left
            return factor
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    product: Floats = left @ right
    return product


def component_prior(scatter: Scatter, rank: int) -> Floats:
    """Rotate the top components of x onto what they predict of y: the prior across spaces, (p, q) of some rank."""
    axes = np.linalg.eigh(scatter.xx)[1][:, -rank:]
    prior: Floats = axes @ polar(axes.T @ scatter.xy)
    return prior


def parabola_minimum(at: Floats, values: Floats) -> float:
    """Abscissa of the least point of the parabola through the least of values (k,) and its neighbours."""
    best = int(np.argmin(values))
    if best in (0, len(values) - 1):
        return float(at[best])
    left, middle, right = values[best - 1 : best + 2]
    bend = left - 2 * middle + right
    step = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(at[best] + np.clip(step, -0.5, 0.5) * (at[best + 1] - at[best - 1]) / 2)


@dataclass(slots=True, eq=False)
class StructuralFit:
    """All rungs fitted outside one fold; what was solved is kept, for refits with other targets.

    Parameters
    ----------
    sums : InstrumentedSums
        With x̂ fitted without the held-out fold.
    held_out : int
    same_space : bool
        Whether the identity is a sensible prior.
    rotations : dict
        Rotations by excluded folds and κ. In the same space they do not depend on x̂, and the fits of one pair may share
        them; across spaces the prior does.
    kappas : tuple of float
        Tried beside ∞.
    """

    sums: InstrumentedSums
    held_out: int
    same_space: bool
    rotations: dict[tuple[Folds, float], Floats] = field(default_factory=dict)
    kappas: tuple[float, ...] = KAPPAS
    kappa: float = field(init=False)
    shrinkage: Shrinkage = field(init=False)
    _bases: dict[Folds, tuple[Scatter, Floats, Floats]] = field(init=False, default_factory=dict)
    _turned: dict[Folds, _Turned] = field(init=False, default_factory=dict)
    _maps: dict[str, AffineMap] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.kappa = self._choose_kappa()
        self.shrinkage = self._choose_linear()

    @property
    def excluded(self) -> Folds:
        """The held-out fold, as a set."""
        return frozenset({self.held_out})

    def basis(self, excluded: Folds) -> tuple[Scatter, Floats, Floats]:
        """Training scatter with its eigenvalues (p,) and eigenvectors (p, p); kept.

        Σ x̂xᵀ is indefinite by its noise; eigenvalues are floored at twice the most negative one, the noise's level.
        """
        if excluded not in self._bases:
            scatter = self.sums.training(excluded)
            values, vectors = np.linalg.eigh(scatter.xx)
            self._bases[excluded] = (scatter, np.maximum(values, 2 * max(-float(values[0]), 0.0)), vectors)
        return self._bases[excluded]

    def prior(self, excluded: Folds) -> Floats:
        """Return the identity in the same space, else a partial isometry of the top components, (p, q)."""
        scatter = self.basis(excluded)[0]
        if self.same_space:
            return np.eye(*scatter.xy.shape)
        return component_prior(scatter, max(1, min(*scatter.xy.shape, scatter.n // 10)))

    def pulled(self, excluded: Folds, kappa: float) -> Floats:
        """Return Sxy + κ (n₀/n) ‖Sxy‖/√d P, whose polar factor is the rotation, (p, q); κ counts rows as a share."""
        scatter = self.basis(excluded)[0]
        unit = float(np.linalg.norm(scatter.rigid)) / np.sqrt(min(scatter.xy.shape))
        pull = kappa * sum(map(len, self.sums.rows)) / scatter.n
        moved: Floats = scatter.rigid + pull * unit * self.prior(excluded)
        return moved

    def rotation(self, excluded: Folds, kappa: float) -> Floats:
        """Return the rotation at κ, the prior itself at ∞, (p, q); kept."""
        key = (excluded, kappa)
        if key not in self.rotations:
            self.rotations[key] = self.prior(excluded) if np.isinf(kappa) else polar(self.pulled(excluded, kappa))
        return self.rotations[key]

    def _choose_kappa(self) -> float:
        """Choose κ on the inner folds: those given and ∞, then a parabola in log κ."""
        held = [(excluded, self.sums.validation(excluded, fold)) for excluded, fold in self.sums.inner(self.held_out)]

        square = len(set(held[0][1].xy.shape)) == 1

        def loss(kappa: float) -> float:
            lengths_stay = square and (self.same_space or bool(np.isfinite(kappa)))
            turned = [(scatter, self.rotation(excluded, kappa)) for excluded, scatter in held]
            return sum(s.orthogonal_loss(weights) if lengths_stay else s.loss(weights) for s, weights in turned)

        tried = [*self.kappas, np.inf]
        losses = [loss(kappa) for kappa in tried]
        best = int(np.argmin(losses))
        if 1 < best < len(self.kappas) - 1:
            refined = float(np.exp(parabola_minimum(np.log(self.kappas[1:]), np.array(losses[1:-1]))))
            if loss(refined) < losses[best]:
                return refined
        return tried[best]

    def _choose_linear(self) -> Shrinkage:
        priors = ("identity", "rotation") if self.same_space and np.isfinite(self.kappa) else ("rotation",)
        return min((self._choose_penalty(prior) for prior in priors), key=lambda option: option.loss)

    def _choose_penalty(self, prior: str) -> Shrinkage:
        """Choose the penalty on the inner folds; the prior's scale has a closed form for each."""
        unit = self.basis(self.excluded)[0].unit
        penalties = 10.0**LOG_PENALTIES * unit
        largest = LARGEST_SCALE * self.similarity_scale()
        paths = [self._path(e, fold, self._centre(e, prior), penalties) for e, fold in self.sums.inner(self.held_out)]
        constant, linear, quadratic = (np.sum(parts, axis=0) for parts in zip(*paths, strict=True))
        least = 1e-12 * float(np.abs(quadratic).max()) + 1e-300
        scale = np.clip(linear / np.maximum(quadratic, least), 0.0, largest)
        losses = constant - 2 * scale * linear + scale**2 * quadratic
        at = parabola_minimum(LOG_PENALTIES, losses)
        return Shrinkage(10.0**at * unit, float(np.interp(at, LOG_PENALTIES, scale)), prior, float(losses.min()))

    def _centre(self, excluded: Folds, prior: str) -> Floats:
        return self.prior(excluded) if prior == "identity" else self.rotation(excluded, self.kappa)

    def _path(self, excluded: Folds, fold: int, centre: Floats, penalties: Floats) -> tuple[Floats, Floats, Floats]:
        """Loss of W(λ, s) on a fold as a quadratic in s: constant − 2 s linear + s² quadratic, each (k,)."""
        _, values, vectors = self.basis(excluded)
        at, pull = self._turned_to(excluded, fold), vectors.T @ centre
        solve = 1.0 / (values + penalties[:, None])
        keep = penalties[:, None] * solve
        forms = ((solve, at.gram, solve), (solve, at.data @ pull.T, keep), (keep, pull @ pull.T, keep))
        dd, dp, pp = (np.einsum("ki,ij,kj->k", a, g * at.held_xx, b, optimize=True) for a, g, b in forms)
        constant = at.held_yy - 2 * solve @ np.einsum("ij,ij->i", at.data, at.cross) + dd
        return constant, keep @ np.einsum("ij,ij->i", pull, at.cross) - dp, pp

    def _turned_to(self, excluded: Folds, fold: int) -> _Turned:
        """Training and validation sums in the eigenbasis of the training scatter; kept, they serve every prior."""
        if excluded not in self._turned:
            scatter, _, vectors = self.basis(excluded)
            held, data = self.sums.validation(excluded, fold), vectors.T @ scatter.xy
            turned = vectors.T @ held.xx @ vectors
            self._turned[excluded] = _Turned(data, data @ data.T, vectors.T @ held.xy, turned, held.yy)
        return self._turned[excluded]

    def similarity_scale(self, rotation: Floats | None = None, added: Floats | float = 0.0) -> float:
        """Scale of the similarity rung for a rotation (its own by default), with `added` (p, q) in Σ x̂yᵀ."""
        rotation = self.rotation(self.excluded, self.kappa) if rotation is None else rotation
        scatter = self.basis(self.excluded)[0]
        energy = float(np.sum(rotation * (scatter.xx @ rotation)))
        return max(float(np.sum(rotation * (scatter.xy + added))), 0.0) / energy if energy > 0 else 0.0

    def linear_prior(self) -> Floats:
        """Return s P, towards which the linear rung is shrunk, (p, q)."""
        return self.shrinkage.scale * self._centre(self.excluded, self.shrinkage.prior)

    def solve_linear(self, cross: Floats, prior: Floats) -> Floats:
        """Solve (Sxx + λI) W = cross + λ prior for W (p, q)."""
        _, values, vectors = self.basis(self.excluded)
        right = vectors.T @ (cross + self.shrinkage.penalty * prior)
        weights: Floats = vectors @ (right / (values + self.shrinkage.penalty)[:, None])
        return weights

    def maps(self) -> dict[str, AffineMap]:
        """Return identity, shift (same space only), rotation, similarity and linear, plainest first; kept."""
        if not self._maps:
            self._maps = self._solved()
        return self._maps

    def _solved(self) -> dict[str, AffineMap]:
        scatter = self.basis(self.excluded)[0]
        rotation, width = self.rotation(self.excluded, self.kappa), len(scatter.mean_x)
        weights = {"shift": np.eye(width)} if self.same_space else {}
        weights |= {"rotation": rotation, "similarity": self.similarity_scale() * rotation}
        weights["linear"] = self.solve_linear(scatter.xy, self.linear_prior())
        origin = {"identity": AffineMap(np.eye(width), np.zeros(width), np.zeros(width))} if self.same_space else {}
        return origin | {name: AffineMap(w, scatter.mean_x, scatter.mean_y) for name, w in weights.items()}
