"""The smallest detectable departure from linearity, by planted curvature (method §5).

A "linear" verdict is worth what it could have refuted. Here curvature of known size is added to the fitted linear map,
with the observed residuals as noise, and the ladder is run again: the least share of curvature that is detected in 80 %
of the replicates is the resolution of the verdict. Detected means that the nonlinear rung gains more over the linear
one than in any of 19 replicates without curvature, a test at 5 %: the gain itself is no sign of curvature, since
features shrink the linear part in their own way and gain a little even where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...stages import counted, stage
from ..maps.ladder import Ladder
from ..retrieval.scores import row_squares
from ..types import Floats

SHARES: tuple[float, ...] = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)
REPLICATES = 10
POWER = 0.8
FLAT_REPLICATES = 19
CURVES = 16
MAX_WIDTH = 64
TESTED = ("linear", "nonlinear")


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """Detection rate by planted share; only the shares that the search visited."""

    shares: tuple[float, ...]
    detected: tuple[float, ...]
    replicates: tuple[int, ...]  # tried for each share: fewer where 80 % could no longer be reached
    flat: tuple[float, ...] = ()  # what the nonlinear rung gained in R² where nothing was planted

    @property
    def smallest_detectable(self) -> float | None:
        """The least visited share with power of at least 80 %; None where even the largest was missed."""
        detected = [s for s, rate in zip(self.shares, self.detected, strict=True) if rate >= POWER]
        return min(detected) if detected else None


@dataclass(frozen=True, slots=True, eq=False)
class Planting:
    """The fitted linear map with its noise, to which curvature is added.

    Where the targets are projected, the prior map of the linear rung is projected with them.
    """

    fitted: Floats  # (n, q)
    residuals: Floats  # (n, q)
    span: Floats | None = None  # (n, r) orthonormal basis of the linear functions of x; None where rows are few
    prior: Floats | None = None  # (p, r) prior map of the projected targets; None for the ladder's own

    def projected(self, ladder: Ladder, rng: np.random.Generator) -> Planting:
        """Return targets wider than 64 in 64 random orthogonal directions, others as they are."""
        width = self.fitted.shape[1]
        if width <= MAX_WIDTH:
            return self
        basis = np.linalg.qr(rng.standard_normal((width, MAX_WIDTH)))[0]
        prior = ladder.target(self.fitted).prior
        return Planting(self.fitted @ basis, self.residuals @ basis, prior=None if prior is None else prior @ basis)


def power_curve(
    ladder: Ladder,
    planting: Planting,
    *,
    shares: tuple[float, ...] = SHARES,
    replicates: int = REPLICATES,
    flat_replicates: int = FLAT_REPLICATES,
    seed: int = 0,
) -> PowerCurve:
    """Find by bisection over `shares` where planted curvature begins to be detected.

    Targets wider than 64 are projected orthogonally at random, which preserves every share in expectation and adds a
    little noise: the answer is conservative.
    """
    planting = replace(planting.projected(ladder, np.random.default_rng([seed, 1])), span=linear_span(ladder.x))
    ladder = ladder.narrow(unturned=True)
    flat = flat_gains(ladder, planting, flat_replicates, seed)
    visited: dict[float, tuple[float, int]] = {}
    low, high = 0, len(shares)
    while low < high:
        middle = (low + high) // 2
        visited[shares[middle]] = detection_rate(
            ladder, planting, shares[middle], least=max(flat), replicates=replicates, seed=seed
        )
        low, high = (low, middle) if visited[shares[middle]][0] >= POWER else (middle + 1, high)
    order = sorted(visited)
    detected, tried = (tuple(values) for values in zip(*(visited[s] for s in order), strict=True))
    return PowerCurve(tuple(order), detected, tried, flat)


def flat_gains(ladder: Ladder, planting: Planting, replicates: int, seed: int) -> tuple[float, ...]:
    """Return what the nonlinear rung gains over the linear one, in R², where nothing is planted."""
    turns = counted(range(replicates), "power without curvature")
    generators = (np.random.default_rng([seed, 3, turn]) for turn in turns)
    targets = (planted_target(ladder.x, planting, 0.0, rng) for rng in generators)
    return tuple(curvature_gain(ladder, target, planting.prior) for target in targets)


def detection_rate(
    ladder: Ladder, planting: Planting, share: float, *, least: float, replicates: int, seed: int
) -> tuple[float, int]:
    """Return how often curvature of a share of the explained variance gains more than `least`, and of how many tries.

    Replicates stop as soon as the rate can no longer reach 80 %; it is then the rate among those that were tried.
    """
    stage(f"power with {share:.1%} curvature")
    allowed = replicates - int(np.ceil(POWER * replicates))
    detected = tried = 0
    while tried < replicates and tried - detected <= allowed:
        rng = np.random.default_rng([seed, 2, tried])
        target = planted_target(ladder.x, planting, share, rng)
        detected += curvature_gain(ladder, target, planting.prior) > least
        tried += 1
    return detected / tried, tried


def curvature_gain(ladder: Ladder, y: Floats, prior: Floats | None = None) -> float:
    """Return what the nonlinear rung gains over the linear one, in held-out R², with the ladder's prior or another."""
    fit = ladder.fit(y, TESTED, prior=prior)
    linear, nonlinear = (float(row_squares(y - fit.predictions[name]).sum(dtype=np.float64)) for name in TESTED)
    return (linear - nonlinear) / float(row_squares(y - fit.reference).sum(dtype=np.float64))


def planted_target(x: Floats, planting: Planting, share: float, rng: np.random.Generator) -> Floats:
    """Return fitted values plus curvature that makes up `share` of the explained variance, plus permuted residuals."""
    fitted = planting.fitted - planting.fitted.mean(axis=0)
    curve = curvature(x, fitted.shape[1], rng)
    if planting.span is not None:
        curve -= planting.span @ (planting.span.T @ curve)
    size = np.sqrt(share / (1 - share) * np.sum(fitted**2) / np.sum(curve**2))
    noise = planting.residuals[rng.permutation(len(x))]
    target: Floats = planting.fitted + size * curve + noise
    return target


def curvature(x: Floats, width: int, rng: np.random.Generator) -> Floats:
    """Return a random curved function of x, (n, width): second Hermite polynomials of random projections.

    The projections are drawn from the covariance of x, so that they are curved where the rows are; (u² − 1)/√2 of a
    standard normal u is uncorrelated with every linear function.
    """
    about = x - x.mean(axis=0)
    directions = about.T @ rng.standard_normal((len(x), CURVES)) / np.sqrt(len(x))
    u = about @ directions
    u /= np.maximum(u.std(axis=0), 1e-300)
    curve: Floats = (u**2 - 1) / np.sqrt(2) @ rng.standard_normal((CURVES, width))
    return curve


def linear_span(x: Floats) -> Floats | None:
    """Return an orthonormal basis of the columns of x about their means and of the constant, (n, 1 + p).

    None with fewer than two rows a dimension, where it would span most of anything. Rows of embeddings are not
    Gaussian, so that a planted curve has a linear part, which no test of curvature can detect.
    """
    if len(x) < 2 * (1 + x.shape[1]):
        return None
    basis, sizes, _ = np.linalg.svd(np.column_stack([np.ones(len(x)), x - x.mean(axis=0)]), full_matrices=False)
    span: Floats = basis[:, sizes > 1e-9 * sizes[0]]
    return span
