"""Is the map straight? Test inversion by planted curvature (method §5).

The statistic T = tr(RᵀKR) asks whether residuals R of the structural linear rung resemble each other where meanings
are alike, beyond what is linear (a conditional moment test; Muandet et al., 2020). All replicates are quadratic forms:
flat ones flip the signs of the rows of R (wild bootstrap; keeps heteroscedasticity), planted ones add a curve of x
whose latent part has a stated share and that no linear map fits. A replicate costs O(n²) whatever the width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Floats, Floats32, Integers
from .curvature_kernels import KERNELS, Source
from .curvature_residuals import CrossedResiduals

SHARES: tuple[float, ...] = (0.05, 0.10, 0.20, 0.40)
FAMILIES: tuple[str, ...] = ("principal axes", "whitened axes", "products", "mixture")
ROWS_PER_COLUMN = 2
POWER, VISIBLE_LEVEL = 0.95, 0.01
FLAT_REPLICATES = 400
REPLICATES = 40
DRAWS = 5
CURVES = 16


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one family of curves would have shown."""

    family: str
    share: float | None  # least planted share that would exclude 95 % of flat samples; None where no share is resolved
    excluded: bool  # at that share: the observed statistic lies below the 5th percentile of the planted ones
    margin_excluded: bool  # the same at the margin
    margin_exceeded: bool  # the observed statistic lies above the 95th percentile of the planted ones at the margin
    powers: dict[float, float]  # planted share → how often a flat sample would exclude it


LEAST_RESOLVED = 2  # families: with one alone, curvature of another kind and size could look the same


@dataclass(frozen=True, slots=True)
class Straightness:
    """Whether curvature is visible, and what would have been."""

    p_value: float  # of no curvature, by the greatest standardised statistic over kernels
    p_values: dict[str, float]  # by kernel
    resolutions: tuple[Resolution, ...]

    @property
    def visible(self) -> bool:
        """Curvature is statistically visible, however small."""
        return self.p_value <= VISIBLE_LEVEL

    @property
    def resolved(self) -> tuple[Resolution, ...]:
        """Families that this sample can resolve."""
        return tuple(r for r in self.resolutions if r.share is not None)

    @property
    def below_margin(self) -> bool:
        """Curvature of the margin is excluded in every family that can be resolved, and there is one at least."""
        return bool(self.resolved) and all(r.margin_excluded for r in self.resolved)

    @property
    def above_margin(self) -> bool:
        """There is more curvature than the margin in every family that can be resolved, and in two of them at least."""
        enough = len(self.resolved) >= LEAST_RESOLVED
        return self.visible and enough and all(r.margin_exceeded for r in self.resolved)

    @property
    def straight(self) -> bool:
        """Curvature is excluded: at the margin, or where none is visible at the share that each family resolves."""
        quiet = not self.visible and bool(self.resolved) and all(r.excluded for r in self.resolved)
        return quiet or self.below_margin


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the test rests on.

    Parameters
    ----------
    residuals : CrossedResiduals
    kernels : dict of arrays (n, n)
        Of `curvature_kernels`.
    latent_y : float
        Latent variance of y, summed over coordinates.
    group_of_row : array (n,)
        Number of each row's group, 0 … g − 1: a group's rows share a sign.
    """

    residuals: CrossedResiduals
    kernels: dict[str, Floats32]
    latent_y: float
    group_of_row: Integers

    def signs(self, replicates: int, rng: np.random.Generator) -> Floats32:
        """Draw signs of groups, (replicates, n)."""
        drawn = rng.choice(np.array([-1.0, 1.0], np.float32), size=(replicates, int(self.group_of_row.max()) + 1))
        return drawn[:, self.group_of_row]


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """T by one kernel: observed, and of flat samples."""

    kernel: Floats32  # (n, n)
    gram: Floats32  # (n, n) kernel ∘ products of residuals
    observed: float
    flat: Floats  # (b,)

    @classmethod
    def of(cls, kernel: Floats32, products: Floats32, signs: Floats32) -> Statistic:
        """Compute T of products of residuals (n, n), and of the same with flipped signs (b, n)."""
        gram = kernel * products
        return cls(kernel, gram, float(gram.sum(dtype=np.float64)), quadratic(gram, signs))

    def standardised(self, values: Floats | float) -> Floats:
        """Express values in standard deviations of flat samples."""
        return np.asarray((values - self.flat.mean()) / (float(self.flat.std()) or 1.0), np.float64)


def quadratic(matrix: Floats32, rows: Floats32) -> Floats:
    """Return vᵀMv for every row v of rows (b, n)."""
    values: Floats = np.einsum("bi,bi->b", rows @ matrix, rows, dtype=np.float64)
    return values


def enough_rows(n: int, width: int) -> bool:
    """Say whether curvature can be tested: with fewer than two rows a column the statistic is not calibrated."""
    return n >= ROWS_PER_COLUMN * width


def straightness(evidence: Evidence, source: Source, *, margin: float, seed: int) -> Straightness:
    """Compare the observed statistics with flat and with planted ones.

    Parameters
    ----------
    evidence : Evidence
    source : Source
    margin : float
        Share of the latent variance of y that is always among the planted ones, in (0, 1).
    seed : int
    """
    signs, products = evidence.signs(FLAT_REPLICATES, np.random.default_rng([seed, 11])), evidence.residuals.products
    statistics = {name: Statistic.of(kernel, products, signs) for name, kernel in evidence.kernels.items()}
    null = np.max([s.standardised(s.flat) for s in statistics.values()], axis=0)
    top = max(float(s.standardised(s.observed)) for s in statistics.values())
    shares = np.array(sorted({margin, *(s for s in SHARES if s > margin)}))
    resolutions = []
    for i, family in enumerate(FAMILIES):
        plant = _plant_mixture if family == "mixture" else _plant_curves
        planted = plant(family, statistics, evidence, source, (shares, np.random.default_rng([seed, 12, i])))
        resolutions.append(_resolution(family, statistics, planted, shares))
    p_values = {name: _p_value(s.flat, s.observed) for name, s in statistics.items()}
    return Straightness(_p_value(null, top), p_values, tuple(resolutions))


def _p_value(null: Floats, observed: float) -> float:
    return (1 + int(np.sum(null >= observed))) / (1 + len(null))


def _resolution(
    family: str, statistics: dict[str, Statistic], planted: dict[str, Floats], shares: Floats
) -> Resolution:
    """Judge a family by planted values (k, b) of each kernel; at each share the kernel that separates best is used."""
    low, high = ({n: np.quantile(v, q, axis=1) for n, v in planted.items()} for q in (0.05, 0.95))
    best = [max(planted, key=lambda n: float(statistics[n].standardised(low[n][i]))) for i in range(len(shares))]
    powers = [float(np.mean(statistics[n].flat < low[n][i])) for i, n in enumerate(best)]
    excluded = [statistics[n].observed < low[n][i] for i, n in enumerate(best)]
    resolved = next((i for i, power in enumerate(powers) if power >= POWER), None)
    return Resolution(
        family,
        None if resolved is None else float(shares[resolved]),
        resolved is not None and bool(excluded[resolved]),
        bool(excluded[0]),
        bool(statistics[best[0]].observed > high[best[0]][0]),
        {float(s): p for s, p in zip(shares, powers, strict=True)},
    )


Draw = tuple[Floats, np.random.Generator]


def _plant_curves(
    family: str, statistics: dict[str, Statistic], evidence: Evidence, source: Source, draw: Draw
) -> dict[str, Floats]:
    """Plant random curves of a family at every share; return the statistics of each kernel, (k, b)."""
    shares, rng = draw
    planted: dict[str, list[Floats]] = {name: [] for name in KERNELS}
    span = np.linalg.qr(np.column_stack([np.ones(len(source.x)), source.x]))[0]
    for _ in range(DRAWS):
        curves, reliability = draw_curves(family, source, rng)
        left = (curves - span @ (span.T @ curves)).astype(np.float32)
        loads = rng.standard_normal((left.shape[1], evidence.residuals.mean.shape[1]))
        visible = float(reliability @ np.sum(loads**2, axis=1))
        loads = (loads / np.sqrt(np.mean(left**2, axis=0))[:, None]).astype(np.float32)
        scale = np.sqrt(shares * evidence.latent_y / visible)
        signs = evidence.signs(REPLICATES // DRAWS, rng)
        along = evidence.residuals.mean @ loads.T
        for name, part in statistics.items():
            bent = part.kernel @ left
            square = float(np.sum((left.T @ bent) * (loads @ loads.T)))
            cross = 2 * np.einsum("ic,ic->i", along, bent)
            planted[name].append(
                quadratic(part.gram, signs) + np.outer(scale, signs @ cross) + square * scale[:, None] ** 2
            )
    return {name: np.concatenate(values, axis=1) for name, values in planted.items()}


def draw_curves(family: str, source: Source, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw second Hermite polynomials of standardised projections of x, or products of its coordinates.

    Returns
    -------
    curves (n, c), and the reliability of each (c,): that of the projection, squared.
    """
    width, along = source.x.shape[1], source.along
    if family == "products":
        first, second = rng.integers(width, size=(2, CURVES))
        second = np.where(first == second, (second + 1) % width, second)
        u, v = (source.x[:, c] / source.x[:, c].std(axis=0) for c in (first, second))
        share = along.axes**2 @ along.latent / np.maximum(along.axes**2 @ along.variance, 1e-300)
        return u * v, share[first] * share[second]
    turned = source.x @ along.axes
    if family == "principal axes":
        top = slice(0, min(width, CURVES))
        u, share = turned[:, top] / np.sqrt(along.variance[top]), along.reliability[top]
    else:
        directions = rng.standard_normal((width, CURVES)) / np.sqrt(along.latent)[:, None]
        u = turned @ directions
        u, share = u / u.std(axis=0), directions.T**2 @ along.latent / (directions.T**2 @ along.variance)
    return (u**2 - 1) / np.sqrt(2), share**2


def _plant_mixture(
    family: str, statistics: dict[str, Statistic], evidence: Evidence, source: Source, draw: Draw
) -> dict[str, Floats]:
    """Plant a hidden mixture y = x(W ± D): its mean is linear, so no statistic of means sees it; shown, not assumed."""
    del family
    shares, rng = draw
    bend = source.x @ rng.standard_normal((source.x.shape[1], evidence.residuals.mean.shape[1]))
    visible = source.along.overall * np.mean(np.sum(bend**2, axis=1))
    bend *= np.sqrt(evidence.latent_y / visible)
    own, cross = ((a @ bend.T).astype(np.float32) for a in (bend, 2 * evidence.residuals.mean))
    signs, labels = evidence.signs(REPLICATES, rng), evidence.signs(REPLICATES, rng)
    planted = {}
    for name, part in statistics.items():
        square = quadratic(part.kernel * own, labels)
        mixed = np.einsum("bi,bi->b", signs @ (part.kernel * cross), labels, dtype=np.float64)
        planted[name] = quadratic(part.gram, signs) + np.outer(np.sqrt(shares), mixed) + np.outer(shares, square)
    return planted
