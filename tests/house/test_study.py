"""reports/make.py: what the published study consists of, and what is made again."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("study_script", ROOT / "reports" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def typed(script, monkeypatch):
    """Commands that were typed; a stand-in leaves the files that each would."""
    commands = []

    def polyglot(*arguments, folder=None):
        commands.append(arguments)
        if arguments[0] in ("probe", "compare"):
            target = Path(folder) / "reports" / arguments[0] / "result.json"
            target.parent.mkdir(parents=True)
            files = [Path(folder) / name for name in arguments[1:] if name.endswith(".json")]
            read = [{"file_fingerprint": script.fingerprint(file)} for file in files]
            target.write_text(json.dumps({"provenance": {"host": "secret", "seed": 0}, "results": read}))
        if arguments[0] == "train":
            target = Path(folder) / "runs" / "finetune" / "result.json"
            target.parent.mkdir(parents=True)
            target.write_text(json.dumps({"provenance": {"host": "secret"}, "method": arguments[5]}))
        if arguments[0] == "report":
            Path(arguments[1]).with_suffix(".html").write_text("page")

    monkeypatch.setattr(script, "polyglot", polyglot)
    return commands


def run(script, monkeypatch, out, *options):
    monkeypatch.setattr("sys.argv", ["make.py", "--out", str(out), *options])
    script.main()


def test_parts_have_names_of_their_own_and_read_only_what_comes_before(script):
    seen = set()
    for part in script.study(None):
        assert part.name not in seen
        assert set(part.reads) <= seen
        seen.add(part.name)
    assert len(seen) == 20 + 3 + 1 + 4 + 4 + 10


def test_results_are_named_published_without_the_machine_and_drawn(script, typed, monkeypatch, tmp_path):
    run(script, monkeypatch, tmp_path, "--only", "linear-map-minilm-en-de", "--limit", "99")
    kept = json.loads((tmp_path / "linear-map-minilm-en-de.json").read_text(encoding="utf-8"))
    assert kept["provenance"] == {"host": "", "seed": 0}
    assert typed == [
        ("probe", "linear-map", "en", "de", "--model", "minilm", "--no-texts", "--limit", "99"),
        ("report", str(tmp_path / "linear-map-minilm-en-de.json"), "--plotlyjs", "directory"),
        ("index", str(tmp_path)),
        ("study", str(tmp_path), "--out", str(tmp_path.parent / "study.html")),
    ]


def test_a_training_run_leaves_its_result_and_no_page(script, typed, monkeypatch, tmp_path):
    run(script, monkeypatch, tmp_path, "--only", "inserted-minilm-fr-words")
    kept = json.loads((tmp_path / "inserted-minilm-fr-words.json").read_text(encoding="utf-8"))
    assert kept == {"provenance": {"host": ""}, "method": "words"}
    assert [command[0] for command in typed] == ["train", "index"]


def test_what_is_published_is_small(script, tmp_path):
    value = {
        "provenance": {"host": "secret", "command": "polyglot probe linear-map en de --no-texts"},
        "directions": [{"explorer": [1], "r2": 0.123456789012, "n": 1500}],
    }
    script.publish(json.dumps(value), tmp_path / "a.json")
    kept = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(kept)["directions"] == [{"explorer": [], "r2": 0.123456789, "n": 1500}]
    assert ": " not in kept
    value["provenance"]["command"] = "polyglot probe linear-map en fr"
    script.publish(json.dumps(value), tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["directions"][0]["explorer"] == [1]


def test_of_a_study_maps_and_layers_of_packaged_models_are_taken(script, tmp_path):
    cells = [
        {"kind": kind, "model": model, "corpus": corpus, "language": language, "result": result}
        for kind, model, corpus, language, result in (
            ("linear-map", "use", "sentences", "fr", "cells/a.json"),
            ("linear-map", "use", "sentences", "ru", ""),
            ("linear-map", "words", "sentences", "fr", "cells/a.json"),
            ("linear-map", "minilm", "sentences", "fr", "cells/a.json"),
            ("layers", "minilm", "sentences", "fr", "cells/a.json"),
            ("retrieval", "minilm", "science", "fr", "cells/a.json"),
        )
    ]
    (tmp_path / "results" / "cells").mkdir(parents=True)
    where = {"host": "secret", "command": "polyglot study reports/study.toml --out /tmp/here"}
    (tmp_path / "results" / "study.json").write_text(json.dumps({"provenance": where, "cells": cells}))
    rungs = {"linear": {"r2_standardised": {"value": -1e30}}, "shift": {"r2_standardised": {"value": 0.5}}}
    value = {"provenance": where, "directions": [{"explorer": [1], "rungs": rungs}]}
    (tmp_path / "results" / "cells" / "a.json").write_text(json.dumps(value))
    (tmp_path / "out").mkdir()
    script.take(tmp_path / "results", tmp_path / "out")
    names = ["layers-minilm-en-fr.json", "linear-map-use-en-fr.json", "study.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    kept = json.loads((tmp_path / "out" / names[1]).read_text(encoding="utf-8"))
    assert kept["provenance"] == {"host": "", "command": "polyglot study reports/study.toml"}
    rungs["linear"]["r2_standardised"] = None
    assert kept["directions"] == [{"explorer": [], "rungs": rungs}]


def test_a_second_run_does_only_what_is_missing_or_stale(script, typed, monkeypatch, tmp_path):
    run(script, monkeypatch, tmp_path, "--only", "layers")
    assert sum(command[0] == "compare" for command in typed) == 7
    typed.clear()
    run(script, monkeypatch, tmp_path, "--only", "layers")
    assert typed == [("index", str(tmp_path))]
    (tmp_path / "layers-minilm-en-fr.html").unlink()
    changed = tmp_path / "layers-minilm-en-de.json"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    run(script, monkeypatch, tmp_path, "--only", "layers")
    made = [Path(command[1]).stem for command in typed if command[0] == "report"]
    assert made == ["layers-minilm-en-fr", "compare-layers-minilm", "compare-layers-en-de"]


def test_a_comparison_of_missing_results_is_left_out(script, typed, monkeypatch, tmp_path, capsys):
    run(script, monkeypatch, tmp_path, "--only", "compare-layers-en-fr")
    assert typed == [("index", str(tmp_path))]
    assert "left out, since layers-minilm-en-fr is not there" in capsys.readouterr().out


def test_the_list_makes_nothing(script, typed, monkeypatch, tmp_path, capsys):
    run(script, monkeypatch, tmp_path, "--list")
    assert typed == []
    assert "polyglot probe layers en zh --model me5-small" in capsys.readouterr().out


def tracked():
    names = subprocess.run(["git", "ls-files", "reports"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in names.splitlines()]


def test_the_folder_is_small_and_says_nothing_of_the_machine():
    files = tracked()
    assert sum(path.stat().st_size for path in files) <= 8_000_000
    results = [path for path in files if path.suffix == ".json"]
    assert results
    for path in results:
        text = path.read_text(encoding="utf-8")
        assert json.loads(text)["provenance"]["host"] == ""
        assert not re.search(r"/(?:home|root|tmp|work|Users)/", text), path.name


def test_pages_lead_to_files_of_the_repository():
    files = tracked()
    for page in (path for path in files if path.suffix == ".html"):
        addresses = set(
            re.findall(r'(?:href|content)="([^"#:]+\.(?:html|json|png))"', page.read_text(encoding="utf-8"))
        )
        assert any(address.endswith(".html") for address in addresses), page.name
        absent = {address for address in addresses if (page.parent / address).resolve() not in files}
        assert absent == set(), page.name
