from dataclasses import replace

import numpy as np
import pytest
from polyglot.analysis.retrieval.scores import retrieve
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map.config import LinearMapConfig
from polyglot.probe.linear_map.shown_rows import EXPLORER_ROWS, WORST, explorer_points, hubness_of, worst_rows


def with_texts(n=60, d=4, q=None, *, same_space=True, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) + 1
    y = x.copy() if q is None else rng.standard_normal((n, q))
    pairs = Pairs.of_arrays(x, y, None, names=("en", "fr"), same_space=same_space)
    return replace(pairs, sources=tuple(f"s{i}" for i in range(n)), targets=tuple(f"t{i}" for i in range(n)))


def test_the_worst_rows_are_shown_with_what_they_were_taken_for():
    pairs = with_texts()
    prediction = pairs.y.copy()
    prediction[7] = -pairs.y[7]
    ranks = retrieve(prediction, pairs.y, pairs.groups, pairs.pool)[0]
    found = worst_rows(pairs, prediction, ranks, LinearMapConfig())
    assert len(found) == WORST
    assert (found[0].row, found[0].source_text, found[0].target_text) == (7, "s7", "t7")
    assert found[0].cosine == pytest.approx(-1)
    assert found[0].rank == 60
    assert not any(n.right for n in found[0].neighbours)
    assert found[1].neighbours[0].right
    assert found[1].neighbours[0].text == found[1].target_text


def test_without_texts_no_row_is_shown():
    pairs = with_texts()
    ranks = retrieve(pairs.y, pairs.y, pairs.groups, pairs.pool)[0]
    silent = LinearMapConfig(texts=False)
    nameless = replace(pairs, sources=None, targets=None)
    assert worst_rows(pairs, pairs.y, ranks, silent) == worst_rows(nameless, pairs.y, ranks, LinearMapConfig()) == ()


def test_without_texts_points_stay_and_say_nothing():
    pairs = with_texts()
    nameless = replace(pairs, sources=None, targets=None)
    points = explorer_points(pairs, pairs.y, LinearMapConfig(texts=False))
    assert points == explorer_points(nameless, pairs.y, LinearMapConfig())
    said = explorer_points(pairs, pairs.y, LinearMapConfig())
    assert points == tuple(replace(point, source_text="", target_text="") for point in said)


def test_points_of_one_space_lie_in_one_plane():
    pairs = with_texts()
    points = explorer_points(pairs, pairs.y, LinearMapConfig())
    assert len(points) == 60
    for i, point in enumerate(points):
        assert point.row == i
        assert point.source_xy == point.target_xy == point.mapped_xy
        assert point.before[0] == point.after[0] == i


@pytest.mark.parametrize("widths", [(4, 6), (1, 1), (1, 5)])
def test_points_of_two_spaces_have_a_plane_each(widths):
    pairs = with_texts(60, *widths, same_space=False)
    points = explorer_points(pairs, pairs.y, LinearMapConfig())
    assert all(point.before == () for point in points)
    assert all(point.mapped_xy == point.target_xy for point in points)
    assert len({point.source_xy for point in points}) == 60
    assert widths[1] == 1 or all(point.after[0] == point.row for point in points)


def test_many_rows_are_sampled(monkeypatch):
    monkeypatch.setattr("polyglot.probe.linear_map.shown_rows.EXPLORER_ROWS", 20)
    points = explorer_points(with_texts(), with_texts().y, LinearMapConfig())
    rows = [p.row for p in points]
    assert rows == sorted(set(rows))
    assert len(rows) == 20 < EXPLORER_ROWS
    assert {r for p in points for r in p.after} <= set(rows)


def test_hubness_of_the_shown_rungs():
    pairs = with_texts()
    collapsed = np.tile(pairs.y[:1], (60, 1))
    found = hubness_of(pairs, {"identity": pairs.y, "linear": collapsed, "local": pairs.y})
    assert set(found) == {"identity", "linear"}
    assert found["linear"].k == 10
    assert found["linear"].antihubs == pytest.approx(50 / 60)
    assert found["linear"].robin_hood > found["identity"].robin_hood
