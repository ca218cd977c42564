"""Pages of layers against layers."""

import dataclasses

import numpy as np
import pytest
from polyglot.probe.cka.run import CkaConfig, measure
from polyglot.probe.results.layers import ChanceBand, ConstantLayer
from polyglot.probe.results.serialization import to_json
from polyglot.render import page
from polyglot.render.kinds import terminal_summary
from polyglot.render.pages import cka as module


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((60, 5)) + 1 for _ in range(2)]
    y = [x[1] + 0.2 * rng.standard_normal((60, 5)), x[0] + 0.2 * rng.standard_normal((60, 5))]
    config = CkaConfig(neighbours=5, folds=3, permutations=2, resamples=100)
    return measure(x, y, config=config, names=("en", "fr"), command="polyglot probe cka <en>")


def test_page_draws_three_matrices_with_labels_and_a_table_of_all_cells(result):
    html = page.render(to_json(result), plotlyjs="cdn")
    assert html.count('role="img" aria-label="') == 3
    assert "polyglot probe cka &lt;en&gt;" in html
    (figure,) = module.view(to_json(result)).figures
    assert len(figure.table.rows) == 3 * 4
    heat = figure.panels[0].data[0]
    assert heat["z"][0][1] == result.tables[0].cka[0][1].value
    assert figure.panels[0].layout["xaxis"]["title"]["text"] == "layer of French, arrays"


def test_title_names_the_best_pair_only_above_chance(result):
    table = result.tables[0]
    assert module.table_title(table).startswith("Layer ")
    assert "are most alike" in module.table_title(table)
    unbeaten = dataclasses.replace(table, chance={"cka": ChanceBand(1, 1.2, 2)})
    assert module.table_title(unbeaten) == "No two layers differ significantly from chance"


def test_headline_and_terminal(result):
    assert module.headline(to_json(result)).verdict == result.tables[0].sentence
    (part,) = terminal_summary(result).parts
    assert [row[1] for row in part.table.rows] == ["1", "0"]


def test_a_constant_layer_is_marked_in_the_rows_of_its_own_side(result):
    marked = dataclasses.replace(result, constant=(ConstantLayer("0", 0, ("en",)), ConstantLayer("7", 2, ("fr",))))
    (part,) = terminal_summary(marked).parts
    assert [row[:2] for row in part.table.rows] == [("0", "constant"), ("0", "1"), ("1", "0")]
    assert "layer 0 (en); layer 7 (fr), where" in module.view(to_json(marked)).rows
