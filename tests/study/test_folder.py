"""One process at a cell; a killed one leaves no claim; what is not in the study any more is put away, not deleted."""

import os
import signal
import subprocess
import sys

import pytest
from polyglot.study.cells import Cell
from polyglot.study.folder import StudyFolder
from polyglot.study.schedule import reason, state


def cell(name, needs=""):
    return Cell(name, "retrieval", "model", "toy", "fr", 0, f"{name}-key-of-many-digits", needs=needs)


@pytest.fixture
def folder(tmp_path):
    made = StudyFolder(tmp_path / "out")
    made.prepare([])
    return made


def test_a_claim_shuts_others_out_and_ends(folder):
    one = cell("one")
    with folder.claim(one) as mine:
        assert mine
        assert folder.claimed(one)
        with folder.claim(one) as again:
            assert not again
        with folder.claim(cell("two")) as other:
            assert other
    assert not folder.claimed(one)


def test_a_killed_process_leaves_no_claim(folder):
    one = cell("one")
    line = (
        "import sys, time; from pathlib import Path; from polyglot.study.folder import StudyFolder; "
        "from polyglot.study.cells import Cell; "
        f"cell = Cell('one', 'retrieval', 'model', 'toy', 'fr', 0, {one.key!r}); "
        f"claim = StudyFolder(Path({str(folder.path)!r})).claim(cell); claim.__enter__(); print('mine', flush=True); "
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", line], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "mine\n"
        assert folder.claimed(one)
        os.kill(process.pid, signal.SIGKILL)
    assert not folder.claimed(one)


def test_what_is_not_in_the_study_is_put_away_and_comes_back(folder):
    one, two = cell("one"), cell("two")
    for some in (one, two):
        folder.result(some).write_text(some.name, encoding="utf-8")
        folder.run(some).mkdir()
    folder.prepare([one])
    assert (folder.done(one), folder.done(two), folder.run(two).is_dir()) == (True, False, False)
    folder.prepare([one, two])
    assert folder.result(two).read_text(encoding="utf-8") == "two"
    assert folder.run(two).is_dir()


def test_a_refused_cell_refuses_those_that_take_its_model(folder):
    one = cell("one")
    two = cell("two", needs=one.key)
    cells = {some.key: some for some in (one, two)}
    assert (state(folder, one, cells), state(folder, two, cells)) == ("open", "waiting")
    folder.fail(one, "too few pairs")
    assert (state(folder, one, cells), state(folder, two, cells)) == ("refused", "refused")
    assert reason(folder, two, cells) == "its model is not there: one: too few pairs"
    folder.prepare([one, two])
    assert state(folder, one, cells) == "open"
    folder.result(one).write_text("", encoding="utf-8")
    assert state(folder, two, cells) == "open"
