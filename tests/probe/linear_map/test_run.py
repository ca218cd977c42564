import json

import numpy as np
import pytest
from polyglot.errors import DataError
from polyglot.files import open_matrix
from polyglot.probe.linear_map.run import LinearMapConfig, measure, measure_files
from polyglot.probe.results.linear_map import SCHEMA, LinearMapResult
from polyglot.probe.results.provenance import VOLATILE
from polyglot.probe.results.serialization import from_json, read_schema, to_json

QUICK = LinearMapConfig(permutations=4, costly_permutations=1, resamples=200, power_replicates=0, failure=False)


CLOSED = ("identity", "shift", "rotation", "similarity", "linear")


def pairs(n=100, p=4, q=4, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) + 1
    return x, x @ rng.standard_normal((p, q)) + noise * rng.standard_normal((n, q))


def settled(result):
    """Return the JSON without what differs between runs: time, host and seconds."""
    value = json.loads(to_json(result))
    for name in VOLATILE:
        value["provenance"].pop(name)
    return json.dumps(value)


@pytest.fixture(scope="module")
def full():
    """A result with everything in it."""
    x, y = pairs(n=90, p=3, q=3)
    config = LinearMapConfig(
        permutations=3, costly_permutations=1, resamples=100, power_replicates=2, same_space=True, seed=5
    )
    return measure(x, y, config=config, names=("en", "fr"), command="polyglot probe linear-map")


def test_a_result_survives_its_json(full):
    text = to_json(full)
    assert read_schema(text) == SCHEMA == full.schema
    again = from_json(text, LinearMapResult)
    assert to_json(again) == text
    assert again.directions[0].certificate.verdict == full.directions[0].certificate.verdict
    assert isinstance(again.directions[1].rungs["linear"].backward.mrr.low, float)


def test_readers_of_version_1_ignore_what_they_do_not_know(full):
    value = json.loads(to_json(full))
    value["directions"][0]["certificate"]["added_later"] = {"a": 1}
    assert to_json(from_json(json.dumps(value), LinearMapResult)) == to_json(full)
    del value["directions"][1]["certificate"]["verdict"]
    with pytest.raises(DataError, match=r"directions\[1\].certificate has no 'verdict'"):
        from_json(json.dumps(value), LinearMapResult)


def test_everything_is_there(full):
    forward, backward = full.directions
    assert (forward.source, forward.target, backward.source, backward.target) == ("en", "fr", "fr", "en")
    assert forward.certificate.verdict == "linear"
    for direction in full.directions:
        assert set(direction.rungs) == {*QUICK.rungs}
        assert direction.learning_curve is not None
        assert direction.anatomy is not None
        assert len(direction.choices) == direction.folds == 5
        assert (direction.n, direction.groups, direction.pool, direction.dims) == (90, 90, 90, (3, 3))
        assert direction.certificate.power
        linear = direction.rungs["linear"]
        assert linear.r2_refitted.value == pytest.approx(linear.r2.value, abs=1e-6)
        assert linear.r2.null_p95 < linear.r2.low
        assert any("200" in w or "candidates" in w for w in direction.warnings)
    assert full.provenance.seed == 5
    assert full.provenance.corpus == "arrays"


def test_equal_inputs_and_seeds_give_equal_bytes():
    x, y = pairs(n=60, p=3, q=3)
    reseeded = LinearMapConfig(**as_fields(QUICK, seed=1))
    a, b, other = (measure(x, y, config=config) for config in (QUICK, QUICK, reseeded))
    assert settled(a) == settled(b)
    assert settled(a) != settled(other)


def as_fields(config, **changes):
    return {name: getattr(config, name) for name in config.__dataclass_fields__} | changes


@pytest.mark.parametrize("kind", ["identity", "shift", "rotation", "similarity", "linear"])
def test_noiseless_relations_are_named(kind):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 4)) + 1
    q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    y = {
        "identity": x,
        "shift": x + 3,
        "rotation": x @ q,
        "similarity": 0.4 * x @ q,
        "linear": x @ rng.standard_normal((4, 4)),
    }[kind]
    config = LinearMapConfig(**as_fields(QUICK, same_space=True, rungs=CLOSED))
    result = measure(x, y, config=config)
    assert [d.certificate.verdict for d in result.directions] == [kind, kind]
    assert result.directions[0].rungs[kind].p_at_1.value == 1.0


def test_independent_sides_have_no_map_by_either_score():
    rng = np.random.default_rng(1)
    result = measure(rng.standard_normal((150, 5)), rng.standard_normal((150, 5)), config=QUICK)
    for direction in result.directions:
        assert direction.certificate.verdict == "no map"
        assert direction.certificate.retrieval_verdict == "no map"
        assert direction.certificate.curvature_gain is None


def test_identity_and_shift_need_one_space():
    x, y = pairs()
    direction = measure(x, y, config=QUICK).directions[0]
    assert set(direction.absent) == {"identity", "shift"}
    assert "--same-space" in direction.absent["shift"]


@pytest.mark.parametrize(("n", "p", "q"), [(60, 1, 1), (60, 24, 48), (60, 70, 70)])
def test_any_shape_is_measured(n, p, q):
    x, y = pairs(n, p, q)
    result = measure(x, y, config=QUICK)
    assert [d.dims for d in result.directions] == [(p, q), (q, p)]
    assert all(np.isfinite(d.rungs["linear"].r2.value) for d in result.directions)
    few = [any("fewer than two pairs a dimension" in w for w in d.warnings) for d in result.directions]
    assert few == [n < 2 * max(p, q)] * 2


def test_repeated_rows_share_a_fold_and_are_counted():
    x, y = pairs(n=100)
    direction = measure(np.vstack([x, x[:20]]), np.vstack([y, y[:20]]), config=QUICK).directions[0]
    assert (direction.n, direction.groups, direction.pool) == (120, 100, 100)
    assert any("20 of 120 pairs repeat" in w for w in direction.warnings)


def test_repeating_every_row_changes_no_verdict_and_no_interval_much():
    x, y = pairs(n=100)
    config = LinearMapConfig(**as_fields(QUICK, rungs=CLOSED))
    sides = [(x, y), (np.repeat(x, 2, axis=0), np.repeat(y, 2, axis=0))]
    once, twice = (measure(*side, config=config).directions[0].rungs["linear"].r2 for side in sides)
    assert twice.value == pytest.approx(once.value, abs=0.02)
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.5)


def test_an_outlier_and_a_constant_column_are_survived():
    x, y = pairs()
    x[3], y[3] = 30 * x[3], 30 * y[3]
    x[:, 2] = 5.0
    direction = measure(x, y, config=QUICK).directions[0]
    assert all(np.isfinite([r.r2.value, r.r2.low, r.r2.high]).all() for r in direction.rungs.values())


def test_few_large_groups_are_survived():
    x, y = pairs(n=120)
    config = LinearMapConfig(**as_fields(QUICK, failure=True, rungs=CLOSED))
    direction = measure(x, y, np.arange(120) % 6, config).directions[0]
    assert direction.groups == 6
    with pytest.raises(DataError, match="at least 5 groups"):
        measure(x, y, np.arange(120) % 4, config)


def test_files_are_measured_like_arrays(tmp_path):
    x, y = (side.astype(np.float16) for side in pairs())
    for name, side in (("en", x), ("fr", y)):
        np.save(tmp_path / f"{name}.npy", side)
    assert isinstance(open_matrix(tmp_path / "en.npy"), np.memmap)
    found = measure_files(tmp_path / "en.npy", tmp_path / "fr.npy", QUICK)
    assert settled(found) == settled(measure(x, y, config=QUICK, names=("en", "fr")))


def test_files_that_hold_no_matrix_are_refused(tmp_path):
    (tmp_path / "text.npy").write_text("hello")
    np.save(tmp_path / "whole.npy", np.ones((3, 3), int))
    np.save(tmp_path / "line.npy", np.ones(3))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "several.npz", a=np.ones((3, 3)))
    for name, message in (
        ("absent.npy", "no such file"),
        ("text.npy", r"is no \.npy file"),
        ("objects.npy", "cannot read"),
        ("whole.npy", r"\.npy matrix of floats, got .* of int64"),
        ("line.npy", "matrix of floats, got"),
        ("several.npz", "an archive of several arrays"),
    ):
        with pytest.raises(DataError, match=message):
            open_matrix(tmp_path / name)
