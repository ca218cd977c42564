"""Ways to insert a language side by side, with words alone."""

from __future__ import annotations

from collections.abc import Iterator

from ....probe.results.training import LanguageOutcome, TrainResult
from ...formatting import language_name, model_name, number, percent_interval
from .results import Located, StudyResults
from .tracks import Cell, Mark, Tracks, columned, points


def insertion(results: StudyResults) -> Tracks | None:
    """Return search from an inserted language by method; None where nothing was trained."""
    found = list(_outcomes(results))
    if not found:
        return None
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
        ),
        columns=columns,
        rows=columned(cells, columns),
        legend=(("plain", "base"), ("best", "trained"), *((("words", "words alone"),) if words else ())),
    )


def _outcomes(results: StudyResults) -> Iterator[tuple[Located[TrainResult], LanguageOutcome]]:
    for one in sorted(results.trained, key=lambda one: one.result.languages[0].after.retrieval.p_at_1.value):
        for language in one.result.languages:
            yield one, language


def _column(one: Located[TrainResult], language: LanguageOutcome) -> str:
    base = next((side.model for side in one.result.provenance.models if side.model), one.result.model)
    return f"{language_name(language.language)} into {model_name(base)}"


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
