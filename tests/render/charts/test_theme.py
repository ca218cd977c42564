"""Series that a reader can tell apart, and the headings of figures that leave their page."""

from polyglot.render.charts.layers import Series, layer_panel
from polyglot.render.charts.theme import DARK, LIGHT, SERIES, heading
from polyglot.render.pages.linear_map import page as linear_map


def test_no_two_series_look_alike_and_the_first_six_have_colours_of_their_own():
    assert len(set(SERIES)) == len(SERIES) == 8
    assert len({symbol for _, symbol in SERIES}) == 8
    for palette in (LIGHT, DARK):
        assert len({palette[color[1:]] for color, _ in SERIES[:6]}) == 6


def test_the_fifth_curve_over_layers_is_not_drawn_as_the_first(result):
    estimate = result.directions[0].rungs["linear"].r2
    series = [Series(f"language {i}", (estimate, estimate)) for i in range(8)]
    drawn = layer_panel("p", "R²", ["0", "1"], series)
    assert len({(trace["marker"]["color"], trace["marker"]["symbol"]) for trace in drawn.data}) == 8


def test_a_heading_holds_the_title_in_lines_and_where_it_comes_from(result_json):
    view = linear_map.view(result_json)
    figure = max(view.figures, key=lambda one: len(one.title))
    above = heading(figure, view.title, "1.2")
    lines = above["title"]["text"].split("<br>")
    assert " ".join(lines) == figure.title
    assert all(len(line) <= 78 for line in lines)
    assert above["title"]["subtitle"]["text"] == "MiniLM: English → French · polyglot 1.2"
    assert above["height"] == 40 + 20 * len(lines)
