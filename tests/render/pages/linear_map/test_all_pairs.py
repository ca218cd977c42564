"""R² over all pairs beside the sample: on the page, in the terminal, and which number rests on what."""

import dataclasses

import pytest
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.linear_map import AllPairs
from polyglot.probe.results.serialization import to_json
from polyglot.render.page import render
from polyglot.render.pages.linear_map import page as linear_map
from polyglot.render.pages.linear_map.all_pairs import (
    all_pairs,
    all_pairs_caption,
    all_pairs_note,
    all_pairs_title,
)
from polyglot.render.pages.linear_map.certainty import pairs_line
from polyglot.render.pages.linear_map.summary import sentences


def interval(value):
    return Interval(value, value - 0.01, value + 0.01)


def plain(text):
    """Return a text with its narrow spaces as plain ones."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.fixture
def direction(pictured):
    closed = {"shift": -8.2, "rotation": 0.47, "linear": 0.618}
    streamed = AllPairs(
        n=1_000_000,
        groups=990_000,
        blocks=100,
        sample=6000,
        r2={name: interval(value) for name, value in closed.items()},
        gaps={name: interval(0.007) for name in closed},
        ceiling="nonlinear",
        verdict="linear",
        sentence="en → fr is a linear map of a million.",
        shares={"linear": interval(0.97)},
        equivalences={"linear": "suffices"},
        choices=(),
        latent={"rotation": interval(0.91), "linear": interval(0.99)},
    )
    return dataclasses.replace(pictured.directions[0], streamed=streamed)


def test_nothing_is_shown_where_all_pairs_were_in_memory(result):
    assert all_pairs(result.directions[0], "a") is None


def test_both_are_drawn_and_listed(direction):
    figure = all_pairs(direction, "a")
    traces = {trace["name"]: trace for trace in figure.panels[0].data if trace.get("showlegend", True)}
    assert traces["all pairs"]["x"] == [0.47, 0.618]
    assert traces["sample"]["x"] == [direction.rungs[name].r2.value for name in ("shift", "rotation", "linear")]
    assert [row[:4] for row in figure.table.rows if row[0] == "linear"] == [
        ("linear", "all", "R²", 0.618),
        ("linear", "sample", "R²", 0.611),
        ("linear", "all less sample", "R²", 0.007),
        ("linear", "all", "share of the best", 0.97),
        ("linear", "all", "latent share, linear instruments", 0.99),
    ]
    assert "fitted to all 1 000 000 pairs" in plain(figure.caption)
    assert "latent shares are: rotation 91 % [90, 92], linear 99 %" in plain(figure.caption)
    assert "nonlinear, was fitted to the sample only" in figure.caption


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("linear", "“linear”; linear reaches 0.618"), ("nonlinear", "“nonlinear”; linear"), ("no map", "no map predicts")],
)
def test_the_title_states_the_verdict(direction, verdict, said):
    assert said in all_pairs_title(dataclasses.replace(direction.streamed, verdict=verdict))


def test_the_page_and_the_terminal_say_what_rests_on_what(pictured, direction):
    result = dataclasses.replace(pictured, directions=(direction, pictured.directions[1]))
    page = linear_map.view(to_json(result))
    assert page.directions[0].groups[0].figures[0].id.endswith("-all-pairs")
    assert page.directions[0].rows.startswith("A random sample of")
    assert linear_map.headline(to_json(result)).rows == 1_000_000
    assert linear_map.headline(to_json(pictured)).rows == 6000
    assert "fr-all-pairs" in render(to_json(result))
    assert sentences(direction)[1] == "en → fr is a linear map of a million."
    assert "a random sample" in pairs_line(direction, result.provenance)
    note = plain(all_pairs_note(direction.streamed))
    assert "random sample of" in note
    assert "by linear instruments: rotation 91 % [90, 92], linear 99 % [98, 100]." in note
    without = dataclasses.replace(direction.streamed, latent={})
    assert "instruments" not in all_pairs_note(without) + all_pairs_caption(without)
