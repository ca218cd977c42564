import numpy as np
import pytest
from polyglot.analysis.certificate.learning_curve import CurvePlan, CurvePoint, extrapolated_limit, learning_curve
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.resampling import Interval


def pairs(n=400, d=12, noise=3.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, x @ rng.standard_normal((d, d)) + noise * rng.standard_normal((n, d)), np.arange(n)


def curve(values, error=0.002):
    sizes = np.geomspace(50, 2000, len(values)).astype(int)
    drawn = error / 1.96 * np.random.default_rng(0).standard_normal((200, len(values)))
    return tuple(
        CurvePoint(int(n), Interval(v, v - error, v + error), v + drawn[:, i])
        for i, (n, v) in enumerate(zip(sizes, values, strict=True))
    )


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
def test_the_smallest_corpora_have_few_points_and_no_limit(n, sizes):
    points = learning_curve(*pairs(n=n, d=3))
    assert [p.pairs for p in points] == sizes
    assert extrapolated_limit(points) is None


def test_a_power_law_is_extrapolated_to_its_limit():
    sizes = np.geomspace(50, 2000, 6).astype(int)
    found = extrapolated_limit(curve(0.6 - 2.0 * sizes**-0.8))
    assert found.value == pytest.approx(0.6, abs=0.002)
    assert found.low < 0.6 < found.high
    assert found == extrapolated_limit(curve(0.6 - 2.0 * sizes**-0.8))


def test_a_flat_curve_ends_where_it_is():
    assert extrapolated_limit(curve(np.full(6, 0.4))).value == pytest.approx(0.4, abs=1e-6)


def test_a_limit_never_passes_one():
    sizes = np.geomspace(50, 2000, 6).astype(int)
    found = extrapolated_limit(curve(0.999 - 5.0 * sizes**-0.9, error=0.02))
    assert found.value <= 1
    assert found.high <= 1


def test_points_of_a_curve_share_their_draws():
    points = learning_curve(*pairs(n=600))
    assert all(p.resampled.shape == (300,) for p in points)
    together = np.corrcoef(np.stack([p.resampled for p in points[-3:]]))
    assert together[0, 2] > 0.3
