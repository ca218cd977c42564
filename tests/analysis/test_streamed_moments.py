import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polyglot.analysis.moments import PairMoments, merged, sums_of
from polyglot.analysis.splits import group_folds
from polyglot.analysis.streamed_moments import RowBlocks, blocks_that_fit, gather, pieces_of
from polyglot.distributed import Processes
from polyglot.errors import DataError


def data(n=900, p=4, q=3, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, p)) + 5, rng.standard_normal((n, q)) - 2
    groups = rng.integers(0, 2 * n // 3, n)
    return x, y, groups, group_folds(groups, 5, rng)


def literal(x, y, centre_x, centre_y):
    a, b = x - centre_x, y - centre_y
    return {"sum_x": a.sum(0), "sum_y": b.sum(0), "xx": a.T @ a, "xy": a.T @ b, "yy": b.T @ b, "n": len(x)}


@pytest.mark.parametrize("piece_rows", [1, 77, None])
def test_every_block_and_fold_has_the_sums_of_its_rows(piece_rows):
    x, y, groups, folds = data()
    rows = RowBlocks.of(groups, folds, 4)
    found = gather(x, y, rows, piece_rows=piece_rows)
    for fold, moments in enumerate(found.folds):
        expected = literal(x[folds == fold], y[folds == fold], moments.centre_x, moments.centre_y)
        for name, value in expected.items():
            np.testing.assert_allclose(getattr(moments, name), value, rtol=1e-12, atol=1e-9)
    for number, moments in found.blocks.items():
        own = rows.blocks == number
        expected = literal(x[own], y[own], moments.centre_x, moments.centre_y)
        for name, value in expected.items():
            np.testing.assert_allclose(getattr(moments, name), value, rtol=1e-12, atol=1e-9)
    assert sum(m.n for m in found.folds) == sum(m.n for m in found.blocks.values()) == len(x)


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_narrow_rows_are_summed_as_closely_as_they_are_known(kind):
    x, y, groups, folds = data()
    x, y = x.astype(kind), y.astype(kind)
    rows = RowBlocks.of(groups, folds, 4)
    narrow, wide = gather(x, y, rows), gather(x.astype(float), y.astype(float), rows)
    for a, b in zip(narrow.folds, wide.folds, strict=True):
        np.testing.assert_allclose(a.xy, b.xy, rtol=1e-5, atol=1e-3)


def test_swapped_moments_are_those_of_swapped_sides():
    x, y, groups, folds = data()
    rows = RowBlocks.of(groups, folds, 4)
    turned, other = gather(x, y, rows).swapped(), gather(y, x, rows)
    for number, block in other.blocks.items():
        for name in sums_of(PairMoments):
            np.testing.assert_allclose(getattr(turned.blocks[number], name), getattr(block, name), atol=1e-9)


def test_the_moments_do_not_depend_on_how_many_processes_read_them():
    x, y, groups, folds = (side.astype(np.float32) if side.dtype == float else side for side in data(n=5000))
    rows = RowBlocks.of(groups, folds, 4)
    one = gather(x, y, rows)
    for world in (2, 3, 7):
        parts = [pieces_of(len(x), Processes(rank, world)) for rank in range(world)]
        assert [piece for part in parts for piece in part] == pieces_of(len(x), Processes())
        own = [parted(x, y, rows, Processes(rank, world)) for rank in range(world)]
        for number, block in one.blocks.items():
            whole = merged([found[number] for found in own if number in found])
            np.testing.assert_allclose(whole.xx, block.xx, rtol=1e-13)


def parted(x, y, rows, processes):
    """Return the blocks of one process, whose sums over processes are left out."""

    class Apart(Processes):
        def all_reduce(self, values, operation="sum"):
            pass

    return gather(x, y, rows, processes=Apart(processes.rank, processes.world_size)).blocks


@given(st.lists(st.integers(0, 30), min_size=20, max_size=200), st.integers(1, 6), st.integers(0, 9))
def test_a_block_holds_whole_groups_of_one_fold(groups, blocks_a_fold, seed):
    groups = np.array([*groups, *range(100, 103)])
    folds = group_folds(groups, 3, np.random.default_rng(seed))
    rows = RowBlocks.of(groups, folds, blocks_a_fold)
    np.testing.assert_array_equal(rows.fold_of_block[rows.blocks], folds)
    assert all(len(set(rows.blocks[groups == g])) == 1 for g in set(groups.tolist()))
    assert set(rows.blocks.tolist()) == set(range(len(rows.fold_of_block)))
    assert np.bincount(rows.fold_of_block).max() <= blocks_a_fold


def test_blocks_are_runs_of_about_equal_size():
    folds = group_folds(np.arange(1000)[::-1], 5, np.random.default_rng(0))
    rows = RowBlocks.of(np.arange(1000)[::-1], folds, 10)
    assert set(np.bincount(rows.blocks).tolist()) == {20}
    for fold in range(5):
        assert (np.diff(rows.blocks[folds == fold]) >= 0).all()


def test_wide_rows_have_fewer_blocks():
    assert blocks_that_fit((64, 64), 5) == 20
    assert blocks_that_fit((4096, 4096), 5) == 4
    assert blocks_that_fit((1024, 64), 5) > blocks_that_fit((1024, 1024), 5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_row_that_is_not_finite_is_named(bad):
    x, y, groups, folds = data()
    y[611, 2] = bad
    with pytest.raises(DataError, match="row 611 holds NaN or infinity"):
        gather(x, y, RowBlocks.of(groups, folds, 4), piece_rows=100)


def test_each_piece_is_shown_once():
    x, y, groups, folds = data()
    seen = []
    gather(x, y, RowBlocks.of(groups, folds, 4), piece_rows=400, see=lambda *piece: seen.append(piece))
    assert [piece for piece, _, _ in seen] == [slice(0, 400), slice(400, 800), slice(800, 900)]
    np.testing.assert_array_equal(np.concatenate([part for _, part, _ in seen]), x)
    np.testing.assert_array_equal(np.concatenate([part for _, _, part in seen]), y)
