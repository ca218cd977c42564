"""Whether a map helps search, apart from geometry."""

import numpy as np
import pytest
from polyglot.analysis.certificate.equivalence import decide_retrieval
from polyglot.analysis.certificate.permutation import NullPlan
from polyglot.analysis.resampling import Resamples
from polyglot.probe.experiment.held_out import fit_held_out, permuted_scores
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map.direction import by_search
from polyglot.probe.linear_map.use import chosen_rung, use_of, use_verdict
from polyglot.probe.results.intervals import Interval

RUNGS = ("identity", "shift", "rotation", "linear")


def use(x, y, *, same_space=True):
    pairs = Pairs.of_arrays(x, y, None, names=("fr", "en"), same_space=same_space)
    held_out = fit_held_out(pairs, RUNGS, folds=4, resamples=200, seed=0)
    null = permuted_scores(held_out, pairs, NullPlan(4, 2, 1))
    return use_of(held_out, len(pairs.pool.rows), pairs.names, by_search(held_out, null), null.p_at_1_p95)


@pytest.fixture
def rows():
    return np.random.default_rng(0).standard_normal((300, 8))


def test_a_rotated_space_is_helped_by_a_rotation(rows):
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((8, 8)))[0]
    found = use(rows, rows @ rotation + 0.05 * np.random.default_rng(2).standard_normal(rows.shape))
    assert (found.verdict, found.best) == ("a map helps", "rotation")
    assert found.gain.low > 0.8
    assert found.p_at_1["best"].value - found.p_at_1["no map"].value == pytest.approx(found.gain.value)
    assert "a rotation finds" in found.sentence
    assert "among 300" in found.sentence


def test_a_shared_space_needs_no_map(rows):
    found = use(rows, rows + 0.01 * np.random.default_rng(2).standard_normal(rows.shape))
    assert found.verdict == "no map needed"
    assert found.gain.high < 0.01


def test_independent_sides_are_helped_by_no_map(rows):
    found = use(rows, np.random.default_rng(3).standard_normal(rows.shape))
    assert found.verdict == "no map helps"


def test_between_spaces_there_is_no_search_without_a_map(rows):
    found = use(rows, rows @ np.random.default_rng(1).standard_normal((8, 5)), same_space=False)
    assert found.verdict == "a map helps"
    assert found.gain is None
    assert "no map" not in found.p_at_1


@pytest.mark.parametrize(
    ("low", "high", "without", "verdict"),
    [
        (0.001, 0.2, 0.5, "a map helps"),
        (-0.01, 0.02, 0.95, "undecided"),
        (-0.01, 0.005, 0.95, "no map needed"),
        (-0.01, 0.005, 0.3, "no map helps"),
    ],
)
def test_the_interval_of_the_gain_decides(low, high, without, verdict):
    scores = {"no map": Interval(without, without - 0.02, without + 0.02), "best": Interval(0.5, 0.4, 0.6)}
    assert use_verdict(scores, Interval((low + high) / 2, low, high), 0.01) == verdict


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ({"rotation": 50, "low_rank": 80, "linear": 60}, "low_rank"),
        ({"rotation": 50, "low_rank": 60, "linear": 80}, "linear"),
        ({"rotation": 50, "linear": 60, "local": 95, "nonlinear": 70}, "local"),
        ({"identity": 95, "shift": 94, "rotation": 96}, "rotation"),
        ({"identity": 95}, "identity"),
    ],
)
def test_the_map_is_the_one_that_finds_what_the_verdict_rests_on(found, chosen):
    hits = {rung: (np.arange(400) % 100 < share).astype(float) for rung, share in found.items()}
    resamples = Resamples.draw(np.arange(400), np.random.default_rng(0), 200)
    assert chosen_rung(decide_retrieval(hits, resamples), hits) == chosen
