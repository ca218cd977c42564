"""CKA from mergeable moments: one pass over the rows, O(d²) memory, any number of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigError, DataError
from ..moments import Moments, merged
from ..resampling import LEVEL, Interval, jackknife_interval
from ..types import Floats
from .hsic import LEAST_ROWS, Hsics, unbiased_from_sums


def debiased_hsics_from_moments(moments: Moments) -> Hsics:
    """Unbiased linear HSICs from moments.

    Raises
    ------
    DataError
        If they are of fewer than 4 rows.
    """
    n = moments.n
    if n < LEAST_ROWS:
        raise DataError(f"debiased CKA needs at least {LEAST_ROWS} rows, got {n:g}: give more sentences")
    sxx, syy = moments.sxx, moments.syy
    trace_x, trace_y = float(np.trace(sxx)), float(np.trace(syy))
    a, b = moments.sum_x / n, moments.sum_y / n
    m = moments
    energies = [float(np.vdot(scatter, scatter)) for scatter in (m.sxy, sxx, syy)]
    diagonals = [
        _recentred(n, (a, b), (m.xx, m.xy, m.yy), (m.x_yy, m.y_xx, m.xx_yy)),
        _recentred(n, (a, a), (m.xx, m.xx, m.xx), (m.x_xx, m.x_xx, m.xx_xx)),
        _recentred(n, (b, b), (m.yy, m.yy, m.yy), (m.y_yy, m.y_yy, m.yy_yy)),
    ]
    traces = [trace_x * trace_y, trace_x**2, trace_y**2]
    return Hsics(*unbiased_from_sums(n, energies, diagonals, traces).tolist())


def debiased_cka_from_moments(moments: Moments) -> float:
    """Debiased linear CKA from moments; equals `debiased_cka` of the same rows, to 1e-12 for moments in float64."""
    return debiased_hsics_from_moments(moments).cka


def linear_cka_from_moments(moments: Moments) -> float:
    """Biased linear CKA from moments; equals `linear_cka` of the same rows."""
    energies = (float(np.vdot(s, s)) for s in (moments.sxy, moments.sxx, moments.syy))
    return Hsics(*energies).cka


def _recentred(
    n: float, means: tuple[Floats, Floats], second: tuple[Floats, Floats, Floats], higher: tuple[Floats, Floats, float]
) -> float:
    """Σ ‖u − a‖² ‖v − b‖² about the means a of u and b of v; expanded, the linear terms sum to −3n ‖a‖²‖b‖²."""
    (a, b), (uu, uv, vv), (u_vv, v_uu, uu_vv) = means, second, higher
    aa, bb = a @ a, b @ b
    cubic = a @ u_vv + b @ v_uu
    quadratic = bb * np.trace(uu) + aa * np.trace(vv) + 4 * (a @ uv @ b)
    return float(uu_vv - 2 * cubic + quadratic - 3 * n * aa * bb)


def jackknife_debiased_cka(blocks: Sequence[Moments], *, level: float = LEVEL) -> Interval:
    """Debiased CKA of all rows with a delete-one-block jackknife interval (Künsch, 1989).

    Parameters
    ----------
    blocks : sequence of Moments
        Of disjoint blocks of about equal size, about one centre; each concept group is within one block.
    level : float
        Confidence level, 0 to 1.

    Raises
    ------
    ConfigError
        If there are fewer than 2 blocks.
    DataError
        If the blocks have different centres or too few rows.
    """
    if len(blocks) < 2:
        raise ConfigError(f"a jackknife needs at least 2 blocks, got {len(blocks)}")
    total = merged(blocks)
    without = [debiased_cka_from_moments(total - block) for block in blocks]
    return jackknife_interval(debiased_cka_from_moments(total), without, level)
