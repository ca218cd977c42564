"""Metrics of held-out rows: retrieval both ways, the linear-map certificate, and scores before and after training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats, Floats32, Integers
from ...probe.results.training import LanguageMetrics, MapVerdict, Retrieval

if TYPE_CHECKING:
    from ...analysis.resampling import Interval

LEAST_FOR_CERTIFICATE = 100
RESAMPLES = 1000


def language_metrics(
    new: Floats32, pivot: Floats32, groups: Integers, *, seed: int, certify: tuple[str, str] | None
) -> LanguageMetrics:
    """Measure the held-out rows of a language.

    Parameters
    ----------
    new : array (n, d)
        Embeddings of the new language, before or after training.
    pivot : array (n, d)
        f0 of the other side.
    groups : array (n,) of int64
        Concept groups; every member of a row's group counts as correct.
    seed : int
        Of the resamples.
    certify : (str, str), optional
        The languages of both sides, to measure the linear-map certificate too; it needs at least 100 rows.
    """
    certificate = None
    if certify and len(new) >= LEAST_FOR_CERTIFICATE:
        certificate = map_verdict(new, pivot, groups, certify, seed=seed)
    scores, ranks = _retrieval_and_ranks(new, pivot, groups, seed)
    return LanguageMetrics(scores, certificate, tuple(ranks.tolist()))


def retrieval(new: Floats32, pivot: Floats32, groups: Integers, *, seed: int) -> Retrieval:
    """Measure retrieval both ways among n rows with cluster-bootstrap intervals.

    Parameters
    ----------
    new, pivot : array (n, d)
    groups : array (n,) of int64
    seed : int
    """
    return _retrieval_and_ranks(new, pivot, groups, seed)[0]


def _retrieval_and_ranks(new: Floats32, pivot: Floats32, groups: Integers, seed: int) -> tuple[Retrieval, Integers]:
    from ...analysis.checks import unit_rows
    from ...analysis.resampling import Resamples, percentile_interval
    from ...analysis.retrieval.ranks import match_ranks

    forward, backward = match_ranks(new, pivot, groups, groups)
    draws = Resamples.draw(groups, np.random.default_rng([seed, 11]))
    unit = [unit_rows(x, zeros="keep") for x in (new, pivot)]
    outcomes = (
        forward.cosine <= 1,
        backward.cosine <= 1,
        forward.cosine <= 10,
        (unit[0] * unit[1]).sum(axis=1),
    )
    intervals = (percentile_interval(*draws.mean(outcome.astype(np.float64))) for outcome in outcomes)
    return Retrieval(len(new), *intervals), forward.cosine


def paired_means(before: Floats, after: Floats, rng: np.random.Generator, resamples: int) -> tuple[Floats, Floats]:
    """Return the means of two scores of n rows, (2,), and their bootstrap draws from the same rows, (resamples, 2).

    Parameters
    ----------
    before, after : array (n,)
    rng : Generator
    resamples : int
    """
    scores = np.column_stack([before, after])
    draws = [scores[rng.integers(len(scores), size=len(scores))].mean(axis=0) for _ in range(resamples)]
    return scores.mean(axis=0), np.array(draws)


def scores_before_and_after(name: str, before: Floats, after: Floats, rng: np.random.Generator) -> dict[str, Interval]:
    """Return the mean of a score of n rows before and after training, with paired bootstrap intervals.

    Parameters
    ----------
    name : str
        Of the score.
    before, after : array (n,)
    rng : Generator
    """
    from ...analysis.resampling import percentile_interval

    means, draws = paired_means(before, after, rng, RESAMPLES)
    return {
        f"{name}, {when}": percentile_interval(float(mean), drawn)
        for when, mean, drawn in zip(("before", "after"), means, draws.T, strict=True)
    }


def map_verdict(new: Floats32, pivot: Floats32, groups: Integers, names: tuple[str, str], *, seed: int) -> MapVerdict:
    """Return the verdict of `polyglot probe linear-map` on held-out rows, with few resamples and permutations.

    Parameters
    ----------
    new, pivot : array (n, d)
    groups : array (n,) of int64
    names : (str, str)
        Languages of the sides.
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
