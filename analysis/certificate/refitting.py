"""What fitting adds: signs of residual rows are flipped, and every rung is solved again (method §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..maps.instruments import Smoother
from ..maps.structural import StructuralFit, polar
from ..types import Floats
from .latent import Correction

UNSURE = 0.4  # standard error of a correction, as a part of it: what planted truths show
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
    linear rung would miss, by its penalty alone, of a linear truth less shrunk than it is itself. That truth is
    estimated, and what its noise adds is taken off by half: between nothing and all, which is the error of the pull.

    Parameters
    ----------
    smoother : Smoother
        Π of the latent shares.
    fits : sequence of StructuralFit
        One for each fold that is scored.
    x : array (n, p)
    residual : array (n, q)
        Residuals of the linear rung, of the size of the noise. Those of a rung that falls short would count what it
        misses as noise.
    seed : int
    rungs : sequence of str
        Some of REFITTED.
    replicates : int
        Flips of all signs, each with its opposite.
    """
    rng = np.random.default_rng([seed, 21])
    noise, pull, spurious = dict.fromkeys(rungs, 0.0), 0.0, 0.0
    for fold, fit in enumerate(fits):
        part = _FoldForm(smoother, fold, x - fit.basis(fit.excluded)[0].mean_x)
        pull += part.value(_lost_to_penalty(fit, fit.basis(fit.excluded)[0].xy, fit.linear_prior()))
        missing = _missing(fit)
        before = {name: part.value(missing[name]) for name in rungs}
        flips = rng.choice([-1.0, 1.0], size=(replicates, len(x), 1))
        for flipped in (sign * flip * residual for flip in flips for sign in (1.0, -1.0)):
            moved = _moved(fit, part, flipped)
            left_over = (flipped[part.test], part.b @ flipped[part.train])
            alone = part.alone(left_over)
            for name, change in _changes(fit, moved, rungs).items():
                left = part.value(missing[name] - change, left_over) - before[name] - alone
                noise[name] += left / (2 * replicates)
            spurious += part.value(_lost_to_penalty(fit, moved.added, moved.prior)) / (2 * replicates)
    found = {name: Correction(value, UNSURE * abs(value)) for name, value in noise.items()}
    if "linear" in found:
        found["linear"] = _with_pull(noise["linear"], pull, spurious)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """The structural linear map from one language to the next, fitted once for each fold that is scored."""

    fits: Sequence[StructuralFit]
    x: Floats  # (n, p)
    residual: Floats  # (n, q) of the linear rung, of the size of the noise


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
    noise = pull = spurious = 0.0
    for fold, fits in enumerate(zip(first.fits, second.fits, strict=True)):
        start, middle = (
            _FoldForm(smoother, fold, leg.x - fit.basis(fit.excluded)[0].mean_x)
            for leg, fit in zip((first, second), fits, strict=True)
        )
        one, two = (fit.maps()["linear"].weights for fit in fits)
        lost = [_lost_to_penalty(fit, fit.basis(fit.excluded)[0].xy, fit.linear_prior()) for fit in fits]
        pull += start.value(lost[0] @ two + one @ lost[1])
        flips = rng.choice([-1.0, 1.0], size=(len(first.x), 1))
        for signs in (flips, -flips):
            flipped = (signs * first.residual, signs * second.residual)
            moved = [_moved(fit, part, e) for fit, part, e in zip(fits, (start, middle), flipped, strict=True)]
            changes = [_changes(fit, m, ("linear",))["linear"] for fit, m in zip(fits, moved, strict=True)]
            lost = [_lost_to_penalty(fit, m.added, m.prior) for fit, m in zip(fits, moved, strict=True)]
            left = flipped[1] + flipped[0] @ two
            left_over = (left[start.test], start.b @ left[start.train])
            noise += (start.value(-changes[0] @ two - one @ changes[1], left_over) - start.alone(left_over)) / 2
            spurious += start.value(lost[0] @ two + one @ lost[1]) / 2
    return _with_pull(noise, pull, spurious)


def _with_pull(noise: float, pull: float, spurious: float) -> Correction:
    """Return the correction of a linear map: noise and pull, the pull less half of what noise adds to it."""
    pull -= spurious / 2
    error = float(np.linalg.norm([UNSURE * noise, UNSURE * pull, spurious / 2]))
    return Correction(noise + pull, error)


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

    def alone(self, noise: tuple[Floats, Floats]) -> float:
        """Return the sum for e alone: 0 on average, and only scatter of the draws."""
        return float(np.sum(noise[0] * (self.a @ noise[1])))


def _missing(fit: StructuralFit) -> dict[str, Floats]:
    """What each rung misses of the linear map, (p, q)."""
    maps = fit.maps()
    return {name: maps["linear"].weights - maps[name].weights for name in REFITTED}


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """What flipped noise changes of a fit before anything is solved, (p, q) each."""

    turned: Floats  # the rotation
    added: Floats  # Σ x̂yᵀ
    prior: Floats  # of the linear rung


def _moved(fit: StructuralFit, part: _FoldForm, flipped: Floats) -> _Moved:
    noise = flipped[part.train] - flipped[part.train].mean(axis=0)
    turned = _turned(fit, part.x[part.train].T @ noise)
    prior = fit.shrinkage.scale * turned if fit.shrinkage.prior == "rotation" else np.zeros_like(turned)
    return _Moved(turned, fit.sums.denoised[part.train].T @ noise, prior)


def _turned(fit: StructuralFit, noise: Floats) -> Floats:
    """How much a rotation changes with noise in Σ xyᵀ, (p, q); not at all where it is the prior."""
    before = fit.rotation(fit.excluded, fit.kappa)
    if np.isinf(fit.kappa):
        return np.zeros_like(before)
    return polar(fit.pulled(fit.excluded, fit.kappa) + turning(noise, before)) - before


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


def _changes(fit: StructuralFit, moved: _Moved, rungs: Sequence[str]) -> dict[str, Floats]:
    """How much the weights of some rungs change with flipped noise, (p, q)."""
    before = fit.rotation(fit.excluded, fit.kappa)
    after, changes = before + moved.turned, {"rotation": moved.turned}
    if "similarity" in rungs:
        changes["similarity"] = fit.similarity_scale(after, moved.added) * after - fit.similarity_scale() * before
    if "linear" in rungs:
        changes["linear"] = fit.solve_linear(moved.added, moved.prior)
    return {name: changes[name] for name in rungs}


def _lost_to_penalty(fit: StructuralFit, cross: Floats, prior: Floats) -> Floats:
    """What the penalty of the linear rung takes from a truth that is shrunk half as far towards the prior, (p, q)."""
    truth = fit.solve_linear(cross, fit.solve_linear(cross, prior))
    return fit.solve_linear(fit.basis(fit.excluded)[0].xx @ truth, prior) - truth
