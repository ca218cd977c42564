"""What a command says while it works: before anything heavy is imported, in lines or bars, and nothing if quiet."""

import io
import logging
import subprocess
import sys
import threading

import pytest
from polyglot.cli import GROUPS, application
from polyglot.commands.progress import shown
from polyglot.stages import about, counted, log, stage
from typer.testing import CliRunner

HEAVY = ("torch", "transformers", "sentence_transformers", "scipy", "sklearn", "pandas", "datasets", "plotly")
#: Runs a command until it first says something or ends, and prints which heavy modules are loaded by then.
COMMAND = """
import io, os, sys
from polyglot.cli import main

heavy = sys.argv[1].split(",")

class First(io.StringIO):
    def write(self, text):
        print(text.strip(), *[name for name in heavy if name in sys.modules], flush=True)
        os._exit(0)

def until_it_speaks(handler, record):
    First().write(record.msg.name)

from polyglot.commands import progress
progress.StageDisplay.emit = until_it_speaks
sys.argv = ["polyglot", *sys.argv[2:]]
try:
    main()
except SystemExit:
    First().write("ended")
"""


def first_words(*arguments):
    """Return the first stage of a command, or that it ended, with the heavy modules; and its errors."""
    command = [sys.executable, "-c", COMMAND, ",".join(HEAVY), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("probe", "linear-map", "en", "fr"),
        ("probe", "retrieval", "en", "fr"),
        ("probe", "questions", "fr", "en"),
        ("probe", "composition", "en", "fr", "de"),
        ("map", "fit", "en", "fr", "--out"),
    ],
    ids=lambda command: command[1],
)
def test_the_first_line_comes_before_heavy_imports(command, tmp_path):
    out = (str(tmp_path / "out"),) if command[-1] == "--out" else ("--out", str(tmp_path))
    assert first_words(*command, *out)[0] in ("reading the built-in sentences", "loading minilm")


@pytest.mark.parametrize(
    "command",
    [
        ("probe", "linear-map", "en", "eng"),
        ("probe", "linear-map", "en", "fr", "--corpus", "nowhere.tsv"),
        ("probe", "layers", "en", "fr", "--model", "nowhere"),
        ("probe", "geometry", "en", "--device", "gpu"),
        ("probe", "layers", "en", "fr", "--layer", "99"),
        ("probe", "geometry", "en", "--layer", "7", "--model", "minilm"),
        ("probe", "language-id", "en", "fr", "--layer", "-14", "--model", "me5-small"),
        ("probe", "linear-map", "--vectors", "table.csv", "table.csv"),
        ("map", "fit", "en", "it", "--out", "map"),
        ("map", "fit", "en", "fr", "--out", "table.csv"),
        ("map", "fit", "en", "fr", "--rung", "nope", "--out", "map"),
        ("map", "apply", "empty", "x.npy", "--out", "y.npy"),
        ("map", "export", "empty", "--out", "dense"),
        ("map", "check", "nowhere"),
        ("map", "check", "empty"),
        ("train", "finetune", "--lang", "fr", "--model", "nope"),
        ("train", "contrastive", "--lang", "zz"),
        ("train", "pretrain", "--corpus", "nowhere.txt"),
        ("train", "pretrain", "--lang", "it"),
        ("report", "nowhere.json"),
        ("compare", "table.csv", "table.csv"),
        ("compare", "maps.json", "layers.json"),
        ("data", "show", "en", "fr", "--corpus", "x.npy"),
        ("probe", "layers", "en", "fr", "--corpus", "x.npy"),
        ("index", "empty"),
        ("study", "empty"),
        ("study", "table.csv"),
    ],
    ids=" ".join,
)
def test_an_error_in_a_name_comes_before_heavy_imports(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.npy").write_bytes(b"")
    for name, schema in (("maps", "linear-map"), ("layers", "layers")):
        (tmp_path / f"{name}.json").write_text(f'{{"schema": "polyglot/{schema}/1"}}', encoding="utf-8")
    (tmp_path / "table.csv").write_text("en;fr\nGood morning;Bonjour\n", encoding="utf-8")
    said, errors = first_words(*command)
    assert said == "ended"
    assert errors.startswith("error: ")


def test_help_reads_the_options_of_no_group():
    modules = [f"polyglot.commands.{group}" for group in GROUPS]
    code = f"""
import sys
from polyglot.cli import main
sys.argv = ["polyglot", "--help"]
try:
    main()
except SystemExit:
    print(sorted(set({[*modules, *HEAVY, "numpy"]!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_help_names_the_probes_first_and_gives_examples():
    shown_help = CliRunner().invoke(application(()), ["--help"]).stdout
    names = ["probe", "map", "train", "data", "report", "compare", "study", "index", "models"]
    assert sorted(names, key=lambda name: shown_help.index(f"│ {name} ")) == names
    assert "polyglot probe linear-map fr en" in shown_help


def test_a_group_that_was_not_typed_has_its_commands_when_it_is():
    typed = CliRunner().invoke(application(("probe",)), ["probe", "--help"]).stdout
    assert "linear-map" in typed


def test_a_stage_is_a_line_and_what_it_counts_is_said_once(capsys):
    with shown():
        stage("loading minilm")
        with about("en → fr"):
            list(counted(range(3), "shuffling pairs"))
            stage("controls")
    assert capsys.readouterr().err.splitlines() == [
        "Loading minilm …",
        "en → fr: shuffling pairs …",
        "en → fr: controls …",
    ]


def test_threads_have_lines_of_their_own(capsys):
    def work(name):
        with about(name):
            for _ in range(2):
                stage("fitting maps")

    with shown():
        for name in ("en → fr", "fr → en"):
            thread = threading.Thread(target=work, args=(name,))
            thread.start()
            thread.join()
    assert capsys.readouterr().err.splitlines() == ["en → fr: fitting maps …", "fr → en: fitting maps …"]


def test_a_terminal_has_bars_that_are_taken_away(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", stream)
    with shown():
        list(counted(range(3), "shuffling pairs"))
    assert "Shuffling pairs" in stream.getvalue()
    assert "\n" not in stream.getvalue().strip()


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_said_if_quiet_or_in_further_processes(capsys, monkeypatch, quiet):
    monkeypatch.setenv("RANK", "0" if quiet else "1")
    with shown(quiet=quiet):
        stage("loading minilm")
    assert capsys.readouterr().err == ""


def test_the_logger_is_left_as_it_was():
    before = (log.level, log.propagate, list(log.handlers))
    with pytest.raises(ValueError, match="broken"), shown():
        raise ValueError("broken")
    assert (log.level, log.propagate, log.handlers) == before
    assert not log.isEnabledFor(logging.INFO)
