"""The map families as scikit-learn estimators, by the names of their rungs; making and loading them.

`fit(x, y)`, `transform`, `predict` (the same), `score` (R² about the training mean), `inverse_transform` where there is
an inverse; `clone`, pipelines, `set_output` and `cross_val_score` work. Saved as safetensors and JSON, never pickled.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...errors import ConfigError, DataError
from ...files import MAP_FILE
from .affine_estimators import IdentityMap, LowRankMap, RidgeMap, RotationMap, ShiftMap, SimilarityMap
from .curved_estimators import LocalMap, NonlinearMap
from .map_estimator import ARRAYS_FILE, FORMAT, Map

__all__ = [
    "ARRAYS_FILE",
    "MAP_FAMILIES",
    "IdentityMap",
    "LocalMap",
    "LowRankMap",
    "Map",
    "NonlinearMap",
    "RidgeMap",
    "RotationMap",
    "ShiftMap",
    "SimilarityMap",
    "load_map",
    "make_map",
]

#: Every family under the name of its rung.
MAP_FAMILIES: dict[str, type[Map]] = {
    family.rung: family
    for family in (
        IdentityMap,
        ShiftMap,
        RotationMap,
        SimilarityMap,
        LowRankMap,
        RidgeMap,
        LocalMap,
        NonlinearMap,
    )
}
#: Names of arrays in folders of the first version, and as they are called now.
RENAMED_ARRAYS = {"bends": "feature_weights", "straightened": "linear_correction"}


def make_map(rung: str, seed: int = 0) -> Map:
    """Return an unfitted map of a rung, everything that it can choose left to inner folds.

    Raises
    ------
    ConfigError
        If no family has that name.
    """
    if rung not in MAP_FAMILIES:
        raise ConfigError(f"no map is called {rung!r}: expected one of {', '.join(MAP_FAMILIES)}")
    family = MAP_FAMILIES[rung]
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
        record: dict[str, Any] = json.loads((place / MAP_FILE).read_text(encoding="utf-8"))
        if record["rung"] == "words":
            raise ValueError("it reads texts beside vectors, which only `polyglot map apply --texts` gives it")
        arrays = {RENAMED_ARRAYS.get(k, k): values for k, values in load_file(place / ARRAYS_FILE).items()}
        family = MAP_FAMILIES[record["rung"]]
        loaded = family(**record["settings"])
        if record["format"] != FORMAT or set(arrays) != set(family.arrays):
            raise ValueError(f"expected {FORMAT} with {', '.join(family.arrays)}")
        loaded.restore(record, arrays)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(
            f"{place} holds no map that can be read ({error}); fit it again with `polyglot map fit`"
        ) from error
    return loaded
