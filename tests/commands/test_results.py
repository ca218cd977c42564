"""What is made of results that are there: comparisons, an index, figures."""

import dataclasses
import json

import numpy as np
import pytest
from polyglot.cli import application, main
from polyglot.probe.results.provenance import Side
from polyglot.probe.results.serialization import to_json
from polyglot.probe.retrieval.run import RetrievalConfig, measure
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two results of one probe and one of another schema."""
    made = tmp_path_factory.mktemp("reports")
    rng = np.random.default_rng(0)
    y = rng.standard_normal((100, 8))
    for name, noise in (("one", 1.5), ("two", 0.5)):
        found = measure(y + noise * rng.standard_normal(y.shape), y, config=RetrievalConfig(resamples=100))
        record = dataclasses.replace(found.provenance, models=(Side("x", name, name),), corpus_fingerprint="same")
        (made / f"{name}.json").write_text(to_json(dataclasses.replace(found, provenance=record)), encoding="utf-8")
    (made / "other.json").write_text('{"schema": "polyglot/layers/1"}', encoding="utf-8")
    return made


def run(*arguments):
    return CliRunner().invoke(application(), [str(a) for a in arguments])


def test_compare_leaves_a_page_and_prints_its_verdict_once(folder, tmp_path):
    result = run("compare", folder / "one.json", folder / "two.json", "--out", tmp_path)
    lines = result.stdout.strip().splitlines()
    assert result.exit_code == 0
    assert lines[-1] == str(tmp_path / "compare" / "retrieval-x-y-one-two.html")
    assert result.stdout.count("differences from one are significant") == 1
    written = json.loads((tmp_path / "compare" / "retrieval-x-y-one-two.json").read_text(encoding="utf-8"))
    assert written["schema"] == "polyglot/compare/1"
    assert " ".join(written["sentence"].split()) in " ".join(result.stdout.split())
    assert all(one["paired"] for one in written["differences"])


def test_compare_renders_again_to_the_same_bytes(folder, tmp_path):
    run("compare", folder / "one.json", folder / "two.json", "--out", tmp_path, "--name", "mine")
    page = tmp_path / "compare" / "mine.html"
    first = page.read_bytes()
    page.unlink()
    again = run("report", page.with_suffix(".json"), "--out", page)
    assert again.exit_code == 0
    assert page.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "one.json"], "2 to 8 results"),
        (["compare", "one.json", "other.json"], "results of one kind"),
        (["compare", "one.json", "missing.json"], "missing.json"),
        (["compare", "other.json", "other.json"], "other.json"),
        (["compare", "one.json", "two.json", "--format", "pdf"], "--format"),
        (["index", "nowhere"], "no folder"),
        (["index", "one.json"], "one.json is a file: give the folder"),
        (["study", "nowhere"], "no folder"),
        (["study", "."], "holds no linear-map results: make one first"),
        (["report", "one.json", "--figures", "out", "--image", "gif"], "--image"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(monkeypatch, capsys, folder, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    for file in folder.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("sys.argv", ["polyglot", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    err = capsys.readouterr().err
    assert stop.value.code == 1
    assert err.startswith("error: ")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_index_lists_the_results_of_a_folder(folder, tmp_path):
    run("compare", folder / "one.json", folder / "two.json", "--out", tmp_path, "--name", "mine")
    result = run("index", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "index.html")
    assert "compare/mine.html" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_figures_go_where_they_were_asked_for(monkeypatch, folder, tmp_path):
    asked = []
    monkeypatch.setattr(
        "polyglot.render.images.write_images", lambda *given: asked.append(given) or (tmp_path / "a.png",)
    )
    result = run("report", folder / "one.json", "--figures", tmp_path / "figures", "--image", "png")
    assert result.stdout.strip() == str(tmp_path / "a.png")
    assert asked[0][1:] == (tmp_path / "figures", "png")
    assert not (folder / "one.html").exists()
