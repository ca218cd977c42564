"""The same seed gives the same result: to the bit in one setting, to 1e-6 with another number of threads."""

import os
import subprocess
import sys

import numpy as np
import pytest

from .conftest import result_of
from .nearness import assert_near


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """A probe of small vectors: a rotation with noise and some curvature."""
    folder = tmp_path_factory.mktemp("vectors")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 4))
    y = x @ np.linalg.qr(rng.standard_normal((4, 4)))[0] + 0.2 * x**2 + 0.2 * rng.standard_normal((80, 4))
    for name, rows in (("en", x), ("fr", y)):
        np.save(folder / f"{name}.npy", rows.astype(np.float32))
    return ["probe", "linear-map", "--vectors", folder / "en.npy", folder / "fr.npy", "--permutations", "2",
            "--format", "json", "--quiet", "--out", "reports"]  # fmt: skip


def test_the_same_seed_gives_equal_json(polyglot, probe, tmp_path):
    folders = [tmp_path / name for name in ("one", "other", "third")]
    for folder, seed in zip(folders, ("3", "3", "4"), strict=True):
        code, run = polyglot.run(folder, *probe, "--seed", seed)
        assert code == 0, run.err
    assert result_of(folders[0], "linear-map") == result_of(folders[1], "linear-map")
    assert result_of(folders[0], "linear-map") != result_of(folders[2], "linear-map")


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing_that_counts(probe, tmp_path):
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        (tmp_path / threads).mkdir()
        subprocess.run(
            [sys.executable, "-m", "polyglot", *map(str, probe)],
            cwd=tmp_path / threads,
            env={**os.environ, **dict.fromkeys(names, threads)},
            capture_output=True,
            check=True,
        )
    one, two = (result_of(tmp_path / threads, "linear-map") for threads in ("1", "2"))
    assert_near(one, two, 1e-6)
    verdicts = [d["certificate"]["verdict"] for result in (one, two) for d in result["directions"]]
    assert verdicts[:2] == verdicts[2:]
