"""Pairs of queries and right answers, in full and tile by tile."""

import numpy as np
from polyglot.analysis.retrieval.right_pairs import RightPairs, right_pairs
from polyglot.analysis.retrieval.tiles import Tiles


def test_right_pairs_lists_every_pair_of_a_group():
    a, b = np.array([3, 1, 3, 9]), np.array([1, 3, 3, 2])
    pairs = set(zip(*(side.tolist() for side in right_pairs(a, b)), strict=True))
    assert pairs == {(0, 1), (0, 2), (1, 0), (2, 1), (2, 2)}


def test_tiles_hold_every_right_pair_once_at_its_place():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 6, 23), rng.integers(0, 6, 19)
    tiles = Tiles.of(rng.standard_normal((23, 3)), rng.standard_normal((19, 3)), "cpu", 8)
    pairs = RightPairs.of(a, b, "cpu")
    seen, numbers = np.zeros((23, 19), int), []
    for tile, inside in pairs.by_tile(tiles):
        seen[inside.rows.numpy() + tile.rows.start, inside.columns.numpy() + tile.columns.start] += 1
        numbers.extend(inside.numbers.tolist())
    np.testing.assert_array_equal(seen, a[:, None] == b)
    assert sorted(numbers) == list(range(len(pairs.rows)))
