import numpy as np
import pytest
import torch.distributed as dist
from polyglot.analysis.checks import check_pair
from polyglot.analysis.moments import SUMS, Moments, fold_moments, merged, provisional_centres
from polyglot.errors import DataError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def literal(x, y, cx, cy):
    """Transcribe every sum of `Moments`, row by row, in float64."""
    a, b = np.asarray(x, np.float64) - cx, np.asarray(y, np.float64) - cy
    u, v = [r @ r for r in a], [r @ r for r in b]
    return {
        "n": float(len(a)),
        "sum_x": sum(a),
        "sum_y": sum(b),
        "xx": sum(np.outer(r, r) for r in a),
        "xy": sum(np.outer(r, s) for r, s in zip(a, b, strict=True)),
        "yy": sum(np.outer(s, s) for s in b),
        "x_xx": sum(r * p for r, p in zip(a, u, strict=True)),
        "x_yy": sum(r * q for r, q in zip(a, v, strict=True)),
        "y_xx": sum(s * p for s, p in zip(b, u, strict=True)),
        "y_yy": sum(s * q for s, q in zip(b, v, strict=True)),
        "xx_xx": sum(p * p for p in u),
        "xx_yy": sum(p * q for p, q in zip(u, v, strict=True)),
        "yy_yy": sum(q * q for q in v),
    }


def assert_same(a, b, rtol=1e-10):
    for name in SUMS:
        first, second = getattr(a, name), getattr(b, name)
        np.testing.assert_allclose(first, second, rtol=rtol, atol=rtol * (1e-300 + np.abs(second).max()), err_msg=name)


def test_two_points_by_hand():
    m = Moments.from_arrays(np.array([[1.0], [3.0]]), np.array([[2.0], [6.0]]), dtype="float64")
    assert (m.n, m.mean_x[0], m.mean_y[0]) == (2.0, 2.0, 4.0)
    assert (m.sxx[0, 0], m.sxy[0, 0], m.syy[0, 0]) == (2.0, 4.0, 8.0)
    assert m.total_y(np.array([0.0])) == pytest.approx(40.0)


def test_every_sum_equals_its_literal_transcription(rng):
    x, y = rng.standard_normal((37, 4)) + 3, rng.standard_normal((37, 3)) - 1
    m = Moments.from_arrays(x, y, block_rows=10, dtype="float64")
    expected = literal(x, y, m.centre_x, m.centre_y)
    assert set(expected) == set(SUMS)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(m, name), value, rtol=1e-10, atol=1e-10, err_msg=name)


def test_scatters_are_numpy_covariances(rng):
    x, y = rng.standard_normal((40, 5)) * 2 + 7, rng.standard_normal((40, 3))
    m = Moments.from_arrays(x, y, dtype="float64")
    joint = np.cov(np.hstack([x, y]).T) * 39
    np.testing.assert_allclose(m.sxx, joint[:5, :5], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(m.sxy, joint[:5, 5:], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(m.syy, joint[5:, 5:], rtol=1e-10, atol=1e-10)
    about = np.arange(3.0)
    assert m.total_y(about) == pytest.approx(np.sum((y - about) ** 2))
    np.testing.assert_allclose(m.scatter_xy(np.ones(5), about), (x - 1).T @ (y - about), rtol=1e-9)


def test_float32_products_keep_seven_digits_far_from_the_origin(rng):
    rotation = np.linalg.qr(rng.standard_normal((48, 48)))[0]
    x = ((rng.standard_normal((9000, 48)) * np.logspace(0, -4, 48)) @ rotation + 50).astype(np.float32)
    y = (x[:, :24] + rng.standard_normal((9000, 24)) + 100).astype(np.float32)
    m = Moments.from_arrays(x, y)
    wide_x, wide_y = x - x.mean(axis=0, dtype=np.float64), y - y.mean(axis=0, dtype=np.float64)
    truth = {"sxx": wide_x.T @ wide_x, "sxy": wide_x.T @ wide_y, "syy": wide_y.T @ wide_y}
    for name, value in truth.items():
        assert np.linalg.norm(getattr(m, name) - value) <= 1e-7 * np.linalg.norm(value), name
    np.testing.assert_allclose(m.mean_x, x.mean(axis=0, dtype=np.float64), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_block_size_and_input_type_do_not_matter(rng, dtype):
    x, y = rng.standard_normal((50, 3)).astype(dtype), rng.standard_normal((50, 2)).astype(dtype)
    centres = np.ones(3), np.ones(2)
    whole = Moments.from_arrays(x.astype(np.float64), y.astype(np.float64), centres=centres, dtype="float64")
    assert_same(Moments.from_arrays(x, y, centres=centres, block_rows=7, dtype="float64"), whole)


def test_merging_and_subtracting_are_inverse(rng):
    x, y = rng.standard_normal((60, 4)), rng.standard_normal((60, 6))
    centres = provisional_centres(x + 1, y - 1)
    parts = [Moments.from_arrays(x[s], y[s], centres=centres, dtype="float64") for s in (slice(20), slice(20, 60))]
    whole = Moments.from_arrays(x, y, centres=centres, dtype="float64")
    assert_same(parts[0] + parts[1], whole)
    assert_same(whole - parts[1], parts[0], rtol=1e-9)
    assert_same(merged(iter(parts)), whole)
    assert_same(Moments.zeros(*centres) + whole, whole)


def test_row_order_does_not_matter(rng):
    x, y = rng.standard_normal((30, 3)), rng.standard_normal((30, 3))
    order, centres = rng.permutation(30), (np.zeros(3), np.ones(3))
    a = Moments.from_arrays(x, y, centres=centres, dtype="float64")
    assert_same(Moments.from_arrays(x[order], y[order], centres=centres, dtype="float64"), a)


def test_swapped_moments_are_those_of_swapped_arrays(rng):
    x, y = rng.standard_normal((30, 3)), rng.standard_normal((30, 5))
    assert_same(
        Moments.from_arrays(x, y, dtype="float64").swapped(), Moments.from_arrays(y, x, dtype="float64"), rtol=1e-9
    )


def test_fold_moments_cover_each_fold(rng):
    x, y, folds = rng.standard_normal((30, 3)), rng.standard_normal((30, 2)), np.arange(30) % 3
    parts = fold_moments(x, y, folds, dtype="float64")
    assert [p.n for p in parts] == [10.0, 10.0, 10.0]
    np.testing.assert_allclose(parts[1].mean_x, x[1::3].mean(axis=0))
    np.testing.assert_allclose(merged(parts).sxy, Moments.from_arrays(x, y, dtype="float64").sxy, atol=1e-10)


def test_memory_mapped_rows(rng, tmp_path):
    np.save(tmp_path / "x.npy", rng.standard_normal((40, 3)).astype(np.float16))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_same(Moments.from_arrays(x, x, block_rows=16), Moments.from_arrays(np.array(x), np.array(x), block_rows=16))


def test_saving_and_loading_returns_every_digit(rng, tmp_path):
    m = Moments.from_arrays(rng.standard_normal((20, 3)), rng.standard_normal((20, 2)))
    m.save(tmp_path / "m.safetensors")
    loaded = Moments.load(tmp_path / "m.safetensors")
    assert_same(loaded, m, rtol=0)
    np.testing.assert_array_equal(loaded.centre_x, m.centre_x)
    assert isinstance(loaded.n, float)
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_loading_another_file_says_so(tmp_path):
    from safetensors.numpy import save_file

    (tmp_path / "text").write_text("not tensors")
    save_file({"a": np.zeros(2)}, tmp_path / "other")
    for name in ("text", "other", "absent"):
        with pytest.raises(DataError, match="saved moments"):
            Moments.load(tmp_path / name)


@pytest.fixture
def single_process(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_summing_over_one_process_changes_nothing(rng, single_process):
    m = Moments.from_arrays(rng.standard_normal((20, 3)), rng.standard_normal((20, 2)))
    assert_same(m.all_reduce(), m, rtol=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 17])
def test_a_row_that_is_not_finite_is_named(rng, bad, row):
    x, y = rng.standard_normal((30, 3)), rng.standard_normal((30, 2))
    y[row, 1] = bad
    with pytest.raises(DataError, match=f"row {row} holds NaN or infinity"):
        Moments.from_arrays(x, y, block_rows=8)


def test_shapes_are_checked(rng):
    with pytest.raises(DataError, match="got 3 and 4 rows"):
        Moments.from_arrays(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(DataError, match="two matrices"):
        check_pair(np.zeros(3), np.zeros((3, 2)))
    with pytest.raises(DataError, match="different centres"):
        _ = Moments.zeros([0.0], [0.0]) + Moments.zeros([1.0], [0.0])


def test_no_rows_are_the_zero_of_merging():
    empty = Moments.from_arrays(np.zeros((0, 2)), np.zeros((0, 3)))
    assert empty.n == 0
    assert not empty.xy.any()
