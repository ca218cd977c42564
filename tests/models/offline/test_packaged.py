import dataclasses
import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from polyglot.errors import MissingExtraError, ModelError
from polyglot.models.offline.me5_small import decode_e5
from polyglot.models.offline.packaged import PackagedModel
from polyglot.models.registry import PACKAGED, packaged_model


@pytest.fixture
def tiny_package(tiny_e5, tmp_path, monkeypatch):
    """Put a package with a tiny 4-bit file in the place of the real one; importing it is an error."""
    folder = tmp_path / "index" / "tiny_package_for_tests"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    weights = folder / "weights.bin"
    weights.write_bytes(tiny_e5.read_bytes())
    monkeypatch.syspath_prepend(str(folder.parent))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    record = PackagedModel("me5-small", folder.name, "tiny-package", weights.name, digest, decode_e5)
    monkeypatch.setitem(PACKAGED, "me5-small", record)
    return weights


def files_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_package_is_found_without_importing_it(tiny_package, tmp_path):
    assert packaged_model("me5-small").is_installed()
    assert (packaged_model("me5-small").folder(cache=tmp_path / "cache") / "model.safetensors").is_file()
    assert tiny_package.parent.name not in sys.modules


def test_decoded_once(tiny_package, tmp_path, monkeypatch):
    first = packaged_model("me5-small").folder(cache=tmp_path / "cache")
    monkeypatch.setattr(PackagedModel, "verified_weights", lambda _: pytest.fail("read the package again"))
    assert packaged_model("me5-small").folder(cache=tmp_path / "cache") == first
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_decoding_gives_the_same_bytes_each_time(tiny_package, tmp_path):
    one, other = (packaged_model("me5-small").folder(cache=tmp_path / name) for name in ("one", "other"))
    assert files_in(one) == files_in(other)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors", "1_Pooling/config.json"])
def test_a_cut_file_is_found_and_decoded_again(tiny_package, tmp_path, caplog, name):
    folder = packaged_model("me5-small").folder(cache=tmp_path / "cache")
    good = files_in(folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert files_in(packaged_model("me5-small").folder(cache=tmp_path / "cache")) == good
    assert "is damaged; it is decoded again" in caplog.text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"config.json": 3}', '{"absent": {"bytes": 3, "sha256": ""}}'])
def test_a_damaged_manifest_is_found(tiny_package, tmp_path, content):
    folder = packaged_model("me5-small").folder(cache=tmp_path / "cache")
    good = files_in(folder)
    (folder / "decoded.json").write_text(content)
    assert files_in(packaged_model("me5-small").folder(cache=tmp_path / "cache")) == good


def test_a_killed_decoding_leaves_nothing_behind_that_counts(tiny_package, tmp_path):
    record = packaged_model("me5-small")
    script = textwrap.dedent(f"""
        import os, pathlib, signal, sys
        sys.path.insert(0, {str(tiny_package.parent.parent)!r})
        from polyglot.models.offline.packaged import PackagedModel
        def half(source, folder):
            (folder / "config.json").write_text("{{")
            os.kill(os.getpid(), signal.SIGKILL)
        model = PackagedModel(
            "me5-small", {record.package!r}, {record.distribution!r}, {record.weights!r}, {record.sha256!r}, half
        )
        model.folder(cache=pathlib.Path({str(tmp_path / "cache")!r}))
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    (leftover,) = (tmp_path / "cache" / "models").iterdir()
    assert leftover.name.startswith(".")
    folder = packaged_model("me5-small").folder(cache=tmp_path / "cache")
    json.loads((folder / "config.json").read_text())
    os.utime(leftover, (0, 0))
    packaged_model("me5-small").folder(cache=tmp_path / "cache")
    assert leftover.exists()
    (folder / "decoded.json").unlink()
    packaged_model("me5-small").folder(cache=tmp_path / "cache")
    assert not leftover.exists()


def test_another_process_may_finish_first(tiny_package, tmp_path, monkeypatch):
    good = packaged_model("me5-small").folder(cache=tmp_path / "other")

    def slow(source, folder):
        decode_e5(source, folder)
        final = folder.parent / good.name
        if not final.exists():
            good.rename(final)

    monkeypatch.setitem(PACKAGED, "me5-small", dataclasses.replace(PACKAGED["me5-small"], decode=slow))
    folder = packaged_model("me5-small").folder(cache=tmp_path / "cache")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_changed_file_is_refused(tiny_package, tmp_path):
    data = bytearray(tiny_package.read_bytes())
    data[-1] ^= 1
    tiny_package.write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"not the pinned ones.*--force-reinstall"):
        packaged_model("me5-small").folder(cache=tmp_path / "cache")


def test_an_absent_file_is_refused(tiny_package):
    tiny_package.unlink()
    with pytest.raises(ModelError, match="no such file"):
        packaged_model("me5-small").verified_weights()


@pytest.mark.parametrize("name", ["minilm", "me5-small"])
def test_a_missing_package_names_the_extra(monkeypatch, tmp_path, name):
    monkeypatch.setitem(PACKAGED, name, dataclasses.replace(PACKAGED[name], package="no_such_package_here"))
    assert not packaged_model(name).is_installed()
    with pytest.raises(MissingExtraError, match=rf"'{name}' needs the `offline` extra"):
        packaged_model(name).folder(cache=tmp_path)


def test_an_unknown_name_is_an_error():
    with pytest.raises(ModelError, match="packaged models are minilm, me5-small"):
        packaged_model("big")


def test_a_cache_that_cannot_be_written_is_an_error(tiny_package, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="set POLYGLOT_CACHE"):
        packaged_model("me5-small").folder(cache=tmp_path / "file")


def test_minilm_loads():
    from polyglot.models.encoder import load_encoder

    try:
        encoder = load_encoder("minilm", device="cpu")
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert (encoder.dim, encoder.layers, encoder.max_length, encoder.prompt) == (384, 7, 256, "")
    cat, feline, stock = encoder.encode(["A cat sleeps.", "A feline is asleep.", "The stock market fell."]).pooled
    assert cat @ feline > 0.6
    assert cat @ stock < 0.2


def test_me5_small_loads_with_its_prompt(me5_folder):
    from polyglot.models.encoder import load_encoder

    encoder = load_encoder("me5-small", device="cpu")
    assert (encoder.dim, encoder.layers, encoder.max_length, encoder.prompt) == (384, 13, 512, "query: ")
    french, english, other = encoder.encode(["Le chat dort.", "The cat sleeps.", "The stock market fell."]).pooled
    assert french @ english > french @ other + 0.05
