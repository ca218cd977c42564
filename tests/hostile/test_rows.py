"""Too few rows, and rows that are no embeddings: one line, exit code 1."""

import numpy as np
import pytest

PROBES = ("linear-map", "layers", "retrieval")


@pytest.fixture
def vectors(tmp_path):
    """Give a function that writes two .npy files and returns the arguments that name them."""

    def write(x, y):
        for name, array in (("x", x), ("y", y)):
            np.save(tmp_path / f"{name}.npy", array)
        return ["probe", "linear-map", "--out", tmp_path, "--vectors", tmp_path / "x.npy", tmp_path / "y.npy"]

    return write


def normal(rows=60, width=4, dtype=np.float32):
    return np.random.default_rng(0).standard_normal((rows, width)).astype(dtype)


def with_row(value, row=7):
    array = normal()
    array[row] = value
    return array


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0])
@pytest.mark.parametrize("side", [0, 1])
def test_rows_that_are_no_embeddings_are_named(refused, vectors, value, side):
    sides = [normal(), normal()]
    sides[side] = with_row(value)
    assert "rows 7" in refused(*vectors(*sides))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.ones((60, 4), np.float32), "all source rows are the same"),
        (normal(1), "got 1"),
        (normal(0), "got 0"),
        (normal(60, 0), "zeros"),
        (np.zeros(60, np.float32), "expected a .npy matrix of floats"),
        (np.zeros((60, 2, 2), np.float32), "expected a .npy matrix of floats"),
        (np.arange(240).reshape(60, 4), "expected a .npy matrix of floats"),
        (np.full((60, 4), "a"), "expected a .npy matrix of floats"),
        (normal().astype(np.complex64), "expected a .npy matrix of floats"),
        (normal(59), "row i of each must be a pair"),
    ],
    ids=["same", "one row", "no rows", "no columns", "flat", "deep", "integers", "texts", "complex", "other length"],
)
def test_other_arrays_are_refused(refused, vectors, x, said):
    y = normal(len(x) if len(x) in (0, 1) else 60)
    assert said in refused(*vectors(x, y))


def test_pickles_in_arrays_are_not_opened(refused, vectors, tmp_path):
    command = vectors(normal(), normal())
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "cannot read" in refused(*command)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no .npy file"),
        (b"\x93NUMPY", "cannot read"),
        (b"\x93NUMPY\1\0v\0{'descr': '<f4', 'shape': (9" + b"9" * 99, "cannot read"),
    ],
)
def test_damaged_arrays_are_refused(refused, vectors, tmp_path, content, said):
    command = vectors(normal(), normal())
    (tmp_path / "x.npy").write_bytes(content)
    assert said in refused(*command)


def test_a_matrix_too_wide_for_the_memory_is_one_line(refused, vectors, monkeypatch):
    """As the products of a million columns are, which no machine holds; reaching them would take a minute."""
    monkeypatch.setattr("polyglot.probe.linear_map.run.measure_both", lambda *_: np.empty((10**6, 10**6, 10**4)))
    assert "not enough memory (Unable to allocate" in refused(*vectors(normal(), normal()))


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("rows", [0, 1])
def test_corpora_of_no_row_or_one_are_refused(refused, tiny_model, tmp_path, probe, rows):
    corpus = tmp_path / "a.tsv"
    corpus.write_text("en\tfr\n" + "a b\tc d\n" * rows, encoding="utf-8")
    line = refused("probe", probe, "en", "fr", "--corpus", corpus, "--model", tiny_model, "--out", tmp_path)
    assert f"{rows} pairs" in line or "empty" in line


@pytest.mark.parametrize("probe", PROBES)
def test_texts_that_are_all_the_same_are_refused(refused, tiny_model, tmp_path, probe):
    corpus = tmp_path / "a.tsv"
    corpus.write_text("en\tfr\n" + "a b\tc d\n" * 60, encoding="utf-8")
    line = refused("probe", probe, "en", "fr", "--corpus", corpus, "--model", tiny_model, "--out", tmp_path)
    assert "same vector" in line
