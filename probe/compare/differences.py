"""Differences of scores between results: from outcomes of shared rows if both hold them, else from intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from ...analysis.resampling import Interval, Resamples, holm, percentile_interval
from ..experiment.design import two_sided
from ..results.compare import Difference, Score
from .scores import Outcomes, Read

NO_OUTCOMES = "the results do not hold the outcomes of their rows"
OTHER_ROWS = "the rows are not the same"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A result with its label, its scores under the names of the comparison, and where these came from."""

    label: str
    read: Read
    scores: tuple[Score, ...]
    own_part: dict[str, str]  # name of a part in the comparison → in the result

    def outcomes(self, part: str) -> Outcomes | None:
        """Return the outcomes of the rows of a part; None where the result does not hold them."""
        return self.read.outcomes.get(self.own_part.get(part, part))


@dataclass(frozen=True, slots=True)
class DifferenceTest:
    """A score less that of the reference, before p-values are adjusted."""

    result: str  # label
    score: Score
    interval: Interval
    p_value: float
    paired: bool


@dataclass(frozen=True, slots=True)
class Procedure:
    """How differences are tested."""

    level: float
    resamples: int
    seed: int


def differences(entries: Sequence[Entry], procedure: Procedure) -> tuple[Difference, ...]:
    """Compare every tested score of every result with that of the first; p-values are Holm-adjusted over all.

    Parameters
    ----------
    entries : sequence of Entry
        The first is the reference.
    procedure : Procedure
    """
    reference = entries[0]
    found = [one for other in entries[1:] for one in differences_tested(reference, other, procedure)]
    adjusted = holm([one.p_value for one in found]) if found else np.empty(0)
    return tuple(
        Difference(
            one.result,
            one.score.part,
            one.score.measure,
            one.score.row,
            one.score.unit,
            one.interval,
            paired=one.paired,
            p_value=one.p_value,
            p_adjusted=float(p),
            holds=bool(p <= 1 - procedure.level),
        )
        for one, p in zip(found, adjusted, strict=True)
    )


def why_unpaired(reference: Entry, other: Entry, score: Score) -> str:
    """Return why the rows of a score cannot be paired; empty where they can."""
    mine, theirs = reference.outcomes(score.part), other.outcomes(score.part)
    if reference.own_part.get(score.part) != other.own_part.get(score.part):
        return OTHER_ROWS
    if mine is None or theirs is None:
        prints = {entry.read.provenance.corpus_fingerprint for entry in (reference, other)}
        return NO_OUTCOMES if len(prints) == 1 else OTHER_ROWS
    if mine.rows != theirs.rows or not np.array_equal(mine.groups, theirs.groups):
        return OTHER_ROWS
    key = (score.measure, score.row)
    return "" if key in mine.values and key in theirs.values else NO_OUTCOMES


def differences_tested(reference: Entry, other: Entry, procedure: Procedure) -> Iterator[DifferenceTest]:
    """Yield the difference of every tested score that both results hold, and its p-value."""
    known = {(s.part, s.measure, s.row): s for s in reference.scores if s.tested}
    drawn: dict[str, Resamples] = {}
    for score in other.scores:
        base = known.get((score.part, score.measure, score.row))
        if base is None or not score.tested or not (_finite(base.estimate) and _finite(score.estimate)):
            continue
        mine, theirs = reference.outcomes(score.part), other.outcomes(score.part)
        if mine is None or theirs is None or why_unpaired(reference, other, score):
            interval, p_value = unpaired(score.estimate, base.estimate, procedure.level)
            yield DifferenceTest(other.label, score, interval, p_value, paired=False)
            continue
        if score.part not in drawn:
            rng = np.random.default_rng([procedure.seed, 1])
            drawn[score.part] = Resamples.draw(mine.groups, rng, procedure.resamples)
        key = (score.measure, score.row)
        interval, p_value = paired((mine, theirs), key, drawn[score.part], procedure.level)
        yield DifferenceTest(other.label, score, interval, p_value, paired=True)


def paired(
    pair: tuple[Outcomes, Outcomes], key: tuple[str, str], resamples: Resamples, level: float
) -> tuple[Interval, float]:
    """Return the mean difference over shared rows (second less first), its bootstrap interval and its p-value.

    Whole groups are resampled; the candidates of a search are taken as given.
    """
    reference, other = pair
    value, drawn = resamples.mean(other.values[key] - reference.values[key])
    return percentile_interval(value, drawn, level), two_sided(value, drawn)


def unpaired(score: Interval, reference: Interval, level: float) -> tuple[Interval, float]:
    """Return score − reference with limits recovered from the two intervals, taken as independent, and its p-value.

    The lower limit is d − √((s − s_low)² + (r_high − r)²), the upper likewise: it respects that limits may stand at
    unequal distances, as those of proportions do (Zou and Donner, 2008, Statistics in Medicine 27).

    Parameters
    ----------
    score, reference : Interval
    level : float
        Of the result; limits at another level are brought to it as those of a normal estimate.

    Examples
    --------
    >>> interval, p = unpaired(Interval(0.5, 0.47, 0.53), Interval(0.3, 0.26, 0.34), 0.95)
    >>> round(interval.value, 3), round(interval.low, 3), round(interval.high, 3), p < 1e-6
    (0.2, 0.15, 0.25, True)
    """
    wanted = float(norm.ppf(0.5 + level / 2))
    s, r = (wanted / float(norm.ppf(0.5 + one.level / 2)) for one in (score, reference))
    value = score.value - reference.value
    below = math.hypot(s * (score.value - score.low), r * (reference.high - reference.value))
    above = math.hypot(s * (score.high - score.value), r * (reference.value - reference.low))
    towards_zero = below if value > 0 else above
    if towards_zero == 0:
        p_value = 1.0 if value == 0 else 0.0
    else:
        p_value = float(2 * norm.sf(abs(value) / towards_zero * wanted))
    return Interval(value, value - below, value + above, level), p_value


def _finite(estimate: Interval) -> bool:
    return all(map(math.isfinite, (estimate.value, estimate.low, estimate.high)))
