"""More pairs than `exact_rows`: closed-form maps of all of them equal the exact ladder's, the rest is of a sample."""

import dataclasses
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from polyglot.analysis.certificate.equivalence import SharedErrors
from polyglot.errors import ConfigError, DataError
from polyglot.probe.linear_map.run import LinearMapConfig, measure, measure_files
from polyglot.probe.linear_map.streamed import fit_and_sample, with_curved_rungs
from polyglot.probe.results.linear_map import LinearMapResult
from polyglot.probe.results.serialization import from_json, to_json

CLOSED = ("identity", "shift", "rotation", "similarity", "low_rank", "linear")
QUICK = LinearMapConfig(
    permutations=3,
    costly_permutations=1,
    resamples=200,
    power_replicates=0,
    failure=False,
    controls=False,
    same_space=True,
    rungs=CLOSED,
    exact_rows=300,
)


def planted(kind, n=2000, d=16, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) + 1
    y = {
        "shift": lambda: x + 3,
        "rotation": lambda: x @ np.linalg.qr(rng.standard_normal((d, d)))[0],
        "linear": lambda: x @ rng.standard_normal((d, d)),
        "no map": lambda: rng.standard_normal((n, d)),
    }[kind]()
    return x, y + noise * rng.standard_normal((n, d))


@pytest.fixture(scope="module")
def linear():
    x, y = planted("linear")
    x[500:520], y[500:520] = x[:20], y[:20]
    return x, y, measure(x, y, config=QUICK)


def test_the_sample_is_measured_and_everything_is_beside_it(linear):
    result = linear[2]
    assert from_json(to_json(result), LinearMapResult) == result
    for direction in result.directions:
        streamed = direction.streamed
        assert (streamed.n, streamed.groups, streamed.blocks) == (2000, 1980, 100)
        assert streamed.sample == direction.n <= 300
        assert set(streamed.r2) == set(streamed.gaps) == set(CLOSED)
        assert len(streamed.choices) == 5
        for rung, r2 in streamed.r2.items():
            assert r2.low <= r2.value <= r2.high
            gap = streamed.gaps[rung]
            assert gap.value == pytest.approx(r2.value - direction.rungs[rung].r2.value)
        assert "all 2000 pairs, others of a sample of" in streamed.sentence


def test_r2_of_all_pairs_is_that_of_the_exact_ladder(linear):
    x, y, result = linear
    exact = measure(x, y, config=dataclasses.replace(QUICK, exact_rows=2000))
    for all_of_them, direction in zip(result.directions, exact.directions, strict=True):
        assert direction.streamed is None
        assert direction.n == 2000
        for rung, scores in direction.rungs.items():
            found = all_of_them.streamed.r2[rung]
            assert found.value == pytest.approx(scores.r2.value, abs=1e-8)
            width = scores.r2.high - scores.r2.low
            assert found.high - found.low == pytest.approx(width, rel=0.4)
        assert all_of_them.streamed.verdict == direction.certificate.verdict
        assert [c.rank for c in all_of_them.streamed.choices] == [c.rank for c in direction.choices]


@pytest.mark.parametrize("kind", ["shift", "rotation", "linear", "no map"])
def test_planted_maps_are_named(kind):
    x, y = planted(kind)
    result = measure(x.astype(np.float32), y.astype(np.float32), config=QUICK)
    assert [d.streamed.verdict for d in result.directions] == [kind, kind]


def test_a_curved_map_is_named_by_what_it_gains_in_the_sample():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 3))
    y = np.column_stack([x[:, 0] ** 2, x[:, 1] * x[:, 2], x[:, 0]]) + 0.05 * rng.standard_normal((2000, 3))
    config = dataclasses.replace(QUICK, rungs=(*CLOSED, "nonlinear"))
    forward = measure(x, y, config=config).directions[0]
    assert forward.streamed.verdict == "nonlinear"
    assert forward.streamed.ceiling == "nonlinear"
    assert "nonlinear" not in forward.streamed.r2


def test_gains_in_the_sample_are_added_to_the_best_of_all_pairs():
    closed = SharedErrors(("shift", "linear"), np.array([0.2, 0.6]), np.array([[0.3, 0.5], [0.1, 0.7]]))
    sample = SharedErrors(("shift", "linear", "local"), np.array([0.3, 0.5, 0.6]), np.array([[0, 0.4, 0.7]] * 2))
    both = with_curved_rungs(closed, sample)
    assert both.names == ("shift", "linear", "local")
    np.testing.assert_allclose(both.r2, [0.2, 0.6, 0.7])
    np.testing.assert_allclose(both.resampled[:, 2], [0.8, 1.0])
    np.testing.assert_array_equal(both.resampled[:, :2], closed.resampled)


def test_files_are_read_as_arrays_are(tmp_path):
    x, y = (side.astype(np.float32) for side in planted("rotation"))
    for name, side in {"x": x, "y": y}.items():
        np.save(tmp_path / f"{name}.npy", side)
    files = measure_files(tmp_path / "x.npy", tmp_path / "y.npy", QUICK)
    arrays = measure(x, y, config=QUICK)
    assert files.directions == arrays.directions
    assert files.provenance.corpus_fingerprint == arrays.provenance.corpus_fingerprint


def test_given_groups_stay_together():
    x, y = planted("linear")
    groups = np.arange(2000) // 4
    found = fit_and_sample(x, y, groups, QUICK, same_space=True)
    assert [len(np.unique(found.groups)), len(found.rows)] == [75, 300]
    np.testing.assert_array_equal(np.bincount(found.groups)[np.unique(found.groups)], 4)
    assert found.fits[0].groups == 500


def test_instruments_are_taken_at_the_rows_of_the_sample():
    x, y = planted("rotation")
    seen = x + 0.3 * np.random.default_rng(5).standard_normal(x.shape)
    config = dataclasses.replace(QUICK, exact_rows=500)
    result = measure(x, y, config=config, instruments={"z": seen})
    for direction in result.directions:
        assert direction.geometry.shares["linear"].value == pytest.approx(1, abs=0.05)
        assert set(direction.streamed.latent) == {"identity", "shift", "rotation", "similarity", "linear"}
        for rung, share in direction.streamed.latent.items():
            assert share.value == pytest.approx(direction.geometry.shares[rung].value, rel=0.15)
        assert direction.streamed.latent["rotation"].value == pytest.approx(1, abs=0.02)
    alone = measure(x, y, config=config)
    for with_them, without in zip(result.directions, alone.directions, strict=True):
        assert without.streamed.latent == {}
        for rung, r2 in without.streamed.r2.items():
            assert with_them.streamed.r2[rung].value == pytest.approx(r2.value, abs=1e-9)


def test_instruments_of_other_rows_are_refused():
    x, y = planted("rotation")
    with pytest.raises(DataError, match="expected 2000 rows of every instrument, got 1999"):
        measure(x, y, config=QUICK, instruments={"z": x[1:]})


def test_rows_that_cannot_be_measured_are_refused():
    x, y = planted("linear")
    same = np.ones_like(y)
    with pytest.raises(DataError, match="all target rows are the same vector"):
        measure(x, same, config=QUICK)
    with pytest.raises(DataError, match="one row a pair"):
        measure(x, y[:1500], config=QUICK)
    with pytest.raises(DataError, match="a group for each of 2000 rows"):
        measure(x, y, np.arange(5), config=QUICK)


def test_too_small_a_sample_is_refused():
    with pytest.raises(ConfigError, match="--exact-rows must be at least 50, got 49"):
        LinearMapConfig(exact_rows=49)


PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
from polyglot.distributed import ProcessDone, Processes
from polyglot.probe.linear_map.run import LinearMapConfig, measure_files
from polyglot.probe.linear_map.streamed import fit_and_sample
from polyglot.probe.results.serialization import to_json

folder = Path(sys.argv[1])
config = LinearMapConfig(permutations=3, costly_permutations=1, resamples=200, power_replicates=0, failure=False,
    controls=False, same_space=True, rungs=("shift", "rotation", "low_rank", "linear"), exact_rows=300)
here = Processes.current()
x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
found = fit_and_sample(x, y, None, config, same_space=True, instruments={"z": x[:, :9] + y[:, 2:11]}, processes=here)
shares = [{rung: [s.value, s.low, s.high] for rung, s in one.latent.items()} for one in found.fits]
(folder / f"latent-{here.rank}.json").write_text(json.dumps(shares))
try:
    result = measure_files(folder / "x.npy", folder / "y.npy", config, processes=here)
except ProcessDone:
    (folder / f"done-{here.rank}").touch()
else:
    (folder / f"result-{here.rank}.json").write_text(to_json(result))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_processes_find_what_one_finds(tmp_path):
    x, y = (side.astype(np.float32) for side in planted("linear", n=6000))
    x[3000:3010], y[3000:3010] = x[:10], y[:10]  # repeats that one process alone does not see
    for name, side in {"x": x, "y": y}.items():
        np.save(tmp_path / f"{name}.npy", side)
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    running = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], env={**shared, "RANK": str(rank)})
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=120) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
    assert (tmp_path / "done-1").is_file()
    both = from_json((tmp_path / "result-0.json").read_text(), LinearMapResult)
    config = dataclasses.replace(QUICK, rungs=("shift", "rotation", "low_rank", "linear"))
    one = measure_files(tmp_path / "x.npy", tmp_path / "y.npy", config)
    assert both.provenance.corpus_fingerprint == one.provenance.corpus_fingerprint
    seen = {"z": x[:, :9] + y[:, 2:11]}
    found = fit_and_sample(x, y, None, config, same_space=True, instruments=seen)
    for rank in range(2):
        for shares, fit in zip(json.loads((tmp_path / f"latent-{rank}.json").read_text()), found.fits, strict=True):
            assert len(shares) == 5
            for rung, share in fit.latent.items():
                assert shares[rung] == pytest.approx([share.value, share.low, share.high], abs=1e-9)
    for a, b in zip(both.directions, one.directions, strict=True):
        assert a.streamed.groups == b.streamed.groups == 5990
        assert a.streamed.sample == b.streamed.sample
        for rung, r2 in b.streamed.r2.items():
            found = a.streamed.r2[rung]
            assert (found.value, found.low, found.high) == pytest.approx((r2.value, r2.low, r2.high), abs=1e-9)
            assert a.rungs[rung].r2.value == pytest.approx(b.rungs[rung].r2.value, abs=1e-9)
