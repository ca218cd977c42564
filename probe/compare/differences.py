"""How scores of results differ: from the outcomes of shared rows where they were kept, else from their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from ...analysis.resampling import Interval, Resamples, holm, percentile_interval
from ..composition.paths import two_sided
from ..results.compare import Difference, Score
from .scores import Outcomes, Read

NOT_KEPT = "the outcomes of their rows are not kept"
OTHER_ROWS = "the rows are not the same"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A result with its label, its scores under the names of the comparison, and where these came from."""

    label: str
    read: Read
    scores: tuple[Score, ...]
    own_part: dict[str, str]  # name of a part in the comparison → in the result

    def outcomes(self, part: str) -> Outcomes | None:
        """Outcomes of the rows of a part; None where they were not kept."""
        return self.read.outcomes.get(self.own_part.get(part, part))


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
    found = [one for other in entries[1:] for one in _against(reference, other, procedure)]
    adjusted = holm([one.p_value for one in found]) if found else np.empty(0)
    return tuple(
        replace(one, p_adjusted=float(p), holds=bool(p <= 1 - procedure.level))
        for one, p in zip(found, adjusted, strict=True)
    )


def why_unpaired(reference: Entry, other: Entry, score: Score) -> str:
    """Return why the rows of a score cannot be paired; empty where they can."""
    mine, theirs = reference.outcomes(score.part), other.outcomes(score.part)
    if reference.own_part.get(score.part) != other.own_part.get(score.part):
        return OTHER_ROWS
    if mine is None or theirs is None:
        prints = {entry.read.provenance.corpus_fingerprint for entry in (reference, other)}
        return NOT_KEPT if len(prints) == 1 else OTHER_ROWS
    if mine.rows != theirs.rows or not np.array_equal(mine.groups, theirs.groups):
        return OTHER_ROWS
    key = (score.measure, score.row)
    return "" if key in mine.values and key in theirs.values else NOT_KEPT


def _against(reference: Entry, other: Entry, procedure: Procedure) -> Iterator[Difference]:
    known = {(s.part, s.measure, s.row): s for s in reference.scores if s.tested}
    drawn: dict[str, Resamples] = {}
    for score in other.scores:
        base = known.get((score.part, score.measure, score.row))
        if base is None or not score.tested or not (_known(base.estimate) and _known(score.estimate)):
            continue
        pair = _rows(reference, other, score)
        if pair is None:
            interval, p_value = unpaired(score.estimate, base.estimate, procedure.level)
        else:
            if score.part not in drawn:
                rng = np.random.default_rng([procedure.seed, 1])
                drawn[score.part] = Resamples.draw(pair[0].groups, rng, procedure.resamples)
            interval, p_value = paired(pair, (score.measure, score.row), drawn[score.part], procedure.level)
        yield Difference(
            other.label,
            score.part,
            score.measure,
            score.row,
            score.unit,
            interval,
            paired=pair is not None,
            p_value=p_value,
            p_adjusted=1.0,
            holds=False,
        )


def _rows(reference: Entry, other: Entry, score: Score) -> tuple[Outcomes, Outcomes] | None:
    """Return the outcomes of both (reference first) where they can be paired and hold this score."""
    mine, theirs = reference.outcomes(score.part), other.outcomes(score.part)
    if mine is None or theirs is None or why_unpaired(reference, other, score):
        return None
    return mine, theirs


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


def _known(estimate: Interval) -> bool:
    return all(map(math.isfinite, (estimate.value, estimate.low, estimate.high)))
