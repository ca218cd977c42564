"""Metrics of held-out rows: retrieval both ways, the linear-map certificate, and scores before and after training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats, Floats32, Integers
from ...probe.results.training import LanguageMetrics, MapVerdict, Retrieval

if TYPE_CHECKING:
    from ...analysis.resampling import Interval

LEAST_FOR_CERTIFICATE = 100
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Certify:
    """What a certificate needs beside the rows.

    Parameters
    ----------
    names : (str, str)
        Languages of both sides.
    instruments : mapping of str to array (n, d)
        The same rows in further languages, by language; without any there is no verdict on geometry.
    unknown : float
        Share of the new language's tokens that the model does not know, 0 … 1.
    """

    names: tuple[str, str]
    instruments: Mapping[str, Floats32] = field(default_factory=dict)
    unknown: float = 0.0


def language_metrics(
    new: Floats32, pivot: Floats32, groups: Integers, *, seed: int, certify: Certify | None
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
    certify : Certify, optional
        Where the linear-map certificate is measured too; it needs at least 100 rows.
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


def map_verdict(new: Floats32, pivot: Floats32, groups: Integers, certify: Certify, *, seed: int) -> MapVerdict:
    """Return the verdicts of `polyglot probe linear-map` on held-out rows, with few resamples and permutations.

    Parameters
    ----------
    new, pivot : array (n, d)
    groups : array (n,) of int64
    certify : Certify
    seed : int
    """
    from ...probe.experiment.pairs import Pairs
    from ...probe.linear_map.config import LinearMapConfig
    from ...probe.linear_map.direction import measure_direction

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
    arrays = Pairs.of_arrays(new, pivot, groups, names=certify.names, same_space=True)
    pairs = replace(arrays, unknown=(certify.unknown, 0.0))
    instruments = {name: rows.astype(np.float64) for name, rows in certify.instruments.items()}
    direction = measure_direction(pairs, short, instruments)
    r2 = {rung: scores.r2 for rung, scores in direction.rungs.items()}
    return MapVerdict(direction.certificate.verdict, direction.certificate.sentence, r2, direction.geometry)
