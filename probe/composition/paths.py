"""Composition and loops: what a detour costs against the direct map, and what a loop brings back (method §9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np
from scipy.stats import norm

from ...analysis.certificate.equivalence import NO_MAP
from ...analysis.resampling import Interval, holm, percentile_interval
from ...analysis.retrieval.scores import row_squares
from ...analysis.types import Floats
from ..results.composition import Composed, Loop, PairMap
from .maps import Web

ALPHA = 0.05


def composed_paths(web: Web) -> tuple[Composed, ...]:
    """Compare W_bc·W_ab with W_ac for every ordered triple of languages; p-values are Holm-adjusted over all."""
    direct = {step: web.hits(fitted.prediction, step[1]) for step, fitted in web.fitted.items()}
    found = [_composed(web, path, direct[path[0], path[2]]) for path in _triples(web)]
    adjusted = holm([one.p_value for one in found]) if found else np.empty(0)
    return tuple(replace(one, p_adjusted=float(p)) for one, p in zip(found, adjusted, strict=True))


def _triples(web: Web) -> Iterator[tuple[int, int, int]]:
    return permutations(range(len(web.languages)), 3)


def _composed(web: Web, path: tuple[int, int, int], direct_hits: Floats) -> Composed:
    y, fitted = web.rows[path[2]], web.fitted[path[0], path[2]]
    walked = web.walk(path)
    total = row_squares(y - fitted.reference)
    errors = row_squares(y - fitted.prediction), row_squares(y - walked)
    moved = row_squares(fitted.prediction - fitted.reference)
    hits = web.hits(walked, path[2])
    cost, drawn = web.design.resamples.mean(direct_hits - hits)
    return Composed(
        path=(web.languages[path[0]], web.languages[path[1]], web.languages[path[2]]),
        r2_direct=web.share_left(errors[0], total),
        r2_composed=web.share_left(errors[1], total),
        r2_cost=_difference(web, errors[1] - errors[0], total),
        agreement=web.share_left(row_squares(fitted.prediction - walked), moved),
        p_at_1_direct=web.design.proportion(direct_hits),
        p_at_1_composed=web.design.proportion(hits),
        p_at_1_cost=percentile_interval(cost, drawn),
        p_value=two_sided(cost, drawn),
        p_adjusted=1.0,
    )


def _difference(web: Web, error: Floats, total: Floats) -> Interval:
    value, drawn = web.design.resamples.ratio_of_sums(error, total)
    return percentile_interval(value, drawn)


def two_sided(value: float, drawn: Floats) -> float:
    """Two-sided p-value that an estimate is 0, normal with the spread of its resamples.

    Counting resamples beyond 0 could never survive a family of a hundred.
    """
    spread = float(np.std(drawn, ddof=1))
    if spread == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * norm.sf(abs(value) / spread))


def loops(web: Web) -> tuple[Loop, ...]:
    """Go out and back over one other language, and over two, from every language."""
    names = range(len(web.languages))
    paths = [(a, b, a) for a, b in permutations(names, 2)]
    longer = [(a, b, c, a) for a, b, c in permutations(names, 3)]
    home = {a: web.hits(web.rows[a], a) for a in names}
    return tuple(_loop(web, path, home[path[0]]) for path in (*paths, *longer))


def _loop(web: Web, path: tuple[int, ...], home: Floats) -> Loop:
    start = path[0]
    arrived = web.walk(path)
    # The training means of the start are those of any map that ends there.
    reference = web.fitted[path[-2], start].reference
    hits = web.hits(arrived, start)
    return Loop(
        path=tuple(web.languages[place] for place in path),
        r2=web.share_left(row_squares(web.rows[start] - arrived), row_squares(web.rows[start] - reference)),
        p_at_1=web.design.proportion(hits),
        p_at_1_cost=web.design.mean(home - hits),
    )


def without_a_map(pairs: tuple[PairMap, ...]) -> str:
    """Say how many pairs have no map told from chance, so that no detour can cost there; empty where all have one."""
    lacking = sum(pair.verdict == NO_MAP for pair in pairs)
    return f"{lacking} of {len(pairs)} pairs of languages have no map told from chance. " if lacking else ""


def composition_sentence(composed: tuple[Composed, ...]) -> str:
    """Say whether detours cost anything, and where most."""
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
