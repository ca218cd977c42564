"""`torchrun` shares a probe's encoding between processes; the result is that of one process."""

import os
import subprocess
import sys

import pytest

from .conftest import files_in, result_of
from .nearness import assert_near

#: The launcher itself is the real one; the wrapper makes shards and measurements small, and counts.
WRAPPER = """
import functools, os, signal, sys
from polyglot.cli import main
from polyglot.models import embeddings, encoder
from polyglot.probe.linear_map import config as linear_map_config
from polyglot.probe.retrieval import search as retrieval_search
embeddings.BLOCK_TEXTS = 64
quick = {"power_replicates": 0, "failure": False, "resamples": 100}
linear_map_config.LinearMapConfig = functools.partial(linear_map_config.LinearMapConfig, **quick)
encode = encoder.Encoder.encode_block
def counted(self, texts, **options):
    if os.environ["RANK"] == os.environ.get("DIES"):
        os.kill(os.getpid(), signal.SIGKILL)
    with open(os.environ["COUNTS"] + os.environ["RANK"], "a") as file:
        file.write(f"{len(texts)}\\n")
    return encode(self, texts, **options)
encoder.Encoder.encode_block = counted
rank_all = retrieval_search.match_ranks
def searched(queries, candidates, *rest, **options):
    with open(os.environ["COUNTS"].replace("encoded", "searched") + os.environ["RANK"], "a") as file:
        file.write(f"{len(candidates)} of {len(queries)}\\n")
    return rank_all(queries, candidates, *rest, **options)
retrieval_search.match_ranks = searched
sys.argv = ["polyglot", *sys.argv[1:]]
main()
"""


def launch(folder, *arguments, processes=2, dies=""):
    """Run the command line under torchrun on this machine and return what is said."""
    wrapper = folder / "wrapper.py"
    wrapper.write_text(WRAPPER, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes),
               str(wrapper), *map(str, arguments)]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "POLYGLOT_CACHE": str(folder / "cache"),
                   "COUNTS": str(folder / "encoded-by-"), "DIES": dies}  # fmt: skip
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_two_processes_say_what_one_says(certificate, undisturbed, tmp_path):
    done = launch(tmp_path, *certificate)
    assert done.returncode == 0, done.stderr
    shares = [(tmp_path / f"encoded-by-{rank}").read_text().split() for rank in range(2)]
    assert [len(share) for share in shares] == [4, 4]
    assert len(done.stdout.splitlines()) == 5
    assert files_in(tmp_path / "reports") == ["linear-map/en-fr.html", "linear-map/en-fr.json"]
    assert_near(result_of(tmp_path, "linear-map"), result_of(undisturbed, "linear-map"), 1e-9)


@pytest.mark.slow
def test_candidates_of_a_search_are_shared_too(command, undisturbed, tmp_path):
    done = launch(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    looked = [(tmp_path / f"searched-by-{rank}").read_text().splitlines() for rank in range(2)]
    assert looked == [["100 of 200"] * 2] * 2
    assert len(done.stdout.splitlines()) == 2
    assert_near(result_of(tmp_path), result_of(undisturbed), 1e-9)


@pytest.mark.slow
def test_where_one_process_dies_the_run_ends_and_the_same_command_completes(certificate, undisturbed, tmp_path):
    done = launch(tmp_path, *certificate, dies="1")
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr or "-9" in done.stderr
    assert files_in(tmp_path / "reports") == []
    done = launch(tmp_path, *certificate)
    assert done.returncode == 0, done.stderr
    assert_near(result_of(tmp_path, "linear-map"), result_of(undisturbed, "linear-map"), 1e-9)
