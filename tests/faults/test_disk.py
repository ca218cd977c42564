"""A disk that is full or cannot be written: the cache is done without, and a result is written whole or not at all."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from .conftest import files_in, result_of

KIBIBYTE = 1024


@contextmanager
def mounted(folder, options):
    """Mount a small file system in memory, or skip: it takes the right to mount, which containers rarely give."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mount = shutil.which("mount")
    done = subprocess.run(command, capture_output=True, check=False, text=True) if mount and not os.geteuid() else None
    if done is None or done.returncode:
        pytest.skip(f"needs the right to mount a tmpfs: {done.stderr.strip() if done else 'not root'}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_cache_on_a_full_disk_is_done_without(polyglot, command, undisturbed, tmp_path):
    with mounted(tmp_path / "small", "size=32k") as small:
        code, run = polyglot.run(tmp_path, *command, cache=small)
        assert code == 0
        assert run.err.count("the work goes on without it") == 1
        assert len(run.err.splitlines()) == 1
        assert not list(small.rglob(".*.part"))
        assert result_of(tmp_path) == result_of(undisturbed)
        code, run = polyglot.run(tmp_path, *command, cache=small)
        assert code == 0
        assert result_of(tmp_path) == result_of(undisturbed)


def test_a_cache_whose_files_may_not_grow_is_done_without(polyglot, command, undisturbed, tmp_path):
    """As above, where nothing may be mounted; the limit is on the size of a file."""
    code, run = polyglot.run(tmp_path, *command, "--format", "json", small_files_only=2 * KIBIBYTE)
    assert code == 1
    assert run.err.count("the work goes on without it") == 1
    assert run.err.count("cannot write") == 1
    assert not [name for name in files_in(tmp_path) if name.endswith(".part") or name.startswith("reports")]


@pytest.mark.parametrize("size", ["64k", "512k"])
def test_reports_on_a_full_disk_are_one_line_and_no_half_file(polyglot, command, tmp_path, size):
    with mounted(tmp_path / "reports", f"size={size}") as reports:
        code, run = polyglot.run(tmp_path, *command)
        assert code == 1
        assert run.err.startswith("error: cannot write ")
        assert "No space left on device" in run.err
        assert len(run.err.splitlines()) == 1
        assert set(files_in(reports)) <= {"retrieval/en-fr.json"}
        if files_in(reports):
            assert result_of(tmp_path)


def test_reports_whose_files_may_not_grow_leave_no_half_file(polyglot, command, tmp_path):
    code, run = polyglot.run(tmp_path, *command, small_files_only=256 * KIBIBYTE)
    assert code == 1
    assert run.err.startswith("error: cannot write ")
    assert len(run.err.splitlines()) == 1
    assert files_in(tmp_path / "reports") == ["retrieval/en-fr.json"]
    assert result_of(tmp_path)


def test_a_cache_that_cannot_be_written_is_done_without(polyglot, command, undisturbed, tmp_path):
    with mounted(tmp_path / "fixed", "ro") as fixed:
        code, run = polyglot.run(tmp_path, *command, cache=fixed)
    assert code == 0
    assert run.err.count("the work goes on without it") == 1
    assert result_of(tmp_path) == result_of(undisturbed)


def test_a_cache_that_is_a_file_is_done_without(polyglot, command, undisturbed, tmp_path):
    """As above, where nothing may be mounted; permissions alone do not hold back root."""
    (tmp_path / "file").touch()
    code, run = polyglot.run(tmp_path, *command, cache=tmp_path / "file")
    assert code == 0
    assert run.err.count("the work goes on without it") == 1
    assert result_of(tmp_path) == result_of(undisturbed)


def test_reports_that_cannot_be_written_are_refused_before_the_work(polyglot, command, tmp_path):
    with mounted(tmp_path / "reports", "ro"):
        code, run = polyglot.run(tmp_path, *command)
    assert code == 1
    assert run.err.startswith("error: cannot write to ")
    assert len(run.err.splitlines()) == 1
    assert not (tmp_path / "cache").exists()
