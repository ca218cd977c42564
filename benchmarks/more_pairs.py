"""R² foreseen for five times the pairs against what they reach: the tables of docs/known-answers.md.

    python benchmarks/more_pairs.py --samples 40                   planted pairs
    python benchmarks/more_pairs.py --vectors X.npy Y.npy --n 2500 subsamples of paired rows in one space

The sample trains on four fifths of its rows (five folds). The truth of planted pairs is the R² on fresh rows of ridge
fitted to five times as many, its penalty and scale the best with hindsight; that of paired rows is what all of them
foresee for as many pairs, which is interpolation. The peer, with --peers, is the power law a − b n^(−c) through six
measured points of the same sample.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from polyglot.analysis.certificate.learning_curve import CurvePlan, learning_curve
from polyglot.analysis.certificate.more_pairs import MorePairs
from polyglot.analysis.maps.fold_moments import FoldedSource, FoldedTarget
from polyglot.analysis.resampling import Resamples
from polyglot.analysis.splits import group_folds
from polyglot.probe.linear_map.learning import REACH

FOLDS = 5
TRUTHS = 6  # training samples whose R² is averaged


@dataclass(frozen=True)
class Design:
    """A population of pairs: how the map, the noise and the rows are drawn."""

    n: int
    d: int = 64
    one_space: bool = True
    closeness: float = 0.6  # of the map to the identity
    r2: float = 0.5
    tails: float = np.inf  # degrees of freedom of the length of x
    curved: float = 0.0  # share of curvature in what is not noise
    uneven: bool = False  # noise grows with the length of x
    repeats: int = 1  # near repeats of a pair, in one group


DESIGNS = {
    "near the identity, n = 1000": Design(1000),
    "near the identity, n = 300": Design(300),
    "near the identity, n = 150": Design(150),
    "near the identity, n = 60": Design(60),
    "far from it, n = 1000": Design(1000, closeness=0.0),
    "far from it, n = 300": Design(300, closeness=0.0),
    "little noise, n = 300": Design(300, r2=0.95),
    "much noise, n = 1000": Design(1000, r2=0.1),
    "two spaces, n = 300": Design(300, one_space=False, closeness=0.0),
    "heavy tails, n = 1000": Design(1000, tails=5),
    "20 % of curvature, n = 1000": Design(1000, curved=0.2),
    "uneven noise, n = 1000": Design(1000, uneven=True),
    "near repeats, n = 1000": Design(1000, repeats=3),
    "384 columns, n = 600": Design(600, d=384),
}


class Population:
    """Pairs of one design, with one map."""

    def __init__(self, design):
        rng = np.random.default_rng(11)
        d = design.d
        self.design, self.spectrum = design, np.arange(1, d + 1) ** -0.5
        dense = rng.standard_normal((d, d)) / np.sqrt(d)
        self.map = design.closeness * np.eye(d) + (1 - design.closeness) * dense
        self.bend = rng.standard_normal((d, d)) / np.sqrt(d)

    def draw(self, n, rng):
        """Return x, y (n, d) and groups (n,)."""
        design = self.design
        groups = np.arange(n) // design.repeats
        x = rng.standard_normal((n, design.d))
        if design.repeats > 1:
            x = 0.95 * x[groups * design.repeats] + np.sqrt(1 - 0.95**2) * x
        if np.isfinite(design.tails):
            x = x * np.sqrt(design.tails / rng.chisquare(design.tails, (n, 1)))
        x = x * self.spectrum
        y = x @ self.map
        if design.curved:
            curve = (x**2 - self.spectrum**2) @ self.bend
            y = y + curve * np.sqrt(design.curved / (1 - design.curved) * (y**2).sum() / (curve**2).sum())
        size = np.sum(self.spectrum**2 @ self.map**2) / design.d
        noise = rng.standard_normal((n, design.d)) * np.sqrt(size * (1 - design.r2) / max(design.r2, 0.1))
        if design.uneven:
            noise = noise * np.sqrt((x**2).sum(axis=1, keepdims=True) / np.sum(self.spectrum**2))
        return x, y * (design.r2 > 0) + noise, groups


def more_pairs_of(x, y, groups, *, one_space, seed):
    """Return what foresees, from rows alone: the ladder adds nothing to it."""
    folds = group_folds(groups, FOLDS, np.random.default_rng(seed))
    return MorePairs(FoldedTarget.of(FoldedSource.of(x, folds), y, np.eye(x.shape[1]) if one_space else None))


def said(more, pairs, groups, seed):
    """Return value, low and high of the R² foreseen; None where nothing is."""
    found = more.foresee([pairs], Resamples.draw(groups, np.random.default_rng([seed, 6]), 400))[0]
    return None if found is None else (found.value, found.low, found.high)


def reached(population, pairs):
    """Return the mean R² on fresh rows of ridge towards s · I, λ and s chosen with hindsight."""
    fresh_x, fresh_y, _ = population.draw(8000, np.random.default_rng(77))
    found = []
    for seed in range(TRUTHS):
        x, y, _ = population.draw(pairs, np.random.default_rng([9, seed]))
        about_x, about_y = x - x.mean(axis=0), y - y.mean(axis=0)
        eigenvalues, vectors = np.linalg.eigh(about_x.T @ about_x)
        rotated = vectors.T @ (about_x.T @ about_y)
        tested, wanted = (fresh_x - x.mean(axis=0)) @ vectors, fresh_y - y.mean(axis=0)
        scatter, cross, total = tested.T @ tested, tested.T @ wanted, np.sum(wanted**2)
        errors = []
        for penalty in 10.0 ** np.arange(-1, 6, 0.1):
            inverse = (1 / (eigenvalues + penalty))[:, None]
            plain, pull = rotated * inverse, penalty * inverse * vectors.T
            error = total - 2 * np.sum(plain * cross) + np.sum((scatter @ plain) * plain)
            slope, bend = np.sum(pull * (cross - scatter @ plain)), np.sum((scatter @ pull) * pull)
            scale = max(0.0, slope / bend) if population.design.one_space else 0.0
            errors.append(error - 2 * scale * slope + scale**2 * bend)
        found.append(1 - min(errors) / total)
    return float(np.mean(found))


def power_law(points, pairs):
    """Return a − b n^(−c) through measured points, at some number of pairs."""
    n, values = np.array([p.pairs for p in points], float), np.array([p.r2.value for p in points])
    fits = []
    for exponent in np.linspace(0.1, 1.5, 29):
        design = np.column_stack([np.ones_like(n), -(n**-exponent)])
        found, *_ = np.linalg.lstsq(design, values, rcond=None)
        fits.append((np.sum((design @ found - values) ** 2), found[0] - found[1] * float(pairs) ** -exponent))
    return min(fits)[1]


def planted(name, samples, peers):
    """Print one row of the table of planted pairs."""
    design = DESIGNS[name]
    population = Population(design)
    pairs = round(REACH * 0.8 * design.n)
    found, laws = [], []
    for seed in range(samples):
        x, y, groups = population.draw(design.n, np.random.default_rng([seed, 5]))
        found.append(said(more_pairs_of(x, y, groups, one_space=design.one_space, seed=seed), pairs, groups, seed))
        if seed < peers:
            points = learning_curve(x, y, groups, CurvePlan(FOLDS, seed, design.one_space))
            laws.append(power_law(points, pairs))
    print(table_row(name, found, reached(population, pairs), laws), flush=True)


def table_row(name, found, truth, laws):
    """Return a row of either table."""
    missed = np.array(laws) - truth
    law = f"{missed.mean():+.3f}, {np.sqrt(np.mean(missed**2)):.3f}" if laws else ""
    values = np.array([one for one in found if one is not None]).reshape(-1, 3)
    count = f"{len(values)} of {len(found)}"
    if not len(values):
        return f"| {name} | {truth:.3f} | {count} | | | | | {law} |"
    error, covered = values[:, 0] - truth, np.sum((values[:, 1] <= truth) & (truth <= values[:, 2]))
    width = np.mean(values[:, 2] - values[:, 1]) / 2
    spread = f"{error.mean():+.3f} | {error.std():.3f} | {width:.3f}"
    return f"| {name} | {truth:.3f} | {count} | {spread} | {covered} of {len(values)} | {law} |"


def subsampled(vectors, n, samples, peers):
    """Print one row of the table of subsamples of paired rows."""
    x, y = (np.load(path).astype(np.float64) for path in vectors)
    pairs = round(min(REACH * 0.8 * n, 0.8 * len(x)))
    everything = np.arange(len(x))
    truth = said(more_pairs_of(x, y, everything, one_space=True, seed=0), pairs, everything, 0)[0]
    found, laws, groups = [], [], np.arange(n)
    for seed in range(samples):
        rows = np.sort(np.random.default_rng([seed, 7]).permutation(len(x))[:n])
        found.append(said(more_pairs_of(x[rows], y[rows], groups, one_space=True, seed=seed), pairs, groups, seed))
        if seed < peers:
            points = learning_curve(x[rows], y[rows], groups, CurvePlan(FOLDS, seed, same_space=True))
            laws.append(power_law(points, pairs))
    name = f"{vectors[0].stem} → {vectors[1].stem}, {round(0.8 * n)} → {pairs}"
    print(table_row(name, found, truth, laws), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--peers", type=int, default=0, help="samples on which the power law is fitted too")
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--vectors", nargs=2, type=Path)
    parser.add_argument("--n", type=int, nargs="+", default=[2500])
    options = parser.parse_args()
    print("| pairs | truth | said | bias | sd | half-width | covered | power law: bias, rms |")
    print("|---|---|---|---|---|---|---|---|")
    if options.vectors:
        for n in options.n:
            subsampled(options.vectors, n, options.samples, options.peers)
        return
    for name in DESIGNS:
        if name.startswith(tuple(options.only)):
            planted(name, options.samples, options.peers)


if __name__ == "__main__":
    main()
