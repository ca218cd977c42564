"""Latent shares of more rows than fit into memory, by linear instruments, from moments of blocks (method §3, §4).

All that such a share needs of the rows is in the moments of x, y and the instruments z: x̂ and Π are linear in z, and
residuals in x and y. Blocks of whole groups stand where groups do in `latent.py`. What fitting alone leaves in a share,
its c, is of the order of the columns by the rows, and is not taken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from ...distributed import Processes
from ...errors import DataError
from ..maps.affine import AffineMap
from ..maps.instruments import LOG_PENALTIES, MAX_COMPONENTS
from ..maps.map_spec import MapSpec, fit_spec
from ..maps.regression import Centre, Regression, Split
from ..maps.ridge import RidgeFactor
from ..maps.shrinkage import choose_kappa, choose_shrinkage
from ..moments import PairMoments, merged
from ..resampling import Interval
from ..streamed_moments import GatheredMoments, summed
from ..types import Floats
from .geometry import FIRST_STAGE_COMPONENTS, RUNGS, WEAK
from .latent import PairTerms, latent_share

VARYING = 1e-10  # of the greatest eigenvalue
ONE_SPACE_RUNGS = ("identity", "shift")


@dataclass(frozen=True, slots=True, eq=False)
class JointMoments:
    """Moments of [x, y] (n, p + q) and of the instruments side by side (n, w), by fold and block.

    Parameters
    ----------
    gathered : GatheredMoments
    source, target : slice
        The columns of x and of y.
    instruments : mapping of str to int
        Their widths, in order.
    """

    gathered: GatheredMoments
    source: slice
    target: slice
    instruments: Mapping[str, int]

    def swapped(self) -> JointMoments:
        """Return the other direction."""
        return JointMoments(self.gathered, self.target, self.source, self.instruments)

    def pairs(self) -> GatheredMoments:
        """Return the moments of x and y alone; they share memory with these."""
        folds = tuple(self._pair(fold) for fold in self.gathered.folds)
        blocks = {number: self._pair(block) for number, block in self.gathered.blocks.items()}
        return GatheredMoments(folds, blocks, self.gathered.fold_of_block)

    def _pair(self, joint: PairMoments) -> PairMoments:
        x, y = self.source, self.target
        centres, sums, products = joint.centre_x, joint.sum_x, joint.xx
        return PairMoments(
            joint.n, centres[x], centres[y], sums[x], sums[y], products[x, x], products[x, y], products[y, y]
        )


def component_axes(joint: JointMoments, limit: int = FIRST_STAGE_COMPONENTS) -> Floats:
    """Return the axes of the first principal components of all instruments, each scaled to one variance, (w, m).

    Raises
    ------
    DataError
        If an instrument does not vary.
    """
    whole = merged(joint.gathered.folds)
    scatter = whole.syy
    edges = np.cumsum([0, *joint.instruments.values()])
    scales = np.empty(len(scatter))
    for name, low, high in zip(joint.instruments, edges[:-1], edges[1:], strict=True):
        variance = float(np.trace(scatter[low:high, low:high])) / whole.n
        if variance <= 0:
            raise DataError(f"all rows of the instrument {name} are the same vector: leave it out")
        scales[low:high] = 1 / np.sqrt(variance)
    values, vectors = np.linalg.eigh(scales[:, None] * scatter * scales)
    kept = int(np.sum(values > VARYING * values[-1]))
    axes: Floats = scales[:, None] * vectors[:, ::-1][:, : min(kept, limit)]
    return axes


def in_components(joint: PairMoments, axes: Floats) -> PairMoments:
    """Return the moments of components z (n, m) and w = [x, y] from those of w and the instruments, about the centres.

    Both are then about zero, so that they may be merged.
    """
    return PairMoments(
        joint.n,
        np.zeros(axes.shape[1]),
        np.zeros(len(joint.sum_x)),
        axes.T @ joint.sum_y,
        joint.sum_x,
        axes.T @ joint.yy @ axes,
        axes.T @ joint.xy.T,
        joint.xx,
    )


@dataclass(frozen=True, slots=True, eq=False)
class DenoisedSums:
    """Sums over some rows of x, y and x̂, what the instruments predict of x by a fit without these rows."""

    n: float
    x: Floats  # (p,)
    y: Floats  # (q,)
    h: Floats  # (p,) of x̂
    hx: Floats  # (p, p) symmetric part of Σ x̂xᵀ
    hy: Floats  # (p, q)
    hh: Floats  # (p, p)
    xy: Floats  # (p, q)
    yy: float  # Σ‖y‖²

    @classmethod
    def of(cls, rows: PairMoments, others: PairMoments, penalty: float, sides: tuple[slice, slice]) -> DenoisedSums:
        """Predict x of some rows by ridge on the components of others, both as `in_components` gives them."""
        x, y = sides
        mean_z, mean_w = others.mean_x, others.mean_y
        coefficients = ridge(others, penalty, others.scatter_xy(mean_z, mean_w)[:, x])
        mean = mean_w[x]
        fitted = coefficients.T @ (rows.sum_x - rows.n * mean_z)  # Σ x̂ about the mean
        crossed = coefficients.T @ rows.scatter_xy(mean_z, np.zeros(len(mean_w))) + np.outer(mean, rows.sum_y)
        between = np.outer(fitted, mean)
        squared = coefficients.T @ rows.scatter_xx(mean_z) @ coefficients + between + between.T
        return cls(
            rows.n,
            rows.sum_y[x],
            rows.sum_y[y],
            fitted + rows.n * mean,
            (crossed[:, x] + crossed[:, x].T) / 2,
            crossed[:, y],
            squared + rows.n * np.outer(mean, mean),
            rows.yy[x, y],
            float(np.trace(rows.yy[y, y])),
        )

    def __add__(self, other: DenoisedSums) -> DenoisedSums:
        """Merge with the sums of other rows."""
        return DenoisedSums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def mean_x(self) -> Floats:
        """Mean of x, (p,)."""
        return self.x / self.n

    @property
    def mean_y(self) -> Floats:
        """Mean of y, (q,)."""
        return self.y / self.n

    def scatter_xx(self, about: Floats) -> Floats:
        """Symmetric part of Σ x̂xᵀ about a point, (p, p)."""
        cross = np.outer((self.h + self.x) / 2, about)
        return self.hx - cross - cross.T + self.n * np.outer(about, about)

    def scatter_xy(self, about_x: Floats, about_y: Floats) -> Floats:
        """Σ x̂yᵀ about two points, (p, q)."""
        return self._cross(self.hy, self.h, about_x, about_y)

    def rotation_xy(self, about_x: Floats, about_y: Floats) -> Floats:
        """Σ xyᵀ about two points, (p, q)."""
        return self._cross(self.xy, self.x, about_x, about_y)

    def error_xx(self, about: Floats) -> Floats:
        """Σ x̂x̂ᵀ about a point, (p, p)."""
        cross = np.outer(self.h, about)
        return self.hh - cross - cross.T + self.n * np.outer(about, about)

    def total_y(self, about: Floats) -> float:
        """Σ‖y − about‖²."""
        return float(self.yy - 2 * self.y @ about + self.n * about @ about)

    def _cross(self, products: Floats, sums: Floats, about_x: Floats, about_y: Floats) -> Floats:
        means = np.outer(about_x, self.y) - self.n * np.outer(about_x, about_y)
        return products - np.outer(sums, about_y) - means


def ridge(rows: PairMoments, penalty: float, cross: Floats) -> Floats:
    """Solve ridge regression on the components of some rows, for a cross-scatter (m, ·) about their mean.

    `penalty` counts in rows times the mean variance of a component.
    """
    scatter = rows.scatter_xx(rows.mean_x)
    strength = penalty * float(np.trace(scatter)) / len(scatter)
    return np.asarray(np.linalg.solve(scatter + strength * np.eye(len(scatter)), cross), np.float64)


def best_penalty(folds: Sequence[PairMoments], target: slice) -> float:
    """Return the penalty with the least cross-fitted error on y, each fold predicted by components of the others."""
    whole, penalties = merged(folds), 10.0**LOG_PENALTIES
    losses = np.zeros(len(penalties))
    for fold in folds:
        rest = whole - fold
        z, w = rest.mean_x, rest.mean_y
        factor = RidgeFactor.of(rest.scatter_xx(z))
        rotated, held = (factor.rotate(part.scatter_xy(z, w)[:, target]) for part in (rest, fold))
        turned = fold.swapped()
        total = float(np.trace(turned.scatter_xx(w)[target, target]))
        quadratic = factor.quadratic(fold.scatter_xx(z))
        losses += factor.path_errors(rotated, held, quadratic, total, penalties=penalties.tolist())
    return float(penalties[int(np.argmin(losses))])


def streamed_latent_shares(
    joint: JointMoments,
    *,
    same_space: bool,
    processes: Processes = Processes(),  # noqa: B008 - frozen
) -> dict[str, Interval]:
    """Return the latent share of each structural map from x to y, by linear instruments.

    Parameters
    ----------
    joint : JointMoments
        Of at least three folds.
    same_space : bool
        Whether identity and shift mean anything.
    processes : Processes
        Those that gathered the moments.

    Returns
    -------
    dict of str to Interval
        By rung; empty where the instruments predict too little of the target to say anything.
    """
    axes, sides = component_axes(joint), (joint.source, joint.target)
    folds = [in_components(fold, axes) for fold in joint.gathered.folds]
    blocks = {number: in_components(block, axes) for number, block in joint.gathered.blocks.items()}
    first = best_penalty(folds, joint.source)
    smoothed = [_leading(fold, MAX_COMPONENTS) for fold in folds]
    parts = {number: _leading(block, MAX_COMPONENTS) for number, block in blocks.items()}
    penalty = best_penalty(smoothed, joint.target)
    rungs = [rung for rung in RUNGS if same_space or rung not in ONE_SPACE_RUNGS]
    centres = joint.gathered.folds[0].centre_x
    offset = centres[joint.source] - centres[joint.target] if same_space else None
    count = len(joint.gathered.fold_of_block)
    pairs = {name: np.zeros((count, count)) for name in ("total", *rungs)}
    for fold in range(len(folds)):
        maps = structural_maps(folds, fold, first, sides, offset)
        rest = merged([part for other, part in enumerate(smoothed) if other != fold])
        width_x, mean_y = len(maps["linear"].mean_x), rest.mean_y[joint.target]
        nothing = AffineMap(np.zeros((width_x, len(mean_y))), np.zeros(width_x), mean_y)
        test = joint.gathered.fold_of_block == fold
        for name, one in {"total": nothing, **{rung: maps[rung] for rung in rungs}}.items():
            sums = summed(residual_sums(parts, count, rest.mean_x, one, sides), processes)
            solved = ridge(rest, penalty, _side_by_side(sums[~test, 1:])).reshape(-1, int((~test).sum()))
            products = sums[test, 1:].reshape(int(test.sum()), -1) @ solved + sums[test, 0] @ sums[~test, 0].T / rest.n
            pairs[name][np.ix_(test, ~test)] = products
    terms = {name: PairTerms((found + found.T) / 2) for name, found in pairs.items()}
    total = terms.pop("total")
    if too_weak(total):
        return {}
    return {rung: latent_share(missed, total) for rung, missed in terms.items()}


def too_weak(total: PairTerms) -> bool:
    """Tell whether Σ d·Π(d) is not far above what it varies by between blocks.

    `PairTerms.error` is not about the mean, so that with few blocks no sum would be large beside it.
    """
    influence = 2 * total.pairs.sum(axis=1)
    return total.total < WEAK * float(np.sqrt(len(influence) * np.var(influence, ddof=1)))


def _leading(rows: PairMoments, components: int) -> PairMoments:
    """Return the moments with the first components only."""
    m = slice(None, components)
    return PairMoments(
        rows.n, rows.centre_x[m], rows.centre_y, rows.sum_x[m], rows.sum_y, rows.xx[m, m], rows.xy[m], rows.yy
    )


def _side_by_side(sums: Floats) -> Floats:
    """Put matrices (b, m, q) side by side, (m, q b), the blocks of one column of q next to each other."""
    return np.moveaxis(sums, 0, 2).reshape(sums.shape[1], -1)


def residual_sums(
    blocks: Mapping[int, PairMoments], count: int, about: Floats, one: AffineMap, sides: tuple[slice, slice]
) -> Floats:
    """Return Σ r and Σ (z − about) rᵀ over the rows of each block, stacked, (count, 1 + m, q), r = y − ŷ of a map.

    Blocks of other processes are zero.
    """
    x, y = sides
    constant = one.mean_x @ one.weights - one.mean_y  # r = y − xW + constant
    found = np.zeros((count, 1 + len(about), len(constant)))
    for number, rows in blocks.items():
        centred = rows.sum_x - rows.n * about
        products = rows.xy - np.outer(about, rows.sum_y)
        found[number, 0] = rows.sum_y[y] - rows.sum_y[x] @ one.weights + rows.n * constant
        found[number, 1:] = products[:, y] - products[:, x] @ one.weights + np.outer(centred, constant)
    return found


def structural_maps(
    folds: Sequence[PairMoments], held_out: int, penalty: float, sides: tuple[slice, slice], offset: Floats | None
) -> dict[str, AffineMap]:
    """Fit the structural rungs outside a fold, x̂ of each row without its own fold and without that one.

    Parameters
    ----------
    folds : sequence of PairMoments
        As `in_components` gives them.
    held_out : int
    penalty : float
        Of x̂, as for `ridge`.
    sides : (slice, slice)
        The columns of x and y.
    offset : array (p,), optional
        The centre of x less that of y, within one space; without it identity and shift are left out.
    """
    whole, n_folds = merged(folds), len(folds)
    used = [fold for fold in range(n_folds) if fold != held_out]
    sums = {k: DenoisedSums.of(folds[k], whole - folds[held_out] - folds[k], penalty, sides) for k in used}
    prior = None if offset is None else np.eye(len(offset))

    def fitted(without: int | None) -> Regression:
        first, *others = (sums[fold] for fold in used if fold != without)
        return Regression(sum(others, first), prior)

    inner = sorted({(held_out + 1) % n_folds, (held_out - 1) % n_folds})
    splits = [Split(fitted(fold), sums[fold]) for fold in inner]
    kappa = choose_kappa(splits)
    towards: tuple[Centre, ...] = () if offset is not None or np.isinf(kappa) else ("rotation",)
    shrinkage = choose_shrinkage(splits, kappa, towards)
    training = fitted(None)
    _ = training.factor  # of a matrix that its noise may leave indefinite: no Cholesky solve
    rungs = ("rotation", "similarity", "linear") if offset is None else RUNGS[1:]
    maps = {rung: fit_spec(training, MapSpec(rung, kappa, shrinkage)) for rung in rungs}
    if offset is not None:
        maps["identity"] = AffineMap(np.eye(len(offset)), np.zeros(len(offset)), offset)
    return maps
