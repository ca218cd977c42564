"""Metrics before and after a run: retrieval both ways and the linear-map certificate on held-out rows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.types import Floats32
from ...probe.results.training import LanguageMetrics, MapVerdict, Retrieval

if TYPE_CHECKING:
    from ...analysis.resampling import Resamples

log = logging.getLogger(__name__)
LEAST_FOR_CERTIFICATE = 100


def language_metrics(
    new: Floats32, pivot: Floats32, groups: NDArray[np.int64], *, seed: int, certify: tuple[str, str] | None
) -> LanguageMetrics:
    """Measure the held-out rows of a language.

    Parameters
    ----------
    new : (n, d)
        Embeddings of the new language, before or after.
    pivot : (n, d)
        f0 of the other side.
    groups : (n,) int64
        Concept groups; every member of a row's group is a right answer.
    seed : int
        Of the resamples.
    certify : (str, str), optional
        The languages of both sides where the linear-map certificate is measured; it needs at least 100 rows.
    """
    measured = None
    if certify and len(new) >= LEAST_FOR_CERTIFICATE:
        measured = map_verdict(new, pivot, groups, certify, seed=seed)
    found, ranks = _retrieval_and_ranks(new, pivot, groups, seed)
    return LanguageMetrics(found, measured, tuple(ranks.tolist()))


def retrieval(new: Floats32, pivot: Floats32, groups: NDArray[np.int64], *, seed: int) -> Retrieval:
    """Measure retrieval both ways among n rows with cluster-bootstrap intervals.

    Parameters
    ----------
    new, pivot : (n, d)
    groups : (n,) int64
    seed : int
    """
    return _retrieval_and_ranks(new, pivot, groups, seed)[0]


def _retrieval_and_ranks(
    new: Floats32, pivot: Floats32, groups: NDArray[np.int64], seed: int
) -> tuple[Retrieval, NDArray[np.int64]]:
    from ...analysis.checks import unit_rows
    from ...analysis.resampling import Resamples, percentile_interval
    from ...analysis.retrieval.search import match_ranks

    forward, backward = match_ranks(new, pivot, groups, groups)
    draws = Resamples.draw(groups, np.random.default_rng([seed, 11]))
    unit = [unit_rows(x, zeros="keep") for x in (new, pivot)]
    outcomes = (
        forward.cosine <= 1,
        backward.cosine <= 1,
        forward.cosine <= 10,
        (unit[0] * unit[1]).sum(axis=1),
    )
    intervals = (percentile_interval(*_mean(draws, outcome)) for outcome in outcomes)
    return Retrieval(len(new), *intervals), forward.cosine


def _mean(draws: Resamples, outcome: NDArray[np.generic]) -> tuple[float, NDArray[np.float64]]:
    return draws.mean(outcome.astype(np.float64))


def map_verdict(
    new: Floats32, pivot: Floats32, groups: NDArray[np.int64], names: tuple[str, str], *, seed: int
) -> MapVerdict:
    """Give the verdict of `polyglot probe linear-map` on held-out rows, in its shortest form.

    Parameters
    ----------
    new, pivot : (n, d)
    groups : (n,) int64
    names : (str, str)
        What the sides are called.
    seed : int
    """
    from ...probe.linear_map.run import LinearMapConfig, measure

    short = LinearMapConfig(
        rungs=("identity", "shift", "rotation", "linear"),
        permutations=2,
        costly_permutations=1,
        resamples=200,
        power_replicates=0,
        failure=False,
        texts=False,
        same_space=True,
        seed=seed,
    )
    direction = measure(new, pivot, groups, short, names=names).directions[0]
    r2 = {rung: scores.r2 for rung, scores in direction.rungs.items()}
    return MapVerdict(direction.certificate.verdict, direction.certificate.sentence, r2)
