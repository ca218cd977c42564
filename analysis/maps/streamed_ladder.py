"""The closed-form rungs of the ladder from moments alone: maps, choices and held-out errors of all rows (method §1).

Each fold is predicted by maps fitted without it, as in `ladder.py`, with the same choices on inner folds. What the
error of a map needs of the rows of a block is in their moments, Σ‖y − ŷ‖² = Σ‖y‖² − 2 tr(WᵀSxy) + tr(WWᵀSxx), so that
errors are known by block, not by row, and blocks are what is resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...distributed import Processes
from ...errors import ConfigError, DataError
from ..moments import PairMoments, merged
from ..streamed_moments import GatheredMoments, summed
from ..types import Floats
from .affine import AffineMap, squared_error
from .fold_moments import Folds
from .ladder import LINEAR_RUNGS, RIGID, SAME_SPACE_RUNGS, Choices
from .low_rank import choose_rank
from .map_spec import fit_spec
from .regression import Regression, Split
from .shrinkage import choose_kappa, choose_shrinkage


@dataclass(frozen=True, slots=True, eq=False)
class StreamedFit:
    """Held-out squared errors of the closed-form rungs by block, and what each fold chose."""

    errors: dict[str, Floats]  # rung → (b,) Σ‖y − ŷ‖² over the rows of each block
    total: Floats  # (b,) Σ‖y − μy‖², μy of the training folds
    choices: tuple[Choices, ...]  # one for each fold

    @property
    def r2(self) -> dict[str, float]:
        """R² of each rung over all rows."""
        return {rung: float(1 - errors.sum() / self.total.sum()) for rung, errors in self.errors.items()}


class MomentFolds:
    """Regressions on all folds but some, from the moments of each fold.

    Parameters
    ----------
    folds : sequence of PairMoments
        At least three, about equal centres.
    prior : array (p, q), optional
        As in `Regression`.
    """

    def __init__(self, folds: Sequence[PairMoments], prior: Floats | None = None) -> None:
        self.folds = tuple(folds)
        self.prior = prior
        self._whole = merged(folds)
        self._inner: dict[Folds, Regression] = {}

    def without(self, excluded: Folds) -> Regression:
        """Return the regression on the rows outside some folds."""
        rest = self._whole
        for fold in excluded:
            rest = rest - self.folds[fold]
        return Regression(rest, self.prior)

    def inner_splits(self, held_out: int) -> list[Split]:
        """Return the splits on which an outer fold's choices are made: its two neighbours in the ring of folds.

        A pair of neighbours is left out together once for both of them, and forgotten after the second.
        """
        splits = []
        for fold in sorted({(held_out + 1) % len(self.folds), (held_out - 1) % len(self.folds)}):
            pair = frozenset({held_out, fold})
            known = self._inner.pop(pair, None)
            training = known or self.without(pair)
            if known is None:
                self._inner[pair] = training
            splits.append(Split(training, self.folds[fold]))
        return splits


def fit_streamed(
    gathered: GatheredMoments,
    rungs: Sequence[str],
    *,
    prior: Floats | None = None,
    processes: Processes = Processes(),  # noqa: B008 - frozen
) -> StreamedFit:
    """Fit the closed-form rungs without each fold, and sum their errors over the blocks of that fold.

    Parameters
    ----------
    gathered : GatheredMoments
        Of at least three folds.
    rungs : sequence of str
        Closed-form names out of `ladder.RUNGS`; `identity` and `shift` need p = q.
    prior : array (p, q), optional
        As in `Regression`: the identity within one space.
    processes : Processes
        Those that gathered the moments; each fits the same maps and scores its own rows.

    Raises
    ------
    ConfigError
        If a rung is not in closed form, or there are fewer than three folds.
    DataError
        If `identity` or `shift` are asked for and the widths differ.
    """
    if unknown := [rung for rung in rungs if rung not in LINEAR_RUNGS]:
        raise ConfigError(f"'{unknown[0]}' has no closed form: expected some of {', '.join(sorted(LINEAR_RUNGS))}")
    if len(gathered.folds) < 3:
        raise ConfigError(f"expected at least 3 folds (inner choices need two), got {len(gathered.folds)}")
    p, q = gathered.folds[0].xy.shape
    if SAME_SPACE_RUNGS & set(rungs) and p != q:
        raise DataError(f"identity and shift need equal widths, got {p} and {q}")
    folds = MomentFolds(gathered.folds, prior)
    table = np.zeros((len(gathered.fold_of_block), 1 + len(rungs)))
    choices = []
    for fold in range(len(gathered.folds)):
        chosen = closed_form_choices(folds, fold, rungs)
        training = folds.without(frozenset({fold}))
        maps = [None if rung == "identity" else fit_spec(training, chosen.spec(rung)).weights for rung in rungs]
        squares = [None if weights is None else weights @ weights.T for weights in maps]
        for number, block in gathered.blocks.items():
            if gathered.fold_of_block[number] == fold:
                table[number] = block_errors(Split(training, block), list(zip(maps, squares, strict=True)))
        choices.append(chosen)
    whole = summed(table, processes)
    return StreamedFit(dict(zip(rungs, whole[:, 1:].T, strict=True)), whole[:, 0], tuple(choices))


def closed_form_choices(folds: MomentFolds, held_out: int, rungs: Sequence[str]) -> Choices:
    """Return what the training folds choose for the closed-form rungs of one outer fold."""
    asked = set(rungs)
    if asked <= SAME_SPACE_RUNGS:
        return Choices()
    splits = folds.inner_splits(held_out)
    kappa = choose_kappa(splits)
    if asked <= RIGID | SAME_SPACE_RUNGS:
        return Choices(kappa)
    shrinkage = choose_shrinkage(splits, kappa)
    return Choices(kappa, shrinkage, choose_rank(splits, shrinkage) if "low_rank" in asked else None)


def block_errors(split: Split, maps: Sequence[tuple[Floats | None, Floats | None]]) -> list[float]:
    """Return Σ‖y − μy‖² over the held-out rows, and Σ‖y − ŷ‖² of each map.

    Parameters
    ----------
    split : Split
        A fold's regression, and the moments of a block that it has not seen.
    maps : sequence of pairs of array (p, q), (p, p)
        W and WWᵀ of each; None for the identity. With WWᵀ at hand a block takes no matrix product.
    """
    found = [split.total]
    for weights, square in maps:
        if weights is None or square is None:
            held, p = split.held_out, len(split.training.mean_x)
            found.append(squared_error(AffineMap(np.eye(p), np.zeros(p), np.zeros(p)), held))
        else:
            linear = float(np.einsum("ij,ij->", weights, split.sxy))
            found.append(split.total - 2 * linear + float(np.einsum("ij,ij->", square, split.sxx)))
    return found
