"""Killed without warning at any point, the same command completes and says what an undisturbed run says."""

import os
import signal

import pytest

from .conftest import files_in, result_of

POINTS = (
    "kill_in_third_block",
    "kill_while_a_shard_is_written",
    "kill_while_the_result_is_written",
    "kill_while_the_page_is_written",
)


@pytest.mark.parametrize("point", POINTS)
def test_the_same_command_completes_after_a_kill(polyglot, command, undisturbed, tmp_path, point):
    code, _ = polyglot.run(tmp_path, *command, **{point: True})
    assert code == -signal.SIGKILL
    folder = tmp_path / "reports" / "retrieval"
    assert not (folder / "en-fr.html").exists()
    for leftover in folder.glob(".*"):
        os.utime(leftover, (0, 0))  # an hour and more has passed
    code, again = polyglot.run(tmp_path, *command)
    assert code == 0, again.err
    assert result_of(tmp_path) == result_of(undisturbed)
    assert files_in(folder) == ["en-fr.html", "en-fr.json"]


def test_the_same_command_completes_after_a_kill_in_the_computation(polyglot, certificate, undisturbed, tmp_path):
    code, _ = polyglot.run(tmp_path, *certificate, kill_in_the_null=True)
    assert code == -signal.SIGKILL
    assert files_in(tmp_path / "reports") == []
    code, again = polyglot.run(tmp_path, *certificate)
    assert code == 0, again.err
    assert result_of(tmp_path, "linear-map") == result_of(undisturbed, "linear-map")
