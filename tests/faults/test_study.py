"""A killed study goes on where it stopped, and processes share its cells: it says what an undisturbed one says."""

import importlib.util
import json
import signal
from pathlib import Path

import pytest

from .conftest import files_in

HERE = Path(__file__).parent
VOLATILE = {"time", "host", "seconds"}
OF_A_LOOP = ("steps", "precision", "threads", "processes", "losses")  # of speed; the rest counts since it was resumed
CELLS = 6


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Folder of the file of a tiny study, with its model, text and questions."""
    spec = importlib.util.spec_from_file_location("tiny_studies", HERE.parent / "study" / "conftest.py")
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    spec = importlib.util.spec_from_file_location("toy_training", tiny.TRAIN)
    toy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(toy)
    folder = tmp_path_factory.mktemp("study")
    model = toy.build_model(folder)
    toy.write_corpus(folder / "toy.tsv", toy.sentences(200))
    tiny.write_questions(folder / "questions")
    text = tiny.STUDY.replace("MODEL", str(model)).replace("QUESTIONS", str(folder / "questions"))
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def command(written):
    return ["study", written / "study.toml", "--out", "out", "--quiet"]


@pytest.fixture(scope="session")
def undisturbed(polyglot, command, tmp_path_factory):
    """Folder of a study that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed_study")
    code, run = polyglot.run(folder, *command)
    assert code == 0, run.err
    return folder


def said_by(folder):
    """Return all results of a study by path, as they are but for times, hosts and speeds."""
    out = folder / "out"
    paths = [out / "study.json", *sorted((out / "cells").glob("*.json")), *sorted((out / "tokens").glob("*.json"))]
    return {path.relative_to(out).as_posix(): _without(json.loads(path.read_text(encoding="utf-8"))) for path in paths}


def _without(value):
    if isinstance(value, dict):
        if "speed" in value:
            value = {**value, "speed": {key: value["speed"][key] for key in OF_A_LOOP}}
        return {key: _without(inner) for key, inner in value.items() if key not in VOLATILE}
    return [_without(item) for item in value] if isinstance(value, list) else value


def weights_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / "out" / "runs").glob("*/model/*.safetensors"))
    }


POINTS = (
    "kill_in_third_block",
    "kill_while_the_result_is_written",
    "kill_at_the_fourth_step",
    "kill_before_the_training_is_a_cell",
)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_the_same_command_completes_after_a_kill(polyglot, command, undisturbed, tmp_path, point):
    code, _ = polyglot.run(tmp_path, *command, **{point: True})
    assert code == -signal.SIGKILL
    assert not (tmp_path / "out" / "study.json").exists()
    assert len(list((tmp_path / "out" / "cells").glob("*.json"))) < CELLS
    code, again = polyglot.run(tmp_path, *command)
    assert code == 0, again.err
    assert said_by(tmp_path) == said_by(undisturbed)
    assert weights_of(tmp_path) == weights_of(undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("ranked", [True, False])
def test_two_processes_take_different_cells(polyglot, command, undisturbed, tmp_path, ranked):
    notes = tmp_path / "notes"
    ranks = [{"be_of_two": rank} if ranked else {} for rank in (0, 1)]
    runs = [polyglot.start(tmp_path, *command, note_cells=str(notes), **rank) for rank in ranks]
    assert [run.wait() for run in runs] == [0, 0], [run.err for run in runs]
    by_process = {}
    for line in notes.read_text(encoding="utf-8").splitlines():
        process, cell = line.split()
        by_process.setdefault(process, []).append(cell)
    taken = [cell for cells in by_process.values() for cell in cells]
    assert len(taken) == len(set(taken)) == CELLS
    assert len(by_process) == 2
    assert said_by(tmp_path) == said_by(undisturbed)
    assert weights_of(tmp_path) == weights_of(undisturbed)


def test_a_dry_run_runs_nothing(polyglot, command, tmp_path):
    code, run = polyglot.run(tmp_path, *command, "--dry-run")
    assert code == 0, run.err
    assert f"0 of {CELLS} cells are done" in run.out
    assert f"{CELLS} of {CELLS} by rough rates" in run.out
    assert "~ " in run.out
    assert files_in(tmp_path / "out") == []


@pytest.mark.slow
def test_a_dry_run_says_what_is_done_and_changes_nothing(polyglot, command, undisturbed):
    before = files_in(undisturbed / "out")
    times = [(undisturbed / "out" / name).stat().st_mtime_ns for name in before]
    code, run = polyglot.run(undisturbed, *command, "--dry-run")
    assert code == 0, run.err
    assert f"{CELLS} of {CELLS} cells are done." in run.out
    assert files_in(undisturbed / "out") == before
    assert [(undisturbed / "out" / name).stat().st_mtime_ns for name in before] == times


@pytest.mark.slow
def test_the_page_of_the_progress_names_every_cell(undisturbed):
    page = (undisturbed / "out" / "progress.html").read_text(encoding="utf-8")
    assert page.count("<td>done</td>") == CELLS
    assert "refresh" not in page


def test_a_wrong_file_is_one_line(polyglot, written, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text((written / "study.toml").read_text(encoding="utf-8").replace('"align"', '"aling"'), "utf-8")
    code, run = polyglot.run(tmp_path, "study", wrong)
    assert code == 1
    assert run.err.count("\n") == 1
    assert "unknown 'aling'; did you mean align?" in run.err
    code, run = polyglot.run(tmp_path, "study", tmp_path, "--dry-run")
    assert code == 1
    assert "give a FILE.toml" in run.err
