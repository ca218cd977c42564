"""The page of a study, from the JSON of its results alone."""

from __future__ import annotations

from dataclasses import dataclass

from ...formatting import count, counted, language_name, model_name
from ..linear_map.certainty import listed
from .by_layer import ByLayer, by_layer
from .clouds import Clouds, clouds
from .fewer import fewer
from .insertion import insertion
from .matrix import directions_of, finding, matrix
from .noise import noise, reasons
from .results import StudyResults, models_in
from .rogue import rogue
from .tracks import Tracks

TEMPLATE = "study.html"


@dataclass(frozen=True, slots=True)
class StudyView:
    """What the page shows; a section is None where no result is there for it."""

    title: str
    lead: str
    date: str
    matrix: Tracks
    clouds: Clouds | None
    noise: Tracks | None
    reasons: tuple[str, ...]
    fewer: Tracks | None
    by_layer: ByLayer | None
    rogue: Tracks | None
    insertion: Tracks | None
    limits: tuple[str, ...]


def study_view(results: StudyResults) -> StudyView:
    """Return the content of the page."""
    times = [one.time for one in results.provenances if one.time]
    return StudyView(
        title=finding(results),
        lead=_lead(results),
        date=max(times)[:10] if times else "",
        matrix=matrix(results),
        clouds=clouds(results),
        noise=noise(results),
        reasons=reasons(results),
        fewer=fewer(results),
        by_layer=by_layer(results),
        rogue=rogue(results),
        insertion=insertion(results),
        limits=_limits(results),
    )


def _languages(results: StudyResults) -> list[str]:
    codes = {code for _, one, _ in directions_of(results) for code in (one.source, one.target)} - {results.pivot}
    return sorted(map(language_name, codes))


def _lead(results: StudyResults) -> str:
    rows = sorted({direction.n for _, direction, _ in directions_of(results)})
    pairs = count(rows[0]) if len(rows) == 1 else f"{count(rows[0])} to {count(rows[-1])}"
    models = listed([model_name(model) for model in models_in(results)])
    pivot = f"{language_name(results.pivot)} with " if results.pivot else ""
    return (
        "Is translation, inside an embedding model, approximately a linear map? "
        f"{pivot}{listed(_languages(results))} in {models}, {pairs} sentence pairs each, "
        "both ways; every number is of pairs that no map was fitted on."
    )


def _limits(results: StudyResults) -> tuple[str, ...]:
    corpora = sorted({one.corpus for one in results.provenances})
    text = "the built-in sentences" if corpora[0].startswith("builtin") else f"“{corpora[0]}”"
    seeds = {one.seed for one in results.provenances}
    judged = {code for _, one, _ in directions_of(results) if one.geometry for code in one.geometry.instruments}
    limits = [
        f"One text, {text}, and {counted(len(models_in(results)), 'model')}: others may give other numbers.",
        f"{'One seed' if len(seeds) == 1 else f'{len(seeds)} seeds'}; intervals are of the rows, not of training.",
        "Maps are fitted on few pairs: with more, a linear map catches up, which each page foresees as far as it can.",
    ]
    if judged:
        limits.append(
            "What is called noise is what further languages of the same rows do not share. What one translator put "
            "into all of them is not noise by that measure."
        )
    return tuple(limits)
