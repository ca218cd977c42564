"""Readers of each kind of result for a comparison: scores, verdicts, and outcomes of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...analysis.types import Floats, Integers
from ..results import layers as layers_result
from ..results import linear_map as linear_map_result
from ..results import retrieval as retrieval_result
from ..results import training as training_result
from ..results.compare import LATENT, SHARE, Judgement, Score
from ..results.layers import LayersResult
from ..results.linear_map import Direction, Geometry, LinearMapResult
from ..results.provenance import Provenance
from ..results.retrieval import RetrievalResult, Search
from ..results.serialization import from_json
from ..results.training import LanguageOutcome, MapVerdict, TrainResult

Key = tuple[str, str, str]  # part, measure, row
TESTED_RUNGS = {"held-out R²": ("linear",), "P@1": ("identity", "rotation", "linear"), LATENT: ("rotation", "linear")}
LAYER_MEASURES = {
    "cka": "debiased CKA",
    "mutual_knn": "mutual k-NN",
    "linear_r2": "R² of the linear map",
    "p_at_1": "P@1 as it is",
    "p_at_1_mapped": "P@1 after the map",
    "language_id": "language identity",
    "latent_rotation": f"{LATENT} of a rotation",
    "latent_linear": f"{LATENT} of a linear map",
}
CRITERIA = {"cosine": "cosine", "csls": "CSLS", "margin": "xsim margin"}
SEARCH_MEASURES = {"p_at_1": "P@1", "mrr": "MRR", "accuracy": "accuracy"}


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """A score of every row of one part, by (measure, row), with the group of every row."""

    rows: str  # fingerprint of the rows
    groups: Integers  # (n,)
    values: dict[tuple[str, str], Floats]  # (n,) each


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A result as a comparison reads it."""

    models: tuple[str, ...]
    parts: dict[str, tuple[str, str]]  # name → its two languages; a language twice where a part is a language
    provenance: Provenance
    rows: int
    pools: tuple[int, ...]
    scores: tuple[Score, ...]
    judgements: tuple[Judgement, ...]
    facts: dict[str, str]
    seconds: float  # that training took, or the probe
    outcomes: dict[str, Outcomes] = field(default_factory=dict)  # by part
    method: str = ""


def part_name(source: str, target: str) -> str:
    """Return what a direction of translation is called."""
    return f"{source} → {target}"


def read_linear_map(text: str) -> Read:
    """Read what is compared of a linear-map result."""
    result = from_json(text, LinearMapResult)
    first = result.directions[0]
    return Read(
        models=_models(result.provenance),
        parts={part_name(d.source, d.target): (d.source, d.target) for d in result.directions},
        provenance=result.provenance,
        rows=first.n,
        pools=tuple(d.pool for d in result.directions),
        scores=tuple(score for d in result.directions for score in rung_scores(d)),
        judgements=tuple(map(direction_judgement, result.directions)),
        facts={"pairs": str(first.n), "candidates": str(first.pool), "width": " → ".join(map(str, first.dims))},
        seconds=result.provenance.seconds,
    )


def direction_judgement(direction: Direction) -> Judgement:
    """Return the verdicts of a direction: by R², by P@1, on search and on geometry."""
    judged, geometry = direction.certificate, direction.geometry
    return Judgement(
        part_name(direction.source, direction.target),
        judged.verdict,
        judged.sentence,
        judged.shares.get("linear"),
        judged.margin,
        judged.retrieval_verdict,
        judged.smallest_detectable,
        search="" if direction.use is None else direction.use.verdict,
        geometry="" if geometry is None else geometry.verdict,
        geometry_sentence="" if geometry is None else geometry.sentence,
    )


def latent_scores(part: str, geometry: Geometry | None) -> Iterator[Score]:
    """Yield the latent share of every rung; nothing where noise was not taken out."""
    for rung, share in ({} if geometry is None else geometry.shares).items():
        yield Score(part, LATENT, rung, share, tested=rung in TESTED_RUNGS[LATENT])


def rung_scores(direction: Direction) -> Iterator[Score]:
    """Yield R² and P@1 of every rung of a direction, the share of the linear map, and latent shares."""
    part = part_name(direction.source, direction.target)
    for measure, attribute in (("held-out R²", "r2"), ("P@1", "p_at_1")):
        for rung, scores in direction.rungs.items():
            if rung != "mean":
                tested = rung in TESTED_RUNGS[measure]
                yield Score(part, measure, rung, getattr(scores, attribute), tested=tested)
    share = direction.certificate.shares.get("linear")
    if share is not None:
        yield Score(part, SHARE, "linear", share, tested=True)
    yield from latent_scores(part, direction.geometry)


def read_layers(text: str) -> Read:
    """Read what is compared of a layers result; differences are tested at the pooled output."""
    result = from_json(text, LayersResult)
    part = f"{result.source} ↔ {result.target}"
    return Read(
        models=_models(result.provenance),
        parts={part: (result.source, result.target)},
        provenance=result.provenance,
        rows=result.n,
        pools=(result.pool,),
        scores=tuple(
            Score(part, measure, layer.name, estimate, tested=layer.name == layers_result.POOLED)
            for layer in result.layers
            for name, measure in LAYER_MEASURES.items()
            if (estimate := getattr(layer.measures, name)) is not None
        ),
        judgements=(Judgement(part, "", " ".join(result.story)),),
        facts={"pairs": str(result.n), "candidates": str(result.pool), "layers": str(len(result.layers))},
        seconds=result.provenance.seconds,
    )


def read_retrieval(text: str) -> Read:
    """Read what is compared of a retrieval result, with the outcomes of its rows."""
    result = from_json(text, RetrievalResult)
    first = result.directions[0]
    through = {"through": result.through} if result.through else {}
    rows = result.provenance.corpus_fingerprint
    return Read(
        models=_models(result.provenance),
        parts={part_name(d.source, d.target): (d.source, d.target) for d in result.directions},
        provenance=result.provenance,
        rows=first.queries,
        pools=tuple(d.pool for d in result.directions),
        scores=tuple(
            Score(part_name(d.source, d.target), measure, CRITERIA.get(name, name), getattr(of, attribute), tested=True)
            for d in result.directions
            for attribute, measure in SEARCH_MEASURES.items()
            for name, of in d.scores.items()
        ),
        judgements=tuple(Judgement(part_name(d.source, d.target), "", d.sentence) for d in result.directions),
        facts={"queries": str(first.queries), "candidates": str(first.pool), **through},
        seconds=result.provenance.seconds,
        outcomes={
            part_name(d.source, d.target): outcomes
            for d in result.directions
            if (outcomes := search_outcomes(d, rows)) is not None
        },
        method=f"through {result.through}" if result.through else "",
    )


def search_outcomes(search: Search, rows: str) -> Outcomes | None:
    """Return the outcomes of the rows; None where they, or the groups of the rows, are not in the result."""
    if not search.rows or not (search.row_groups or search.groups == search.queries):
        return None
    groups = np.array(search.row_groups or range(search.queries), np.int64)
    values = {}
    for criterion, row in search.rows.items():
        ranks, name = np.array(row.ranks, np.float64), CRITERIA.get(criterion, criterion)
        values["P@1", name] = (ranks <= 1).astype(np.float64)
        values["MRR", name] = 1 / ranks
        values["accuracy", name] = (np.array(row.answers) == np.arange(len(ranks))).astype(np.float64)
    return Outcomes(rows, groups, values)


def read_training(text: str) -> Read:
    """Read what is compared of a training run."""
    result = from_json(text, TrainResult)
    lost = result.retention.scores if result.retention is not None else ()
    return Read(
        models=_models(result.provenance) or (result.model,),
        parts={one.language: (one.language, one.language) for one in result.languages},
        provenance=result.provenance,
        rows=sum(one.held_out for one in result.languages),
        pools=tuple(one.after.retrieval.pool for one in result.languages),
        scores=(
            *(score for one in result.languages for score in language_scores(one)),
            *(Score("the old language", "lost", one.name, one.lost, "points", tested=True) for one in lost),
        ),
        judgements=tuple(
            training_judgement(one.language, certificate)
            for one in result.languages
            if (certificate := one.after.certificate) is not None
        ),
        facts=training_facts(result),
        seconds=result.speed.seconds,
        outcomes={one.language: o for one in result.languages if (o := held_out_outcomes(one)) is not None},
        method=result.method or result.stage,
    )


def training_judgement(language: str, certificate: MapVerdict) -> Judgement:
    """Return the verdicts of the certificate after training."""
    geometry = certificate.geometry
    found = Judgement(language, certificate.verdict, certificate.sentence)
    if geometry is None:
        return found
    return replace(found, geometry=geometry.verdict, geometry_sentence=geometry.sentence)


def language_scores(one: LanguageOutcome) -> Iterator[Score]:
    """Yield the scores of one language before and after training; those after are tested."""
    for row, metrics in (("before", one.before), ("after", one.after)):
        found, after = metrics.retrieval, row == "after"
        yield Score(one.language, "P@1", row, found.p_at_1, tested=after)
        yield Score(one.language, "P@1 back", row, found.p_at_1_back, tested=after)
        yield Score(one.language, "cosine of pairs", row, found.cosine, tested=after)
        if after and one.words is not None:
            yield Score(one.language, "P@1", "words alone", one.words.retrieval.p_at_1, tested=False)
        if metrics.certificate is not None:
            for rung, r2 in metrics.certificate.r2.items():
                tested = after and rung in ("identity", "linear")
                yield Score(one.language, f"held-out R² {row}", rung, r2, tested=tested)
            if after:
                yield from latent_scores(one.language, metrics.certificate.geometry)


def held_out_outcomes(one: LanguageOutcome) -> Outcomes | None:
    """Return the outcomes of the held-out rows after training; None where they are not in the result."""
    ranks = np.array(one.after.ranks, np.float64)
    if not len(ranks) or len(one.held_out_groups) != len(ranks):
        return None
    hits = {("P@1", "after"): (ranks <= 1).astype(np.float64)}
    return Outcomes(one.held_out_fingerprint, np.array(one.held_out_groups, np.int64), hits)


def training_facts(result: TrainResult) -> dict[str, str]:
    """Return numbers of a run that have no interval, as they are printed."""
    facts = {
        "stage": result.stage,
        "method": result.method or "–",
        "steps": str(result.speed.steps),
        "time": f"{result.speed.seconds:.0f} s",
        "pairs a second": f"{result.speed.pairs_per_second:.0f}",
        "loss at the end": f"{result.speed.losses[-1]:.3g}" if result.speed.losses else "–",
    }
    for one in result.languages:
        facts[f"training pairs, {one.language}"] = str(one.pairs)
        facts[f"new words, {one.language}"] = str(one.new_words)
    for name, score in result.scores.items():
        facts[name] = f"{score.value:.3g} [{score.low:.3g}, {score.high:.3g}]"
    if result.retention is not None:
        facts["drift of the old language"] = f"{result.retention.drift:.4f}"
        facts["loss exceeds the limit"] = ", ".join(result.retention.broken) or "nothing"
    return facts


def _models(provenance: Provenance) -> tuple[str, ...]:
    return tuple(dict.fromkeys(side.model for side in provenance.models))


#: How each kind that can be compared is read.
READERS: Mapping[str, Callable[[str], Read]] = {
    linear_map_result.SCHEMA: read_linear_map,
    layers_result.SCHEMA: read_layers,
    retrieval_result.SCHEMA: read_retrieval,
    training_result.SCHEMA: read_training,
}
