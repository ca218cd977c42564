"""Pages of composed maps and loops."""

import dataclasses

import numpy as np
import pytest
from polyglot.probe.composition.run import CompositionConfig, measure
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.serialization import to_json
from polyglot.render import page
from polyglot.render.kinds import terminal_summary
from polyglot.render.pages import composition as module


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((90, 4))
    rows = [meaning @ rng.standard_normal((4, 4)) + 0.1 * rng.standard_normal((90, 4)) for _ in range(3)]
    config = CompositionConfig(folds=3, permutations=2, resamples=100)
    return measure(rows, config=config, names=("en", "fr", "de"), command="polyglot probe composition en fr de")


def test_page_has_pairs_paths_and_loops(result):
    html = page.render(to_json(result), plotlyjs="cdn")
    for name in ("pairs", "paths", "loops"):
        assert f'id="composition-{name}-table"' in html
    assert html.count('role="img" aria-label="') == 7
    assert "en → fr → de" in html


def test_a_language_has_no_map_to_itself(result):
    heat = module.view(to_json(result)).figures[0].panels[0].data[0]
    assert [heat["z"][i][i] for i in range(3)] == [None] * 3
    assert [heat["text"][i][i] for i in range(3)] == [""] * 3


def test_titles_follow_the_intervals(result):
    unsure = tuple(dataclasses.replace(one, p_adjusted=0.2) for one in result.composed)
    assert module.paths_title(unsure) == "No detour costs P@1 measurably"
    worse = dataclasses.replace(unsure[5], p_at_1_cost=Interval(0.2, 0.1, 0.3), p_adjusted=0.001)
    assert module.paths_title((*unsure[:5], worse)) == "1 of 6 detours cost P@1, most de → fr → en"
    same = tuple(dataclasses.replace(pair, r2=Interval(0.5, 0.4, 0.6)) for pair in result.pairs)
    assert module.pairs_title(same) == "No pair of languages is mapped better than another"
    high = dataclasses.replace(same[0], r2=Interval(0.9, 0.8, 1.0))
    assert module.pairs_title((high, *same[1:])).startswith("A linear map predicts most for en → fr (0.90)")
    alike = tuple(dataclasses.replace(loop, r2=Interval(0.5, 0.4, 0.6)) for loop in result.loops)
    assert module.loops_title(alike).startswith("All loops recover about as much variance")


def test_headline_and_terminal(result):
    assert module.headline(to_json(result)).verdict == result.sentence
    (part,) = terminal_summary(result).parts
    assert len(part.table.rows) == 6


def test_latent_shares_of_paths_are_drawn_and_printed_where_measured(result):
    share = Interval(0.9, 0.8, 1.0)
    paths = (dataclasses.replace(result.composed[0], latent_direct=share, latent_composed=share), *result.composed[1:])
    found = dataclasses.replace(result, composed=paths)
    figure = module.view(to_json(found)).figures[1]
    assert [panel.id for panel in figure.panels][-1] == "composition-latent-plot"
    assert len(figure.panels[-1].data[0]["x"]) == 1
    assert {"latent share, direct", "latent share, composed"} <= {row[1] for row in figure.table.rows}
    (part,) = terminal_summary(found).parts
    assert [column.label for column in part.table.columns][-2:] == ["latent direct", "latent composed"]
    assert part.table.rows[1][-1] == "–"
    assert len(module.view(to_json(result)).figures[1].panels) == 2
