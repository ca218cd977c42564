"""Composed maps against the direct one, and loops against the identity (method §9)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import numpy as np

from ...analysis.certificate.equivalence import NO_MAP
from ...analysis.certificate.latent_composition import Path, PathShares
from ...analysis.resampling import Interval, holm, percentile_interval
from ...analysis.retrieval.scores import row_squares
from ...analysis.types import Floats
from ..experiment.design import two_sided
from ..results.composition import Composed, Loop, PairMap
from .maps import Web

ALPHA = 0.05


def composed_paths(web: Web, latent: Mapping[Path, PathShares]) -> tuple[Composed, ...]:
    """Compare W_bc·W_ab with W_ac for every ordered triple of languages; p-values are Holm-adjusted over all."""
    direct = {step: web.hits(fitted.prediction, step[1]) for step, fitted in web.fitted.items()}
    paths = list(permutations(range(len(web.languages)), 3))
    r2, hits = [], []
    for path in paths:
        prediction = web.walk(path)
        r2.append(r2_of_composition(web, path, prediction))
        hits.append(web.hits(prediction, path[2]))
    costs = [web.design.resamples.mean(direct[path[0], path[2]] - hit) for path, hit in zip(paths, hits, strict=True)]
    p_values = [two_sided(*cost) for cost in costs]
    adjusted = holm(p_values) if paths else np.empty(0)
    return tuple(
        Composed(
            path=(web.languages[path[0]], web.languages[path[1]], web.languages[path[2]]),
            **r2[i],
            p_at_1_direct=web.design.proportion(direct[path[0], path[2]]),
            p_at_1_composed=web.design.proportion(hits[i]),
            p_at_1_cost=percentile_interval(*costs[i]),
            p_value=p_values[i],
            p_adjusted=float(adjusted[i]),
            latent_direct=latent[path].direct if path in latent else None,
            latent_composed=latent[path].composed if path in latent else None,
        )
        for i, path in enumerate(paths)
    )


def r2_of_composition(web: Web, path: tuple[int, int, int], composed: Floats) -> dict[str, Interval]:
    """Return R² of the direct and of the composed predictions (n, q), the difference, and how far both agree."""
    y, direct = web.rows[path[2]], web.fitted[path[0], path[2]]
    total = row_squares(y - direct.reference)
    of_direct, of_composed = row_squares(y - direct.prediction), row_squares(y - composed)
    variance = row_squares(direct.prediction - direct.reference)
    return {
        "r2_direct": web.r2(of_direct, total),
        "r2_composed": web.r2(of_composed, total),
        "r2_cost": percentile_interval(*web.design.resamples.ratio_of_sums(of_composed - of_direct, total)),
        "agreement": web.r2(row_squares(direct.prediction - composed), variance),
    }


def loops(web: Web) -> tuple[Loop, ...]:
    """Compose maps out and back over one other language, and over two, from every language."""
    names = range(len(web.languages))
    paths = [*((a, b, a) for a, b in permutations(names, 2)), *((a, b, c, a) for a, b, c in permutations(names, 3))]
    identity = {a: web.hits(web.rows[a], a) for a in names}
    found = []
    for path in paths:
        start, prediction = path[0], web.walk(path)
        reference = web.fitted[path[-2], start].reference  # the training means of any map that ends there
        hits = web.hits(prediction, start)
        found.append(
            Loop(
                path=tuple(web.languages[place] for place in path),
                r2=web.r2(row_squares(web.rows[start] - prediction), row_squares(web.rows[start] - reference)),
                p_at_1=web.design.proportion(hits),
                p_at_1_cost=web.design.mean(identity[start] - hits),
            )
        )
    return tuple(found)


def without_a_map(pairs: tuple[PairMap, ...]) -> str:
    """Say for how many pairs no map is better than chance; empty where there is none such."""
    lacking = sum(pair.verdict == NO_MAP for pair in pairs)
    return f"{lacking} of {len(pairs)} pairs of languages have no map better than chance. " if lacking else ""


def composition_sentence(composed: tuple[Composed, ...]) -> str:
    """Say whether composition loses P@1, and where most."""
    if not composed:
        return "There is no path over a third language."
    worse = [one for one in composed if one.p_adjusted < ALPHA and one.p_at_1_cost.value > 0]
    mean = float(np.mean([one.p_at_1_cost.value for one in composed]))
    paths = f"{len(composed)} paths over a third language"
    if not worse:
        return f"None of the {paths} costs P@1 measurably against the direct map (mean {100 * mean:.1f} points)."
    top = max(worse, key=lambda one: one.p_at_1_cost.value)
    cost = top.p_at_1_cost
    return (
        f"{len(worse)} of {paths} cost P@1 against the direct map (Holm, 5 %), {100 * mean:.1f} points on average; "
        f"most {' → '.join(top.path)}: {100 * cost.value:.1f} points [{100 * cost.low:.1f}, {100 * cost.high:.1f}]."
    )
