"""Pages of layers: findings by rule, bands of chance, and what is left out where it was not measured."""

import dataclasses

import pytest
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.layers import (
    MEASURES,
    ChanceBand,
    ConstantLayer,
    Layer,
    LayerMeasures,
    LayersResult,
    Stress,
    StressedMeasure,
)
from polyglot.probe.results.provenance import Provenance, Side
from polyglot.probe.results.serialization import to_json
from polyglot.render import page
from polyglot.render.kinds import terminal_summary
from polyglot.render.pages.layers import page as module
from polyglot.render.pages.layers.stress import stress_title


def around(value, half=0.01):
    return Interval(value, value - half, value + half, 0.95, 0.0, 0.02)


def layer(name, value, **changed):
    measures = LayerMeasures(**{measure: around(value) for measure in MEASURES})
    return Layer(name, (8, 8), dataclasses.replace(measures, **changed))


def made(*layers, **changed):
    provenance = Provenance(
        "polyglot probe layers en fr",
        (Side("en", "tiny", "f00d"), Side("fr", "tiny", "f00d")),
        "letters",
        "beef",
        0,
        "cpu",
        "float32",
        {"numpy": "2"},
    )
    fields = {
        "source": "en",
        "target": "fr",
        "n": 120,
        "groups": 118,
        "pool": 119,
        "folds": 5,
        "neighbours": 10,
        "removed": 3,
        "layers": layers,
        "chance": {"cka": ChanceBand(0.01, 0.05, 20)},
        "story": ("Similarity peaks at layer 1 of 2 <b>&.",),
        "stress": (),
        "warnings": ("few rows",),
        "permutations": 20,
        "costly_permutations": 5,
        "resamples": 1000,
        "provenance": provenance,
    }
    return LayersResult(**(fields | changed))


THREE = (layer("0", 0.2), layer("1", 0.6), layer("pooled", 0.4))


def figures(result):
    return {figure.id: figure for figure in module.view(to_json(result)).figures}


def test_page_holds_every_figure_with_label_table_and_escaped_words():
    html = page.render(to_json(made(*THREE)), plotlyjs="cdn")
    for name in ("similarity", "neighbours", "maps", "latent", "retrieval", "language"):
        assert f'id="layers-{name}"' in html
        assert f'id="layers-{name}-table"' in html
    assert html.count('role="img" aria-label="') == 6
    assert "peaks at layer 1 of 2 &lt;b&gt;&amp;." in html


def test_title_names_the_peak_only_where_it_stands_alone_and_above_chance():
    assert figures(made(*THREE))["layers-similarity"].title == "Similarity is highest at layer 1: 0.60"
    level = made(layer("0", 0.595), *THREE[1:])
    assert figures(level)["layers-similarity"].title == "Similarity is highest at layer 1, level with layer 0"
    unbeaten = made(*THREE, chance={"cka": ChanceBand(0.5, 0.6, 20)})
    assert (
        figures(unbeaten)["layers-similarity"].title
        == "Similarity does not differ significantly from chance at any layer"
    )


def test_band_of_chance_is_drawn_and_explained_where_there_is_one():
    found = figures(made(*THREE))
    (band,) = found["layers-similarity"].panels[0].layout["shapes"]
    assert (band["y0"], band["y1"]) == (0.01, 0.05)
    assert "permuted pairs" in found["layers-similarity"].caption
    assert "shapes" not in found["layers-neighbours"].panels[0].layout
    assert "permuted pairs" not in found["layers-neighbours"].caption


def test_pooled_output_stands_apart_from_the_line_of_layers():
    first, second = figures(made(*THREE))["layers-language"].panels[0].data
    assert (first["x"], second["x"]) == ([0, 1], [2])
    assert second["showlegend"] is False


def test_what_was_not_measured_is_left_out():
    none = {"p_at_1": None, "p_at_1_backward": None, "language_id": None}
    found = figures(made(*(layer(name, 0.3, **none) for name in ("0", "1"))))
    assert "layers-language" not in found
    assert [row[0] for row in found["layers-retrieval"].table.rows[::2]] == ["P@1, mapped", "P@1, mapped, backward"]
    assert found["layers-retrieval"].title.startswith("Retrieval through a map is highest")


@pytest.mark.parametrize(("accuracy", "words"), [(1.0, "every text"), (0.9997, "at least 99.9 %"), (0.6, "60.0 %")])
def test_a_share_just_below_all_is_not_called_all(accuracy, words):
    title = figures(made(*(layer(name, 0.3, language_id=around(accuracy)) for name in ("0", "1"))))[
        "layers-language"
    ].title
    assert words in title.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")


def test_values_that_are_not_defined_are_not_drawn():
    nan = Interval(float("nan"), float("nan"), float("nan"))
    found = figures(made(layer("0", 0.2, similarity_share=nan), *THREE[1:]))
    shares = [trace for trace in found["layers-maps"].panels[0].data if "scaled rotation" in trace["name"]]
    assert [trace["x"] for trace in shares] == [[1], [2]]


def test_stress_names_what_moved_while_retrieval_did_not():
    moved = StressedMeasure("cka", around(0.2), around(0.9), moved=True)
    still = StressedMeasure("p_at_1", around(0.5), around(0.5), moved=False)
    stress = Stress("one outlier", "row 3 is 30 times as long", (moved, still), retrieval_moved=False, sentence="…")
    found = figures(made(*THREE, stress=(stress,)))["layers-stress"]
    assert found.title == "Moved while retrieval did not: debiased CKA"
    assert found.panels[0].data[0]["text"] == [["0.20 → 0.90"], ["0.50 → 0.50"]]
    quiet = dataclasses.replace(stress, retrieval_moved=True)
    assert stress_title((quiet,)) == "No measure moved where retrieval did not"


def test_a_constant_layer_is_marked_where_it_stands():
    result = made(*THREE[1:], constant=(ConstantLayer("0", 0, ("en", "fr")),))
    (part,) = terminal_summary(result).parts
    assert part.table.rows[0][:2] == ("0", "constant")
    assert [row[0] for row in part.table.rows] == ["0", "1", "pooled"]
    view = module.view(to_json(result))
    assert "Constant, and not measured: layer 0 (en, fr)" in view.rows
    drawn = figures(result)["layers-similarity"]
    assert drawn.panels[0].layout["xaxis"]["ticktext"] == ["0 (constant)", "1", "pooled"]
    assert drawn.panels[0].data[0]["x"] == [1]
    assert "0 (constant)" in page.render(to_json(result), plotlyjs="cdn")


def test_headline_and_terminal_tell_the_story():
    result = made(*THREE)
    assert module.headline(to_json(result)).subject == "English ↔ French"
    (part,) = terminal_summary(result).parts
    assert part.sentence == result.story[0]
    assert [row[0] for row in part.table.rows] == ["0", "1", "pooled"]
    assert terminal_summary(made(*THREE, story=())).parts[0].sentence.startswith("No layer stands out")


@pytest.mark.parametrize("plotlyjs", ["inline", "cdn"])
def test_same_result_same_bytes(plotlyjs):
    text = to_json(made(*THREE))
    assert page.render(text, plotlyjs=plotlyjs) == page.render(text, plotlyjs=plotlyjs)


def test_latent_shares_are_drawn_where_they_were_measured_and_columns_only_then():
    figure = figures(made(*THREE, instruments=("de", "es")))["layers-latent"]
    assert figure.title == "Noise aside, the share of a rotation is highest at layer 1: 0.60"
    assert "Of what German and Spanish predict of French" in figure.caption
    none = tuple(layer(one.name, 0.3, latent_rotation=None, latent_linear=None) for one in THREE)
    assert "layers-latent" not in figures(made(*none))
    (with_shares,), (without,) = (terminal_summary(made(*some)).parts for some in (THREE, none))
    assert [c.label for c in with_shares.table.columns if "latent" in c.label] == ["latent rotation", "latent linear"]
    assert not any("latent" in c.label for c in without.table.columns)
    weak = (layer("0", 0.2, latent_rotation=None, latent_linear=None), *THREE[1:])
    assert terminal_summary(made(*weak)).parts[0].table.rows[0][5] == "–"
