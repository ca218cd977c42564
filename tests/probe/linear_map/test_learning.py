from dataclasses import replace

import numpy as np
import pytest
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.resampling import Interval
from polyglot.analysis.splits import group_folds
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map.config import LinearMapConfig
from polyglot.probe.linear_map.learning import learning_of, pairs_needed, round_numbers
from polyglot.probe.results.linear_map import LearningPoint, PairsNeeded

CONFIG = LinearMapConfig(resamples=200)
WIDTH = 24
TURN = np.linalg.qr(np.random.default_rng(3).standard_normal((80, 80)))[0]


def made(n=300, *, width=WIDTH, groups=None, noise=0.7, turn=None, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, width))
    weights = 0.5 * np.eye(width) + 0.5 * rng.standard_normal((width, width)) / np.sqrt(width)
    y = x @ (weights if turn is None else turn) + noise * rng.standard_normal((n, width))
    return Pairs.of_arrays(x, y, groups, names=("en", "fr"), same_space=True)


def learned(pairs):
    folds = group_folds(pairs.groups, 5, np.random.default_rng(0))
    return learning_of(Ladder(pairs.x, folds, rungs=("identity", "linear")).fit(pairs.y), pairs, CONFIG)


def test_the_curve_ends_at_all_training_pairs_and_goes_on_to_five_times_as_many():
    curve = learned(made())
    assert curve.points[-1].pairs == 240
    assert [p.pairs for p in curve.foreseen] == [300, 500, 700, 1000]
    values = [p.r2.value for p in curve.foreseen]
    assert values == sorted(values)
    assert values[0] > curve.points[-1].r2.value - 0.01
    last = curve.foreseen[-1].r2
    assert curve.sentence.startswith("With 1000 pairs like these, 4.2 times as many as were trained on, ")
    assert f"R² {last.low:.2f}–{last.high:.2f}" in curve.sentence
    assert curve.sentence.endswith("What search would gain (P@1) cannot be said.")
    assert curve.limit is None


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (made(n=240), "192 training pairs are too few for vectors of 24 columns"),
        (made(width=250), "240 training pairs are too few for vectors of 250 columns"),
        (made(noise=0.7, turn=np.zeros((WIDTH, WIDTH))), "no map was found"),
        (made(groups=np.arange(300) // 2), "only 150 groups"),
        (made(width=80, noise=1.0, turn=TURN), "leans on a rotation"),
    ],
)
def test_what_cannot_be_said_is_not_said(pairs, reason):
    curve = learned(pairs)
    assert curve.foreseen == ()
    assert curve.needed is None
    assert curve.sentence.startswith("What more pairs would bring cannot be said: ")
    assert reason in curve.sentence


def point(pairs, low, high):
    return LearningPoint(pairs, Interval((low + high) / 2, low, high))


def test_pairs_are_needed_from_where_the_upper_limit_reaches_to_where_the_lower_one_does():
    points = (point(1000, 0.30, 0.34), point(2000, 0.35, 0.37), point(4000, 0.39, 0.41))
    assert pairs_needed(points) == PairsNeeded(0.35, 1200, 2000)


def test_smaller_steps_are_taken_where_no_large_one_is_surely_reached():
    assert pairs_needed((point(1000, 0.31, 0.33), point(5000, 0.345, 0.36))).r2 == 0.34
    assert pairs_needed((point(1000, 0.31, 0.33), point(5000, 0.32, 0.34))) is None


def test_numbers_of_pairs_are_round():
    assert round_numbers(1200, 6000) == [1500, 2000, 3000, 5000]
    assert round_numbers(7000, 35_000) == [10_000, 15_000, 20_000, 30_000]


def test_the_same_pairs_foresee_the_same():
    pairs = made()
    assert learned(pairs) == learned(replace(pairs))
