"""Ctrl-C: one line, exit code 130 within seconds, nothing half written; the same command then completes."""

import os
import signal
import time

import pytest

from .conftest import files_in, result_of, wait_for

PROMPT_SECONDS = 30  # a run that ignored the signal would take 60


@pytest.fixture
def commands(command, certificate):
    return {"retrieval": command, "linear-map": certificate}


@pytest.mark.parametrize(
    ("probe", "point"), [("retrieval", "wait_in_second_block"), ("linear-map", "wait_in_the_null")]
)
def test_an_interrupt_ends_the_run_at_once(polyglot, commands, undisturbed, tmp_path, probe, point):
    command, flag = commands[probe], tmp_path / "reached"
    run = polyglot.start(tmp_path, *command, **{point: str(flag)})
    wait_for(flag)
    start = time.monotonic()
    os.kill(run.process, signal.SIGINT)
    assert run.wait() == 130
    assert time.monotonic() - start < PROMPT_SECONDS
    assert (run.out, run.err) == ("", "interrupted\n")
    assert files_in(tmp_path / "reports") == []
    assert not list(tmp_path.rglob(".*.part"))
    code, again = polyglot.run(tmp_path, *command)
    assert code == 0, again.err
    assert result_of(tmp_path, probe) == result_of(undisturbed, probe)
