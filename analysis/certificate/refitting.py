"""What fitting adds: signs of residual rows are flipped, and every rung is solved again (method §4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..maps.instruments import Smoother
from ..maps.structural import StructuralFit, polar
from ..types import Floats
from .latent import Correction

UNSURE = 0.4  # standard error of a correction, as a part of it: what planted truths show
REPLICATES = 3  # each with its opposite, which cancels what is odd in them
REFITTED: tuple[str, ...] = ("rotation", "similarity", "linear")


def corrections(
    smoother: Smoother, fits: Sequence[StructuralFit], x: Floats, residual: Floats, seed: int
) -> dict[str, Correction]:
    """Solve every rung again for targets with flipped noise: what that leaves in Σ r·Π(r).

    The truth of this bootstrap is the structural linear map, so that a rung that falls short is refitted where it
    falls short: its sensitivity to noise is another there. Beside noise stands the pull of the penalty: what the
    linear rung would miss, by its penalty alone, of a linear truth less shrunk than it is itself. That truth is
    estimated, and what its noise adds is taken off by half: between nothing and all, which is the error of the pull.

    Parameters
    ----------
    smoother : Smoother
        Π of the latent shares.
    fits : sequence of StructuralFit
        One for each fold.
    x : array (n, p)
    residual : array (n, q)
        Residuals of the linear rung, of the size of the noise. Those of a rung that falls short would count what it
        misses as noise.
    seed : int
    """
    rng = np.random.default_rng([seed, 21])
    noise, pull, spurious = dict.fromkeys(REFITTED, 0.0), 0.0, 0.0
    for fold, fit in enumerate(fits):
        part = _FoldForm(smoother, fold, x - fit.basis(fit.excluded)[0].mean_x)
        pull += part.value(_lost_to_penalty(fit, fit.basis(fit.excluded)[0].xy, fit.linear_prior()))
        missing = _missing(fit)
        before = {name: part.value(missing[name]) for name in REFITTED}
        pulled = None if np.isinf(fit.kappa) else fit.pulled(fit.excluded, fit.kappa)
        flips = rng.choice([-1.0, 1.0], size=(REPLICATES, len(x), 1))
        for flipped in (sign * flip * residual for flip in flips for sign in (1.0, -1.0)):
            moved = flipped[part.train] - flipped[part.train].mean(axis=0)
            added, smoothed = fit.sums.denoised[part.train].T @ moved, part.b @ flipped[part.train]
            turned = _turned(fit, part.x[part.train].T @ moved, pulled)
            prior = fit.shrinkage.scale * turned if fit.shrinkage.prior == "rotation" else np.zeros_like(turned)
            alone = float(np.sum(flipped[part.test] * (part.a @ smoothed)))  # 0 on average: only scatter of the draws
            for name, change in _changes(fit, turned, added, prior).items():
                left = part.value(missing[name] - change, (flipped[part.test], smoothed)) - before[name] - alone
                noise[name] += left / (2 * REPLICATES)
            spurious += part.value(_lost_to_penalty(fit, added, prior)) / (2 * REPLICATES)
    found = {name: Correction(value, UNSURE * abs(value)) for name, value in noise.items()}
    own, pull = found["linear"], pull - spurious / 2
    error = float(np.linalg.norm([own.error, UNSURE * pull, spurious / 2]))
    found["linear"] = Correction(own.value + pull, error)
    return found


class _FoldForm:
    """Σ r·Π(r) over one fold of r = xW + e, with x about the training mean."""

    def __init__(self, smoother: Smoother, fold: int, x: Floats) -> None:
        self.test, self.train = smoother.rows[fold], smoother.outside(fold)
        self.a, self.b = smoother.factors(fold)
        self.x, self.seen = x, self.b @ x[self.train]

    def value(self, weights: Floats, noise: tuple[Floats, Floats] | None = None) -> float:
        """Return the sum for W (p, q); e is given as its test rows (n_k, q) and B times its training rows (m, q)."""
        left, right = self.x[self.test] @ weights, self.seen @ weights
        if noise is not None:
            left, right = left + noise[0], right + noise[1]
        return float(np.sum(left * (self.a @ right)))


def _missing(fit: StructuralFit) -> dict[str, Floats]:
    """What each rung misses of the linear map, (p, q)."""
    maps = fit.maps()
    return {name: maps["linear"].weights - maps[name].weights for name in REFITTED}


def _turned(fit: StructuralFit, noise: Floats, pulled: Floats | None) -> Floats:
    """How much a rotation changes with noise in Σ xyᵀ, (p, q); not at all where it is the prior (`pulled` is None)."""
    before = fit.rotation(fit.excluded, fit.kappa)
    return np.zeros_like(before) if pulled is None else polar(pulled + turning(noise, before)) - before


def turning(noise: Floats, rotation: Floats) -> Floats:
    """Return the part of noise (p, q) that turns a rotation (p, q) to first order: what is antisymmetric beside it.

    The residuals hold the noise of x, so that x times flipped residuals has a symmetric part which no sample has; it
    would change the singular values that the rotation rests on.
    """
    p, q = rotation.shape
    if p >= q:
        inside = rotation.T @ noise
        return noise - rotation @ ((inside + inside.T) / 2)
    inside = noise @ rotation.T
    return noise - ((inside + inside.T) / 2) @ rotation


def _changes(fit: StructuralFit, turned: Floats, added: Floats, prior: Floats) -> dict[str, Floats]:
    """How much the weights of each rung change with a rotation, Σ x̂yᵀ and the prior of the linear rung, (p, q)."""
    before = fit.rotation(fit.excluded, fit.kappa)
    after = before + turned
    return {
        "rotation": turned,
        "similarity": fit.similarity_scale(after, added) * after - fit.similarity_scale() * before,
        "linear": fit.solve_linear(added, prior),
    }


def _lost_to_penalty(fit: StructuralFit, cross: Floats, prior: Floats) -> Floats:
    """What the penalty of the linear rung takes from a truth that is shrunk half as far towards the prior, (p, q)."""
    truth = fit.solve_linear(cross, fit.solve_linear(cross, prior))
    return fit.solve_linear(fit.basis(fit.excluded)[0].xx @ truth, prior) - truth
