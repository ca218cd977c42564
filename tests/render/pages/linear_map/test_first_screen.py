"""The first screen: short sentences that follow the verdicts, and points that are where the result says."""

import dataclasses
import json
import re

import pytest
from polyglot.analysis.certificate.geometry import REASONS as FOUND_REASONS
from polyglot.analysis.certificate.geometry import VERDICTS
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.linear_map import Geometry
from polyglot.render.page import render
from polyglot.render.pages.linear_map.first_screen import (
    REASONS,
    best_simple_map,
    big_numbers,
    first_screen,
    geometry_sentence,
    use_sentence,
)
from polyglot.render.pages.linear_map.hero import HEIGHT, WIDTH, hero, packed_heroes
from polyglot.render.pages.linear_map.wording import SUBJECTS

USES = ("a map helps", "no map needed", "no map helps", "undecided")


@pytest.fixture
def direction(pictured):
    return pictured.directions[0]


def used(direction, verdict, best="rotation"):
    return dataclasses.replace(direction, use=dataclasses.replace(direction.use, verdict=verdict, best=best))


def judged(direction, verdict, reason="", shares=None):
    shown = {"rotation": Interval(0.67, 0.64, 0.71), "linear": Interval(0.82, 0.78, 0.86)} if shares is None else shares
    geometry = Geometry(verdict, reason, "", 0.05, ("de", "ru"), 0.02, shown, {})
    return dataclasses.replace(direction, geometry=geometry)


@pytest.mark.parametrize("verdict", USES)
def test_the_sentence_on_search_has_at_most_15_words_whatever_the_map(direction, verdict):
    for best in (name for name in SUBJECTS if name in direction.rungs):
        sentence = use_sentence(used(direction, verdict, best))
        assert len(sentence.replace("\u202f", "").split()) <= 15, sentence
        assert sentence[0].isupper()
        assert sentence.endswith(".")


def test_the_sentence_on_search_follows_the_verdict(direction):
    said = {verdict: use_sentence(used(direction, verdict)) for verdict in USES}
    assert said["a map helps"] == "A rotation finds 68\u202f% of translations first; no map finds 21\u202f%."
    assert said["no map needed"] == "No map is needed: 21\u202f% of translations are found first as they are."
    assert said["no map helps"] == "No map does better than none, which finds 21\u202f% of translations first."
    assert said["undecided"].startswith("Whether a map helps is not settled: 68\u202f% found first with one")
    chips = [first_screen(used(direction, verdict), "d0", "T").chip for verdict in USES]
    assert chips == ["a map helps", "no map needed", "no map helps", "not settled"]


def test_a_map_no_better_than_chance_is_said_to_be_none(direction):
    lost = Interval(0.001, 0.0, 0.002, 0.95, 0.0005, 0.001)
    rungs = {**direction.rungs, "rotation": dataclasses.replace(direction.rungs["rotation"], p_at_1=lost)}
    none = dataclasses.replace(used(direction, "no map helps"), rungs=rungs)
    assert use_sentence(none) == "No map finds translations better than chance."


def test_between_two_spaces_there_is_no_number_without_a_map(direction):
    rungs = {name: scores for name, scores in direction.rungs.items() if name not in ("identity", "shift")}
    apart = dataclasses.replace(direction, rungs=rungs)
    assert use_sentence(apart) == "A rotation finds 68\u202f% of translations first."
    assert [number.label for number in big_numbers(apart)] == ["best simple map: rotate", "linear map: any matrix"]


def test_the_simple_map_is_that_of_the_verdict_or_the_best_of_the_simple_ones(direction):
    assert best_simple_map(used(direction, "a map helps", "shift")) == "shift"
    assert best_simple_map(used(direction, "a map helps", "linear")) == "similarity"


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_sentence_on_geometry_is_plain_english(direction, verdict):
    sentence = geometry_sentence(judged(direction, verdict, "curvature is visible and may exceed the margin"))
    assert sentence.startswith("Geometry: ")
    assert sentence.count(".") <= 3
    assert not re.search(r"rung|ceiling|told|falls short|undecided|permuted|instrument", sentence)


def test_every_reason_of_the_analysis_has_words(direction):
    settled = {"pairs predict no more than permuted pairs", "suffices, and every plainer map falls short"}
    settled.add("curvature surely above the margin")
    assert set(FOUND_REASONS) - settled == set(REASONS)
    for reason in REASONS:
        said = geometry_sentence(judged(direction, "undecided", reason, {}))
        assert said == f"Geometry: not settled. {REASONS[reason]}"


def test_points_of_the_picture_keep_their_places_and_stay_inside(direction):
    drawn = hero(direction, "d0")
    assert [frame.name for frame in drawn.frames] == ["no map", "shift", "rotation", "linear"]
    assert [frame.rung for frame in drawn.stills] == ["identity", "rotation"]
    picture = direction.picture
    scale = (drawn.targets[1][0] - drawn.targets[0][0]) / (picture.targets[1][0] - picture.targets[0][0])
    for place, (x, y) in zip(picture.moved["linear"], drawn.frames[3].sources, strict=True):
        assert x - drawn.targets[0][0] == pytest.approx(scale * (place[0] - picture.targets[0][0]), abs=0.3)
        assert drawn.targets[0][1] - y == pytest.approx(scale * (place[1] - picture.targets[0][1]), abs=0.3)
    inside = [0 <= x <= WIDTH and 0 <= y <= HEIGHT for frame in drawn.frames for x, y in frame.sources]
    assert sum(inside) >= 0.98 * len(inside)
    lines = [drawn.lines(drawn.frames[0], found=hit).count("M") for hit in (True, False)]
    assert lines == [sum(picture.found["identity"][:60]), 60 - sum(picture.found["identity"][:60])]


def test_the_script_gets_the_same_points_and_texts(direction):
    drawn = hero(direction, "d0")
    packed = json.loads(packed_heroes([drawn]))["d0-hero"]
    assert [tuple(place) for place in packed["frames"][2]["sources"]] == list(drawn.frames[2].sources)
    assert packed["texts"][5] == [direction.picture.source_texts[5], direction.picture.target_texts[5]]
    assert packed["frames"][2]["share"] == direction.rungs["rotation"].p_at_1.value


def test_older_results_open_without_the_picture_and_without_a_verdict_on_search(bare_json):
    html = render(bare_json, plotlyjs="directory")
    assert '<figure class="hero"' not in html
    assert 'class="chip' not in html
    assert "MiniLM: English → French</h1>" in html
    assert "A curved map finds" in html
