"""What predicts the gain of a map and of an insertion: rank correlations over the cells of a study."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from ..analysis.resampling import Interval, percentile_interval
from ..analysis.types import Floats
from ..data.languages import usual_script
from ..probe.results.layers import POOLED, LayersResult
from ..probe.results.linear_map import LinearMapResult
from ..probe.results.study import Predictor, StudyCell
from ..probe.results.training import TrainResult
from .cells import Cell
from .file import StudyFile
from .kinds import TOKENS

LEAST_CELLS = 6
RESAMPLES = 1000
DIGITS = 9  # values that differ only beyond them are ties
MEASURES = ("CKA", "mutual k-NN", "latent share", "unknown tokens", "fertility", "other script")

#: Model, corpus and language.
Place = tuple[str, str, str]


def predictors(
    measured: Sequence[tuple[Cell, Any, StudyCell]], study: StudyFile
) -> tuple[tuple[Predictor, ...], tuple[str, ...]]:
    """Return the correlation of every measure with every gain, and which were left out and why.

    A point is a model, a corpus and a language; seeds are averaged. CKA and mutual k-NN are of the pooled output, the
    latent share is that of a linear map from the language into the pivot, and the gain of a map is in the same
    direction. Models that the study trained and ciphers are no points.

    Parameters
    ----------
    measured : sequence of (Cell, result, StudyCell)
    study : StudyFile
    """
    measures, gains = _collected(measured, study)
    if (most := max(map(len, gains.values()), default=0)) < LEAST_CELLS:
        return (), (f"what predicts gains: {most} models and languages were measured, at least {LEAST_CELLS} needed",)
    found: list[Predictor] = []
    left_out: list[str] = []
    for gain, at in gains.items():
        for name in MEASURES:
            places = sorted(set(at) & set(measures[name]))
            x, y = (np.array([_mean(table[place]) for place in places]) for table in (measures[name], at))
            languages = [place[2] for place in places]
            if len(places) < LEAST_CELLS:
                left_out.append(f"{name} with the gain by {gain}: {len(places)} cells, at least {LEAST_CELLS} needed")
            elif min(len(set(x)), len(set(y))) < 2:
                left_out.append(f"{name} with the gain by {gain}: all {len(places)} cells have one value")
            else:
                interval = rank_correlation(x, y, languages)
                found.append(Predictor(name, gain, len(places), len(set(languages)), interval))
    return tuple(found), tuple(left_out)


def _mean(values: Sequence[float]) -> float:
    return round(statistics.fmean(values), DIGITS)


def _collected(
    measured: Sequence[tuple[Cell, Any, StudyCell]], study: StudyFile
) -> tuple[Mapping[str, dict[Place, list[float]]], Mapping[str, dict[Place, list[float]]]]:
    """Return measures and gains by name and place, a value for each seed."""
    measures: dict[str, dict[Place, list[float]]] = {name: {} for name in MEASURES}
    gains: dict[str, dict[Place, list[float]]] = {}
    pivot_script = usual_script(study.pivot)
    for cell, result, _ in measured:
        if study.corpora[cell.corpus].cipher or cell.needs:
            continue
        place = (cell.model, cell.corpus, cell.language)
        found: dict[str, float | None] = {}
        if isinstance(result, LayersResult):
            pooled = next((layer.measures for layer in result.layers if layer.name == POOLED), None)
            if pooled is not None:
                found = {"CKA": pooled.cka.value, "mutual k-NN": pooled.mutual_knn.value}
        elif isinstance(result, LinearMapResult):
            one = next(one for one in result.directions if one.target == study.pivot)
            if one.geometry is not None and "linear" in one.geometry.shares:
                found["latent share"] = one.geometry.shares["linear"].value
            if one.use is not None and one.use.gain is not None:
                gains.setdefault("map", {}).setdefault(place, []).append(one.use.gain.value)
        elif isinstance(result, TrainResult) and result.languages and result.shares_space_with_base:
            after, before = (getattr(result.languages[0], when).retrieval.p_at_1 for when in ("after", "before"))
            gains.setdefault(cell.method, {}).setdefault(place, []).append(after.value - before.value)
        elif cell.kind == TOKENS and result:
            found = {name: estimate.value for name, estimate in result.items()}
        found["other script"] = float(usual_script(cell.language) != pivot_script)
        for name, value in found.items():
            if value is not None:
                measures[name].setdefault(place, []).append(value)
    return measures, gains


def rank_correlation(x: Floats, y: Floats, languages: Sequence[str]) -> Interval:
    """Return Spearman's correlation of paired values (n,), with an interval that resamples whole languages.

    Ties share their mean rank. Resamples in which a side is constant have no correlation and are passed over.

    Parameters
    ----------
    x, y : array (n,)
        n ≥ 2, neither constant.
    languages : sequence of str
        Of each point.

    Examples
    --------
    >>> one = rank_correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 4, 9, 16]), ["fr", "fr", "de", "es"])
    >>> one.value, one.low, one.high
    (1.0, 1.0, 1.0)
    """
    rng = np.random.default_rng([0, 5])
    names, of_point = np.unique(np.asarray(languages), return_inverse=True)
    members = [np.flatnonzero(of_point == number) for number in range(len(names))]
    drawn = np.array(
        [
            _spearman(x, y, np.concatenate([members[one] for one in rng.integers(len(names), size=len(names))]))
            for _ in range(RESAMPLES)
        ]
    )
    return percentile_interval(_spearman(x, y, np.arange(len(x))), drawn)


def _spearman(x: Floats, y: Floats, rows: np.ndarray[Any, Any]) -> float:
    a, b = (rankdata(side[rows]) for side in (x, y))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip(round(float(a @ b) / scale, 12), -1, 1)) if scale else float("nan")
