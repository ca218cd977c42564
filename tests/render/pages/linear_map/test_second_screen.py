"""The second screen: the command follows the verdict, the lines follow the numbers."""

import dataclasses
import re

import pytest
from polyglot.analysis.certificate.geometry import CURVATURE_OPEN, CURVED
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.linear_map import Geometry
from polyglot.probe.results.provenance import Side
from polyglot.probe.results.serialization import to_json
from polyglot.render.page import render
from polyglot.render.pages.linear_map.certainty import curvature_line, noise_line, pairs_line
from polyglot.render.pages.linear_map.next_step import next_step
from polyglot.render.pages.linear_map.second_screen import map_rows, second_screen

SHARES = {"rotation": Interval(0.90, 0.88, 0.93), "linear": Interval(1.01, 0.97, 1.05)}


@pytest.fixture
def direction(pictured):
    return pictured.directions[0]


def judged(direction, **changes):
    geometry = Geometry("linear", "", "", 0.05, ("de", "es", "ru"), 0.02, SHARES, {}, (0.62, 0.7))
    return dataclasses.replace(direction, geometry=dataclasses.replace(geometry, **changes))


def typed(pictured, command, model="minilm"):
    return dataclasses.replace(pictured.provenance, command=command, models=(Side("en", model, "x"),) * 2)


def used(direction, verdict, best="rotation"):
    return dataclasses.replace(direction, use=dataclasses.replace(direction.use, verdict=verdict, best=best))


@pytest.mark.parametrize(
    ("verdict", "command"),
    [
        ("a map helps", "polyglot map fit en fr --out en-fr --model a/b --corpus 'my pairs.tsv' --seed 3"),
        ("no map needed", "polyglot probe questions en fr --model a/b"),
        ("no map helps", "polyglot train finetune --lang fr --model a/b --corpus 'my pairs.tsv' --seed 3"),
        ("undecided", "polyglot probe linear-map en fr --corpus YOUR-PAIRS.tsv --model a/b --seed 3"),
    ],
)
def test_the_command_follows_the_verdict_and_keeps_model_and_text(direction, pictured, verdict, command):
    words = "polyglot probe linear-map en fr --model a/b --corpus 'my pairs.tsv' --permutations 9 --seed=3 --force"
    assert next_step(used(direction, verdict), typed(pictured, words, "a/b")).command == command


def test_a_model_that_was_given_in_python_is_named(direction, pictured):
    step = next_step(direction, typed(pictured, "", "me5-small"))
    assert step.command == "polyglot map fit en fr --out en-fr --model me5-small"


def test_arrays_get_a_map_for_arrays(direction, pictured):
    arrays = dataclasses.replace(pictured.provenance, models=(), corpus="arrays")
    assert "polyglot.RotationMap().fit(np.load('en.npy')" in next_step(direction, arrays).command
    assert "--vectors en.npy fr.npy" in next_step(used(direction, "undecided"), arrays).command
    assert "your arrays" in pairs_line(direction, arrays)


def test_how_sure_says_what_took_the_noise_out(direction):
    assert noise_line(judged(direction)) == (
        "the same sentences in German, Spanish and Russian separate meaning from noise; 38\u202f% of the English "
        "variance and 30\u202f% of the French is noise."
    )
    assert "not taken out" in noise_line(direction)


def test_how_sure_says_what_curvature_would_have_been_seen(direction):
    seen = judged(direction, resolution={"principal axes": 0.2, "products": None})
    assert curvature_line(seen) == (
        "20\u202f% or more would have been seen (principal axes); other kinds could be missed."
    )
    assert curvature_line(judged(direction, resolution={"products": None})).startswith("these pairs are too few")
    for reason, said in (
        (CURVATURE_OPEN, "some is visible"),
        (CURVED, "more than 5\u202f% of what is shared is curved"),
    ):
        assert curvature_line(judged(direction, resolution={"products": None}, reason=reason)).startswith(said)
    assert curvature_line(direction) == "3\u202f% or more of what is explained would have been seen."
    blind = dataclasses.replace(direction.certificate, smallest_detectable=None)
    missed = curvature_line(dataclasses.replace(direction, certificate=blind))
    assert missed == "even 8\u202f% of what is explained could be missed."
    untested = dataclasses.replace(blind, power=())
    assert curvature_line(dataclasses.replace(direction, certificate=untested)) == "not tested."


def test_rows_are_named_in_words_and_shares_are_without_noise_where_there_are_any(direction):
    rows, name, caption = map_rows(judged(direction))
    assert [row.name for row in rows][:4] == ["no map", "add a constant", "rotate", "rotate and scale"]
    assert [row.name for row in rows if row.chosen] == ["rotate"]
    assert [row.share for row in rows if row.share] == list(SHARES.values())
    assert name == "explained"
    assert "German, Spanish and Russian predict of French" in caption
    rows, name, caption = map_rows(direction)
    assert rows[2].share == direction.rungs["rotation"].r2
    assert "noise included" in caption


def test_examples_say_how_many_go_the_same_way(direction, pictured):
    mended, broken, unchanged = second_screen(direction, pictured.provenance).examples
    assert (mended.meaning, mended.after) == ("812 pairs found first only with the map", "")
    assert mended.before == direction.explorer[1].target_text
    assert (broken.before, broken.after) == ("", direction.explorer[1].target_text)
    assert unchanged.before == unchanged.after == direction.explorer[1].target_text
    one = dataclasses.replace(direction, examples=(dataclasses.replace(direction.examples[0], count=1),))
    assert second_screen(one, pictured.provenance).examples[0].meaning == "1 pair found first only with the map"


def test_the_first_two_screens_are_in_plain_words(pictured):
    one = judged(pictured.directions[0])
    html = render(to_json(dataclasses.replace(pictured, directions=(one,))), plotlyjs="directory")
    screens = html[html.index('<div class="first">') : html.index('id="en-fr-explorer-title"')]
    text = re.sub(r"<[^>]+>|caveats</summary>.*?</details>", " ", screens, flags=re.S)
    assert not re.search(r"\b(rungs?|ceiling|told|falls? short|undecided|identity|nonlinear)\b", text)
    assert "P@1" in text
