"""Planted pairs whose verdict is known: the controls that the whole procedure must get right (method §5)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..types import Floats
from .power import curvature

Kind = Literal["identity", "shift", "rotation", "similarity", "linear", "nonlinear", "no map"]
KINDS: tuple[Kind, ...] = ("identity", "shift", "rotation", "similarity", "linear", "nonlinear", "no map")
SHIFT = 0.8
SCALE = 0.5
CURVED_SHARE = 0.5


def plant(kind: Kind, n: int, d: int, rng: np.random.Generator, *, r2: float = 0.5) -> tuple[Floats, Floats]:
    """Draw pairs (x, y), both (n, d), of which y is a known function of x plus noise.

    x is Gaussian with the decaying spectrum i^(−1/2) of embeddings and a mean of the size of its spread.

    Parameters
    ----------
    kind : Kind
        The verdict that is right: y = x, x + c, xQ, s·xQ, xA, curved(x), or independent of x; each plus noise.
    n, d : int
        Rows and width.
    rng : Generator
    r2 : float
        Share of the variance of y that the function explains, in (0, 1]; 1 for no noise.
    """
    spectrum = np.arange(1, d + 1) ** -0.5
    x = rng.standard_normal((n, d)) * spectrum + spectrum.mean() * rng.standard_normal(d)
    y = true_map(kind, x, rng)
    about = y - y.mean(axis=0)
    noise = rng.standard_normal((n, d)) * np.sqrt((1 - r2) / r2 * np.mean(about**2))
    return x, rng.permutation(y + noise) if kind == "no map" else y + noise


def true_map(kind: Kind, x: Floats, rng: np.random.Generator) -> Floats:
    """Return the values of a random map of a kind at rows x (n, d), without noise, (n, d)."""
    width = x.shape[1]
    if kind in ("identity", "no map"):
        return x
    if kind == "shift":
        direction = rng.standard_normal(width)
        spread = float(np.sqrt(x.var(axis=0).sum()))
        return x + SHIFT * spread * direction / float(np.linalg.norm(direction))
    if kind in ("rotation", "similarity"):
        rotation: Floats = np.linalg.qr(rng.standard_normal((width, width)))[0]
        return x @ ((SCALE if kind == "similarity" else 1.0) * rotation)
    linear: Floats = x @ rng.standard_normal((width, width)) / np.sqrt(width)
    if kind == "linear":
        return linear
    curve = curvature(x, width, rng)
    about = linear - linear.mean(axis=0)
    size = np.sqrt(CURVED_SHARE / (1 - CURVED_SHARE) * np.sum(about**2) / np.sum(curve**2))
    return linear + curve * float(size)
