"""The affine map families as scikit-learn estimators, fitted to rows or solved from `Moments` with the same result.

`fit(x, y)`, `transform`, `predict` (the same), `score` (R² about the training mean, method §2), `inverse_transform`
where there is an inverse; `clone`, pipelines and `cross_val_score` work. Saved as safetensors and JSON, never pickled.
The curved families are in `curved_maps`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from ...errors import ConfigError, DataError, OutputError
from ..moments import Moments
from ..retrieval.scores import row_squares
from ..splits import group_folds
from ..types import Floats, Rows
from .affine import AffineMap, rank_grid
from .closed_form import Recipe, fitted_directions, solve
from .ridge import RELATIVE_PENALTIES, RidgeFactor

Groups = Sequence[int] | NDArray[np.integer] | None
Automatic = Literal["auto"]

FORMAT = "polyglot/map/1"
ARRAYS_FILE, SETTINGS_FILE = "map.safetensors", "map.json"
LARGEST_CONDITION = 1e10


class Map(TransformerMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is not annotated
    """What all maps share: prediction, score, and a folder to be kept in.

    A family names the rung that it is, its fitted arrays and its fitted numbers.
    """

    rung: ClassVar[str]
    arrays: ClassVar[tuple[str, ...]]
    numbers: ClassVar[tuple[str, ...]] = ()

    def transform(self, x: Rows) -> Floats:
        """Map rows (n, p) to (n, q).

        Raises
        ------
        NotFittedError
            If the map has not been fitted.
        DataError
            If the width of x is not that of the fit.
        """
        self._require_fit()
        rows = np.asarray(x, np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.n_features_in_:
            raise DataError(f"expected rows of width {self.n_features_in_}, got an array of shape {rows.shape}")
        return self._mapped(rows)

    def predict(self, x: Rows) -> Floats:
        """Map rows (n, p) to (n, q): the name that pipelines and cross-validation call."""
        return self.transform(x)

    def score(self, x: Rows, y: Rows) -> float:
        """Return R² = 1 − Σ‖y − ŷ‖² / Σ‖y − μy‖² with μy from the training rows; 1 is best, 0 as good as the mean."""
        target = np.asarray(y, np.float64)
        error = row_squares(target - self.transform(x)).sum()
        return float(1 - error / row_squares(target - self.mean_y_).sum())

    def save(self, folder: str | Path) -> Path:
        """Write `map.safetensors`, then `map.json`, into a folder, both by renaming; return the folder.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        from safetensors.numpy import save_file

        self._require_fit()
        place = Path(folder)
        held = {name: np.ascontiguousarray(getattr(self, f"{name}_"), np.float64) for name in self.arrays}
        record = {
            "format": FORMAT,
            "rung": self.rung,
            "settings": self.get_params(),
            "fitted": {name: getattr(self, f"{name}_") for name in self.numbers},
            "widths": [int(self.n_features_in_), len(self.mean_y_)],
        }
        try:
            place.mkdir(parents=True, exist_ok=True)
            scratch = place / f".{ARRAYS_FILE}.{os.getpid()}"
            save_file(held, scratch, metadata={"format": FORMAT})
            scratch.replace(place / ARRAYS_FILE)
            notes = place / f".{SETTINGS_FILE}.{os.getpid()}"
            notes.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            notes.replace(place / SETTINGS_FILE)
        except OSError as error:
            raise OutputError(f"cannot write a map to {place}: {error.strerror}; give another folder") from error
        return place

    @property
    def affine(self) -> AffineMap | None:
        """The map as weights and means where it is affine; None where it bends."""
        return None

    def _mapped(self, x: Floats) -> Floats:
        raise NotImplementedError

    def _require_fit(self) -> None:
        if not hasattr(self, "mean_y_"):
            raise NotFittedError(f"this {type(self).__name__} has not been fitted: call fit or fit_moments first")


class AffineFamily(Map):
    """ŷ = (x − μx) W + μy; fitted attributes `weights_` (p, q), `mean_x_` (p,), `mean_y_` (q,)."""

    arrays = ("weights", "mean_x", "mean_y")

    def fit(self, x: Rows, y: Rows, groups: Groups = None) -> Self:
        """Fit to paired rows.

        Parameters
        ----------
        x, y : array (n, p), (n, q)
            Paired rows; memory-mapped if you like.
        groups : sequence of int, optional
            Concept group of each row, (n,): whatever is chosen, is chosen on folds that no group crosses.

        Raises
        ------
        DataError
            If the shapes disagree, a row is not finite, or there are too few rows to choose on.
        """
        return self.fit_moments(Moments.from_arrays(np.asarray(x), np.asarray(y), dtype="float64"))

    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Solve from the moments of the training rows, or from those of each of their folds.

        Raises
        ------
        DataError
            If there are no rows, or the widths do not allow the family.
        """
        return self._take(solve(total_of(moments), [Recipe(self.rung)])[0])

    @property
    def affine(self) -> AffineMap:
        """The map as weights and means."""
        self._require_fit()
        return AffineMap(self.weights_, self.mean_x_, self.mean_y_)

    def inverse_transform(self, y: Rows) -> Floats:
        """Map rows (n, q) back to (n, p).

        Raises
        ------
        DataError
            If the map has no inverse: it narrows the space, or is singular.
        """
        self._require_fit()
        return (np.asarray(y, np.float64) - self.mean_y_) @ self._inverse() + self.mean_x_

    def _inverse(self) -> Floats:
        p, q = self.weights_.shape
        if p > q or np.linalg.cond(self.weights_) > LARGEST_CONDITION:
            raise DataError(f"this {type(self).__name__} ({p} → {q}) has no inverse: fit a map in the other direction")
        return np.asarray(np.linalg.pinv(self.weights_), np.float64)

    def _mapped(self, x: Floats) -> Floats:
        return self.affine(x)

    def _take(self, fitted: AffineMap) -> Self:
        self.weights_, self.mean_x_, self.mean_y_ = fitted.weights, fitted.mean_x, fitted.mean_y
        self.n_features_in_ = len(fitted.mean_x)
        return self


class IdentityMap(AffineFamily):
    """ŷ = x: both sides share one place already; only the mean of y is learned, for `score`. Widths must be equal.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> IdentityMap().fit(x, x).score(x, x)
    1.0
    """

    rung = "identity"

    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Check the widths and keep the mean of y.

        Raises
        ------
        DataError
            If there are no rows, or the widths differ.
        """
        self._take(solve(total_of(moments), [Recipe("shift")])[0])
        self.mean_x_ = self.mean_y_
        return self


class ShiftMap(AffineFamily):
    """ŷ = x + μy − μx: translation as a translation; the widths must be equal.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> ShiftMap().fit(x, x + 1).transform(np.zeros((1, 3))).round(2)
    array([[1., 1., 1.]])
    """

    rung = "shift"


class RotationMap(AffineFamily):
    """ŷ = (x − μx) Q + μy with Q orthogonal, semi-orthogonal between different widths (Schönemann, 1966).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(RotationMap().fit(x, x[:, ::-1]).score(x, x[:, ::-1]), 2)
    1.0
    """

    rung = "rotation"


class SimilarityMap(AffineFamily):
    """ŷ = s (x − μx) Q + μy: a rotation with one scale.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(SimilarityMap().fit(x, 2 * x[:, ::-1]).score(x, 2 * x[:, ::-1]), 2)
    1.0
    """

    rung = "similarity"


class RidgeMap(AffineFamily):
    """ŷ = (x − μx) W + μy by ridge regression (Hoerl and Kennard, 1970): the `linear` rung.

    Parameters
    ----------
    penalty : float or "auto"
        λ relative to tr(Sxx)/p, ≥ 0; chosen on inner folds by default. `penalty_` is what was used.
    folds : int
        Inner folds, ≥ 2.
    seed : int
        Deals groups to folds.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(RidgeMap(penalty=0.0).fit(x, x @ np.diag([1, 2, 3])).score(x, x @ np.diag([1, 2, 3])), 2)
    1.0
    """

    rung = "linear"
    numbers: ClassVar[tuple[str, ...]] = ("penalty",)

    def __init__(self, penalty: float | Automatic = "auto", folds: int = 5, seed: int = 0) -> None:
        self.penalty = penalty
        self.folds = folds
        self.seed = seed

    def fit(self, x: Rows, y: Rows, groups: Groups = None) -> Self:
        """Fit to paired rows; see `AffineFamily.fit`."""
        if not self._chooses():
            return super().fit(x, y, groups)
        return self.fit_moments(fold_moments(np.asarray(x), np.asarray(y), groups, folds=self.folds, seed=self.seed))

    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Solve from the moments of all rows, or from those of each fold, on which whatever is "auto" is chosen.

        Raises
        ------
        ConfigError
            If something is to be chosen and moments are not given by fold, or a setting is out of range.
        """
        if isinstance(moments, Moments) and self._chooses():
            raise ConfigError("nothing can be chosen on one set of moments: give a number, or the moments of each fold")
        self._choose([moments] if isinstance(moments, Moments) else list(moments))
        return self._take(solve(total_of(moments), [self._recipe()])[0])

    def _chooses(self) -> bool:
        return self.penalty == "auto"

    def _choose(self, folds: list[Moments]) -> None:
        self.penalty_ = best_penalty(folds) if self.penalty == "auto" else float(self.penalty)
        if not self.penalty_ >= 0:
            raise ConfigError(f"a penalty is 0 or more, got {self.penalty_}")

    def _recipe(self) -> Recipe:
        return Recipe(self.rung, self.penalty_)


class LowRankMap(RidgeMap):
    """Reduced-rank ridge regression (Izenman, 1975): the ridge map, its fitted values held to `rank` dimensions.

    Parameters
    ----------
    rank : int or "auto"
        ≥ 1; chosen on inner folds among powers of √2 by default. `rank_` is what was used.
    penalty, folds, seed
        As in `RidgeMap`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> y = x @ np.diag([3, 0, 0])
    >>> round(LowRankMap(rank=1, penalty=0.0).fit(x, y).score(x, y), 2)
    1.0
    """

    rung = "low_rank"
    numbers = ("penalty", "rank")

    def __init__(
        self, rank: int | Automatic = "auto", penalty: float | Automatic = "auto", folds: int = 5, seed: int = 0
    ) -> None:
        super().__init__(penalty, folds, seed)
        self.rank = rank

    def _chooses(self) -> bool:
        return super()._chooses() or self.rank == "auto"

    def _choose(self, folds: list[Moments]) -> None:
        super()._choose(folds)
        self.rank_ = best_rank(folds, self.penalty_) if self.rank == "auto" else int(self.rank)
        if self.rank_ < 1:
            raise ConfigError(f"a rank is 1 or more, got {self.rank_}")

    def _recipe(self) -> Recipe:
        return Recipe(self.rung, self.penalty_, self.rank_)

    def _inverse(self) -> Floats:
        raise DataError("a map of low rank has no inverse: fit a map in the other direction")


def total_of(moments: Moments | Sequence[Moments]) -> Moments:
    """Return the moments of all folds together."""
    if isinstance(moments, Moments):
        return moments
    if not moments:
        raise DataError("a map cannot be fitted to no rows")
    total = moments[0]
    for part in moments[1:]:
        total = total + part
    return total


def fold_moments(x: Rows, y: Rows, groups: Groups = None, *, folds: int = 5, seed: int = 0) -> list[Moments]:
    """Gather the moments of paired rows (n, p) and (n, q) by folds that no group crosses.

    Raises
    ------
    DataError
        If the shapes disagree, a row is not finite, or there are fewer groups than folds.
    """
    whole = Moments.from_arrays(x, y, dtype="float64")
    parts = group_folds(np.arange(len(x)) if groups is None else np.asarray(groups), folds, np.random.default_rng(seed))
    centres = (whole.centre_x, whole.centre_y)
    return [
        Moments.from_arrays(x[parts == fold], y[parts == fold], centres=centres, dtype="float64")
        for fold in range(folds)
    ]


def best_penalty(folds: Sequence[Moments]) -> float:
    """Return the λ out of `RELATIVE_PENALTIES` with the least error over folds left out in turn."""
    total = total_of(folds)
    errors = np.zeros(len(RELATIVE_PENALTIES))
    for fold in folds:
        rest = total - fold
        factor = RidgeFactor.of(rest.sxx)
        errors += factor.path_errors(
            factor.rotate(rest.sxy),
            factor.rotate(fold.scatter_xy(rest.mean_x, rest.mean_y)),
            factor.quadratic(fold.scatter_xx(rest.mean_x)),
            fold.total_y(rest.mean_y),
        )
    return RELATIVE_PENALTIES[int(np.argmin(errors))]


def best_rank(folds: Sequence[Moments], penalty: float) -> int:
    """Return the rank out of `rank_grid` with the least error over folds left out in turn."""
    total = total_of(folds)
    grid = rank_grid(min(total.xy.shape))
    errors = np.zeros(len(grid))
    for fold in folds:
        rest = total - fold
        weights = solve(rest, [Recipe("linear", penalty)])[0].weights
        directions = fitted_directions(rest.sxx, weights)
        projected = weights @ directions
        cross = fold.scatter_xy(rest.mean_x, rest.mean_y) @ directions
        quadratic = np.einsum("ij,ij->j", projected, fold.scatter_xx(rest.mean_x) @ projected)
        errors += np.cumsum(quadratic - 2 * np.einsum("ij,ij->j", projected, cross))[grid - 1]
    return int(grid[int(np.argmin(errors))])


AFFINE: tuple[type[AffineFamily], ...] = (IdentityMap, ShiftMap, RotationMap, SimilarityMap, LowRankMap, RidgeMap)


def map_families() -> dict[str, type[Map]]:
    """Return every family under the name of its rung."""
    from .curved_estimators import CURVED

    return {family.rung: family for family in (*AFFINE, *CURVED)}


def make_map(rung: str, seed: int = 0) -> Map:
    """Return an unfitted map of a rung, everything that it can choose left to inner folds.

    Raises
    ------
    ConfigError
        If no family has that name.
    """
    families = map_families()
    if rung not in families:
        raise ConfigError(f"no map is called {rung!r}: expected one of {', '.join(families)}")
    family = families[rung]
    return family(seed=seed) if "seed" in family().get_params() else family()


def load_map(folder: str | Path) -> Map:
    """Read what `Map.save` wrote.

    Raises
    ------
    DataError
        If the folder holds no map, or a damaged one.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    place = Path(folder)
    try:
        record: dict[str, Any] = json.loads((place / SETTINGS_FILE).read_text(encoding="utf-8"))
        arrays = load_file(place / ARRAYS_FILE)
        family = map_families()[record["rung"]]
        made = family(**record["settings"])
        if record["format"] != FORMAT or set(arrays) != set(family.arrays):
            raise ValueError(f"expected {FORMAT} with {', '.join(family.arrays)}")
        _restore(made, record, arrays)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(
            f"{place} holds no map that can be read ({error}); fit it again with `polyglot map fit`"
        ) from error
    return made


def _restore(made: Map, record: dict[str, Any], arrays: Mapping[str, ArrayLike]) -> None:
    for name, values in arrays.items():
        setattr(made, f"{name}_", np.asarray(values, np.float64))
    for name in made.numbers:
        setattr(made, f"{name}_", record["fitted"][name])
    made.n_features_in_ = int(record["widths"][0])
