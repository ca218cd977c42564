"""Recompute every headline number of a linear-map result from its arrays: plain NumPy, no code of the package.

    python -m tests.recompute.linear_map arrays.npz result.json

The archive holds x, y (n, ·), groups (n,), and where there are some `instrument_NAME` (n, ·), and the texts `sources`
and `targets`. What was chosen (κ, penalties, scales, ranks) is read from the result; folds follow from its seed.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .intervals import Bootstrap, hits_in_both_roles, limits
from .ladder import CLOSED_FORM, deal_folds, held_out, mean_cosine, r2
from .latent import latent
from .search import cosines, pool_of, queries_of, retrieval, stretched_as
from .words import held_out_words

TOLERANCE = 1e-3
BESIDE = ("r2_standardised", "p_at_1_centred", "p_at_1_centred_backward")
RETRIEVAL = ("p_at_1", "p_at_5", "p_at_10", "mrr", "p_at_1_csls")


@dataclass
class Arrays:
    """What a result was measured on."""

    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    instruments: dict = field(default_factory=dict)
    sources: list | None = None
    targets: list | None = None

    def swapped(self):
        """Return the same in the other direction."""
        return Arrays(self.y, self.x, self.groups, self.instruments, self.targets, self.sources)


@dataclass
class Design:
    """Folds, groups and choices of a direction."""

    folds: np.ndarray
    groups: np.ndarray
    choices: list
    same_space: bool


def with_limits(name, estimate):
    """Return an estimate of the JSON and its limits by name."""
    return {name: estimate["value"], f"{name} low": estimate["low"], f"{name} high": estimate["high"]}


def reported(direction):
    """Return the headline numbers of a direction of the JSON by name."""
    closed, found = [rung for rung in direction["rungs"] if rung in CLOSED_FORM], {}
    for rung in closed:
        scores = direction["rungs"][rung]
        found |= with_limits(f"{rung} r2", scores["r2"])
        found |= {f"{rung} {name}": scores[name]["value"] for name in ("cosine", *RETRIEVAL)}
        found |= {f"{rung} backward {name}": scores["backward"][name]["value"] for name in RETRIEVAL}
        found |= {f"{rung} {name}": scores[name]["value"] for name in BESIDE}
    certificate, use, geometry = (direction[part] for part in ("certificate", "use", "geometry"))
    found |= {f"observed share {rung}": share["value"] for rung, share in certificate["shares"].items()}
    for name, score in use["p_at_1"].items():
        found |= with_limits(f"search {name}", score)
    if use["gain"]:
        found |= with_limits("search gain", use["gain"])
    if words := direction["controls"]["words"]:
        found |= {f"words {name}": words[name]["value"] for name in ("r2", "p_at_1")}
    if geometry and geometry["shares"]:
        for by, shares in {"all": geometry["shares"], **geometry["by_instrument"]}.items():
            for rung, share in shares.items():
                found |= with_limits(f"latent share {rung} by {by}", share)
        found |= {f"reliability {side}": value for side, value in enumerate(geometry["reliability"])}
    return found


def recomputed(arrays, direction, seed, resamples):
    """Compute the same numbers from the arrays, by name."""
    x, y, groups = arrays.x, arrays.y, arrays.groups
    closed = [rung for rung in CLOSED_FORM if rung in direction["rungs"]]
    same_space, choices = "shift" in closed, direction["choices"]
    design = Design(deal_folds(groups, len(choices), np.random.default_rng(seed)), groups, choices, same_space)
    pool = pool_of(arrays.targets if arrays.targets is not None else y)
    predicted, reference = held_out(x, y, design.folds, choices, closed, same_space)
    bootstrap, found, hits = Bootstrap(groups, resamples, seed), {}, {}
    for rung, queries in queries_of(x, y, design, predicted, reference).items():
        forward, backward = retrieval(queries, y, groups, pool)
        missed, total = (np.sum((y - rows) ** 2, axis=1) for rows in (predicted[rung], reference))
        found |= named(f"{rung} r2", r2(y, predicted[rung], reference), limits(1 - bootstrap.ratios(missed, total)))
        found[f"{rung} cosine"] = mean_cosine(y, predicted[rung], reference)
        found |= {f"{rung} {name}": value for name, value in forward.items()}
        found |= {f"{rung} backward {name}": value for name, value in backward.items()}
        spread = y.std(axis=0)
        varying = spread > 1e-6 * spread.max()
        scaled = [rows[:, varying] / spread[varying] for rows in (y, predicted[rung], reference)]
        found[f"{rung} r2_standardised"] = r2(*scaled)
        about = retrieval(predicted[rung] - reference, y - reference, groups, pool)
        found |= {f"{rung} {name}": part["p_at_1"] for name, part in zip(BESIDE[1:], about, strict=True)}
        hits[rung] = hits_in_both_roles(cosines(queries, y, pool), groups, groups[pool])
    found |= observed_shares(found, direction) | search_verdict(hits, direction, bootstrap)
    if direction["controls"]["words"]:
        guesses = held_out_words(arrays.sources, y, design.folds)
        found["words r2"] = r2(y, guesses, reference)
        queries = stretched_as(x, y, design, "linear", guesses, reference)
        found["words p_at_1"] = retrieval(queries, y, groups, pool)[0]["p_at_1"]
    if arrays.instruments:
        found |= geometry(arrays, same_space, seed)
    return found


def named(name, value, bounds):
    """Return a value and its limits by name."""
    return {name: value, f"{name} low": bounds[0], f"{name} high": bounds[1]}


def observed_shares(found, direction):
    """R² of every rung over that of the best one; the curved rungs have random parts, so theirs is as reported."""
    scores = {rung: part["r2"]["value"] for rung, part in direction["rungs"].items()}
    scores |= {rung: found[f"{rung} r2"] for rung in scores if rung in CLOSED_FORM}
    best = max(scores.values())
    scores["linear"] = max(scores["linear"], scores.get("low_rank", -np.inf))
    return {f"observed share {rung}": score / best for rung, score in scores.items()}


def search_verdict(hits, direction, bootstrap):
    """P@1 without a map, of the map that the result names, and of the linear one; and the gain, paired by row."""
    wanted = {"no map": "identity", "best": direction["use"]["best"], "linear": "linear"}
    outcomes = {name: hits[rung] for name, rung in wanted.items() if rung in hits}
    if {"no map", "best"} <= set(outcomes):
        outcomes["gain"] = outcomes["best"] - outcomes["no map"]
    found = {}
    for name, outcome in outcomes.items():
        found |= named(f"search {name}", outcome.mean(), bootstrap.limits(outcome))
    return found


def search_says(found, null_p95):
    """Return the verdict on search from P@1 and gain with their limits."""
    if found["search best low"] <= null_p95:
        return "no map helps"
    if "search gain" not in found or found["search gain low"] > 0:
        return "a map helps"
    if found["search gain high"] >= 0.01:
        return "undecided"
    return "no map needed" if found["search no map low"] >= 0.9 else "no map helps"


def geometry(arrays, same_space, seed):
    """Latent shares by all instruments and by each, and the reliability of source and target."""
    shares, single, sides = latent(
        arrays.x, arrays.y, arrays.instruments, arrays.groups, same_space=same_space, seed=seed
    )
    found = {}
    for by, part in {"all": shares, **single}.items():
        for rung, (value, low, high) in part.items():
            found |= named(f"latent share {rung} by {by}", value, (low, high))
    return found | {f"reliability {side}": value for side, value in enumerate(sides)}


def compared(arrays, result):
    """Yield direction, name, reported and recomputed value of every headline number of a result."""
    seed = result["provenance"]["seed"]
    for direction, side in zip(result["directions"], (arrays, arrays.swapped()), strict=True):
        again = recomputed(side, direction, seed, result["resamples"])
        for name, value in reported(direction).items():
            yield f"{direction['source']} → {direction['target']}", name, value, again.get(name, np.nan)


def disagreements(arrays, result, tolerance=TOLERANCE):
    """Return every headline number that differs by more than the tolerance, as a line of text."""
    return [
        f"{direction}, {name}: reported {value:.5f}, recomputed {again:.5f}"
        for direction, name, value, again in compared(arrays, result)
        if not abs(value - again) <= tolerance
    ]


def main(archive, result):
    """Print every disagreement; return how many there are."""
    held = np.load(archive)
    arrays = Arrays(
        held["x"],
        held["y"],
        held["groups"],
        {name.removeprefix("instrument_"): held[name] for name in held.files if name.startswith("instrument_")},
        *(held[name].tolist() if name in held.files else None for name in ("sources", "targets")),
    )
    found = disagreements(arrays, json.loads(Path(result).read_text(encoding="utf-8")))
    sys.stdout.write("".join(f"{line}\n" for line in found) + f"{len(found)} disagreements\n")
    return len(found)


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:]), 1))
