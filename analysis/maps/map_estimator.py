"""What all map families share as scikit-learn estimators: validation, prediction, score, names of outputs, a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, RegressorMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_consistent_length, validate_data

from ...errors import ConfigError, DataError
from ...files import MAP_FILE, output_errors, write_bytes
from ..retrieval.scores import row_squares
from ..types import Floats, Labels, Rows
from .affine import AffineMap

Groups = Sequence[int] | Labels | None
Automatic = Literal["auto"]

FORMAT = "polyglot/map/1"
ARRAYS_FILE = "map.safetensors"
PRECISIONS = [np.float64, np.float32, np.float16]  # rows of other kinds are read as the first


class Map(ClassNamePrefixFeaturesOutMixin, TransformerMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is not annotated
    """A map between two spaces, fitted to paired rows.

    A family names its rung, its fitted arrays and its fitted numbers.
    """

    rung: ClassVar[str]
    arrays: ClassVar[tuple[str, ...]]
    numbers: ClassVar[tuple[str, ...]] = ()
    stretch_: float = 1.0  # of what `stretched` gave
    deviations: ClassVar[tuple[str, ...]] = ("weights",)  # arrays that predictions about the mean of y are linear in

    def transform(self, x: Rows) -> Floats:
        """Map rows (n, p) to (n, q).

        Raises
        ------
        NotFittedError
            If the map has not been fitted.
        DataError
            If the width of x is not that of the fit, or a row is not finite.
        """
        self._require_fit()
        try:
            rows = validate_data(self, x, dtype=np.float64, reset=False)
        except ValueError as error:
            raise DataError(str(error)) from error
        return self._mapped(rows)

    def predict(self, x: Rows) -> Floats:
        """Map rows (n, p) to (n, q): the name that pipelines and cross-validation call, an array in any case."""
        return np.asarray(self.transform(x))

    def score(self, x: Rows, y: Rows) -> float:
        """Return R² = 1 − Σ‖y − ŷ‖² / Σ‖y − μy‖² with μy from the training rows; 1 is best, 0 as good as the mean."""
        target = np.asarray(y, np.float64)
        error = row_squares(target - self.predict(x)).sum()
        return float(1 - error / row_squares(target - self.mean_y_).sum())

    def stretched(self, factor: float) -> Self:
        """Return a copy whose predictions have their deviation from the mean of y stretched, for a search by cosine.

        A map that is shrunk towards the mean points at the mean; a search among targets that are not centred finds more
        with a factor above 1. An infinite factor leaves the mean out.
        """
        self._require_fit()
        twin = copy(self)
        twin.stretch_ = factor
        if np.isinf(factor):
            twin.mean_y_ = np.zeros_like(self.mean_y_)
        elif factor != 1:
            for name in self.deviations:
                setattr(twin, f"{name}_", factor * np.asarray(getattr(self, f"{name}_")))
        return twin

    def save(self, folder: str | Path) -> Path:
        """Write `map.safetensors`, then `map.json`, into a folder, both by renaming; return the folder.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        from safetensors.numpy import save

        self._require_fit()
        place = Path(folder)
        arrays = {name: np.ascontiguousarray(getattr(self, f"{name}_"), np.float64) for name in self.arrays}
        record = {
            "format": FORMAT,
            "rung": self.rung,
            "settings": self.get_params(),
            "fitted": {name: written_number(getattr(self, f"{name}_")) for name in self.numbers},
            "widths": [int(self.n_features_in_), len(self.mean_y_)],
        }
        text = json.dumps(record, indent=1, default=lambda scalar: scalar.item())  # of numpy
        with output_errors(place, "give another folder for the map"):
            place.mkdir(parents=True, exist_ok=True)
            write_bytes(place / ARRAYS_FILE, save(arrays, metadata={"format": FORMAT}))
            write_bytes(place / MAP_FILE, (text + "\n").encode())
        return place

    def restore(self, record: Mapping[str, Any], arrays: Mapping[str, ArrayLike]) -> None:
        """Take the fitted attributes from what `save` wrote: its record, and its arrays by name."""
        for name, values in arrays.items():
            setattr(self, f"{name}_", np.asarray(values, np.float64))
        for name in self.numbers:
            setattr(self, f"{name}_", read_number(record["fitted"].get(name)))
        self.n_features_in_ = int(record["widths"][0])

    @property
    def affine(self) -> AffineMap | None:
        """The map as weights and means where it is affine; None where it is curved."""
        return None

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - sklearn is not annotated
        """Several outputs, always: y is (n, q)."""
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output, tags.target_tags.multi_output = False, True
        return tags

    @property
    def _n_features_out(self) -> int:
        return len(self.mean_y_)

    def _mapped(self, x: Floats) -> Floats:
        raise NotImplementedError

    def _require_fit(self) -> None:
        if not hasattr(self, "mean_y_"):
            raise NotFittedError(f"this {type(self).__name__} has not been fitted: call fit or fit_moments first")

    def _validated_pairs(self, x: Rows, y: Rows, *, least_rows: int = 1) -> tuple[Rows, Rows]:
        """Return paired rows as arrays, after scikit-learn's checks; rows that are not finite are named later."""
        checks = {"dtype": PRECISIONS, "ensure_min_samples": least_rows, "ensure_all_finite": False}
        try:
            rows, targets = validate_data(self, x, y, validate_separately=(checks, checks))
            check_consistent_length(rows, targets)
        except ValueError as error:
            raise DataError(str(error)) from error
        return rows, targets


def written_number(value: float) -> float | str:
    """Return a fitted number as JSON holds it: an infinite one as text."""
    return value if np.isfinite(value) else str(float(value))


def read_number(value: float | str | None) -> float:
    """Return a fitted number from JSON; NaN where a folder of an earlier version lacks it."""
    if value is None:
        return float("nan")
    return float(value) if isinstance(value, str) else value


def penalty_of(setting: float) -> float:
    """Return a penalty as a float.

    Raises
    ------
    ConfigError
        If it is below 0.
    """
    penalty = float(setting)
    if not penalty >= 0:
        raise ConfigError(f"a penalty is 0 or more, got {penalty}")
    return penalty
