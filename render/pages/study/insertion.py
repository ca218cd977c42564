"""Ways to insert a language side by side, with words alone."""

from __future__ import annotations

from collections import defaultdict

from ....probe.results.training import LanguageOutcome, TrainResult
from ...formatting import language_name, model_name, number, percent_interval
from .results import Located, StudyResults, models_in
from .tracks import Cell, Mark, Tracks, columned, points

Outcome = tuple[Located[TrainResult], LanguageOutcome]


def insertion(results: StudyResults) -> Tracks | None:
    """Return search from an inserted language by method; None where nothing was trained."""
    runs = _outcomes(results)
    found = [_median(some) for some in runs.values()]
    if not found:
        return None
    most = max(len(some) for some in runs.values())
    seeds = "" if most == 1 else f" Of {most} seeds the run in the middle."
    cells = {(one.result.method, _column(one, language)): _cell(one, language) for one, language in found}
    columns = tuple(dict.fromkeys(_column(one, language) for one, language in found))
    best, outcome = max(found, key=lambda pair: pair[1].after.retrieval.p_at_1.value)
    words = any(language.words is not None for _, language in found)
    return Tracks(
        id="insertion",
        title=(
            f"Inserted by “{best.result.method}”, {language_name(outcome.language)} goes from "
            f"{points(outcome.before.retrieval.p_at_1)} to {points(outcome.after.retrieval.p_at_1)} of 100 found first"
        ),
        caption=(
            "Translations found first by the base and by the trained model, the other side encoded by the base, as an "
            "old index is; held-out rows. Below: what the language of the base lost, in points of 100, at worst."
            + seeds
        ),
        columns=columns,
        rows=columned(cells, columns),
        legend=(("plain", "base"), ("best", "trained"), *((("words", "words alone"),) if words else ())),
    )


def _outcomes(results: StudyResults) -> dict[tuple[str, str], list[Outcome]]:
    """Return the runs of each method and column whose base the page shows, those with the least search first."""
    shown, found = models_in(results), defaultdict[tuple[str, str], list[Outcome]](list)
    for one in results.trained:
        for language in one.result.languages:
            if _base(one) in shown:
                found[one.result.method, _column(one, language)].append((one, language))
    return dict(sorted(((key, sorted(some, key=_found_first)) for key, some in found.items()), key=_of_median))


def _of_median(item: tuple[tuple[str, str], list[Outcome]]) -> float:
    return _found_first(_median(item[1]))


def _median(runs: list[Outcome]) -> Outcome:
    return runs[(len(runs) - 1) // 2]


def _found_first(outcome: Outcome) -> float:
    return outcome[1].after.retrieval.p_at_1.value


def _base(one: Located[TrainResult]) -> str:
    return next((side.model for side in one.result.provenance.models if side.model), one.result.model)


def _column(one: Located[TrainResult], language: LanguageOutcome) -> str:
    return f"{language_name(language.language)} into {model_name(_base(one))}"


def _cell(one: Located[TrainResult], language: LanguageOutcome) -> Cell:
    before, after = language.before.retrieval.p_at_1, language.after.retrieval.p_at_1
    marks = [Mark("plain", before.value), Mark("best", after.value)]
    said = f"{one.result.method}: {percent_interval(before)} before, {percent_interval(after)} after"
    if language.words is not None:
        words = language.words.retrieval.p_at_1
        marks.append(Mark("words", words.value))
        said += f", words alone {percent_interval(words)}"
    lost = [] if one.result.retention is None else [score.lost.value for score in one.result.retention.scores]
    return Cell(
        marks=tuple(marks),
        text=f"{points(before)} → {points(after)}",
        note=f"lost at most {number(max(lost), 1)}" if lost else "",
        said=said,
        address=one.address,
        join=True,
    )
