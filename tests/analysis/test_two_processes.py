"""Two processes that talk through gloo find what one finds: moments summed, candidates in shards."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from polyglot.analysis.moments import SUMS, Moments
from polyglot.analysis.retrieval.criteria import CRITERIA
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.search import nearest
from polyglot.analysis.retrieval.shards import CandidateShards
from polyglot.analysis.similarity.streaming_cka import debiased_cka_from_moments
from polyglot.errors import ConfigError

CUTS = (64, 147)  # after the second, a shard is smaller than a neighbourhood
PROGRAM = f"""
import sys
from pathlib import Path
import numpy as np
import torch
import torch.distributed as dist
from polyglot.analysis.retrieval.shards import CandidateShards
from polyglot.analysis.moments import Moments
from polyglot.analysis.retrieval.criteria import CRITERIA
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.retrieval.search import nearest

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, folder = dist.get_rank(), Path(sys.argv[1])
data = np.load(folder / "data.npz")
x, y, groups = data["x"], data["y"], data["groups"]
for cut in {CUTS}:
    mine = slice(0, cut) if rank == 0 else slice(cut, None)
    whole = Moments.from_arrays(x[mine], y[mine], centres=(data["centre_x"], data["centre_y"])).all_reduce()
    whole.save(folder / f"moments-{{cut}}-{{rank}}")
    ways = match_ranks(x, y[mine], groups, groups[mine], margin=True, tile_side=32, shards=CandidateShards())
    found = {{f"{{way}} {{c}}": r.of(c) for way, r in zip(("forward", "backward"), ways) for c in CRITERIA}}
    for c in CRITERIA if cut == {CUTS[0]} else ():
        shards = CandidateShards(mine.start or 0)
        scores, places = nearest(x, y[mine], k=5, criterion=c, tile_side=32, shards=shards)
        found |= {{f"scores {{c}}": scores, f"places {{c}}": places}}
    np.savez(folder / f"found-{{cut}}-{{rank}}.npz", **found)
dist.destroy_process_group()
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((150, 8)).astype(np.float32)
    y = (0.5 * x + rng.standard_normal((150, 8))).astype(np.float32)
    groups = np.r_[np.arange(140), np.arange(10)]
    return {"x": x, "y": y, "groups": groups, "centre_x": x[:9].mean(axis=0), "centre_y": y[:9].mean(axis=0)}


@pytest.fixture(scope="module")
def found(data, tmp_path_factory):
    """The folder where two processes left what they found."""
    folder = tmp_path_factory.mktemp("two")
    np.savez(folder / "data.npz", **data)
    environment = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    running = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], env={**environment, "RANK": str(rank)})
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=120) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
    return folder


def test_gains_are_refused_over_shards(data):
    def gain(ranks):
        return 1.0 / ranks

    with pytest.raises(ConfigError, match="over shards"):
        match_ranks(
            data["x"],
            data["y"],
            data["groups"],
            data["groups"],
            gains={"p_at_1": ("cosine", gain)},
            shards=CandidateShards(),
        )


@pytest.mark.parametrize("cut", CUTS)
def test_moments_are_those_of_all_rows(data, found, cut):
    one = Moments.from_arrays(data["x"], data["y"], centres=(data["centre_x"], data["centre_y"]))
    for rank in range(2):
        both = Moments.load(found / f"moments-{cut}-{rank}")
        for name in SUMS:
            np.testing.assert_allclose(getattr(both, name), getattr(one, name), rtol=1e-5, atol=1e-4)
        assert debiased_cka_from_moments(both) == pytest.approx(debiased_cka_from_moments(one), abs=1e-6)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_ranks_are_those_among_all_candidates(data, found, cut, criterion):
    groups = data["groups"]
    forward, backward = match_ranks(data["x"], data["y"], groups, groups, margin=True, tile_side=32)
    parts = [np.load(found / f"found-{cut}-{rank}.npz") for rank in range(2)]
    for part in parts:
        np.testing.assert_array_equal(part[f"forward {criterion}"], forward.of(criterion))
    joined = np.concatenate([part[f"backward {criterion}"] for part in parts])
    np.testing.assert_array_equal(joined, backward.of(criterion))
    assert len(parts[0][f"backward {criterion}"]) == cut


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_nearest_are_those_of_all_candidates_in_every_process(data, found, criterion):
    scores, places = nearest(data["x"], data["y"], k=5, criterion=criterion, tile_side=32)
    for rank in range(2):
        part = np.load(found / f"found-{CUTS[0]}-{rank}.npz")
        np.testing.assert_array_equal(part[f"places {criterion}"], places)
        np.testing.assert_allclose(part[f"scores {criterion}"], scores, atol=1e-6)
