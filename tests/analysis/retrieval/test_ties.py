"""Rounding decides nothing: the same results whatever the last bits of the products."""

import numpy as np
import pytest
import torch
from polyglot.analysis.retrieval import tiles
from polyglot.analysis.retrieval.criteria import CRITERIA
from polyglot.analysis.retrieval.hubness import k_occurrence
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.search import nearest, nearest_both_ways
from polyglot.analysis.retrieval.ties import TIE, first_of_ties
from polyglot.analysis.retrieval.topk import TopK
from polyglot.analysis.similarity.knn import cosine_neighbours
from polyglot.analysis.similarity.knn_jackknife import NeighbourLists, mutual_outcomes

ULPS = 4
SIDES = (7, 33, 2048)
plain_product = tiles.product


def disturb(monkeypatch, seed):
    """Change every product by up to four units in its last place."""
    rng = np.random.default_rng(seed)

    def product(a, b, out):
        plain_product(a, b, out)
        out.mul_(torch.from_numpy(1 + ULPS * 2.0**-24 * rng.uniform(-1, 1, out.shape)))

    monkeypatch.setattr(tiles, "product", product)


@pytest.fixture(params=["some", "many"])
def clouds(request):
    """Two clouds of paired rows in which rows repeat, some of them at another length."""
    rng = np.random.default_rng(4)
    once = 90 if request.param == "some" else 12
    y = rng.standard_normal((once, 24)) + 0.5
    x = y + 0.7 * rng.standard_normal((once, 24))
    again = rng.integers(0, once, 120 - once)
    lengths = rng.choice([1.0, 0.3, 7.0], (len(again), 1))
    return np.vstack([x, lengths * x[again]]), np.vstack([y, lengths * y[again]])


def everything(x, y, side):
    """All results in which a tie could be broken."""
    numbers, n = np.arange(len(x)), len(x)
    groups = np.unique(np.round(y / np.linalg.norm(y, axis=1, keepdims=True), 6), axis=0, return_inverse=True)[1]
    for labels in (numbers, groups.ravel()):
        for ranks in match_ranks(x, y, labels, labels, margin=True, tile_side=side):
            yield from (ranks.of(criterion) for criterion in CRITERIA)
    for criterion in CRITERIA:
        for k in (1, 10):
            for found in nearest_both_ways(x, y, k=k, criterion=criterion, tile_side=side):
                yield found.places
                yield np.mean(found.places[:, 0] == numbers)
                yield k_occurrence(found.places, n)
    yield cosine_neighbours(x, 10)
    yield mutual_outcomes(NeighbourLists.of(x, k=5), NeighbourLists.of(y, k=5))


def test_no_result_depends_on_the_last_bits(clouds, monkeypatch):
    plain = list(everything(*clouds, 2048))
    for seed, side in enumerate(SIDES):
        disturb(monkeypatch, seed)
        for expected, found in zip(plain, everything(*clouds, side), strict=True):
            np.testing.assert_array_equal(found, expected)


def literal(scores, k, tie):
    """Give each place to the first of those within the tolerance of the best one left."""
    left, places = scores.astype(np.float32).copy(), []
    for _ in range(k):
        places.append(int(np.flatnonzero(left >= left.max() - np.float32(tie))[0]))
        left[places[-1]] = -np.inf
    return places


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("k", [1, 4, 17])
def test_top_k_with_ties_equals_the_literal_rule(axis, k):
    rng = np.random.default_rng(1)
    matrix = rng.integers(0, 12, (50, 300)) / 16 + rng.uniform(-1, 1, (50, 300)) * rng.choice([2e-7, 2e-6], (50, 1))
    best = TopK(50, k, tie=TIE)
    single = matrix.astype(np.float32)
    for start in range(0, 300, 41):
        part = torch.from_numpy(single[:, start : start + 41].copy())
        best.update(slice(0, 50), part if axis == 0 else part.T.contiguous(), start, axis=axis)
    scores, places = (side.numpy() for side in best.best())
    np.testing.assert_array_equal(places, [literal(row, k, TIE) for row in single])
    np.testing.assert_array_equal(scores, np.take_along_axis(single, places, axis=1))


def test_equal_entries_do_not_pile_up():
    best = TopK(3, 2, tie=TIE)
    for start in range(0, 400, 100):
        best.update(slice(0, 3), torch.ones((3, 100)), start)
    assert best.values.shape == (3, 2)
    np.testing.assert_array_equal(best.places.numpy(), [[0, 1]] * 3)


def test_each_place_goes_to_the_first_of_those_that_tie_with_the_best_left():
    values = torch.tensor([[1.0, 1 - 0.8e-6, 1 - 1.6e-6, 0.5]])
    places = torch.tensor([[9, 5, 2, 0]])
    assert first_of_ties(values, places, 3)[1].tolist() == [[5, 9, 2]]
    assert first_of_ties(values, places, 3, 0.0)[1].tolist() == [[9, 5, 2]]


def test_rows_that_all_point_one_way_come_in_their_order(monkeypatch):
    x = np.outer(np.random.default_rng(0).uniform(0.1, 9, 64), np.random.default_rng(1).standard_normal(16))
    disturb(monkeypatch, 0)
    for criterion in CRITERIA:
        places = nearest(x, x, k=5, criterion=criterion, tile_side=9)[1]
        np.testing.assert_array_equal(places, np.tile(np.arange(5), (64, 1)))
