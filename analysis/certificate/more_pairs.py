"""R² that the linear rung would reach with more pairs, from the errors of one ladder (method §6).

In many dimensions the expected test error of ridge regression on n rows is, to leading order,

    V(κ) / (1 − df₂(κ) / n),  V(κ) = σ² + κ² Σ λᵢ bᵢ² / (λᵢ + κ)²,  df₂(κ) = Σ λᵢ² / (λᵢ + κ)²,

with λᵢ the eigenvalues of the covariance of x, bᵢ what the map has beyond its prior along each axis, σ² the noise, and
κ the penalty a row divided by 1 − df₁ / n, df₁ = Σ lᵢ / (lᵢ + λ) over the sample's eigenvalues (Dobriban and Wager,
2018; Hastie et al., 2022; Wei, Hu and Steinhardt, 2022). V and df₂ belong to the population and hold for any n; df₁ of
the sample is that of the population at κ, and df₂ = df₁ + κ df₁′(κ). So held-out errors along the penalties of one
sample give V, and the least V(κ) / (1 − df₂(κ) / n) is the error of n pairs with the penalty that they would choose.
No spectrum, signal or law of growth is assumed; rows are to be independent and alike, and noise that depends on x
counts as if it did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..maps.fold_moments import FoldedTarget
from ..maps.regression import Centre, Regression, Split
from ..resampling import Interval, Resamples, percentile_interval
from ..retrieval.scores import row_squares
from ..types import Floats

KAPPAS: Floats = 10.0 ** (np.arange(-50, 31) / 10)  # in mean eigenvalues of the covariance of x
RELATIVE_PENALTIES: Floats = 10.0 ** (np.arange(-80, 41) / 10)
FILLED = 0.75  # of the rows, in degrees of freedom: beyond it errors of the sample say too little
LARGEST_SCALE = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One fold along the grid of κ: what its held-out errors say about the population; NaN where they say nothing."""

    penalties: Floats  # (k,) in pairs
    correction: Floats  # (k,) 1 − df₂ / n, by which a held-out error becomes V
    df2: Floats  # (k,)
    errors: tuple[Floats, Floats, Floats]  # a, b, c, (k,) each: V = a − 2 b s + c s² for scale s of the prior

    @classmethod
    def of(cls, split: Split, towards: Centre) -> Path:
        """Follow the penalties of a training regression and the errors of the fold held out of it."""
        training = split.training
        rows = training.rows.n - 1  # the mean takes one
        eigenvalues = training.factor.eigenvalues[:, None] / training.factor.unit
        shrunk = eigenvalues + RELATIVE_PENALTIES
        df1, slope = (eigenvalues / shrunk).sum(axis=0), -(eigenvalues / shrunk**2).sum(axis=0)
        free = 1 - df1 / rows
        held = (free >= 1 - FILLED) & (df1 > 0)
        penalties, df1, slope, free = (v[held] for v in (RELATIVE_PENALTIES, df1, slope, free))
        kappas = penalties / free
        df2 = df1 + kappas * slope / ((free + penalties * slope / rows) / free**2)
        correction = 1 - df2 / rows
        parts = split.errors_in_scale((penalties * training.rows.n).tolist(), towards)
        at = np.log(kappas)

        def on_grid(values: Floats) -> Floats:
            return np.interp(np.log(KAPPAS), at, values, left=np.nan)

        a, b, c = (on_grid(part * correction) for part in parts)
        return cls(np.exp(on_grid(np.log(penalties * training.rows.n))), on_grid(correction), on_grid(df2), (a, b, c))


@dataclass(frozen=True, slots=True)
class Setting:
    """The best κ, by its place in the grid, and scale of the prior for a number of pairs, and the factor of V."""

    place: int
    scale: float
    factor: float  # 1 / (1 − df₂ / n)


class MorePairs:
    """Foresees the held-out R² of ridge towards the prior for any number of training pairs.

    Parameters
    ----------
    target : FoldedTarget
        A target with its folds, whose regressions on all folds but one are shared with the ladder. Where it has no
        prior map of its own, ridge is towards zero.
    """

    def __init__(self, target: FoldedTarget) -> None:
        self.target = target
        self.towards: Centre = "zero" if target.prior is None else "prior"
        self.splits = [target.split(frozenset({fold}), fold) for fold in range(target.source.n_folds)]
        self.paths = [Path.of(split, self.towards) for split in self.splits]
        a, b, c = (np.sum([path.errors[i] for path in self.paths], axis=0) for i in range(3))
        self._scales = np.clip(np.divide(b, c, out=np.zeros_like(b), where=c > 0), 0.0, LARGEST_SCALE)
        self._error = a - 2 * self._scales * b + self._scales**2 * c
        self._df2 = np.mean([path.df2 for path in self.paths], axis=0)

    @property
    def training_pairs(self) -> int:
        """Pairs that the folds train on, on average."""
        return round(float(np.mean([split.training.rows.n for split in self.splits])))

    def setting(self, pairs: float) -> Setting | None:
        """Return what a number of pairs ≥ those of a fold would choose; None where this sample cannot say."""
        share = 1 - self._df2 / (pairs - 1)
        known = np.isfinite(self._error) & (share > 1 - FILLED)
        if not known.any():
            return None
        errors = np.full(len(KAPPAS), np.inf)
        errors[known] = self._error[known] / share[known]
        place = int(np.argmin(errors))
        lowest = int(np.flatnonzero(np.isfinite(self._error))[0])
        if place <= lowest and lowest > 0:  # the best penalty is below those that so few rows tell about
            return None
        return Setting(place, float(self._scales[place]), float(1 / share[place]))

    def row_errors(self, setting: Setting) -> Floats:
        """Return the errors of the held-out rows, (n,), as they would be on average with those pairs."""
        errors = np.empty(len(self.target.y))
        for fold, rows in enumerate(self.target.source.rows):
            path, training = self.paths[fold], self.splits[fold].training
            about = self.target.y[rows] - training.mean_y
            deviation = self._deviation(
                training, self.target.source.x[rows], path.penalties[setting.place], setting.scale
            )
            errors[rows] = row_squares(about - deviation) * path.correction[setting.place] * setting.factor
        return errors

    def totals(self) -> Floats:
        """Return ‖y − μy‖² of every row about its training mean, (n,)."""
        totals = np.empty(len(self.target.y))
        for rows, split in zip(self.target.source.rows, self.splits, strict=True):
            totals[rows] = row_squares(self.target.y[rows] - split.training.mean_y)
        return totals

    def _deviation(self, training: Regression, x: Floats, penalty: float, scale: float) -> Floats:
        relative = penalty / training.rows.n
        shrink = training.factor.inverse(relative)[:, None]
        right = training.rotated * shrink
        if self.towards != "zero":
            right = right + (relative * training.factor.unit * scale) * shrink * training.turned_centre("prior", 0.0)
        turned: Floats = ((x - training.mean_x) @ training.factor.vectors) @ right
        return turned

    def foresee(self, pairs: Sequence[float], resamples: Resamples) -> list[Interval | None]:
        """Return R² with an interval for each number of pairs; None where this sample cannot say."""
        totals = self.totals()
        found: list[Interval | None] = []
        for count in pairs:
            setting = self.setting(count)
            if setting is None:
                found.append(None)
                continue
            ratio, drawn = resamples.ratio_of_sums(self.row_errors(setting), totals)
            found.append(percentile_interval(1 - ratio, 1 - ratio - self._widening(setting) * (drawn - ratio)))
        return found

    def _widening(self, setting: Setting) -> float:
        """Return the factor by which rows that happen to be noisy move V more than they move held-out errors.

        They are trained on too: an error is V / (1 − df₂ / n), and a resample of held-out rows moves only V.
        """
        return float(1 / np.mean([path.correction[setting.place] for path in self.paths]))
