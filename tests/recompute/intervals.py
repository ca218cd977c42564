"""Cluster bootstrap, from docs/method.md section 4: plain NumPy, no code of the package."""

import numpy as np

from .search import TIE


class Bootstrap:
    """Resamples of whole groups with replacement, the same for every score."""

    def __init__(self, groups, resamples, seed):
        """Draw as many samples of the groups (n,) as there are groups."""
        names, self.index = np.unique(groups, return_inverse=True)
        self.size, rng = len(names), np.random.default_rng([seed, 1])
        self.drawn = [rng.integers(self.size, size=self.size) for _ in range(resamples)]

    def sums(self, outcome):
        """Return the sum of an outcome (n,) over every resample."""
        by_group = np.bincount(self.index, outcome, minlength=self.size)
        return np.array([by_group[groups].sum() for groups in self.drawn])

    def ratios(self, numerator, denominator):
        """Return Σ numerator / Σ denominator of every resample."""
        return self.sums(numerator) / self.sums(denominator)

    def limits(self, outcome):
        """Return the limits of the mean of an outcome (n,)."""
        return limits(self.ratios(outcome, np.ones(len(outcome))))


def limits(resampled):
    """Return the 2.5th and the 97.5th percentile."""
    return np.percentile(resampled, [2.5, 97.5])


def hits_in_both_roles(scores, groups, candidate_groups):
    """Return hits (n,) less what the group of each query, as a candidate, costs other queries.

    A query that only one wrong candidate keeps from its target loses a hit to it. Losses to the candidates of a group
    are shared among the group's queries, and their mean is added back.
    """
    hits, lost = [], dict.fromkeys(groups.tolist(), 0.0)
    for line, group in zip(scores, groups, strict=True):
        right = candidate_groups == group
        ahead = np.flatnonzero(~right & (line >= line[right].max() - TIE))
        hits.append(len(ahead) == 0)
        if len(ahead) == 1:
            lost[candidate_groups[ahead[0]]] += 1
    borne = np.array([lost[group] / np.sum(groups == group) for group in groups.tolist()])
    return np.array(hits, float) - borne + borne.mean()
