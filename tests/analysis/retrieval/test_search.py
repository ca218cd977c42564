"""Retrieval against an oracle that holds the whole n × m matrix."""

import numpy as np
import pytest
import torch
from polyglot.analysis.retrieval.hubness import hubness, k_occurrence
from polyglot.analysis.retrieval.search import CRITERIA, match_ranks, nearest, nearest_both_ways, right_pairs
from polyglot.analysis.retrieval.topk import Tiles, TopK, UnitRows
from polyglot.errors import ConfigError, DataError


def rows(seed, n, d=6):
    return np.random.default_rng(seed).standard_normal((n, d))


def with_hubs(seed, n):
    """Rows about a common direction, and a few that stand at the centre of all."""
    x = rows(seed, n, 8) + 1.0
    x[:3] = x.mean(axis=0) + 0.01 * rows(seed + 1, 3, 8)
    return x


def whole_matrix(queries, candidates, criterion, k):
    """The literal definitions, on float32 cosines."""
    a, b = (side.astype(np.float32) for side in (queries, candidates))
    a, b = (side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in (a, b))
    cosines = a @ b.T
    if criterion == "cosine":
        return cosines
    near_query = -np.sort(-cosines, axis=1)[:, :k].mean(axis=1)
    near_candidate = -np.sort(-cosines, axis=0)[:k].mean(axis=0)
    if criterion == "csls":
        return 2 * cosines - near_query[:, None] - near_candidate
    return cosines / np.maximum((near_query[:, None] + near_candidate) / 2, 1e-6)


def naive_ranks(scores, query_groups, candidate_groups):
    ranks = []
    for i, group in enumerate(query_groups):
        right = candidate_groups == group
        best = scores[i, right].max(initial=-np.inf)
        ranks.append(1 + int(np.sum(scores[i, ~right] >= best - 1e-6)))
    return np.array(ranks)


CLOUDS = {
    "random": lambda: (rows(0, 90), rows(1, 70)),
    "near": lambda: (rows(2, 80), rows(2, 80) + 0.4 * rows(3, 80)),
    "hubs": lambda: (with_hubs(4, 75), with_hubs(6, 75)),
    "few": lambda: (rows(8, 5), rows(9, 4)),
}


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


def test_sides_that_are_not_held_give_the_same(monkeypatch, tmp_path):
    x, y = CLOUDS["near"]()
    held = nearest_both_ways(x, y, k=3, criterion="csls", tile_side=16)
    for name, side in (("x", x), ("y", y)):
        np.save(tmp_path / name, side.astype(np.float64))
    monkeypatch.setattr("polyglot.analysis.retrieval.topk.HELD_BYTES", 0)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"]
    assert UnitRows(mapped[0]).held is None
    streamed = nearest_both_ways(*mapped, k=3, criterion="csls", tile_side=16)
    for one, other in zip(held, streamed, strict=True):
        np.testing.assert_array_equal(one.places, other.places)
        np.testing.assert_array_equal(one.scores, other.scores)


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


def test_a_query_without_a_right_answer_ranks_last_plus_one():
    x, y = rows(1, 10), rows(2, 12)
    groups = np.arange(10)
    forward, backward = match_ranks(x, y, groups, np.concatenate([groups[1:], [50, 51, 52]]))
    assert forward.cosine[0] == forward.csls[0] == 13
    assert (backward.cosine[-3:] == 11).all()


def test_right_pairs_lists_every_pair_of_a_group():
    a, b = np.array([3, 1, 3, 9]), np.array([1, 3, 3, 2])
    pairs = set(zip(*(side.tolist() for side in right_pairs(a, b)), strict=True))
    assert pairs == {(0, 1), (0, 2), (1, 0), (2, 1), (2, 2)}


def test_tiles_cover_every_pair_once():
    tiles = Tiles.of(rows(1, 23), rows(2, 19), "cpu", 8)
    seen = np.zeros((23, 19))
    for tile in tiles:
        seen[tile.rows, tile.columns] += 1
        assert tile.cosines.shape == seen[tile.rows, tile.columns].shape
    assert (seen == 1).all()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("k", [1, 4, 30])
def test_top_k_over_tiles_equals_a_stable_sort(axis, k):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 50, (64, 200)).astype(np.float32)
    best = TopK(64, k)
    for start in range(0, 200, 37):
        part = torch.from_numpy(matrix[:, start : start + 37].copy())
        best.update(slice(0, 64), part if axis == 0 else part.T.contiguous(), start, axis=axis)
    order = np.argsort(-matrix, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(best.places.numpy(), order)
    np.testing.assert_array_equal(best.values.numpy(), np.take_along_axis(matrix, order, axis=1))


def test_errors_name_what_is_wrong():
    x, numbers = rows(1, 10), np.arange(10)
    with pytest.raises(DataError, match="equal widths"):
        nearest(x, rows(1, 10, 5), k=1)
    with pytest.raises(DataError, match="nothing in common"):
        match_ranks(x, x, numbers, numbers + 100)
    with pytest.raises(DataError, match="rows on both sides"):
        nearest(x, x[:0], k=1)
    with pytest.raises(ConfigError, match="1 to 10 neighbours, got 11"):
        nearest(x, x, k=11)
    with pytest.raises(ConfigError, match="at least 1 row"):
        match_ranks(x, x, numbers, numbers, k=0)
    with pytest.raises(ConfigError, match="margin=True"):
        match_ranks(x, x, numbers, numbers)[0].of("margin")


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
