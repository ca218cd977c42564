"""Ranks of right answers against an oracle that forms the whole n × m matrix."""

import numpy as np
import pytest
from polyglot.analysis.retrieval.criteria import CRITERIA
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.errors import ConfigError, DataError

from .whole_matrix import CLOUDS, rows, whole_matrix


def naive_ranks(scores, query_groups, candidate_groups):
    ranks = []
    for i, group in enumerate(query_groups):
        right = candidate_groups == group
        best = scores[i, right].max(initial=-np.inf)
        ranks.append(1 + int(np.sum(scores[i, ~right] >= best - 1e-6)))
    return np.array(ranks)


@pytest.mark.parametrize("side", [7, 32, 2048])
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_ranks_equal_those_of_the_whole_matrix(cloud, criterion, side):
    x, y = CLOUDS[cloud]()
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 40, len(x)), rng.integers(0, 40, len(y))
    a[0] = b[0]
    k = 3 if criterion == "margin" else 5
    scores = whole_matrix(x, y, criterion, k)
    forward, backward = match_ranks(x, y, a, b, k=5, margin=True, margin_k=3, tile_side=side)
    np.testing.assert_array_equal(forward.of(criterion), naive_ranks(scores, a, b))
    np.testing.assert_array_equal(backward.of(criterion), naive_ranks(scores.T, b, a))


def test_equal_rows_tie_wherever_they_stand_in_a_tile():
    rng = np.random.default_rng(5)
    once = rng.standard_normal((40, 384))
    copies = np.vstack([once, once[rng.permutation(40)], once])
    numbers = np.arange(len(copies))
    forward, _ = match_ranks(copies, copies, numbers, numbers, tile_side=33)
    np.testing.assert_array_equal(forward.cosine, 3)
    np.testing.assert_array_equal(forward.csls, 3)


def test_a_copy_of_the_pool_is_found_without_error():
    x = rows(1, 60)
    numbers = np.arange(60)
    for ranks in match_ranks(x, 3.0 * x, numbers, numbers, margin=True):
        assert all((ranks.of(criterion) == 1).all() for criterion in CRITERIA)


def test_a_query_without_a_right_answer_ranks_last_plus_one():
    x, y = rows(1, 10), rows(2, 12)
    groups = np.arange(10)
    forward, backward = match_ranks(x, y, groups, np.concatenate([groups[1:], [50, 51, 52]]))
    assert forward.cosine[0] == forward.csls[0] == 13
    assert (backward.cosine[-3:] == 11).all()


GAINS = {
    "first": ("cosine", lambda ranks: (ranks == 2).astype(float)),
    "reciprocal": ("cosine", lambda ranks: 1 / np.maximum(ranks - 1, 1) - 1 / ranks),
    "first by csls": ("csls", lambda ranks: (ranks == 2).astype(float)),
}


def influence_by_removal(scores, ranks, query_groups, candidate_groups, gain):
    """Take every candidate away in turn and add up what the queries gain whose right answer it stood ahead of."""
    felt = np.zeros(scores.shape[1])
    gained = gain(ranks)
    for i, group in enumerate(query_groups):
        right = candidate_groups == group
        best = scores[i, right].max(initial=-np.inf)
        felt += np.where(~right & (scores[i] >= best - 1e-6), gained[i], 0.0)
    return felt


@pytest.mark.parametrize("side", [7, 2048])
@pytest.mark.parametrize("cloud", ["near", "hubs"])
@pytest.mark.parametrize("name", GAINS)
def test_influence_of_candidates_equals_their_removal(name, cloud, side):
    x, y = CLOUDS[cloud]()
    groups = np.arange(len(x)) // 2
    by, gain = GAINS[name]
    scores = whole_matrix(x, y, by, 10)
    forward, backward = match_ranks(x, y, groups, groups, gains=GAINS, tile_side=side)
    for found, matrix in ((forward, scores), (backward, scores.T)):
        expected = influence_by_removal(matrix, found.of(by), groups, groups, gain)
        assert expected.any()
        np.testing.assert_allclose(found.influence[name], expected, rtol=1e-5)


def test_without_gains_there_is_no_influence():
    assert match_ranks(rows(0, 9), rows(1, 9), np.arange(9), np.arange(9))[0].influence == {}


def test_errors_of_ranks_name_what_is_wrong():
    x, numbers = rows(1, 10), np.arange(10)
    with pytest.raises(DataError, match="no group occurs on both sides"):
        match_ranks(x, x, numbers, numbers + 100)
    with pytest.raises(DataError, match="equal widths"):
        match_ranks(x, rows(1, 10, 5), numbers, numbers)
    with pytest.raises(ConfigError, match="at least 1 row"):
        match_ranks(x, x, numbers, numbers, k=0)
    with pytest.raises(ConfigError, match="margin=True"):
        match_ranks(x, x, numbers, numbers)[0].of("margin")
