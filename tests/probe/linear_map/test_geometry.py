"""The geometry verdict in the result: instruments in, a sentence out."""

import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map.config import LinearMapConfig
from polyglot.probe.linear_map.geometry import geometry_of, sampled_geometry
from polyglot.probe.linear_map.run import measure
from polyglot.probe.results.linear_map import LinearMapResult
from polyglot.probe.results.serialization import from_json, to_json

QUICK = LinearMapConfig(
    permutations=4, costly_permutations=1, resamples=200, power_replicates=0, failure=False, same_space=True
)
RUNGS = {"rungs": ("identity", "shift", "rotation", "linear")}


@pytest.fixture(scope="module")
def views():
    """A rotation between two noisy sides, and two instruments, d = 16."""
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((600, 16)) / np.sqrt(np.arange(1, 17))
    noise = 0.35 * meaning.std()
    rotation = np.linalg.qr(rng.standard_normal((16, 16)))[0]
    turns = [np.eye(16), rotation, *(np.linalg.qr(rng.standard_normal((16, 16)))[0] for _ in range(2))]
    return [meaning @ turn + noise * rng.standard_normal(meaning.shape) for turn in turns]


def test_instruments_give_a_verdict_on_geometry_that_reads_back(views):
    x, y, first, second = views
    config = LinearMapConfig(**{**{f: getattr(QUICK, f) for f in QUICK.__slots__}, **RUNGS})
    result = measure(x, y, config=config, instruments={"de": first, "es": second}, names=("fr", "en"))
    geometry = result.directions[0].geometry
    assert geometry.verdict in ("rotation", "undecided")
    assert geometry.instruments == ("de", "es")
    assert geometry.shares["rotation"].value > 0.95 > geometry.shares["shift"].value
    assert geometry.sentence.startswith("Geometry, fr → en: ")
    assert from_json(to_json(result), LinearMapResult).directions[0].geometry == geometry


def test_without_instruments_there_is_no_verdict_on_geometry(views):
    pairs = Pairs.of_arrays(views[0], views[1], None, names=("fr", "en"), same_space=True)
    assert geometry_of(pairs, {}, QUICK) is None


def test_a_language_that_the_model_cannot_read_gets_no_verdict(views):
    from dataclasses import replace

    pairs = Pairs.of_arrays(views[0], views[1], None, names=("fr", "en"), same_space=True)
    found = geometry_of(replace(pairs, unknown=(0.31, 0.0)), {"de": views[2]}, QUICK)
    assert found.verdict == "undecided"
    assert "31% of the fr tokens are unknown" in found.sentence


def test_instruments_of_other_rows_are_refused(views):
    with pytest.raises(DataError, match="de"):
        measure(views[0], views[1], config=QUICK, instruments={"de": views[2][:100]})


def test_a_sample_is_judged_on_few_of_its_pairs(views, monkeypatch):
    monkeypatch.setattr("polyglot.probe.linear_map.geometry.SAMPLED_ROWS", 300)
    x, y, first, second = views
    groups = np.arange(600) // 2
    pairs = Pairs.of_arrays(x, y, groups, names=("fr", "en"), same_space=True)
    seen = {"de": first, "es": second}
    found = sampled_geometry(pairs, seen, QUICK)
    assert found.rows == 300
    assert found.shares["rotation"].value == pytest.approx(1, abs=0.05)
    assert sampled_geometry(pairs, {}, QUICK) is None
    monkeypatch.setattr("polyglot.probe.linear_map.geometry.SAMPLED_ROWS", 600)
    assert sampled_geometry(pairs, seen, QUICK) == geometry_of(pairs, seen, QUICK)
