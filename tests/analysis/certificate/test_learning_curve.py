import numpy as np
import pytest
from polyglot.analysis.certificate.learning_curve import CurvePlan, PointScores, learning_curve
from polyglot.analysis.maps.ladder import Ladder


def pairs(n=400, d=12, noise=3.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, x @ rng.standard_normal((d, d)) + noise * rng.standard_normal((n, d)), np.arange(n)


def test_more_pairs_predict_better_and_the_null_does_not():
    points = learning_curve(*pairs())
    values = [p.r2.value for p in points]
    assert values[-1] > values[0] + 0.05
    assert [p.pairs for p in points] == sorted(p.pairs for p in points)
    assert (points[0].pairs, points[-1].pairs) == (48, 320)
    assert all(p.r2.low < p.r2.value < p.r2.high for p in points)
    assert all(p.r2.null_mean < 0.05 for p in points)


def test_the_last_point_is_the_ridge_rung_on_all_pairs():
    x, y, groups = pairs(n=200)
    last = learning_curve(x, y, groups)[-1].r2.value
    fit = Ladder(x, np.random.default_rng(5).permutation(np.arange(200) % 5), rungs=("linear",)).fit(y)
    other = 1 - np.sum((y - fit.predictions["linear"]) ** 2) / np.sum((y - fit.reference) ** 2)
    assert last == pytest.approx(other, abs=0.03)


def test_the_same_seed_gives_the_same_curve():
    assert [p.r2 for p in learning_curve(*pairs(n=120), CurvePlan(seed=3))] == [
        p.r2 for p in learning_curve(*pairs(n=120), CurvePlan(seed=3))
    ]


@pytest.mark.parametrize(("n", "sizes"), [(50, [40]), (60, [48]), (61, [48, 49])])
def test_the_smallest_corpora_have_few_points(n, sizes):
    points = learning_curve(*pairs(n=n, d=3))
    assert [p.pairs for p in points] == sizes


def test_errors_of_all_pairs_are_taken_as_given():
    x, y, groups = pairs(n=200)
    whole = PointScores(np.full(200, 0.25), np.ones(200), np.array([0.01, 0.03]))
    points = learning_curve(x, y, groups, whole=whole)
    plain = learning_curve(x, y, groups)
    assert points[-1].r2.value == whole.r2 == 0.75
    assert points[-1].r2.null_mean == pytest.approx(0.02)
    assert points[:-1] != ()
    assert [p.r2 for p in points[:-1]] == [p.r2 for p in plain[:-1]]
