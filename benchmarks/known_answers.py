"""Geometry verdicts on planted directions whose answer is known: the table of docs/known-answers.md.

    python benchmarks/known_answers.py --seeds 40                 every design, an hour or more
    python benchmarks/known_answers.py --seeds 8 --only linear    designs whose name begins so
    python benchmarks/known_answers.py --minutes 10               stop after the first whole seed past ten minutes

Seeds begin at 1000: those below were used while the procedure was made. Designs of 384 columns run on every fourth.
"""

import argparse
import time
from collections import Counter, defaultdict

import numpy as np
from polyglot.analysis.certificate.geometry import GeometryConfig, geometry_verdict
from polyglot.analysis.certificate.latent import smoother_weights, total_products
from polyglot.analysis.certificate.planted_views import KNOWN_DESIGNS, plant_views
from polyglot.analysis.maps.instruments import Smoother, principal_components, quadratic_features
from polyglot.analysis.maps.structural import polar
from polyglot.analysis.splits import group_folds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--minutes", type=float, default=np.inf)
    options = parser.parse_args()
    names = [name for name in KNOWN_DESIGNS if name.startswith(tuple(options.only))]
    found, started = defaultdict(list), time.monotonic()
    for seed in range(options.first, options.first + options.seeds):
        for name in names:
            if KNOWN_DESIGNS[name].d < 100 or seed % 4 == 0:
                found[name].append(measure(KNOWN_DESIGNS[name], seed))
        print(f"seed {seed} after {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
        if time.monotonic() - started > 60 * options.minutes:
            break
    print_table(found)


def measure(design, seed):
    """Return the geometry of one seed, and the latent shares that the best maps of each kind have without noise."""
    planted = plant_views(design, np.random.default_rng([seed, 7]))
    geometry = geometry_verdict(planted.views, GeometryConfig(seed=seed))
    return geometry, population_shares(planted, seed) if geometry.shares else {}


def population_shares(planted, seed):
    """Latent shares of the rotation and similarity fitted to rows without noise, weighted as instruments see them."""
    views = planted.views
    folds = group_folds(views.groups, 5, np.random.default_rng([seed, 1]))
    scores = principal_components(list(views.instruments.values()))
    smoother = Smoother.fit([scores, quadratic_features(scores)], views.y, folds)
    x, y = (rows - rows.mean(axis=0) for rows in (planted.latent_x, planted.latent_y))
    rotation = polar(x.T @ y)
    scale = float(np.sum(rotation * (x.T @ y)) / np.sum(x**2))
    weights = smoother_weights(smoother)
    total = np.sum(weights * total_products(smoother.rows, y))
    missed = {
        name: np.sum(weights * total_products(smoother.rows, y - factor * x @ rotation))
        for name, factor in (("rotation", 1.0), ("similarity", scale))
    }
    return {name: 1 - value / total for name, value in missed.items()}


def print_table(found):
    print(
        "| planted | seeds | right | wrong | not settled | verdicts | share of the right rung, mean (sd) | holds 1 |",
        end="",
    )
    print(" rotation holds its share | resolved: axes, whitened, products |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, runs in found.items():
        print(row(name, KNOWN_DESIGNS[name], runs), flush=True)


def row(name, design, runs):
    verdicts = Counter(geometry.verdict for geometry, _ in runs)
    right, unsettled = verdicts[design.verdict], verdicts["undecided"]
    wrong = len(runs) - right - unsettled
    shares = [geometry.shares[design.verdict] for geometry, _ in runs if design.verdict in geometry.shares]
    value = f"{np.mean([s.value for s in shares]):.3f} ({np.std([s.value for s in shares]):.3f})" if shares else ""
    holds = f"{sum(s.low <= 1 <= s.high for s in shares)} of {len(shares)}" if shares else ""
    falling = [
        geometry.shares["rotation"].low <= truth["rotation"] <= geometry.shares["rotation"].high
        for geometry, truth in runs
        if design.verdict in {"linear", "nonlinear"} and truth
    ]
    resolved = [
        " ".join(
            f"{share or 'none'}×{count}" for share, count in Counter(g.resolution[f] for g in tested).most_common()
        )
        for tested in [[geometry for geometry, _ in runs if geometry.resolution]]
        for f in ("principal axes", "whitened axes", "products")
        if tested
    ]
    seen = ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())
    holds_falling = f"{sum(falling)} of {len(falling)}" if falling else ""
    cells = [name, len(runs), right, wrong, unsettled, seen, value, holds, holds_falling, "; ".join(resolved)]
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
