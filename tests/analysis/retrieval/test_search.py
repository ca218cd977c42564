"""Nearest-neighbour search against an oracle that forms the whole n × m matrix."""

import numpy as np
import pytest
from polyglot.analysis.retrieval.criteria import CRITERIA
from polyglot.analysis.retrieval.hubness import hubness, k_occurrence
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.search import nearest, nearest_both_ways
from polyglot.errors import ConfigError, DataError

from .whole_matrix import CLOUDS, rows, whole_matrix


@pytest.mark.parametrize("side", [7, 32, 2048])
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_nearest_equals_a_sorted_matrix_both_ways(cloud, criterion, side):
    x, y = CLOUDS[cloud]()
    scores = whole_matrix(x, y, criterion, 5)
    k = min(4, len(x), len(y))
    found = nearest_both_ways(x, y, k=k, criterion=criterion, neighbours=5, tile_side=side)
    for part, matrix in zip(found, (scores, scores.T), strict=True):
        order = np.argsort(-matrix, axis=1, kind="stable")[:, :k]
        np.testing.assert_array_equal(part.places, order)
        np.testing.assert_allclose(part.scores, np.take_along_axis(matrix, order, axis=1), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("side", [5, 16, 2048])
def test_of_equal_rows_the_first_are_returned_and_ties_count_against_the_right_one(side):
    pattern = np.eye(4)[np.array([0, 1, 0, 2, 1, 0, 3, 0] * 6)]
    scores = pattern @ pattern.T
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :7]
    for part in nearest_both_ways(pattern, pattern, k=7, tile_side=side):
        np.testing.assert_array_equal(part.places, expected)
    numbers = np.arange(len(pattern))
    for ranks in match_ranks(pattern, pattern, numbers, numbers, tile_side=side, margin=True):
        for criterion in CRITERIA:
            np.testing.assert_array_equal(ranks.of(criterion), scores.sum(axis=1))


@pytest.mark.parametrize("criterion", CRITERIA)
def test_lengths_and_a_common_rotation_change_nothing(criterion):
    x, y = CLOUDS["hubs"]()
    turn = np.linalg.qr(rows(11, 8, 8))[0]
    plain = nearest(x, y, k=3, criterion=criterion)[1]
    lengths = np.random.default_rng(1).uniform(0.5, 9, (len(y), 1))
    np.testing.assert_array_equal(nearest(x @ turn, lengths * (y @ turn), k=3, criterion=criterion)[1], plain)


def test_planted_hubs_are_found_and_csls_tames_them():
    rng = np.random.default_rng(3)
    y = rng.standard_normal((300, 30)) + 1.0
    x = y + 0.8 * rng.standard_normal((300, 30))
    y[:4] = 1.0 + 0.3 * rng.standard_normal((4, 30))
    counts = {c: k_occurrence(nearest(x, y, k=5, criterion=c)[1], 300) for c in ("cosine", "csls")}
    assert set(np.argsort(-counts["cosine"])[:4]) == {0, 1, 2, 3}
    assert hubness(counts["cosine"]).skew > 2
    assert hubness(counts["csls"]).skew < hubness(counts["cosine"]).skew / 2
    assert counts["cosine"].sum() == counts["csls"].sum() == 1500


def test_half_precision_rows_are_read_and_the_input_is_left_alone():
    x = rows(1, 30).astype(np.float16)
    before = x.copy()
    assert (nearest(x, x, k=1)[1].ravel() == np.arange(30)).all()
    np.testing.assert_array_equal(x, before)
    single = rows(2, 30).astype(np.float32)
    kept = single.copy()
    nearest(single, single, k=1)
    np.testing.assert_array_equal(single, kept)


def test_a_row_of_zeros_has_cosine_zero():
    x = rows(1, 20)
    x[3] = 0
    scores, _ = nearest(x, rows(2, 20), k=4)
    np.testing.assert_array_equal(scores[3], 0)


def test_errors_of_a_search_name_what_is_wrong():
    x = rows(1, 10)
    with pytest.raises(DataError, match="equal widths"):
        nearest(x, rows(1, 10, 5), k=1)
    with pytest.raises(DataError, match="rows on both sides"):
        nearest(x, x[:0], k=1)
    with pytest.raises(ConfigError, match="1 to 10 neighbours, got 11"):
        nearest(x, x, k=11)
    with pytest.raises(ConfigError, match="at least 1 row"):
        nearest(x, x, k=1, criterion="csls", neighbours=-1)
