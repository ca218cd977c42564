"""One direction of a search, measured: ranks, scores with intervals and nulls, hubs, wrong answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...analysis.resampling import Interval, Resamples, percentile_interval
from ...analysis.retrieval.criteria import CRITERIA, Criterion
from ...analysis.retrieval.hubness import hubness, k_occurrence
from ...analysis.retrieval.ranks import MatchRanks, match_ranks
from ...analysis.retrieval.scores import mean_intervals
from ...analysis.retrieval.search import Nearest, nearest
from ...analysis.retrieval.shards import ONE_SHARD, CandidateShards, OneShard
from ...analysis.retrieval.tatoeba import accuracy_interval, f1_interval, weighted_f1
from ...analysis.splits import deciles, permute_within_strata
from ...analysis.types import Floats, Integers
from ...distributed import Processes
from ..experiment import caveats
from ..experiment.pairs import Pairs
from ..results.intervals import excludes_zero, in_points, percent
from ..results.retrieval import Hubs, RowOutcomes, Search, SearchScores
from .config import RetrievalConfig
from .errors import WrongAnswers

HUB_NEIGHBOURS = 10
LEAST_SHARD = 64
REPEATED = "P@k counts their translations as right, accuracy and F1 do not"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Integers and nearest candidates of one direction of a search."""

    pairs: Pairs
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
    warnings: tuple[str, ...] = (),
) -> Search:
    """Search every source row among the distinct targets, and score the answers.

    Parameters
    ----------
    pairs : Pairs
    config : RetrievalConfig
    unmapped : Pairs, optional
        The same rows before a map: searched too, and compared row by row.
    processes : Processes
        Which of the candidates this process searches, where several hold the same rows; all return the same result.
    warnings : tuple of str
        Of the map.
    """
    found = search(pairs, config, processes)
    plain = None if unmapped is None else search(unmapped, config, processes)
    scores, before = search_scores(found, config), {} if plain is None else search_scores(plain, config)
    wrong = WrongAnswers.of(pairs, found.ranks, found.near["cosine"].places)
    gains: dict[str, Interval] = {c: p_at_1_gain(found, c, found, "cosine") for c in CRITERIA if c != "cosine"}
    map_gains: dict[str, Interval] = {} if plain is None else {c: p_at_1_gain(found, c, plain, c) for c in CRITERIA}
    rows: dict[str, RowOutcomes] = {
        c: RowOutcomes(tuple(found.ranks.of(c).tolist()), tuple(found.answers[c].tolist())) for c in CRITERIA
    }
    return Search(
        source=pairs.names[0],
        target=pairs.names[1],
        queries=len(pairs.x),
        groups=pairs.n_groups,
        pool=len(pairs.pool.rows),
        scores=scores,
        gains=gains,
        hubs={criterion: hubs_of(pairs, found.near[criterion].places, texts=config.texts) for criterion in CRITERIA},
        errors=tuple(wrong.shares(found.resamples)),
        wrong=tuple(wrong.examples(config.examples)) if config.texts else (),
        rows=rows if config.rows else {},
        warnings=(
            *warnings,
            *caveats.repeated_pairs(pairs.groups, REPEATED),
            *caveats.small_pool(len(pairs.pool.rows)),
            *pairs.warnings,
        ),
        sentence=search_sentence(pairs, scores["cosine"].p_at_1, gains["csls"], before, map_gains),
        before=before,
        map_gains=map_gains,
        row_groups=tuple(pairs.groups.tolist()) if config.rows else (),
    )


def search(pairs: Pairs, config: RetrievalConfig, processes: Processes) -> Found:
    """Rank each row's right answer, and find the nearest candidates by every criterion."""
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
    return Found(pairs, ranks, near, answers, resamples)


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


def search_scores(found: Found, config: RetrievalConfig) -> dict[str, SearchScores]:
    """Return the scores by every criterion with their intervals, each beside its null."""
    null, wanted = permuted_scores(found, config), np.arange(len(found.pairs.x))
    scores = {}
    for criterion in CRITERIA:
        ranks, answers = found.ranks.of(criterion), found.answers[criterion]
        outcomes = {f"p_at_{k}": (ranks <= k).astype(np.float64) for k in (1, 5, 10)} | {"mrr": 1.0 / ranks}
        intervals = mean_intervals(outcomes, found.resamples)
        intervals["accuracy"] = accuracy_interval(wanted, answers, found.resamples)
        intervals["f1"] = f1_interval(wanted, answers, found.resamples)
        scores[str(criterion)] = SearchScores(**{n: i.with_null(null[criterion][n]) for n, i in intervals.items()})
    return scores


def permuted_scores(found: Found, config: RetrievalConfig) -> dict[Criterion, dict[str, list[float]]]:
    """Score the same search with pairs permuted within length deciles.

    P@k and MRR are those of the ten nearest; a rank beyond them is uniform over the rest of the pool, whose mean
    reciprocal stands in for it.
    """
    pairs = found.pairs
    rng = np.random.default_rng([config.seed, 3])
    strata = deciles(pairs.lengths[0].astype(np.float64))
    null: dict[Criterion, dict[str, list[float]]] = {criterion: {} for criterion in CRITERIA}
    for _ in range(config.permutations):
        partner = permute_within_strata(pairs.groups, strata, rng)
        for criterion, values in null.items():
            places = found.near[criterion].places
            hits = pairs.pool.groups[places] == pairs.groups[partner][:, None]
            inside, rank = hits.any(axis=1), hits.argmax(axis=1) + 1
            beyond = np.arange(places.shape[1] + 1, len(pairs.pool.rows) + 1)
            rest = float(np.mean(1 / beyond)) if len(beyond) else 0.0
            scores = {f"p_at_{k}": float(np.mean(inside & (rank <= k))) for k in (1, 5, 10)}
            scores["mrr"] = float(np.mean(np.where(inside, 1 / rank, rest)))
            scores["accuracy"] = float(np.mean(found.answers[criterion] == partner))
            scores["f1"] = weighted_f1(partner, found.answers[criterion])
            for name, value in scores.items():
                values.setdefault(name, []).append(value)
    return null


def p_at_1_gain(found: Found, criterion: Criterion, other: Found, by: Criterion) -> Interval:
    """Return P@1 less that of another search of the same rows by some criterion, row by row."""
    hits = [(ranks <= 1).astype(np.float64) for ranks in (found.ranks.of(criterion), other.ranks.of(by))]
    return percentile_interval(*found.resamples.mean(hits[0] - hits[1]))


def hubs_of(pairs: Pairs, places: Integers, *, texts: bool) -> Hubs:
    """Measure how unevenly candidates occur among the nearest of the queries, `places` (n, k)."""
    counts = k_occurrence(places, len(pairs.pool.rows))
    measured = hubness(counts)
    row = int(pairs.pool.rows[int(counts.argmax())])
    text = pairs.targets[row] if texts and pairs.targets is not None else ""
    return Hubs(measured.skew, measured.robin_hood, measured.antihubs, measured.largest, text, places.shape[1])


def search_sentence(
    pairs: Pairs, found: Interval, csls: Interval, before: dict[str, SearchScores], map_gains: dict[str, Interval]
) -> str:
    """Say how often the translation is found first, and what CSLS and a map change."""
    by_csls = f"changes that by {in_points(csls)}" if excludes_zero(csls) else "makes no significant difference"
    text = (
        f"{pairs.names[0]} → {pairs.names[1]}: the translation is the nearest of {len(pairs.pool.rows)} candidates for "
        f"{percent(found)}; CSLS {by_csls}"
    )
    if not before:
        return f"{text}."
    gain = map_gains["cosine"]
    by_map = f"a change of {in_points(gain)} by the map" if excludes_zero(gain) else "no significant difference"
    return f"{text}; without the map it is {percent(before['cosine'].p_at_1)}, {by_map}."
