import os

import numpy as np
import pytest
from polyglot.errors import DataError, OutputError
from polyglot.files import (
    StoredMatrix,
    default_cache_dir,
    move_into_place,
    open_matrix,
    remove_stale,
    replacing,
    scratch_name,
    write_bytes,
    write_text,
)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def aged(path, seconds):
    os.utime(path, (path.stat().st_mtime - seconds,) * 2)
    return path


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("POLYGLOT_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_cache_dir() == tmp_path / ".cache" / "polyglot"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache_dir() == tmp_path / "xdg" / "polyglot"
    monkeypatch.setenv("POLYGLOT_CACHE", "~/mine")
    assert default_cache_dir() == tmp_path / "mine"


def test_text_is_written_whole_and_its_folder_made(tmp_path):
    path = tmp_path / "deep" / "er" / "é.json"
    write_text(path, "naïve\n")
    write_text(path, "né\r\n")
    assert path.read_bytes() == "né\r\n".encode()
    assert names_in(path.parent) == ["é.json"]


def test_a_written_file_may_be_read_by_others(tmp_path):
    (tmp_path / "plain").touch()
    write_bytes(tmp_path / "file", b"x")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write .*file/x: .*; give another folder with --out"):
        write_text(tmp_path / "file" / "x", "text")


@pytest.mark.parametrize("as_folder", [False, True])
def test_what_fails_half_way_leaves_the_old(tmp_path, as_folder):
    write_text(tmp_path / "place", "old")

    def fail():
        with replacing(tmp_path / "place") as scratch:
            if as_folder:
                scratch.mkdir()
            else:
                scratch.write_text("ne")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    assert names_in(tmp_path) == ["place"]
    assert (tmp_path / "place").read_text() == "old"


def test_a_folder_replaces_a_folder(tmp_path):
    for content in ("old", "new"):
        with replacing(tmp_path / "place") as scratch:
            scratch.mkdir()
            (scratch / content).touch()
    assert names_in(tmp_path) == ["place"]
    assert names_in(tmp_path / "place") == ["new"]


def test_a_folder_that_cannot_be_replaced_stays(tmp_path):
    (tmp_path / "place").mkdir()
    with pytest.raises(FileNotFoundError):
        move_into_place(tmp_path / "absent", tmp_path / "place")
    assert names_in(tmp_path) == ["place"]


def test_scratch_names_differ(tmp_path):
    assert scratch_name(tmp_path / "a") != scratch_name(tmp_path / "a")


@pytest.mark.parametrize("name", ["a.json", "[a].json"])
def test_only_old_scratch_files_of_the_same_name_are_removed(tmp_path, name):
    old, young, other = (scratch_name(tmp_path / n) for n in (name, name, "b.json"))
    for path in (old, young, other, tmp_path / ".notes.part.txt"):
        path.touch()
    for path in (old, other, tmp_path / ".notes.part.txt"):
        aged(path, 4000)
    write_text(tmp_path / name, "text")
    assert set(names_in(tmp_path)) == {name, young.name, other.name, ".notes.part.txt"}


def test_all_scratch_files_and_folders_of_a_folder_are_removed(tmp_path):
    for name in ("a", "b"):
        scratch_name(tmp_path / name).mkdir()
        scratch_name(tmp_path / name).touch()
    remove_stale(tmp_path)
    assert len(names_in(tmp_path)) == 4
    remove_stale(tmp_path, older_than=-np.inf)
    assert names_in(tmp_path) == []


def test_a_matrix_is_mapped_into_memory(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 2), np.float16))
    assert isinstance(open_matrix(tmp_path / "x.npy"), np.memmap)


def test_other_files_are_no_matrix(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(3))
    with pytest.raises(DataError, match=r"expected a .npy matrix of floats, got \(3,\)"):
        open_matrix(tmp_path / "x.npy")
    with pytest.raises(DataError, match="no such file"):
        open_matrix(tmp_path / "absent.npy")
    with pytest.raises(DataError, match="is a folder"):
        open_matrix(tmp_path)
    (tmp_path / "table.csv").write_text("a;b", encoding="utf-8")
    with pytest.raises(DataError, match=r"table.csv is no .npy file"):
        open_matrix(tmp_path / "table.csv")


@pytest.mark.parametrize("kind", ["<f2", "<f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_runs_of_rows_are_read_from_a_stored_matrix(tmp_path, kind, order):
    rows = np.asarray(np.random.default_rng(0).standard_normal((37, 5)), kind, order=order)
    np.save(tmp_path / "x.npy", rows)
    stored = StoredMatrix(tmp_path / "x.npy")
    assert (stored.shape, len(stored), stored.dtype) == (rows.shape, 37, rows.dtype)
    for run in (slice(0, 37), slice(5, 9), slice(30, 99), slice(0, 0), slice(None)):
        np.testing.assert_array_equal(stored[run], rows[run])
        assert not isinstance(stored[run], np.memmap)


def test_a_stored_matrix_that_was_cut_meanwhile_is_told(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.ones((50, 5)))
    stored = StoredMatrix(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match="has become shorter"):
        stored[40:50]


def test_other_files_are_no_stored_matrix(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        StoredMatrix(tmp_path / "x.npy")
