"""Pages of language identity."""

import dataclasses

import numpy as np
import pytest
from polyglot.probe.language_id.run import LanguageIdConfig, measure
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.language_id import Baseline
from polyglot.probe.results.serialization import to_json
from polyglot.render import page
from polyglot.render.kinds import terminal_summary
from polyglot.render.pages import language_id as module


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 70, 5))
    rows = [x + 3 * rng.standard_normal(5) + 0.05 * rng.standard_normal((2, 70, 5)) for _ in range(2)]
    config = LanguageIdConfig(folds=3, controls=2, orders=2, resamples=100)
    return measure(rows, config=config, names=("en", "fr"), command="polyglot probe language-id en fr")


def test_page_has_conditions_languages_and_layers(result):
    html = page.render(to_json(result), plotlyjs="cdn")
    for name in ("conditions", "languages", "by-layer"):
        assert f'id="language-{name}-table"' in html
    assert html.count('role="img" aria-label="') == 5


def test_one_layer_has_no_figure_by_layer_and_a_baseline_has_its_row(result):
    baseline = Baseline(Interval(0.6, 0.5, 0.7), Interval(0.9, 0.8, 1.0), ("tokens",))
    one = dataclasses.replace(result, layers=result.layers[-1:], baseline=baseline)
    found = module.view(to_json(one)).figures
    assert [figure.id for figure in found] == ["language-conditions", "language-languages"]
    assert found[0].panels[0].layout["yaxis"]["ticktext"][-1] == "length and script alone"
    assert any(row[0] == "length and script alone" for row in found[0].table.rows)


def test_title_names_the_removal_and_its_price(result):
    title = module.removal_title(result.layers[-1])
    assert "instead of" in title
    assert "better" in title
    plain = result.layers[-1].conditions[0]
    stuck = tuple(dataclasses.replace(c, accuracy=plain.accuracy) for c in result.layers[-1].conditions)
    assert module.removal_title(dataclasses.replace(result.layers[-1], conditions=stuck)).endswith(
        "no removal lowers it"
    )
    unsure = tuple(
        dataclasses.replace(c, p_at_1_change=Interval(0.01, -0.1, 0.1)) for c in result.layers[-1].conditions
    )
    title = module.removal_title(dataclasses.replace(result.layers[-1], conditions=unsure))
    assert title.endswith("retrieval unchanged")


def test_headline_and_terminal(result):
    assert module.headline(to_json(result)).verdict == result.sentence
    (part,) = terminal_summary(result).parts
    assert [row[0] for row in part.table.rows] == ["as it is", "means removed", "directions removed", "LEACE"]
