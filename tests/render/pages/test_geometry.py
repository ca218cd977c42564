"""Pages of the shape of clouds."""

import numpy as np
import pytest
from polyglot.probe.geometry.run import GeometryConfig, measure
from polyglot.probe.results.serialization import to_json
from polyglot.render import page
from polyglot.render.kinds import terminal_summary
from polyglot.render.pages import geometry as module


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((2, 2, 110, 5))
    rows[0, 1, :, 3] += 9
    config = GeometryConfig(blocks=5, neighbours=5, removed=1, rogue=3)
    return measure(list(rows), config=config, names=("en", "fr"), command="polyglot probe geometry en fr")


def test_page_has_a_figure_for_every_question(result):
    html = page.render(to_json(result), plotlyjs="cdn")
    for name in ("isotropy", "rank", "hubs", "rogue", "scales-figure"):
        assert f'id="geometry-{name}-table"' in html
    assert html.count('role="img" aria-label="') == 9


def test_titles_state_trend_and_rogue_coordinate(result):
    figures = {figure.id: figure for figure in module.view(to_json(result)).figures}
    assert figures["geometry-isotropy"].title.startswith("English: mean cosine rises from")
    assert figures["geometry-rogue"].title.startswith("Coordinate 3 holds")
    assert "is alike at" in module.trend_title(result, "dimension") or "English" in module.trend_title(
        result, "dimension"
    )
    names = [trace["name"] for trace in figures["geometry-hubs"].panels[0].data]
    assert names == ["English", "French", "English, components removed", "French, components removed"]


def test_tables_hold_the_isotropic_reference(result):
    table = module.view(to_json(result)).figures[0].table
    labels = [column.label for column in table.columns]
    assert "chance, mean" in labels
    assert all(row[labels.index("chance, mean")] is not None for row in table.rows)


def test_headline_and_terminal(result):
    assert module.headline(to_json(result)).verdict == " ".join(result.sentences)
    parts = terminal_summary(result).parts
    assert [part.heading for part in parts] == ["English", "French"]
