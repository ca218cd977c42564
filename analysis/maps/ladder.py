"""The ladder of maps with nested choices: held-out predictions of every rung for one target (method §1, §2).

Everything that depends on the source alone is factorised once and serves the observed target, the permuted ones of the
null and the planted ones of the power statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, DataError
from ..threads import workers
from ..types import Floats
from .fold_moments import FoldedSource, FoldedTarget
from .fourier import Curvature, NonlinearRung
from .low_rank import choose_rank
from .map_spec import LEAST_SQUARES, MapSpec, fit_spec
from .mlp import residual_mlp
from .piecewise import Locality, LocalRung
from .regression import Shrinkage, Split
from .shrinkage import choose_kappa, choose_shrinkage

Prior = Literal["auto", "identity", "components"]

#: Every rung, from the fewest free parameters to the most.
RUNGS: tuple[str, ...] = (
    "identity",
    "shift",
    "rotation",
    "similarity",
    "low_rank",
    "linear",
    "local",
    "nonlinear",
    "mlp",
)
SAME_SPACE_RUNGS = frozenset({"identity", "shift"})
RIGID = frozenset({"shift", "rotation", "similarity"})
LINEAR_RUNGS = frozenset({"identity", "shift", "rotation", "similarity", "low_rank", "linear"})
DEFAULT_RUNGS = RUNGS[:-1]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the training folds chose for one outer fold."""

    kappa: float = float("nan")  # of the rotation, in pairs; NaN where no rung needed one
    shrinkage: Shrinkage | None = None  # of the linear map
    rank: int | None = None
    locality: Locality | None = None
    curvature: Curvature | None = None

    @property
    def penalty(self) -> float:
        """Pairs that the prior of the linear map weighs as; NaN where none was fitted."""
        return float("nan") if self.shrinkage is None else self.shrinkage.penalty

    def spec(self, rung: str) -> MapSpec:
        """Return a closed-form rung with what was chosen for it."""
        rank = self.rank if rung == "low_rank" else None
        return MapSpec(rung, self.kappa, self.shrinkage or LEAST_SQUARES, rank)


def median_choices(choices: Sequence[Choices]) -> Choices:
    """Return the choices with the median penalty of the linear map: what a fit to all rows may use."""
    return sorted(choices, key=lambda choice: choice.penalty)[len(choices) // 2]


@dataclass(frozen=True, slots=True, eq=False)
class LadderFit:
    """Held-out predictions of every rung, and the reference prediction (the training mean)."""

    predictions: dict[str, Floats]  # rung → (n, q)
    reference: Floats  # (n, q): the `mean` rung
    choices: tuple[Choices, ...]  # one for each fold
    target: FoldedTarget


class Ladder:
    """Fits every rung on the training folds and predicts the held-out one, for any target of one source.

    Parameters
    ----------
    x : array (n, p)
        Source embeddings.
    folds : array (n,) of int
        Outer fold of each row; inner choices use the other folds only.
    prior : {"auto", "identity", "components"} or array (p, q)
        The plainest map that rotations and linear maps are shrunk towards: the identity within one space, or the
        partial isometry of the strongest components; by default the identity where `rungs` hold identity or shift.
    rungs : tuple of str
        Names out of `RUNGS`; `identity` and `shift` need p = q.
    seed : int
        Seed of random features and of region centres.
    """

    def __init__(
        self,
        x: NDArray[np.floating],
        folds: NDArray[np.int64],
        *,
        rungs: tuple[str, ...],
        prior: Prior | Floats = "auto",
        seed: int = 0,
    ) -> None:
        unknown = [name for name in rungs if name not in RUNGS]
        if unknown:
            raise ConfigError(f"unknown rung '{unknown[0]}': expected some of {', '.join(RUNGS)}")
        if int(folds.max()) < 2:
            raise ConfigError(f"expected at least 3 folds (inner choices need two), got {int(folds.max()) + 1}")
        self.rungs = rungs
        self.prior: Prior | Floats = prior
        if isinstance(prior, str) and prior == "auto":
            self.prior = "identity" if SAME_SPACE_RUNGS & set(rungs) else "components"
        self.seed = seed
        self._unturned = False
        self._set_source(np.asarray(x, np.float64), FoldedSource.of(x, folds))

    def _set_source(self, x: Floats, source: FoldedSource) -> None:
        self.x, self.source = x, source
        self._local = LocalRung(source, self.seed)
        self._nonlinear = NonlinearRung(source, self.seed)

    def narrow(self, *, unturned: bool = False) -> Ladder:
        """Return the same ladder in float32, with what this one has factorised: for nulls and planted targets.

        Scores agree to about 1e-5; the time is about half. An unturned one leaves rotations at the prior map:
        permuted pairs have none to find, and each κ costs a polar factor for every fold.
        """
        twin = copy(self)
        twin._unturned = unturned
        twin._set_source(self.x.astype(np.float32), self.source.narrow())
        return twin

    def target(self, y: NDArray[np.floating], prior: Floats | None = None) -> FoldedTarget:
        """Return y (n, q) with its sums against the source, and this ladder's prior map or another, (p, q)."""
        if prior is None and not isinstance(self.prior, str):
            prior = self.prior
        elif prior is None and self.prior == "identity":
            prior = np.eye(self.x.shape[1], y.shape[1])
        return FoldedTarget.of(self.source, y, prior)

    def fit(
        self, y: NDArray[np.floating], rungs: tuple[str, ...] | None = None, *, prior: Floats | None = None
    ) -> LadderFit:
        """Predict every row of y, (n, q), from maps fitted without its fold.

        Parameters
        ----------
        y : array (n, q)
        rungs : tuple of str, optional
            Those of the ladder by default.
        prior : array (p, q), optional
            Prior map of this target alone.

        Raises
        ------
        DataError
            If `identity` or `shift` are asked for and the widths differ.
        """
        asked = self.rungs if rungs is None else rungs
        target = self.target(y, prior)
        if SAME_SPACE_RUNGS & set(asked) and y.shape[1] != self.x.shape[1]:
            raise DataError(f"identity and shift need equal widths, got {self.x.shape[1]} and {y.shape[1]}")
        predictions = {name: np.empty(y.shape, self.x.dtype) for name in asked}
        reference = np.empty(y.shape, self.x.dtype)
        choices = []
        with workers(self.source.n_folds) as crew:
            if not set(asked) <= SAME_SPACE_RUNGS:
                crew.map(target.prepare, self.source.inner_exclusions())
            fitted = crew.map(lambda fold: self._fit_fold(target, fold, asked), range(self.source.n_folds))
        for fold, (choice, parts) in enumerate(fitted):
            rows = self.source.rows[fold]
            choices.append(choice)
            reference[rows] = target.regression(frozenset({fold})).mean_y + target.centre
            for name in asked:
                predictions[name][rows] = parts[name]
        return LadderFit(predictions, reference, tuple(choices), target)

    def _fit_fold(self, target: FoldedTarget, fold: int, asked: tuple[str, ...]) -> tuple[Choices, dict[str, Floats]]:
        """Return what the training folds chose for one outer fold, and the predictions of its rows by each rung."""
        rows, training = self.source.rows[fold], target.regression(frozenset({fold}))
        x = self.source.x[rows]
        choices = Choices()
        parts: dict[str, Floats] = {}
        if not set(asked) <= SAME_SPACE_RUNGS:
            splits = target.inner_splits(fold)
            choices = Choices(float("inf") if self._unturned else choose_kappa(splits))
            if not set(asked) <= RIGID | SAME_SPACE_RUNGS:
                choices = self._predict_chosen(target, fold, asked, parts, splits=splits, kappa=choices.kappa)
        parts |= {name: fit_spec(training, choices.spec(name))(x) for name in asked if name in RIGID}
        for part in parts.values():
            np.add(part, target.centre, out=part)
        return choices, {"identity": self.x[rows]} | parts

    def _predict_chosen(
        self,
        target: FoldedTarget,
        fold: int,
        asked: tuple[str, ...],
        parts: dict[str, Floats],
        *,
        splits: list[Split],
        kappa: float,
    ) -> Choices:
        """Add the predictions of the rungs that choose something on the inner folds, and return what they chose."""
        x, training = self.source.x[self.source.rows[fold]], target.regression(frozenset({fold}))
        shrinkage = choose_shrinkage(splits, kappa)
        parts["linear"] = training.linear(shrinkage)(x)
        rank = locality = curvature = None
        if "low_rank" in asked:
            rank = choose_rank(splits, shrinkage)
            parts["low_rank"] = fit_spec(training, MapSpec("low_rank", kappa, shrinkage, rank))(x)
        if "local" in asked:
            parts["local"], locality = self._local.predict(target, fold, shrinkage)
        if "nonlinear" in asked:
            parts["nonlinear"], curvature = self._nonlinear.predict(target, fold, shrinkage)
        if "mlp" in asked:
            parts["mlp"] = residual_mlp(target, training.linear(shrinkage), held_out=fold, seed=self.seed)
        return Choices(kappa, shrinkage, rank, locality, curvature)
