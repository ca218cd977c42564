"""Tiles of cosines, in memory and from mapped files."""

import numpy as np
from polyglot.analysis.retrieval.search import nearest_both_ways
from polyglot.analysis.retrieval.tiles import Tiles, UnitRows

from .whole_matrix import CLOUDS, rows


def test_sides_that_are_not_held_give_the_same(monkeypatch, tmp_path):
    x, y = CLOUDS["near"]()
    held = nearest_both_ways(x, y, k=3, criterion="csls", tile_side=16)
    for name, side in (("x", x), ("y", y)):
        np.save(tmp_path / name, side.astype(np.float64))
    monkeypatch.setattr("polyglot.analysis.retrieval.tiles.HELD_BYTES", 0)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"]
    assert UnitRows(mapped[0]).held is None
    streamed = nearest_both_ways(*mapped, k=3, criterion="csls", tile_side=16)
    for one, other in zip(held, streamed, strict=True):
        np.testing.assert_array_equal(one.places, other.places)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_tiles_cover_every_pair_once():
    tiles = Tiles.of(rows(1, 23), rows(2, 19), "cpu", 8)
    seen = np.zeros((23, 19))
    for tile in tiles:
        seen[tile.rows, tile.columns] += 1
        assert tile.cosines.shape == seen[tile.rows, tile.columns].shape
    assert (seen == 1).all()
