"""One direction of a search, measured: ranks, scores with intervals and nulls, hubs, wrong answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.resampling import Interval, Resamples, percentile_interval
from ...analysis.retrieval.hubness import hubness, k_occurrence
from ...analysis.retrieval.scores import mean_intervals
from ...analysis.retrieval.search import CRITERIA, Criterion, MatchRanks, Nearest, match_ranks, nearest
from ...analysis.retrieval.shards import ONE_SHARD, CandidateShards, OneShard
from ...analysis.retrieval.tatoeba import accuracy_interval, f1_interval, weighted_f1
from ...analysis.splits import deciles, permute_within_strata
from ...analysis.types import Floats, Integers
from ...distributed import Processes
from ..experiment.pairs import Pairs
from ..results.retrieval import Hubs, RowOutcomes, Search, SearchScores
from .config import RetrievalConfig
from .errors import Mistakes

SMALL_POOL = 200
HUB_NEIGHBOURS = 10
LEAST_SHARD = 64


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search of one direction gave, before it is summed up."""

    pairs: Pairs
    config: RetrievalConfig
    ranks: MatchRanks  # of each row's right answer among the distinct targets
    near: dict[Criterion, Nearest]  # the nearest distinct targets
    answers: dict[Criterion, Integers]  # (n,) the first answer among all rows
    resamples: Resamples


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Candidates of a search, and those among them that this process looks at."""

    mine: Floats
    part: slice
    shards: OneShard

    @classmethod
    def of(cls, rows: Floats, processes: Processes) -> Candidates:
        """Divide rows between processes, unless they are so few that each may as well look at all of them."""
        if processes.alone or len(rows) < LEAST_SHARD * processes.world_size:
            return cls(rows, slice(0, len(rows)), ONE_SHARD)
        part = processes.rows_of(len(rows))
        return cls(rows[part], part, CandidateShards(part.start, processes))


def measure_search(
    pairs: Pairs,
    config: RetrievalConfig,
    unmapped: Pairs | None = None,
    *,
    processes: Processes = Processes(),  # noqa: B008 - frozen
) -> Search:
    """Search every source row among the distinct targets, and sum up what was found.

    Parameters
    ----------
    pairs : Pairs
    config : RetrievalConfig
    unmapped : Pairs, optional
        The same rows before a map: searched too, and compared row by row.
    processes : Processes
        Which of the candidates this process searches, where several hold the same rows; all come to the same result.
    """
    found = _search(pairs, config, processes)
    plain = None if unmapped is None else _search(unmapped, config, processes)
    scores, before = _all_scores(found), {} if plain is None else _all_scores(plain)
    mistakes = Mistakes.of(pairs, found.ranks, found.near["cosine"].places)
    gains: dict[str, Interval] = {c: _gain(found, c, found, "cosine") for c in CRITERIA if c != "cosine"}
    map_gains: dict[str, Interval] = {} if plain is None else {c: _gain(found, c, plain, c) for c in CRITERIA}
    return Search(
        source=pairs.names[0],
        target=pairs.names[1],
        queries=len(pairs.x),
        groups=len(np.unique(pairs.groups)),
        pool=len(pairs.pool.rows),
        scores=scores,
        gains=gains,
        hubs={criterion: _hubs(found, criterion) for criterion in CRITERIA},
        errors=tuple(mistakes.shares(found.resamples)),
        wrong=tuple(mistakes.examples(config.examples)) if config.texts else (),
        rows={c: _rows(found, c) for c in CRITERIA} if found.config.rows else {},
        warnings=tuple(_warnings(pairs)),
        sentence=_sentence(pairs, scores["cosine"].p_at_1, gains["csls"], before, map_gains),
        before=before,
        map_gains=map_gains,
        row_groups=tuple(pairs.groups.tolist()) if config.rows else (),
    )


def _search(pairs: Pairs, config: RetrievalConfig, processes: Processes) -> Found:
    pool = Candidates.of(pairs.y[pairs.pool.rows], processes)
    ranks, _ = match_ranks(
        pairs.x,
        pool.mine,
        pairs.groups,
        pairs.pool.groups[pool.part],
        k=config.csls_neighbours,
        margin=True,
        margin_k=config.margin_neighbours,
        device=config.device,
        shards=pool.shards,
    )
    near = {criterion: _nearest(pairs.x, pool, criterion, config) for criterion in CRITERIA}
    rows = pool if len(pairs.pool.rows) == len(pairs.y) else Candidates.of(pairs.y, processes)
    answers = {c: (near[c] if rows is pool else _nearest(pairs.x, rows, c, config)).places[:, 0] for c in CRITERIA}
    resamples = Resamples.draw(pairs.groups, np.random.default_rng([config.seed, 1]), config.resamples)
    return Found(pairs, config, ranks, near, answers, resamples)


def _nearest(x: Floats, candidates: Candidates, criterion: Criterion, config: RetrievalConfig) -> Nearest:
    hood = {"cosine": 1, "csls": config.csls_neighbours, "margin": config.margin_neighbours}[criterion]
    found = nearest(
        x,
        candidates.mine,
        k=min(HUB_NEIGHBOURS, len(candidates.mine)),
        criterion=criterion,
        neighbours=hood,
        device=config.device,
        shards=candidates.shards,
    )
    return Nearest(*found)


def _outcomes(ranks: NDArray[np.integer]) -> dict[str, Floats]:
    at = {f"p_at_{k}": (ranks <= k).astype(np.float64) for k in (1, 5, 10)}
    return at | {"mrr": 1.0 / ranks}


def _all_scores(found: Found) -> dict[str, SearchScores]:
    null = _null(found)
    return {criterion: _scores(found, criterion, null[criterion]) for criterion in CRITERIA}


def _scores(found: Found, criterion: Criterion, null: dict[str, list[float]]) -> SearchScores:
    wanted, answers = np.arange(len(found.pairs.x)), found.answers[criterion]
    intervals = mean_intervals(_outcomes(found.ranks.of(criterion)), found.resamples)
    intervals["accuracy"] = accuracy_interval(wanted, answers, found.resamples)
    intervals["f1"] = f1_interval(wanted, answers, found.resamples)
    return SearchScores(**{name: interval.with_null(null[name]) for name, interval in intervals.items()})


def _null(found: Found) -> dict[Criterion, dict[str, list[float]]]:
    """Score the same search with pairs broken within length deciles."""
    pairs, config = found.pairs, found.config
    rng = np.random.default_rng([config.seed, 3])
    strata = deciles(pairs.lengths[0].astype(np.float64))
    null: dict[Criterion, dict[str, list[float]]] = {criterion: {} for criterion in CRITERIA}
    for _ in range(config.permutations):
        partner = permute_within_strata(pairs.groups, strata, rng)
        for criterion, values in null.items():
            parts = _permuted_scores(found, criterion, partner)
            parts["accuracy"] = float(np.mean(found.answers[criterion] == partner))
            parts["f1"] = weighted_f1(partner, found.answers[criterion])
            for name, value in parts.items():
                values.setdefault(name, []).append(value)
    return null


def _permuted_scores(found: Found, criterion: Criterion, partner: NDArray[np.intp]) -> dict[str, float]:
    """Return P@k and MRR of a permuted pairing from the ten nearest.

    A rank beyond them is uniform over the rest of the pool, whose mean reciprocal stands in for it.
    """
    pairs, places = found.pairs, found.near[criterion].places
    hits = pairs.pool.groups[places] == pairs.groups[partner][:, None]
    inside, rank = hits.any(axis=1), hits.argmax(axis=1) + 1
    shares = {f"p_at_{k}": float(np.mean(inside & (rank <= k))) for k in (1, 5, 10)}
    beyond = np.arange(places.shape[1] + 1, len(pairs.pool.rows) + 1)
    rest = float(np.mean(1 / beyond)) if len(beyond) else 0.0
    return shares | {"mrr": float(np.mean(np.where(inside, 1 / rank, rest)))}


def _gain(found: Found, criterion: Criterion, other: Found, by: Criterion) -> Interval:
    """P@1 less that of another search of the same rows by some criterion, row by row."""
    hits = [(ranks <= 1).astype(np.float64) for ranks in (found.ranks.of(criterion), other.ranks.of(by))]
    return percentile_interval(*found.resamples.mean(hits[0] - hits[1]))


def _hubs(found: Found, criterion: Criterion) -> Hubs:
    pairs, places = found.pairs, found.near[criterion].places
    counts = k_occurrence(places, len(pairs.pool.rows))
    measured = hubness(counts)
    row = int(pairs.pool.rows[int(counts.argmax())])
    text = pairs.targets[row] if found.config.texts and pairs.targets is not None else ""
    return Hubs(measured.skew, measured.robin_hood, measured.antihubs, measured.largest, text, places.shape[1])


def _rows(found: Found, criterion: Criterion) -> RowOutcomes:
    return RowOutcomes(tuple(found.ranks.of(criterion).tolist()), tuple(found.answers[criterion].tolist()))


def _warnings(pairs: Pairs) -> Iterator[str]:
    repeated = len(pairs.x) - len(np.unique(pairs.groups))
    if repeated:
        yield (
            f"{repeated} of {len(pairs.x)} pairs repeat or nearly repeat another: P@k counts their translations as "
            "right, accuracy and F1 do not"
        )
    if len(pairs.pool.rows) < SMALL_POOL:
        yield f"the pool holds {len(pairs.pool.rows)} candidates: P@1 is easy, do not compare it with larger pools"
    yield from pairs.warnings


def _sentence(
    pairs: Pairs, found: Interval, csls: Interval, before: dict[str, SearchScores], map_gains: dict[str, Interval]
) -> str:
    text = (
        f"{pairs.names[0]} → {pairs.names[1]}: the translation is the nearest of {len(pairs.pool.rows)} candidates for "
        f"{_percent(found)}; CSLS "
        + (f"changes that by {_points(csls)}" if _clear(csls) else "adds nothing that can be told from chance")
    )
    if not before:
        return f"{text}."
    gain = map_gains["cosine"]
    told = f"a change of {_points(gain)} by the map" if _clear(gain) else "no difference that can be told from chance"
    return f"{text}; without the map it is {_percent(before['cosine'].p_at_1)}, {told}."


def _percent(share: Interval) -> str:
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def _points(gain: Interval) -> str:
    return f"{100 * gain.value:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}] points".replace("-", "−")


def _clear(gain: Interval) -> bool:
    return not gain.low <= 0 <= gain.high
