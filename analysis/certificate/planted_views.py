"""Planted directions with noise on every side and instruments: controls of the geometry verdict (method §5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Floats, Integers
from .geometry import Views

TRUTHS: tuple[str, ...] = ("identity", "shift", "rotation", "similarity", "linear", "mixture", "independent", "length")
CURVES: tuple[str, ...] = ("axes", "whitened", "products", "waves")
PLANTED_CURVES = 16


@dataclass(frozen=True, slots=True)
class Design:
    """What is planted.

    Parameters
    ----------
    truth : str
        One of TRUTHS: the map between latent sides, or none.
    n, d : int
        Rows and width.
    reliability : two floats
        Of source and target; instruments have their mean.
    shape : str
        Noise along the "spectrum" of the latent rows, or "isotropic".
    instruments : int
    curves : str or None
        One of CURVES, added to y.
    share : float
        Of the latent variance of y, for curves or the mixture.
    heavy_tails : bool
        Latent rows from Student's t with 5 degrees of freedom.
    group_sizes : tuple of ints
        Rows of a group have one meaning each but noise that they share in half; sizes repeat in turn.
    """

    truth: str = "rotation"
    n: int = 800
    d: int = 32
    reliability: tuple[float, float] = (0.7, 0.7)
    shape: str = "spectrum"
    instruments: int = 3
    curves: str | None = None
    share: float = 0.0
    heavy_tails: bool = False
    group_sizes: tuple[int, ...] = (1,)

    @property
    def verdict(self) -> str:
        """The verdict that is right."""
        if self.curves:
            return "nonlinear"
        return {"independent": "no map", "length": "no map", "mixture": "rotation"}.get(self.truth, self.truth)


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Views, and the rows without noise."""

    views: Views
    latent_x: Floats
    latent_y: Floats


def plant_views(design: Design, rng: np.random.Generator) -> Planted:
    """Draw one sample of a design; latent rows have the decaying spectrum i^(−1/2) of embeddings and a mean."""
    n, d = design.n, design.d
    spectrum = np.arange(1, d + 1) ** -0.5
    z = rng.standard_normal((n, d))
    if design.heavy_tails:
        z *= np.sqrt(3 / rng.chisquare(5, size=(n, 1)))
    z = z * spectrum @ _orthogonal(d, rng) + spectrum.mean() * rng.standard_normal(d)
    if design.truth == "length":
        return _length_only(design, rng)
    y = _mapped(design, z, spectrum.mean() * rng.standard_normal(d), rng)
    if design.curves:
        curve = _curve(design.curves, z, rng)
        y = y + curve * np.sqrt(design.share / (1 - design.share) * _size(y) / float(np.sum(curve**2)))
    groups = _groups(design)
    x, target = (_noisy(a, r, design, groups, rng) for a, r in zip((z, y), design.reliability, strict=True))
    if design.truth == "independent":
        target = target[rng.permutation(n)]
    mean = sum(design.reliability) / 2
    instruments = {
        f"instrument {i + 1}": _noisy(z @ (rng.standard_normal((d, d)) / np.sqrt(d)), mean, design, groups, rng)
        for i in range(design.instruments)
    }
    return Planted(Views(x, target, instruments, groups), z, y)


def _orthogonal(d: int, rng: np.random.Generator) -> Floats:
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def _size(rows: Floats) -> float:
    return float(np.sum((rows - rows.mean(axis=0)) ** 2))


def _groups(design: Design) -> Integers:
    sizes = np.resize(np.array(design.group_sizes), design.n)
    return np.repeat(np.arange(design.n), sizes)[: design.n].astype(np.int64)


def _mapped(design: Design, z: Floats, offset: Floats, rng: np.random.Generator) -> Floats:
    d = z.shape[1]
    if design.truth in ("identity", "shift"):
        return z + 2 * offset if design.truth == "shift" else z
    scale = 0.5 if design.truth == "similarity" else 1.0
    bent = design.truth in ("linear", "independent")
    weights = rng.standard_normal((d, d)) / np.sqrt(d) if bent else scale * _orthogonal(d, rng)
    mapped: Floats = z @ weights + offset
    if design.truth == "mixture":
        side = rng.choice([-1.0, 1.0], size=(len(z), 1)) * np.sqrt(design.share / (1 - design.share))
        mapped = mapped + side * ((z - z.mean(axis=0)) @ _orthogonal(d, rng))
    return mapped


def _noisy(rows: Floats, reliability: float, design: Design, groups: Integers, rng: np.random.Generator) -> Floats:
    """Add noise so that a share `reliability` of the variance is not noise; half of it is shared within a group."""
    size = rows.std(axis=0) if design.shape == "spectrum" else np.ones(rows.shape[1])
    own = rng.standard_normal(rows.shape)
    if max(design.group_sizes) > 1:
        own = np.sqrt(0.5) * (own + rng.standard_normal((int(groups.max()) + 1, rows.shape[1]))[groups])
    total = _size(rows) / len(rows) * (1 - reliability) / reliability
    noisy: Floats = rows + own * size * np.sqrt(total / np.sum(size**2))
    return noisy


def _curve(family: str, z: Floats, rng: np.random.Generator) -> Floats:
    """Random curves of z (n, d) of one family, without their linear part, (n, d)."""
    width = z.shape[1]
    values, axes = np.linalg.eigh(np.cov(z.T))
    u = (z - z.mean(axis=0)) @ axes[:, ::-1] / np.sqrt(values[::-1])
    if family == "axes":
        curves = u[:, :PLANTED_CURVES] ** 2 - 1
    elif family == "waves":
        curves = np.sin(2 * u[:, :PLANTED_CURVES])
    elif family == "whitened":
        directions = rng.standard_normal((width, PLANTED_CURVES))
        curves = (u @ (directions / np.linalg.norm(directions, axis=0))) ** 2 - 1
    else:
        first, second = rng.integers(width, size=(2, PLANTED_CURVES))
        second = np.where(first == second, (second + 1) % width, second)
        scaled = (z - z.mean(axis=0)) / z.std(axis=0)
        curves = scaled[:, first] * scaled[:, second]
    bent = curves @ rng.standard_normal((curves.shape[1], width))
    span = np.linalg.qr(np.column_stack([np.ones(len(z)), z]))[0]
    straightened: Floats = bent - span @ (span.T @ bent)
    return straightened


def _length_only(design: Design, rng: np.random.Generator) -> Planted:
    """Both sides and the instruments follow length alone, which the strata hold."""
    n, d = design.n, design.d
    length = rng.integers(3, 15, n)
    standard = (length - length.mean()) / length.std()
    sides = [np.outer(standard, rng.standard_normal(d)) for _ in range(2 + design.instruments)]
    noisy = [side + rng.standard_normal((n, d)) for side in sides]
    instruments = {f"instrument {i + 1}": w for i, w in enumerate(noisy[2:])}
    views = Views(noisy[0], noisy[1], instruments, _groups(design), length.astype(np.int64))
    return Planted(views, sides[0], sides[1])


def _known_designs() -> dict[str, Design]:
    designs = {}
    for truth in ("identity", "shift", "rotation", "similarity", "linear"):
        for r in (0.95, 0.9, 0.7, 0.5):
            designs[f"{truth}, reliability {r}"] = Design(truth, reliability=(r, r))
    for truth in ("rotation", "linear"):
        designs |= {
            f"{truth}, reliability .9 and .5": Design(truth, reliability=(0.9, 0.5)),
            f"{truth}, reliability .5 and .9": Design(truth, reliability=(0.5, 0.9)),
            f"{truth}, isotropic noise": Design(truth, shape="isotropic"),
            f"{truth}, one instrument": Design(truth, instruments=1),
            f"{truth}, heavy tails": Design(truth, heavy_tails=True),
            f"{truth}, unequal groups": Design(truth, group_sizes=(1, 1, 3, 1, 6)),
        }
    for curves in ("axes", "whitened", "products"):
        for share in (0.05, 0.1, 0.2):
            for r in (0.9, 0.7):
                name = f"linear + {share:.0%} {curves}, reliability {r}"
                designs[name] = Design("linear", curves=curves, share=share, reliability=(r, r))
    designs["rotation + 20% axes"] = Design(curves="axes", share=0.2)
    designs["linear + 20% waves, reliability 0.9"] = Design("linear", curves="waves", share=0.2, reliability=(0.9, 0.9))
    designs["rotation + 20% hidden mixture"] = Design("mixture", share=0.2)
    designs |= {"length only": Design("length"), "independent": Design("independent")}
    designs |= {f"rotation, 600 × 384, reliability {r}": Design(n=600, d=384, reliability=(r, r)) for r in (0.9, 0.7)}
    return designs


#: By name: what the geometry verdict is measured on.
KNOWN_DESIGNS: dict[str, Design] = _known_designs()
