import errno
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from polyglot.distributed import ProcessDone, Processes
from polyglot.errors import ConfigError, DataError, ModelError
from polyglot.models import cache as cache_module
from polyglot.models.cache import EmbeddingCache, block_key
from polyglot.models.encoding import EncodingJob, encode_cached, encode_together

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXTS = [f"{a} {b}{c}" for a in LETTERS[:13] for b in LETTERS[:10] for c in LETTERS[:10]]


@pytest.fixture
def cache(tmp_path):
    return EmbeddingCache(tmp_path / "cache")


@pytest.fixture
def calls(tiny_encoder, monkeypatch):
    """Count the blocks that are truly encoded, with the layers asked for."""
    made = []
    encode_block = tiny_encoder.encode_block

    def counted(texts, *, layers, **options):
        made.append((len(texts), tuple(layers)))
        return encode_block(texts, layers=layers, **options)

    monkeypatch.setattr(tiny_encoder, "encode_block", counted)
    return made


def assert_same(one, other):
    for field in ("pooled", "hidden", "tokens", "truncated", "unknown"):
        left, right = getattr(one, field), getattr(other, field)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def arrays_of(cache, part):
    return sorted(cache.folder.rglob(f"{part}.*.npy"))


def test_same_bits_with_and_without_the_cache(tiny_encoder, cache, calls):
    texts = [*TEXTS, *TEXTS[:50], "π " * 60]
    plain = tiny_encoder.encode(texts, layers=[2, 0])
    uncached = encode_cached(tiny_encoder, texts, layers=[2, 0])
    first = encode_cached(tiny_encoder, texts, layers=[2, 0], cache=cache)
    calls.clear()
    second = encode_cached(tiny_encoder, texts, layers=[-1, 0], cache=cache)
    assert calls == []
    for other in (uncached, first, second):
        assert_same(plain, other)


def test_only_missing_layers_are_computed(tiny_encoder, cache, calls):
    encode_cached(tiny_encoder, TEXTS[:10], cache=cache)
    encode_cached(tiny_encoder, TEXTS[:10], layers=[1], cache=cache)
    encode_cached(tiny_encoder, TEXTS[:10], layers=[0, 1, 2, 0], cache=cache)
    encode_cached(tiny_encoder, TEXTS[:10], layers=[2], cache=cache)
    assert calls == [(10, ()), (10, (1,)), (10, (0, 2))]


def test_layers_added_later_are_the_same_bits(tiny_encoder, cache):
    encode_cached(tiny_encoder, TEXTS, cache=cache)
    later = encode_cached(tiny_encoder, TEXTS, layers=[0, 1], cache=cache)
    assert_same(later, tiny_encoder.encode(TEXTS, layers=[0, 1]))


def test_another_encoder_does_not_read_it(tiny_encoder, tiny_model_folder, cache):
    from polyglot.models.encoder import load_encoder

    encode_cached(tiny_encoder, ["cat"], cache=cache)
    prompted = load_encoder(str(tiny_model_folder), device="cpu", prompt="q: ")
    assert_same(encode_cached(prompted, ["cat"], cache=cache), prompted.encode(["cat"]))


def test_keys_tell_apart_texts_that_join_alike():
    keys = {block_key("f", texts) for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["c", "ab"])}
    assert len(keys) == 5
    assert block_key("f", ["a"]) != block_key("g", ["a"])


def flip_byte(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("part", ["pooled", "counts", "layer-001"])
@pytest.mark.parametrize("harm", [flip_byte, truncate, empty, Path.unlink])
def test_a_damaged_array_is_found_and_made_again(tiny_encoder, cache, calls, caplog, part, harm):
    good = encode_cached(tiny_encoder, TEXTS[:20], layers=[1], cache=cache)
    (path,) = arrays_of(cache, part)
    harm(path)
    calls.clear()
    with caplog.at_level(logging.WARNING):
        assert_same(good, encode_cached(tiny_encoder, TEXTS[:20], layers=[1], cache=cache))
    assert len(calls) == 1
    assert f"cached {part}" in caplog.text
    assert "damaged" in caplog.text
    assert_same(good, encode_cached(tiny_encoder, TEXTS[:20], layers=[1], cache=cache))
    assert len(calls) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"file": "../../x", "checksum": "0"}', b"\xff\xfe"])
def test_a_damaged_note_is_found_and_made_again(tiny_encoder, cache, calls, caplog, content):
    good = encode_cached(tiny_encoder, TEXTS[:20], cache=cache)
    (note,) = cache.folder.rglob("pooled.json")
    note.write_bytes(content)
    assert_same(good, encode_cached(tiny_encoder, TEXTS[:20], cache=cache))
    assert len(calls) == 2
    assert "damaged" in caplog.text


def test_no_pickle_is_ever_opened(tiny_encoder, cache, calls):
    good = encode_cached(tiny_encoder, TEXTS[:5], cache=cache)
    (path,), (note,) = arrays_of(cache, "pooled"), cache.folder.rglob("pooled.json")
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    entry = json.loads(note.read_text()) | {"checksum": cache_module._checksum(path.read_bytes())}
    note.write_text(json.dumps(entry))
    assert_same(good, encode_cached(tiny_encoder, TEXTS[:5], cache=cache))
    assert len(calls) == 2


def test_an_older_format_is_ignored(tiny_encoder, cache, calls, monkeypatch):
    encode_cached(tiny_encoder, TEXTS[:5], cache=cache)
    monkeypatch.setattr(cache_module, "FORMAT", cache_module.FORMAT + 1)
    encode_cached(tiny_encoder, TEXTS[:5], cache=cache)
    assert len(calls) == 2


def test_a_folder_that_cannot_be_written_costs_one_warning(tiny_encoder, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    blocked = EmbeddingCache(tmp_path / "file" / "cache")
    assert_same(encode_cached(tiny_encoder, TEXTS, layers=[0], cache=blocked), tiny_encoder.encode(TEXTS, layers=[0]))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "the work goes on without it" in caplog.text


def test_a_full_disk_costs_one_warning_and_leaves_nothing_half_written(tiny_encoder, cache, caplog, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert_same(encode_cached(tiny_encoder, TEXTS, cache=cache), tiny_encoder.encode(TEXTS))
    assert len(caplog.records) == 1
    assert "No space left" in caplog.text
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []


def test_old_leftovers_are_cleared_and_young_ones_kept(cache):
    cache.write("ab12", "pooled", np.zeros(3))
    folder = next(cache.folder.rglob("pooled.json")).parent
    for name, age in (("old", 7200), ("young", 0)):
        leftover = folder / f".pooled.json.{name}.part"
        leftover.write_bytes(b"half")
        os.utime(leftover, (leftover.stat().st_mtime - age,) * 2)
    cache.write("ab12", "counts", np.zeros(3))
    assert [path.name for path in folder.glob(".*.part")] == [".pooled.json.young.part"]


def test_two_writers_with_other_last_bits_do_not_mix(tmp_path):
    one, other = EmbeddingCache(tmp_path), EmbeddingCache(tmp_path)
    first, second = np.zeros(1000, np.float32), np.full(1000, 1e-7, np.float32)
    one.write("key", "pooled", first)
    other.write("key", "pooled", second)
    np.testing.assert_array_equal(one.read("key", "pooled"), second)


def test_an_interrupted_run_goes_on_where_it_was_killed(tiny_encoder, tiny_model_folder, tmp_path, calls):
    """The second process is killed without warning while it encodes its third block."""
    texts = [f"{a}{b} {c}{d}" for a in LETTERS[:8] for b in LETTERS[:8] for c in LETTERS[:8] for d in LETTERS[:8]]
    script = textwrap.dedent(f"""
        import os, pathlib, signal
        from polyglot.models.cache import EmbeddingCache
        from polyglot.models.encoding import encode_cached
        from polyglot.models.encoder import load_encoder
        encoder = load_encoder({str(tiny_model_folder)!r}, device="cpu")
        blocks, encode_block = [], encoder.encode_block
        def killed(*arguments, **options):
            blocks.append(1)
            if len(blocks) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return encode_block(*arguments, **options)
        encoder.encode_block = killed
        encode_cached(encoder, {texts!r}, layers=[1], cache=EmbeddingCache(pathlib.Path({str(tmp_path)!r})))
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    resumed = encode_cached(tiny_encoder, texts, layers=[1], cache=EmbeddingCache(tmp_path))
    assert calls == [(1024, (1,)), (1024, (1,))]
    np.testing.assert_allclose(resumed.pooled, tiny_encoder.encode(texts).pooled, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "error"), [({"layers": [9]}, ConfigError), ({"batch_tokens": 0}, ConfigError), ({}, DataError)]
)
def test_bad_requests_are_errors(tiny_encoder, cache, options, error):
    with pytest.raises(error):
        encode_cached(tiny_encoder, ["a", *([3] if not options else [])], cache=cache, **options)


def test_no_texts(tiny_encoder, cache):
    assert encode_cached(tiny_encoder, [], layers=[0], cache=cache).hidden.shape == (1, 0, 16)


def test_halves_take_half_and_give_the_same_when_read(tiny_encoder, tmp_path, calls):
    whole, half = EmbeddingCache(tmp_path), EmbeddingCache(tmp_path, "float16")
    exact = encode_cached(tiny_encoder, TEXTS[:200], layers=[1], cache=whole)
    first = encode_cached(tiny_encoder, TEXTS[:200], layers=[1], cache=half)
    assert len(calls) == 2
    assert_same(first, encode_cached(tiny_encoder, TEXTS[:200], layers=[1], cache=half))
    assert_same(exact, encode_cached(tiny_encoder, TEXTS[:200], layers=[1], cache=whole))
    assert len(calls) == 2
    assert first.pooled.dtype == np.float32
    np.testing.assert_allclose(first.pooled, exact.pooled, atol=1e-3)
    assert (first.pooled != exact.pooled).any()
    sizes = [sum(path.stat().st_size for path in tmp_path.rglob(name)) for name in ("pooled-half.*", "pooled.*.npy")]
    assert sizes[0] < 0.6 * sizes[1]


def test_numbers_too_large_for_halves_are_an_error(tmp_path):
    with pytest.raises(ModelError, match="keep float32"):
        EmbeddingCache(tmp_path, "float16").as_stored("pooled", np.full((1, 2), 1e5, np.float32))


def test_each_process_encodes_its_share_and_the_first_goes_on(tiny_encoder, cache, calls, monkeypatch):
    texts = [f"{a}{b} {c}{d}" for a in LETTERS[:8] for b in LETTERS[:8] for c in LETTERS[:8] for d in LETTERS[:8]]
    monkeypatch.setattr(Processes, "barrier", lambda processes: None)
    for rank in (2, 1):
        other = EmbeddingCache(cache.folder, processes=Processes(rank, 3))
        with pytest.raises(ProcessDone):
            encode_together([EncodingJob(tiny_encoder, texts)], other)
    assert len(calls) == 2
    first = EmbeddingCache(cache.folder, processes=Processes(0, 3))
    encode_together([EncodingJob(tiny_encoder, texts)], first)
    assert len(calls) == 4
    together = encode_cached(tiny_encoder, texts, cache=first)
    assert len(calls) == 4
    assert_same(together, tiny_encoder.encode(texts))
    assert first.processes == Processes()


def test_a_process_alone_encodes_when_it_is_asked(tiny_encoder, cache, calls):
    encode_together([EncodingJob(tiny_encoder, ["a"])], cache)
    encode_together([EncodingJob(tiny_encoder, ["a"])], None)
    assert calls == []
