"""The page of a comparison: complete, escaped, and with titles that say no more than the numbers do."""

import dataclasses
import json

import pytest
from polyglot.probe.compare.run import CompareConfig, Source, run
from polyglot.probe.results.compare import Score
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.serialization import to_json
from polyglot.render.kinds import terminal_summary
from polyglot.render.page import render
from polyglot.render.pages.compare import page as compare
from polyglot.render.pages.compare.differences import differences_title
from polyglot.render.pages.compare.measures import measure_title
from polyglot.render.pages.compare.verdicts import shares_title
from rich.console import Console


def variant(result, model, by=0.0, language="fr"):
    """The made-up linear-map result as of another model or language, all P@1 and R² moved."""
    value = json.loads(to_json(result))
    for direction in value["directions"]:
        for side in ("source", "target"):
            direction[side] = direction[side].replace("fr", language)
        for scores in direction["rungs"].values():
            for name in ("r2", "p_at_1"):
                for limit in ("value", "low", "high"):
                    scores[name][limit] += by
    for side in value["provenance"]["models"]:
        side["model"] = model
        side["language"] = side["language"].replace("fr", language)
    return json.dumps(value)


def with_geometry(text, verdict, share):
    """Add verdicts on search and geometry to both directions."""
    value = json.loads(text)
    at = {"value": share, "low": share - 0.02, "high": share + 0.02, "level": 0.95}
    for direction in value["directions"]:
        direction["use"] = {"verdict": "a map helps", "sentence": "…", "best": "linear", "p_at_1": {}, "gain": None}
        direction["geometry"] = {
            "verdict": verdict,
            "reason": "suffices",
            "sentence": f"Geometry: {verdict} <i>&.",
            "margin": 0.05,
            "instruments": ["de"],
            "map_p_value": 0.02,
            "shares": {"rotation": at, "linear": at},
            "by_instrument": {},
        }
    return json.dumps(value)


def compared(*texts):
    return run([Source(f"{i}.json", text) for i, text in enumerate(texts)], CompareConfig(), command="polyglot compare")


@pytest.fixture(scope="module")
def models(result):
    return compared(variant(result, "one"), variant(result, "<b>two</b>", 0.1))


@pytest.fixture(scope="module")
def languages(result):
    return compared(*(variant(result, "one", 0.05 * i, code) for i, code in enumerate(("fr", "de", "es", "ru", "zh"))))


@pytest.mark.parametrize("name", ["models", "languages"])
def test_every_figure_has_what_a_reader_needs(name, request):
    found = request.getfixturevalue(name)
    view = compare.view(to_json(found))
    identifiers = [f.id for f in view.figures] + [p.id for f in view.figures for p in f.panels]
    assert len(identifiers) == len(set(identifiers))
    assert view.figures[0].title == "By R² alone, a linear map suffices in all"
    for figure in view.figures:
        assert figure.title
        assert figure.caption.endswith(".")
        assert figure.method
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows)
        for panel in figure.panels:
            assert panel.label
            assert panel.layout["xaxis"]["title"]["text"]


def test_both_panels_of_the_verdicts_show_their_own_direction(languages):
    panels = compare.view(to_json(languages)).figures[0].panels
    assert [p.layout["xaxis"]["title"]["text"] for p in panels] == [
        "share of the best R², en → …",
        "share of the best R², … → en",
    ]


def test_the_page_is_escaped_and_the_same_each_time(models):
    text = to_json(models)
    page = render(text, plotlyjs="directory")
    assert page == render(text, plotlyjs="directory")
    assert "<b>two</b>" not in page
    assert "&lt;b&gt;two&lt;/b&gt;" in page
    assert page.count('role="img" aria-label="') == page.count('class="plot"')


def test_what_was_compared_can_be_found_again(models):
    facts = {fact.name: fact.value for fact in compare.view(to_json(models)).facts}
    assert facts["one"].split() == ["0.json", models.results[0].file_fingerprint]
    assert facts["made by, one"] == "polyglot probe linear-map en fr --seed 0"
    assert facts["numbers, one"].startswith("pairs 6000, candidates 5903")


def test_a_difference_that_does_not_hold_is_hollow(result):
    found = compared(variant(result, "one"), variant(result, "two", 0.001))
    view = compare.view(to_json(found))
    traces = [t for p in view.figures[-1].panels for t in p.data]
    assert not any(d.holds for d in found.differences)
    assert all(t["marker"]["color"] == "@paper" for t in traces)
    assert differences_title(found) == "No significant difference from one"
    assert view.verdicts[0].sentence.startswith("en")


def test_differences_that_hold_are_counted_by_their_sign(models, languages):
    assert differences_title(models) == "8 of 10 differences from one hold: 8 higher, 0 lower"
    turned = dataclasses.replace(languages, differences=languages.differences[:0])
    assert differences_title(turned) == "No significant difference from en–fr"


def test_titles_name_least_and_most_where_there_are_many(models, languages):
    assert measure_title(models, "held-out R²") == "Held-out R², linear, en → fr: 0.61 in one, 0.71 in <b>two</b>"
    assert measure_title(languages, "held-out R²") == (
        "Held-out R², linear, en → …, least and most: 0.61 in en–fr, 0.81 in en–zh"
    )


def test_a_verdict_that_holds_one_way_only_is_not_claimed(models):
    weak = Interval(0.94, 0.9, 0.97)
    judged = tuple(dataclasses.replace(j, share=weak) for j in models.results[0].judgements[:1])
    first = dataclasses.replace(models.results[0], label="one", judgements=(*judged, models.results[0].judgements[1]))
    changed = dataclasses.replace(models, results=(first, models.results[1]))
    assert shares_title(changed) == "By R² alone, a linear map suffices in <b>two</b>, and is not shown to in one"


def test_scores_in_points_are_drawn_below_zero_too(models):
    lost = Score("the old language", "lost", "similarity", Interval(-3.0, -4.0, -2.0), "points", tested=True)
    first = dataclasses.replace(models.results[0], scores=(*models.results[0].scores, lost))
    view = compare.view(to_json(dataclasses.replace(models, results=(first, models.results[1]))))
    (figure,) = [f for f in view.figures if f.id.startswith("compare-lost")]
    assert figure.title == "Lost, similarity, the old language: −3.0 in one"
    assert figure.panels[0].layout["xaxis"]["range"][0] < -4


@pytest.mark.parametrize("width", [160, 80, 50])
def test_the_terminal_keeps_to_its_width(languages, width):
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(terminal_summary(languages))
    text = capture.get()
    assert all(len(line) <= width for line in text.splitlines())
    assert "…\n" in text
    assert "\n\n\n" not in text
    assert " ".join(languages.sentence.split()) in " ".join(text.split())


def test_the_headline_names_models_and_verdict(models):
    headline = compare.headline(to_json(models))
    assert headline.kind == "comparison"
    assert headline.models == "one, <b>two</b>"
    assert headline.verdict == models.sentence


def test_verdicts_on_geometry_stand_side_by_side(result):
    texts = (
        with_geometry(variant(result, "one"), "rotation", 0.98),
        with_geometry(variant(result, "two"), "undecided", 0.9),
    )
    found = compared(*texts)
    (figure,) = [f for f in compare.view(to_json(found)).figures if f.id == "compare-geometry"]
    assert figure.title == "Noise aside, the map is rotation in one, not settled in two"
    assert {(row[0], row[2], row[3]) for row in figure.table.rows} == {
        ("one", "a map helps", "rotation"),
        ("two", "a map helps", "not settled"),
    }
    page = render(to_json(found), plotlyjs="directory")
    assert "&lt;i&gt;&amp;." in page
    assert page.count("compare-geometry-0") > 0
    console = Console(width=200, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(terminal_summary(found))
    first = next(line for line in capture.get().splitlines() if line.startswith("one"))
    assert "a map helps" in first
    assert "rotation" in first


def test_old_results_have_no_figure_of_geometry(models):
    assert all(figure.id != "compare-geometry" for figure in compare.view(to_json(models)).figures)
