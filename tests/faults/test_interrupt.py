"""Ctrl-C: one line, exit code 130 within seconds, nothing half written; the same command then completes."""

import os
import signal
import time

import pytest

from .conftest import files_in, result_of, wait_for

PROMPT_SECONDS = 30  # a run that ignored the signal would take 60


@pytest.mark.parametrize("point", ["wait_in_second_block", "wait_in_the_null"])
def test_an_interrupt_ends_the_run_at_once(polyglot, command, undisturbed, tmp_path, point):
    flag = tmp_path / "reached"
    run = polyglot.start(tmp_path, *command, **{point: str(flag)})
    wait_for(flag)
    start = time.monotonic()
    os.kill(run.process, signal.SIGINT)
    assert run.wait() == 130
    assert time.monotonic() - start < PROMPT_SECONDS
    assert (run.out, run.err) == ("", "interrupted\n")
    assert files_in(tmp_path / "reports") == []
    assert not list(tmp_path.rglob(".tmp-*"))
    code, again = polyglot.run(tmp_path, *command)
    assert code == 0, again.err
    assert result_of(tmp_path) == result_of(undisturbed)
