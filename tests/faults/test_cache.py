"""What may happen to the cache of embeddings: the result is the same, and the user is told at most once."""

import json
import os
import shutil

import pytest

from .conftest import files_in, result_of


@pytest.fixture(scope="module")
def filled(polyglot, command, tmp_path_factory):
    """A cache that holds all shards of the command."""
    folder = tmp_path_factory.mktemp("filled")
    code, run = polyglot.run(folder, *command)
    assert code == 0, run.err
    return folder / "cache"


@pytest.fixture
def cache(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "cache")


def arrays(cache):
    return sorted(cache.rglob("pooled.*.npy"))


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[-5] ^= 64
    path.write_bytes(bytes(data))


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def test_damaged_shards_are_found_and_made_again(polyglot, command, undisturbed, cache, tmp_path):
    for harm, path in zip((flip_a_byte, truncate, empty), arrays(cache), strict=False):
        harm(path)
    code, run = polyglot.run(tmp_path, *command)
    assert code == 0
    assert run.err.count("is damaged") == 3
    assert result_of(tmp_path) == result_of(undisturbed)
    code, run = polyglot.run(tmp_path, *command)
    assert (code, run.err) == (0, "")


def test_two_processes_share_an_empty_cache(polyglot, command, undisturbed, tmp_path):
    folders = [tmp_path / name for name in ("one", "other")]
    runs = [polyglot.start(folder, *command, cache=tmp_path / "cache") for folder in folders]
    assert [run.wait() for run in runs] == [0, 0]
    assert [run.err for run in runs] == ["", ""]
    assert [result_of(folder) for folder in folders] == [result_of(undisturbed)] * 2
    assert not list((tmp_path / "cache").rglob(".*.part"))


@pytest.mark.parametrize("seconds", [0, 4_000_000_000], ids=["1970", "2096"])
def test_files_from_another_time_and_a_clock_that_jumps(polyglot, command, undisturbed, cache, tmp_path, seconds):
    half = arrays(cache)[0].parent / ".pooled.json.half.part"
    half.write_bytes(b"half")
    for path in cache.rglob("*"):
        os.utime(path, (seconds, seconds))
    flip_a_byte(arrays(cache)[0])
    code, run = polyglot.run(tmp_path, *command, jumping_clock=True)
    assert code == 0, run.err
    assert result_of(tmp_path) == result_of(undisturbed)
    written = json.loads((tmp_path / "reports" / "retrieval" / "en-fr.json").read_text(encoding="utf-8"))
    assert 0 <= written["provenance"]["seconds"] < 600


def test_a_cache_from_an_older_version_is_left_alone(polyglot, command, undisturbed, cache, tmp_path):
    old = cache / "embeddings-v0"
    (cache / "embeddings-v1").rename(old)
    before = files_in(old)
    code, run = polyglot.run(tmp_path, *command)
    assert (code, run.err) == (0, "")
    assert files_in(old) == before
    assert arrays(cache / "embeddings-v1")
    assert result_of(tmp_path) == result_of(undisturbed)


def test_notes_of_an_unknown_version_are_made_again(polyglot, command, undisturbed, cache, tmp_path):
    for note in sorted(cache.rglob("pooled.json"))[:2]:
        note.write_text(json.dumps({"version": 0, "array": "pooled.npy"}), encoding="utf-8")
    code, run = polyglot.run(tmp_path, *command)
    assert code == 0
    assert run.err.count("is damaged") == 2
    assert result_of(tmp_path) == result_of(undisturbed)


def test_a_shard_of_another_shape_is_made_again(polyglot, command, undisturbed, cache, tmp_path):
    """A sound array with a sound checksum, but of fewer rows than the block: a hash that met by accident or malice."""
    import hashlib

    import numpy as np

    path = arrays(cache)[0]
    np.save(path, np.load(path)[:-1])
    note = path.parent / "pooled.json"
    entry = json.loads(note.read_text(encoding="utf-8"))
    entry["checksum"] = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    note.write_text(json.dumps(entry), encoding="utf-8")
    code, run = polyglot.run(tmp_path, *command)
    assert code == 0, run.err
    assert result_of(tmp_path) == result_of(undisturbed)
