"""What fitting adds: signs of residual rows are flipped, and every rung is solved again (method §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..maps.instruments import Smoother
from ..maps.structural import StructuralFit, polar
from ..types import Floats
from .latent import Correction

REPLICATES = 3  # each with its opposite, which cancels what is odd in them
REFITTED: tuple[str, ...] = ("rotation", "similarity", "linear")


def corrections(
    smoother: Smoother,
    fits: Sequence[StructuralFit],
    x: Floats,
    residual: Floats,
    seed: int,
    *,
    rungs: Sequence[str] = REFITTED,
    replicates: int = REPLICATES,
) -> dict[str, Correction]:
    """Solve every rung again for targets with flipped noise: what that leaves in Σ r·Π(r).

    The truth of this bootstrap is the structural linear map, so that a rung that falls short is refitted where it
    falls short: its sensitivity to noise is another there. Beside noise stands the pull of the penalty: what the
    linear rung would miss, by its penalty alone, of a linear truth less shrunk than it is itself.

    Parameters
    ----------
    smoother : Smoother
        Π of the latent shares.
    fits : sequence of StructuralFit
        One for each fold that is scored.
    x : array (n, p)
    residual : array (n, q)
        Out-of-fold residuals of the linear rung. Those of a rung that falls short would count what it misses as noise.
    seed : int
    rungs : sequence of str
        Some of REFITTED.
    replicates : int
        Flips of all signs, each with its opposite.
    """
    rng = np.random.default_rng([seed, 21])
    noise, pull = dict.fromkeys(rungs, 0.0), 0.0
    for fold, fit in enumerate(fits):
        part = _FoldForm(smoother, fold, x - fit.basis(fit.excluded)[0].mean_x)
        pull += part.value(_lost_to_penalty(fit))
        missing = _missing(fit)
        before = {name: part.value(missing[name]) for name in rungs}
        pulled = _pulled(fit)
        flips = rng.choice([-1.0, 1.0], size=(replicates, len(x), 1))
        for flipped in (sign * flip * residual for flip in flips for sign in (1.0, -1.0)):
            smoothed = part.b @ flipped[part.train]
            for name, change in _changes(fit, part, flipped, pulled, rungs).items():
                added = part.value(missing[name] - change, (flipped[part.test], smoothed)) - before[name]
                noise[name] += added / (2 * replicates)
    return {name: Correction(noise[name], pull if name == "linear" else 0.0) for name in rungs}


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """The structural linear map from one language to the next, fitted once for each fold that is scored."""

    fits: Sequence[StructuralFit]
    x: Floats  # (n, p)
    residual: Floats  # (n, q) of the linear rung


def composed_correction(smoother: Smoother, first: Leg, second: Leg, seed: int) -> Correction:
    """Solve two linear maps in a row again for flipped noise: what that leaves in Σ r·Π(r) of their composition.

    The same signs flip both legs, since the noise of the language between them is one.

    Parameters
    ----------
    smoother : Smoother
        Π of the last language.
    first, second : Leg
    seed : int
    """
    rng = np.random.default_rng([seed, 22])
    noise = pull = 0.0
    for fold, legs in enumerate(zip(first.fits, second.fits, strict=True)):
        start, middle = (
            _FoldForm(smoother, fold, leg.x - fit.basis(fit.excluded)[0].mean_x)
            for leg, fit in zip((first, second), legs, strict=True)
        )
        one, two = (fit.maps()["linear"].weights for fit in legs)
        lost = [_lost_to_penalty(fit) for fit in legs]
        pull += start.value(lost[0] @ two + one @ lost[1])
        flips = rng.choice([-1.0, 1.0], size=(len(first.x), 1))
        for signs in (flips, -flips):
            flipped = (signs * first.residual, signs * second.residual)
            changes = [
                _changes(fit, part, e, _pulled(fit), ("linear",))["linear"]
                for fit, part, e in zip(legs, (start, middle), flipped, strict=True)
            ]
            left = flipped[1] + flipped[0] @ two
            moved = changes[0] @ two + one @ changes[1]
            noise += start.value(-moved, (left[start.test], start.b @ left[start.train])) / 2
    return Correction(noise, pull)


def _pulled(fit: StructuralFit) -> Floats | None:
    """What the rotation is the polar factor of, (p, q); None where it is the prior itself."""
    return None if np.isinf(fit.kappa) else fit.pulled(fit.excluded, fit.kappa)


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


def _changes(
    fit: StructuralFit, part: _FoldForm, flipped: Floats, pulled: Floats | None, rungs: Sequence[str]
) -> dict[str, Floats]:
    """How much the weights of each rung move with flipped noise, (p, q)."""
    moved = flipped[part.train] - flipped[part.train].mean(axis=0)
    added = fit.sums.denoised[part.train].T @ moved
    before = fit.rotation(fit.excluded, fit.kappa)
    after = before if pulled is None else polar(pulled + part.x[part.train].T @ moved)
    turned = after - before
    prior = fit.shrinkage.scale * turned if fit.shrinkage.prior == "rotation" else np.zeros_like(turned)
    changes = {"rotation": turned}
    if "similarity" in rungs:
        changes["similarity"] = fit.similarity_scale(after, added) * after - fit.similarity_scale() * before
    if "linear" in rungs:
        changes["linear"] = fit.solve_linear(added, prior)
    return {name: changes[name] for name in rungs}


def _lost_to_penalty(fit: StructuralFit) -> Floats:
    """What the penalty of the linear rung takes from a truth that is shrunk half as far towards the prior, (p, q)."""
    scatter, prior = fit.basis(fit.excluded)[0], fit.linear_prior()
    truth = fit.solve_linear(scatter.xy, fit.solve_linear(scatter.xy, prior))
    return fit.solve_linear(scatter.xx @ truth, prior) - truth
