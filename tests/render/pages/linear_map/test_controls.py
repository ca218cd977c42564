"""Controls on the page and in the terminal: the words follow the intervals of the gaps."""

import dataclasses

import pytest
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.linear_map import (
    Controls,
    ControlScores,
    ParaphraseControl,
    UntrainedControl,
    WrongLanguageControl,
)
from polyglot.probe.results.serialization import to_json
from polyglot.render.page import render
from polyglot.render.pages.linear_map.controls import controls, summary_controls


def scores(p_at_1, gap=None):
    around = None if gap is None else Interval(gap, gap - 0.02, gap + 0.02)
    return ControlScores(Interval(0.2, 0.1, 0.3), Interval(p_at_1, p_at_1 - 0.02, p_at_1 + 0.02), around)


def with_controls(direction, **measured):
    return dataclasses.replace(direction, controls=Controls(**measured))


@pytest.fixture
def full(result):
    return with_controls(
        result.directions[0],
        words=scores(0.11, -0.7),
        wrong_language={"de": WrongLanguageControl(scores(0.5, -0.3), scores(0.6, -0.2))},
        paraphrase=ParaphraseControl("fr", 300, scores(0.9, 0.3), scores(0.88, -0.02), scores(0.6)),
        untrained=UntrainedControl(scores(0.07, -0.7), scores(0.05, -0.75)),
    )


def test_every_control_has_a_row_below_the_map_that_it_stands_beside(full):
    rows = controls(full)
    assert [row.name for row in rows] == [
        "linear map",
        "words alone",
        "map of German",
        "paraphrase",
        "untrained encoder",
    ]
    assert rows[2].gap == "−30.0 [−32.0, −28.0] points"
    assert all(row.meaning.endswith(".") for row in rows)
    assert "The German → French map, given English, finds fewer: part of the map is English's own." in rows[2].meaning
    assert rows[2].meaning.endswith("still fewer: more than the mean is its own.")
    assert "300 sentences" in rows[3].meaning
    assert "found more often than translations" in rows[3].meaning
    assert "without a map 5" in rows[4].meaning


def test_nothing_is_said_beyond_the_intervals(full):
    equal = WrongLanguageControl(scores(0.8, 0.01), scores(0.8, 0.0))
    shifted = WrongLanguageControl(scores(0.5, -0.3), scores(0.8, 0.01))
    more = WrongLanguageControl(scores(0.9, 0.3), scores(0.9, 0.3))
    measured = {"de": equal, "es": shifted, "ru": more}
    _, first, second, third = controls(with_controls(full, wrong_language=measured))
    assert "finds as many: nothing of the map is seen to be English's own" in first.meaning
    assert "no fewer: only the mean is its own" in second.meaning
    assert "finds more: nothing" in third.meaning
    _, words, paraphrase, untrained = controls(
        with_controls(
            full,
            words=scores(0.8, 0.0),
            paraphrase=ParaphraseControl("fr", 300, scores(0.6, 0.0), scores(0.6, 0.0), scores(0.6)),
            untrained=UntrainedControl(scores(0.8, 0.3), None),
        )
    )
    assert "find as many" in words.meaning
    assert "found no more often than translations" in paraphrase.meaning
    assert "more than with training" in untrained.meaning
    assert "without a map" not in untrained.meaning


def test_page_and_terminal_show_them_and_older_results_have_none(full, result):
    page = render(to_json(dataclasses.replace(result, directions=(full, result.directions[1]))), plotlyjs="cdn")
    assert page.count("<h3>Controls</h3>") == 1
    assert "map of German" in page
    assert [row[0] for row in summary_controls(full).rows][1:3] == ["words alone", "map of German"]
    assert summary_controls(result.directions[1]) is None
    assert controls(result.directions[1]) == ()
