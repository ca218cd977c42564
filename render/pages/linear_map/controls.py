"""The controls beside the linear map: what each one scores, and what that means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ....probe.results.intervals import Interval, in_points
from ....probe.results.linear_map import (
    ControlScores,
    Direction,
    ParaphraseControl,
    UntrainedControl,
    WrongLanguageControl,
)
from ...formatting import interval, language_name, number, percent, percent_interval
from ...terminal import SummaryColumn, SummaryTable

FEWER, AS_MANY, MORE = "fewer", "as many", "more"


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A control in words."""

    name: str
    r2: str
    p_at_1: str
    gap: str
    meaning: str


def controls(direction: Direction) -> tuple[ControlRow, ...]:
    """Return a row for each control that was measured, below the linear map beside which they stand."""
    rows = tuple(_rows(direction))
    own = direction.rungs.get("linear")
    if not rows or own is None:
        return rows
    source, target = language_name(direction.source), language_name(direction.target)
    meaning = f"The map from {source} to {target}, beside which the controls stand."
    return (ControlRow("linear map", interval(own.r2), percent_interval(own.p_at_1), "", meaning), *rows)


def summary_controls(direction: Direction) -> SummaryTable | None:
    """Return the controls for the terminal; None where there are none."""
    rows = tuple((row.name, row.r2, row.p_at_1, row.gap) for row in controls(direction))
    columns = (
        SummaryColumn("control", right=False),
        SummaryColumn("held-out R²", drop=1),
        SummaryColumn("P@1"),
        SummaryColumn("gap in P@1"),
    )
    return SummaryTable(columns, rows, emphasis=0) if rows else None


def _rows(direction: Direction) -> Iterator[ControlRow]:
    measured = direction.controls
    if measured.words is not None:
        yield _row("words alone", measured.words, words_meaning(measured.words, direction.source))
    for language, wrong in measured.wrong_language.items():
        yield _row(f"map of {language_name(language)}", wrong.as_it_is, wrong_meaning(language, wrong, direction))
    if measured.paraphrase is not None:
        yield _row("paraphrase", measured.paraphrase.linear, paraphrase_meaning(measured.paraphrase))
    if measured.untrained is not None:
        yield _row("untrained encoder", measured.untrained.linear, untrained_meaning(measured.untrained))


def _row(name: str, scores: ControlScores, meaning: str) -> ControlRow:
    gap = "" if scores.gap is None else in_points(scores.gap)
    return ControlRow(name, interval(scores.r2), percent_interval(scores.p_at_1), gap, meaning)


def found(gap: Interval | None) -> str:
    """Say whether a control finds fewer, as many or more, as far as the interval of its gap tells."""
    if gap is None or gap.low <= 0 <= gap.high:
        return AS_MANY
    return FEWER if gap.high < 0 else MORE


def words_meaning(scores: ControlScores, source: str) -> str:
    """Say what the words of the source find without an encoder."""
    begin = f"Character n-grams of the {language_name(source)} text, which no encoder has read,"
    return {
        FEWER: f"{begin} find fewer: the rest is what the encoder adds.",
        AS_MANY: f"{begin} find as many: the encoder adds nothing that this sample shows.",
        MORE: f"{begin} find more than the encoder's map.",
    }[found(scores.gap)]


def wrong_meaning(language: str, wrong: WrongLanguageControl, direction: Direction) -> str:
    """Say what of the map is the source language's own, and what is left of that with its mean in place."""
    other, source = language_name(language), language_name(direction.source)
    begin = f"The {other} → {language_name(direction.target)} map, given {source},"
    without, recentred = found(wrong.as_it_is.gap), found(wrong.recentred.gap)
    if without != FEWER:
        return f"{begin} finds {without}: nothing of the map is seen to be {source}'s own."
    centred = percent(wrong.recentred.p_at_1.value)
    left = "still fewer: more than the mean is its own" if recentred == FEWER else "no fewer: only the mean is its own"
    return (
        f"{begin} finds fewer: part of the map is {source}'s own. With the mean of {source} it finds {centred}, {left}."
    )


def paraphrase_meaning(control: ParaphraseControl) -> str:
    """Say whether second renderings are easier to map than translations, and what they find without a map."""
    language = language_name(control.language)
    beside, plain = control.translation, control.no_map.p_at_1.value
    easier = {
        FEWER: "found less often than translations",
        AS_MANY: "found no more often than translations",
        MORE: "found more often than translations",
    }[found(control.linear.gap)]
    return (
        f"Second {language} renderings of {control.rows} sentences, mapped onto the first, are {easier} on these rows "
        f"({percent(beside.p_at_1.value)}, R² {number(beside.r2.value)}, by a map of as many pairs). "
        f"Without a map they find {percent(plain)}."
    )


def untrained_meaning(control: UntrainedControl) -> str:
    """Say what tokenizer and architecture find without training."""
    begin = "The same texts, mapped in an encoder of the same shape with random weights"
    plain = "" if control.no_map is None else f" (without a map {percent(control.no_map.p_at_1.value)})"
    return {
        FEWER: f"{begin}{plain}: the rest is what training adds.",
        AS_MANY: f"{begin}{plain}: training adds nothing that this sample shows.",
        MORE: f"{begin}{plain}: more than with training.",
    }[found(control.linear.gap)]
