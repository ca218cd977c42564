"""Result files of strangers: a page, or one line that says what is wrong."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.errors import DataError, PolyglotError
from polyglot.render.page import render

from .conftest import require_one_line
from .mutations import ODD_VALUES, changed, damaged, edits, places_in
from .results import small_results

KINDS = ("linear-map", "retrieval", "layers", "cka", "composition", "geometry", "language-id")


@pytest.fixture(scope="module")
def sound():
    return small_results()


def page_or_refusal(text):
    try:
        assert "</html>" in render(text, plotlyjs="cdn")
    except PolyglotError as error:
        require_one_line(error)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_changed_values_give_a_page_or_one_line(sound, kind, data):
    text = sound[f"polyglot/{kind}/1"]
    places = sorted((place for place in places_in(json.loads(text)) if place), key=len)
    place = places[int(len(places) * data.draw(st.floats(0, 1, exclude_max=True)) ** 3)]  # mostly the outer ones
    odd, what = data.draw(st.sampled_from(ODD_VALUES)), data.draw(st.sampled_from(["exchange", "remove", "repeat"]))
    page_or_refusal(changed(text, place, odd, what))


@settings(max_examples=60, deadline=None)
@given(changes=edits)
def test_damaged_text_gives_a_page_or_one_line(sound, changes):
    content = damaged(sound["polyglot/cka/1"].encode(), changes)
    page_or_refusal(content.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"schema":' * 50_000, '{"schema": ' + "9" * 10_000 + "}", "null", "\0"]
)
def test_what_is_no_result_is_refused(text):
    with pytest.raises(DataError, match="not a result"):
        render(text)


def test_parts_that_contradict_each_other_are_refused(sound):
    result = json.loads(sound["polyglot/geometry/1"])
    result["sentences"] = result["sentences"][:1]
    with pytest.raises(DataError, match="contradict each other"):
        render(json.dumps(result))


def test_numbers_beyond_64_bits_are_refused(sound):
    result = json.loads(sound["polyglot/linear-map/1"])
    result["directions"][0]["certificate"]["ceiling_null_p95"] = 10**400
    with pytest.raises(DataError, match="too large"):
        render(json.dumps(result))


def test_the_command_answers_in_one_line(refused, tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"schema": "polyglot/\\u001b[2J/1"}')
    assert "1b[2J" in refused("report", tmp_path / "a.json")
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    refused("report", tmp_path / "a.json")
    refused("report", tmp_path)
    refused("report", tmp_path / ("x" * 5000))
