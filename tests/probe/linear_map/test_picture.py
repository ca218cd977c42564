"""The picture of held-out pairs and the examples: planted maps move the points where they should."""

from dataclasses import replace

import numpy as np
import pytest
from polyglot.probe.experiment.held_out import fit_held_out
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map.config import LinearMapConfig
from polyglot.probe.linear_map.picture import CLOUD, JOINED, picture_of, search_examples

RUNGS = ("identity", "shift", "rotation", "linear")


def offset_pairs(n=240, d=6, *, same_space=True):
    """Return pairs whose targets are their sources plus one vector and a little noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d)) * np.arange(1, d + 1)
    y = x + 9 * np.eye(d)[0] + 0.05 * rng.standard_normal((n, d))
    pairs = Pairs.of_arrays(x, y, None, names=("en", "fr"), same_space=same_space)
    return replace(pairs, sources=tuple(f"s{i}" for i in range(n)), targets=tuple(f"t{i}" for i in range(n)))


def held(pairs):
    return fit_held_out(pairs, RUNGS, folds=5, resamples=100, seed=0)


@pytest.fixture(scope="module")
def shifted():
    pairs = offset_pairs()
    return pairs, held(pairs)


def distances(picture, rung):
    return np.linalg.norm(np.subtract(picture.moved[rung], picture.targets), axis=1)


def test_a_shift_closes_the_offset_that_the_plane_shows_across(shifted):
    pairs, held_out = shifted
    picture = picture_of(held_out, pairs, LinearMapConfig())
    assert (len(picture.rows), picture.plane_rows) == (80, 160)
    across = np.subtract(picture.targets, picture.moved["identity"])[:, 0]
    assert across == pytest.approx(np.full(80, 9.0), abs=0.5)
    assert distances(picture, "identity").min() > 8
    assert distances(picture, "shift").max() < 0.5
    assert all(picture.found["shift"])
    hits = held_out.searches.forward["identity"].cosine[list(picture.rows)] == 1
    assert picture.found["identity"] == tuple(hits)


def test_texts_are_those_of_the_joined_pairs_and_go_with_the_texts(shifted):
    pairs, held_out = shifted
    picture = picture_of(held_out, pairs, LinearMapConfig())
    assert picture.source_texts == tuple(f"s{row}" for row in picture.rows[:JOINED])
    silent = picture_of(held_out, pairs, LinearMapConfig(texts=False))
    assert silent == replace(picture, source_texts=(), target_texts=())


def test_between_two_spaces_the_plane_is_that_of_the_targets():
    pairs = offset_pairs(same_space=False)
    picture = picture_of(held(pairs), pairs, LinearMapConfig())
    assert set(picture.moved) == {"rotation", "linear"}
    spread = np.std(picture.targets, axis=0)
    assert spread == pytest.approx([6, 5], rel=0.25)
    assert search_examples(held(pairs), pairs, "rotation", LinearMapConfig()) == ()


def test_one_dimension_and_no_offset_make_a_picture_too():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 1))
    for y in (x, -x):
        pairs = Pairs.of_arrays(x, y, None, names=("x", "y"), same_space=True)
        picture = picture_of(held(pairs), pairs, LinearMapConfig())
        assert np.isfinite(picture.targets).all()
        assert picture.source_texts == ()


def test_many_pairs_are_sampled_by_the_seed():
    pairs = offset_pairs(n=700, d=3)
    held_out = held(pairs)
    first, again, other = (picture_of(held_out, pairs, LinearMapConfig(seed=seed)) for seed in (0, 0, 1))
    assert len(first.rows) == CLOUD
    assert first == again
    assert first.rows != other.rows


def test_examples_show_what_the_map_mends_and_breaks(shifted):
    pairs, held_out = shifted
    before, after = (held_out.searches.forward[rung].cosine == 1 for rung in ("identity", "shift"))
    found = {one.kind: one for one in search_examples(held_out, pairs, "shift", LinearMapConfig())}
    assert found["mended"].count == np.sum(after & ~before) > 0
    assert found["unchanged"].count == np.sum(after == before)
    assert "broken" not in found  # every pair is found with the planted map
    mended = found["mended"]
    assert mended.row == np.flatnonzero(after & ~before)[0]
    assert mended.after == mended.target_text == f"t{mended.row}" != mended.before
    silent = search_examples(held_out, pairs, "shift", LinearMapConfig(texts=False))
    assert [(one.kind, one.count, one.source_text) for one in silent] == [(k, v.count, "") for k, v in found.items()]
