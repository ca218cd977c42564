"""The certificate: which rung of the ladder suffices, by equivalence and with its intervals (method §5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..resampling import Equivalence, Interval, Resamples, equivalence, percentile_interval
from ..types import Floats

#: Rungs that a verdict can name, lowest first. A map of low rank is linear: the better of the two counts for `linear`.
VERDICT_ORDER: tuple[str, ...] = ("identity", "shift", "rotation", "similarity", "linear")
LINEAR: tuple[str, ...] = ("linear", "low_rank")
MARGIN = 0.05
MARGINS: tuple[float, ...] = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)
RETRIEVAL_MARGIN = 0.01
NO_MAP, UNDECIDED, NONLINEAR = "no map", "undecided", "nonlinear"


@dataclass(frozen=True, slots=True, eq=False)
class SharedErrors:
    """R² of every rung over the same resamples of groups, so that shares and differences are paired."""

    names: tuple[str, ...]
    r2: Floats  # (rungs,)
    resampled: Floats  # (b, rungs)

    @classmethod
    def of(cls, errors: dict[str, Floats], total: Floats, resamples: Resamples) -> SharedErrors:
        """Sum per-row errors ‖y − ŷ‖² of each rung and totals ‖y − μy‖², all (n,)."""
        sums, drawn = resamples.sums(np.column_stack([*errors.values(), total]))
        return cls(tuple(errors), 1 - sums[:-1] / sums[-1], 1 - drawn[:, :-1] / drawn[:, -1:])

    def interval(self, name: str) -> Interval:
        """R² of a rung."""
        column = self.names.index(name)
        return percentile_interval(float(self.r2[column]), self.resampled[:, column])

    @property
    def ceiling(self) -> str:
        """The rung with the best held-out R²."""
        return self.names[int(np.argmax(self.r2))]

    @property
    def best_linear(self) -> str:
        """The better of the ridge rung and that of low rank."""
        return self.names[_verdict_rungs(self.names, self.r2)["linear"]]

    def share(self, name: str) -> Interval:
        """R² of a rung as a share of the ceiling's, which every resample selects anew."""
        rung = self.names.index(name)
        value = float(self.r2[rung] / self.r2.max())
        return percentile_interval(value, self.resampled[:, rung] / self.resampled.max(axis=1))

    def gain(self, name: str, over: str) -> Interval:
        """Difference in R² between two rungs, paired."""
        a, b = self.names.index(name), self.names.index(over)
        return percentile_interval(float(self.r2[a] - self.r2[b]), self.resampled[:, a] - self.resampled[:, b])


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, with the intervals and the equivalence tests that it follows from."""

    verdict: str
    ceiling: str
    margin: float
    shares: dict[str, Interval]
    equivalences: dict[str, Equivalence]


def decide(scores: SharedErrors, ceiling_null_p95: float, margin: float = MARGIN) -> Decision:
    """Return the verdict for R²: the lowest rung whose share of the ceiling is above 1 − margin with confidence.

    Parameters
    ----------
    scores : SharedErrors
        Of every rung.
    ceiling_null_p95 : float
        95th percentile, over permutations, of the best R² among all rungs.
    margin : float
        δ in (0, 1): share of the ceiling that a rung may lose and still suffice.
    """
    ceiling = scores.ceiling
    if scores.interval(ceiling).low <= max(ceiling_null_p95, 0.0):
        return Decision(NO_MAP, ceiling, margin, {}, {})
    shares = {name: scores.share(scores.names[i]) for name, i in _verdict_rungs(scores.names, scores.r2).items()}
    equivalences = {name: equivalence(share, 1 - margin) for name, share in shares.items()}
    return Decision(verdict_of(equivalences), ceiling, margin, shares, equivalences)


def _verdict_rungs(names: tuple[str, ...], scores: Floats) -> dict[str, int]:
    """Return the column of every rung that a verdict can name; for `linear`, that of the better linear rung."""
    places = {name: i for i, name in enumerate(names)}
    linear = max((places[name] for name in LINEAR if name in places), key=lambda i: float(scores[i]), default=-1)
    return {name: linear if name == "linear" else places[name] for name in VERDICT_ORDER if name in places}


def verdict_of(equivalences: dict[str, Equivalence]) -> str:
    """Return the lowest rung that suffices; else `nonlinear` where linear falls short; else `undecided`."""
    for name in VERDICT_ORDER:
        if equivalences.get(name) == "suffices":
            return name
    return NONLINEAR if equivalences.get("linear") == "falls short" else UNDECIDED


def decide_retrieval(
    hits: dict[str, Floats], resamples: Resamples, null_p95: float = 0.0, margin: float = RETRIEVAL_MARGIN
) -> Decision:
    """Return the verdict for P@1: the lowest rung that is within `margin` of the best with confidence.

    The shares of the decision are differences to the best rung, which every resample selects anew.

    Parameters
    ----------
    hits : dict of array (n,)
        0/1 outcomes of every rung.
    resamples : Resamples
    null_p95 : float
        95th percentile, over permutations, of the best P@1 among all rungs.
    margin : float
        In P@1: 0.01 is one point.
    """
    sums, drawn = resamples.sums(np.column_stack([*hits.values(), np.ones(len(resamples.group_of_row))]))
    means, resampled = sums[:-1] / sums[-1], drawn[:, :-1] / drawn[:, -1:]
    names = tuple(hits)
    best = int(np.argmax(means))
    if percentile_interval(float(means[best]), resampled[:, best]).low <= null_p95:
        return Decision(NO_MAP, names[best], margin, {}, {})
    gaps = {
        name: percentile_interval(float(means[i] - means[best]), resampled[:, i] - resampled.max(axis=1))
        for name, i in _verdict_rungs(names, means).items()
    }
    equivalences = {name: equivalence(gap, -margin) for name, gap in gaps.items()}
    return Decision(verdict_of(equivalences), names[best], margin, gaps, equivalences)
