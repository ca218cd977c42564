"""The view of a linear-map result: figures, and titles that say no more than the intervals do."""

import dataclasses
import json

import plotly.graph_objects as go
import pytest
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.linear_map import LearningCurve, LearningPoint, Neighbour, PowerPoint, ResidualGroup
from polyglot.probe.results.serialization import to_json
from polyglot.render.charts.theme import DARK, LIGHT
from polyglot.render.pages.linear_map import page as linear_map
from polyglot.render.pages.linear_map.certificate import certificate, margin_title
from polyglot.render.pages.linear_map.decomposition import anatomy, anatomy_title, drift
from polyglot.render.pages.linear_map.heterogeneity import hubness, residual_title, residuals, transfer, worst_lead
from polyglot.render.pages.linear_map.ladder import ladder, ladder_title, rungs_in_order
from polyglot.render.pages.linear_map.resolution import learning_curve, learning_title, power_title
from polyglot.render.pages.linear_map.summary import retrieval_sentence


@pytest.fixture
def direction(result):
    return result.directions[0]


def certified(direction, **changes):
    return dataclasses.replace(direction, certificate=dataclasses.replace(direction.certificate, **changes))


def painted(value, palette, key=""):
    if isinstance(value, str):
        return palette[value[1:]] if value.startswith("@") and "color" in key else value
    if isinstance(value, (list, tuple)):
        return [painted(v, palette, key) for v in value]
    if isinstance(value, dict):
        return {k: painted(v, palette, k) for k, v in value.items()}
    return value


@pytest.fixture(scope="module")
def view(result_json):
    return linear_map.view(result_json)


def test_every_figure_has_what_a_reader_needs(view):
    assert len(view.figures) == 18
    for figure in view.figures:
        assert figure.title
        assert figure.caption.endswith(".")
        assert figure.method
        assert figure.table.rows
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows)
        for panel in figure.panels:
            assert panel.label
            assert panel.height >= 120
            assert panel.layout["xaxis"]["title"]["text"]


def test_identifiers_are_unique_and_fixed(view, result_json):
    names = [p.id for f in view.figures for p in f.panels] + [f.id for f in view.figures]
    assert len(names) == len(set(names))
    assert linear_map.view(result_json) == view


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_plotly_knows_every_property_that_the_figures_use(view, palette):
    for figure in view.figures:
        for panel in figure.panels:
            go.Figure(painted(panel.data, palette), painted(panel.layout, palette))


def test_directions_that_cannot_name_themselves_are_numbered(result):
    odd = dataclasses.replace(result.directions[0], source="العربية", target="…")
    text = to_json(dataclasses.replace(result, directions=(odd, result.directions[1])))
    assert [d.id for d in linear_map.view(text).directions] == ["d0", "d1"]


def test_light_and_dark_name_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


def test_colours_repeat_in_shapes(view):
    panels = {p.id: p for f in view.figures for p in f.panels}
    looks = {(t["marker"]["symbol"], t["marker"]["color"] == "@paper") for t in panels["en-fr-ladder-p1-plot"].data}
    assert len(looks) == 4


def test_what_is_missing_is_left_out(bare_json):
    view = linear_map.view(bare_json)
    assert [f.id for f in view.figures] == ["en-fr-ladder", "en-fr-certificate"]
    assert view.directions[0].explorer is None
    assert view.directions[0].worst == ()


@pytest.mark.parametrize("figure", [anatomy, drift, residuals, transfer, hubness])
def test_a_figure_without_data_is_no_figure(direction, figure):
    empty = dataclasses.replace(direction, anatomy=None, drift=None, residuals=(), transfer=None, hubness={})
    assert figure(empty, "d0") is None


def test_the_reference_is_no_rung_and_unknown_rungs_come_last(direction):
    rungs = {"tensor": direction.rungs["linear"], **direction.rungs}
    assert list(rungs_in_order(dataclasses.replace(direction, rungs=rungs)))[-1] == "tensor"
    assert "mean" not in rungs_in_order(direction)


def test_the_ladder_table_holds_every_score_both_ways(direction):
    rows = ladder(direction, "d0").table.rows
    linear = [row for row in rows if row[0] == "linear"]
    assert {row[1] for row in linear} == {"", "forward", "backward"}
    assert {row[2] for row in linear} == {"R²", "R², refitted", "cosine", "P@1", "P@1 CSLS", "P@5", "P@10", "MRR"}


def test_a_rung_off_the_axis_is_an_arrow_with_its_value(direction):
    panel = ladder(direction, "d0").panels[0]
    arrows = [t for t in panel.data if t.get("marker", {}).get("symbol") == "triangle-left"]
    assert len(arrows) == 1
    assert arrows[0]["text"] == ["−0.41"]
    assert arrows[0]["y"] == [0]


def test_the_ladder_names_what_suffices(direction):
    assert ladder_title(direction) == "A linear map predicts as well as any map, with R² 0.61; a similarity does not"


def test_the_ladder_claims_nothing_that_is_undecided(direction):
    open_ = certified(direction, verdict="undecided", equivalences={"linear": "undecided"})
    assert ladder_title(open_).startswith("Undecided")


def test_the_ladder_says_when_no_linear_map_suffices(direction):
    curved = certified(direction, verdict="nonlinear", equivalences={"linear": "falls short"})
    assert ladder_title(curved).startswith("No linear map predicts as well as any: it reaches 96\u202f% [95, 97]")


def test_the_ladder_says_when_nothing_beats_chance(direction):
    nothing = certified(direction, verdict="no map", shares={}, equivalences={}, by_margin={})
    assert ladder_title(nothing) == "No rung differs significantly from chance"
    assert certificate(nothing, "d0") is None


def test_retrieval_is_heard_whether_or_not_it_agrees(direction):
    agreed = retrieval_sentence(direction.certificate)
    other = dataclasses.replace(
        direction.certificate, retrieval_verdict="shift", retrieval_gaps={"linear": Interval(-0.42, -0.45, -0.39)}
    )
    assert agreed == "Retrieval agrees: judged by P@1 alone the verdict is “linear” too."
    assert retrieval_sentence(other) == (
        "Retrieval disagrees: judged by P@1 alone the verdict is “shift”; "
        "linear finds 42 points [39, 45] fewer than the best rung."
    )


def test_a_dot_is_drawn_once_inside_or_as_an_arrow(direction):
    traces = ladder(direction, "d0").panels[0].data
    dots = next(t for t in traces if t.get("name") == "held-out R²")
    assert 0 not in dots["y"]
    assert len(dots["y"]) == len(rungs_in_order(direction)) - 1


def test_absent_rungs_are_explained(direction):
    absent = dataclasses.replace(direction, absent={"identity": "the two sides come from different models"})
    assert "Identity is absent: the two sides come from different models." in ladder(absent, "d0").caption


@pytest.mark.parametrize(
    ("by_margin", "title"),
    [
        (
            {"0.01": "linear", "0.1": "linear"},
            "is “linear” at every margin from 1\u202f% to 10\u202f%",
        ),
        (
            {"0.1": "rotation", "0.02": "linear"},
            "depends on the margin: “linear” at 2\u202f%, “rotation” from 10\u202f%",
        ),
        ({}, "at a margin of 5\u202f% is “linear”"),
    ],
)
def test_the_certificate_says_whether_it_hangs_on_the_margin(direction, by_margin, title):
    assert (
        margin_title(dataclasses.replace(direction.certificate, by_margin=by_margin))
        == f"By R², noise included, the verdict {title}"
    )


def test_power_is_stated_even_where_it_is_poor(direction):
    good = direction.certificate
    coarse = dataclasses.replace(good, smallest_detectable=0.08)
    blind = dataclasses.replace(good, smallest_detectable=None, power=(PowerPoint(0.2, 0.3, 10),))
    assert power_title(good) == "The test resolves curvature of 3\u202f% of what is explained"
    assert power_title(coarse).endswith("more than the margin")
    assert power_title(blind) == "The test would miss even 20\u202f% of curvature"


def learned(direction, values, ahead=None, limit=None):
    points = tuple(LearningPoint(n, Interval(v, v - 0.02, v + 0.02)) for n, v in zip((100, 200), values, strict=True))
    foreseen = () if ahead is None else (LearningPoint(1000, ahead),)
    return dataclasses.replace(direction, learning_curve=LearningCurve(points, limit, foreseen))


def test_more_pairs_help_only_where_what_is_foreseen_clears_the_last_point(direction):
    rising = learning_title(learned(direction, (0.4, 0.5), Interval(0.6, 0.55, 0.65)))
    assert rising == "More would help: R² 0.50 at 200 training pairs, 0.55–0.65 at 1000"
    assert "no sure gain" in learning_title(learned(direction, (0.4, 0.5), Interval(0.6, 0.51, 0.65)))


@pytest.mark.parametrize("limit", [None, Interval(0.6, 0.55, 0.65)])
def test_where_nothing_is_foreseen_the_curve_says_what_was_seen(direction, limit):
    assert learning_title(learned(direction, (0.4, 0.5), limit=limit)) == "R² rises from 100 to 200 pairs"
    assert learning_title(learned(direction, (0.4, 0.41))) == "R² does not surely rise from 100 to 200 pairs"


def test_the_learning_curve_shows_what_is_foreseen_beside_what_was_measured(direction):
    figure = learning_curve(direction, "en-fr")
    assert [trace["name"] for trace in figure.panels[0].data] == ["linear", "chance", "foreseen"]
    assert figure.panels[0].data[-1]["x"] == [7000, 20_000]
    assert [row[1] for row in figure.table.rows] == ["measured"] * 5 + ["foreseen"] * 2
    assert figure.caption.startswith(direction.learning_curve.sentence)
    older = dataclasses.replace(direction, learning_curve=LearningCurve(direction.learning_curve.points))
    plain = learning_curve(older, "en-fr")
    assert [trace["name"] for trace in plain.panels[0].data] == ["linear", "chance"]
    assert "foreseen" not in plain.caption


def test_parts_of_rows_stand_out_only_where_their_intervals_are_apart(direction):
    def group(label, hits, r2=0.5):
        return ResidualGroup(
            "length", label, 50, Interval(r2, r2 - 0.1, r2 + 0.1), Interval(hits, hits - 0.05, hits + 0.05)
        )

    apart = dataclasses.replace(direction, residuals=(group("short", 0.4), group("long", 0.6)))
    near = dataclasses.replace(direction, residuals=(group("short", 0.5), group("long", 0.55)))
    assert residual_title(apart) == "P@1 differs most by length: 0.40 for short, 0.60 for long"
    assert residual_title(near) == "No part of the rows stands out"
    explained = dataclasses.replace(direction, residuals=(group("short", 0.5, 0.2), group("long", 0.55, 0.7)))
    assert residual_title(explained) == "R² differs most by length: 0.20 for short, 0.70 for long"


def test_a_part_without_a_single_hit_is_no_evidence(direction):
    none = ResidualGroup("domain", "law", 50, Interval(0.5, 0.4, 0.6), Interval(0.0, 0.0, 0.0))
    some = ResidualGroup("domain", "sport", 50, Interval(0.5, 0.4, 0.6), Interval(0.06, 0.02, 0.12))
    assert residual_title(dataclasses.replace(direction, residuals=(none, some))) == "No part of the rows stands out"


def test_drift_is_named_only_beyond_its_null(direction):
    within = dataclasses.replace(direction, drift=dataclasses.replace(direction.drift, statistic=0.33))
    assert drift(direction, "d0").title == "The map drifts from region to region, beyond sampling noise"
    assert drift(within, "d0").title.startswith("No significant drift")


def test_anatomy_is_titled_by_what_its_histogram_shows(direction):
    angles = dataclasses.replace(direction.anatomy, rotation_angles=(10.0, 20.0, 90.0), mean_turning=47.0)
    assert anatomy_title(angles).startswith("Half of the directions are turned by more than 20°")


def test_the_pairs_found_last_name_a_hub_where_they_share_one(direction):
    def worst(*firsts):
        rows = (dataclasses.replace(direction.worst[i], row=i) for i in range(len(firsts)))
        found = (
            dataclasses.replace(row, neighbours=(Neighbour(text, 0.9, False),))
            for row, text in zip(rows, firsts, strict=True)
        )
        return worst_lead(dataclasses.replace(direction, worst=tuple(found)))

    assert "3 of these 4 find “hub” first: a hub" in worst("hub", "a", "hub", "hub")
    assert "free or wrong translations" in worst("hub", "a", "hub", "b")
    assert "free or wrong translations" in worst_lead(dataclasses.replace(direction, worst=()))


def test_anatomy_between_different_spaces_has_no_angles(direction):
    other = dataclasses.replace(
        direction.anatomy, rotation_angles=(), mean_turning=None, shift_to_spread=None, rank_of_difference=None
    )
    figure = anatomy(dataclasses.replace(direction, anatomy=other), "d0")
    assert [p.id for p in figure.panels] == ["d0-stretch-plot"]
    assert anatomy_title(other) == "The map's distance to a pure rotation is 0.31"
    assert "Right" not in figure.caption


def test_the_headline_tells_both_verdicts(result_json):
    found = linear_map.headline(result_json)
    assert found.verdict == "en → fr: linear; fr → en: linear"
    assert (found.subject, found.models, found.rows) == ("English ↔ French", "MiniLM", 6000)


def test_numbers_that_are_missing_do_not_stop_the_page(result):
    gone = Interval(float("nan"), float("nan"), float("nan"))
    rungs = {**result.directions[0].rungs}
    rungs["shift"] = dataclasses.replace(rungs["shift"], r2=gone)
    text = to_json(dataclasses.replace(result, directions=(dataclasses.replace(result.directions[0], rungs=rungs),)))
    shown = next(f for f in linear_map.view(text).figures if f.id.endswith("ladder"))
    row = next(r for r in shown.table.rows if r[0] == "shift" and r[2] == "R²")
    assert json.loads(text)["directions"][0]["rungs"]["shift"]["r2"]["value"] is None
    assert row[3] != row[3]
