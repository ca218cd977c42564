"""Every script in examples/ runs: on a tiny model and a few rows here, as a user types it in the slow part."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polyglot
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))


def load(path):
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    """A tiny random BERT over single letters."""
    return load(ROOT / "tests" / "models" / "conftest.py").build_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def run(tiny_model, tmp_path, monkeypatch, capsys):
    """Give a function that runs an example in an empty folder and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYGLOT_CACHE", str(tmp_path / "cache"))

    def run(name, *arguments, model=True):
        chosen = ("--model", str(tiny_model)) if model else ()
        load(ROOT / "examples" / f"{name}.py").main([*chosen, *arguments])
        return capsys.readouterr().out

    return run


def test_arrays_of_text_get_both_verdicts_and_a_page(run):
    lines = run("arrays_to_a_verdict", "--limit", "80").splitlines()
    assert [line.split(",")[0] for line in lines[:4]] == ["Search", "Geometry"] * 2
    assert Path(lines[4]).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_arrays_of_a_file_get_the_verdict_on_search(run, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 4))
    np.save("x.npy", x)
    np.save("y.npy", x @ np.linalg.qr(rng.standard_normal((4, 4)))[0])
    lines = run("arrays_to_a_verdict", "--arrays", "x.npy", "y.npy", model=False).splitlines()
    assert [line.split(",")[0] for line in lines[:2]] == ["Search", "Search"]
    assert lines[2] == "reports/arrays.html"


@pytest.mark.parametrize("with_faiss", [True, False])
def test_a_map_is_served_with_faiss_and_without(run, with_faiss, monkeypatch):
    if with_faiss:
        pytest.importorskip("faiss", reason="needs the extra `examples`")
    else:
        monkeypatch.setitem(sys.modules, "faiss", None)
    out = run("serve_a_map", "--limit", "80", "--rung", "rotation")
    assert "map fitted on 80 pairs" in out
    assert re.findall(r"^the (base|served map): the right passage comes first for \d+%", out, re.M) == [
        "base",
        "served map",
    ]
    assert Path("fr-en/modules.json").is_file()


def test_both_searches_find_the_same(monkeypatch):
    pytest.importorskip("faiss", reason="needs the extra `examples`")
    example = load(ROOT / "examples" / "serve_a_map.py")
    rng = np.random.default_rng(0)
    passages, queries = (rng.standard_normal((n, 8)).astype(np.float32) for n in (50, 20))
    passages /= np.linalg.norm(passages, axis=1, keepdims=True)
    found = example.index_of(passages)(queries)
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert (example.index_of(passages)(queries) == found).all()


def test_a_language_is_inserted_and_compared(run):
    out = run("insert_a_language", "--limit", "150", "--epochs", "1")
    assert re.search(r"^\d+ steps", out, re.M)
    assert len(re.findall(r"^.+: nDCG@10 of 252 French questions 0\.\d+ \[", out, re.M)) == 3
    assert polyglot.read_result("runs/french/finetune/result.json").method == "align"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def typed(name, folder, cache):
    """Run an example as a user does, in an empty folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / ".types"), "POLYGLOT_CACHE": str(cache)}
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py")]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_packaged_model_gets_a_verdict(tmp_path, cache):
    out = typed("arrays_to_a_verdict", tmp_path, cache)
    assert "Search, fr → en: a map helps; a rotation finds" in out
    assert (tmp_path / "reports" / "arrays.html").is_file()


@pytest.mark.slow
def test_a_served_map_finds_more_than_the_base(tmp_path, cache):
    base, served = map(int, re.findall(r"first for (\d+)%", typed("serve_a_map", tmp_path, cache)))
    assert served > base


@pytest.mark.slow
def test_training_beats_the_map_and_the_map_the_base(tmp_path, cache):
    base, fitted, trained = map(float, re.findall(r"questions (0\.\d+)", typed("insert_a_language", tmp_path, cache)))
    assert base < fitted < trained


def test_every_example_is_tested_and_listed():
    tested = Path(__file__).read_text(encoding="utf-8")
    listed = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert [path.stem for path in SCRIPTS if f'typed("{path.stem}"' not in tested] == []
    assert [path.name for path in SCRIPTS if path.name not in listed] == []
