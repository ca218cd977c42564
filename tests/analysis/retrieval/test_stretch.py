import numpy as np
import pytest
from polyglot.analysis.maps.affine_estimators import RidgeMap
from polyglot.analysis.maps.curved_estimators import LocalMap, NonlinearMap
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.maps.search_stretch import rung_stretches, search_predictions
from polyglot.analysis.retrieval.stretch import (
    STRETCHES,
    HeldOutQueries,
    best_by_hits,
    choose_stretch,
    geometry_rows,
    search_queries,
)


def beside_a_mean(n=300, d=16, seed=0):
    """Predictions of a quarter of the targets' deviation, beside a mean ten times as long."""
    rng = np.random.default_rng(seed)
    mean = 10 * np.ones(d) / np.sqrt(d)
    y = rng.standard_normal((n, d)) / np.sqrt(d)
    return mean + 0.05 * (y + 0.3 * rng.standard_normal((n, d)) / np.sqrt(d)), mean, mean + y


def found(queries, targets):
    unit = targets / np.linalg.norm(targets, axis=1, keepdims=True)
    cosines = queries / np.linalg.norm(queries, axis=1, keepdims=True) @ unit.T
    return float(np.mean(cosines.argmax(axis=1) == np.arange(len(targets))))


def parts(prediction, mean, y):
    numbers = np.arange(len(y))
    return HeldOutQueries.of(prediction, mean, y, (numbers, numbers))


@pytest.mark.parametrize("stretch", STRETCHES)
def test_outcomes_are_those_of_explicit_cosines(stretch):
    prediction, mean, y = beside_a_mean()
    hits = parts(prediction, mean, y).outcomes([stretch])[0, 0]
    assert hits.mean() == pytest.approx(found(search_queries(prediction, mean, stretch), y), abs=1e-9)


def test_limits_of_the_stretch():
    prediction, mean, _ = beside_a_mean()
    np.testing.assert_allclose(search_queries(prediction, mean, 1.0), prediction, atol=1e-12)
    np.testing.assert_array_equal(search_queries(prediction, mean, np.inf), prediction - mean)
    far = search_queries(prediction, mean, 1e9)
    np.testing.assert_allclose(far / 1e9, prediction - mean, atol=1e-7)


def test_a_shrunken_prediction_is_stretched_and_finds_more():
    prediction, mean, y = beside_a_mean()
    stretch = choose_stretch([parts(prediction, mean, y)])
    assert stretch > 2
    assert found(search_queries(prediction, mean, stretch), y) > found(prediction, y) + 0.2


def test_equal_candidates_give_the_plainest():
    outcomes = np.ones((3, 2, 40))
    assert best_by_hits(outcomes) == 0
    assert best_by_hits(outcomes + 1e-13 * np.random.default_rng(0).standard_normal(outcomes.shape)) == 0


def test_geometry_does_not_know_the_size_of_a_prediction():
    prediction, mean, y = beside_a_mean()
    ours, theirs = geometry_rows(prediction, y, mean)
    assert found(ours, theirs) == found(7 * ours, theirs) > 0.8


def test_the_stretch_of_the_ladder_does_not_see_the_outer_fold():
    _, _, y = beside_a_mean()
    x = y + 0.4 * np.random.default_rng(1).standard_normal(y.shape) / 4
    groups, folds = np.arange(300), np.arange(300) % 5
    ladder = Ladder(x, folds, rungs=("identity", "shift", "rotation", "linear"))
    fit = ladder.fit(y)
    asked = search_predictions(fit, rung_stretches(fit, groups))
    np.testing.assert_array_equal(asked["identity"], fit.predictions["identity"])
    assert found(asked["linear"], y) >= found(fit.predictions["linear"], y) - 0.02
    spoiled = y.copy()
    spoiled[folds == 2] = spoiled[folds == 2][::-1]
    refit = ladder.fit(spoiled)
    other = search_predictions(refit, rung_stretches(refit, groups))
    for rung, predicted in other.items():
        np.testing.assert_allclose(predicted[folds == 2], asked[rung][folds == 2], atol=1e-6)


@pytest.mark.parametrize("family", [RidgeMap, LocalMap, NonlinearMap])
def test_a_stretched_map_stretches_deviations_and_nothing_else(family):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 3))
    y = np.abs(x) + 0.1 * rng.standard_normal((120, 3)) + 4
    fitted = family().fit(x, y)
    plain = fitted.transform(x)
    np.testing.assert_allclose(
        fitted.stretched(2.5).transform(x), search_queries(plain, fitted.mean_y_, 2.5), atol=1e-5
    )
    np.testing.assert_allclose(fitted.stretched(np.inf).transform(x), plain - fitted.mean_y_, atol=1e-9)
    np.testing.assert_array_equal(fitted.stretched(1.0).transform(x), plain)
    np.testing.assert_array_equal(fitted.transform(x), plain)
