import numpy as np
import pytest
from polyglot.analysis.maps.instruments import (
    Smoother,
    axis_reliability,
    principal_components,
    quadratic_features,
)


def views(n=600, d=6, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d)) * np.arange(1, d + 1)[::-1]
    return [z @ rng.standard_normal((d, d)) + noise * rng.standard_normal((n, d)) for _ in range(3)], z, rng


def folds_of(n, k=5):
    return np.arange(n) % k


def test_components_of_one_instrument_are_its_principal_components():
    (w, *_), *_ = views()
    scores = principal_components([w])
    centred = w - w.mean(axis=0)
    singular = np.linalg.svd(centred / np.sqrt(np.mean(np.sum(centred**2, axis=1))), compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(scores, axis=0), singular)


def test_components_do_not_depend_on_units_or_origin_of_an_instrument():
    (v, w, _), *_ = views()
    first, second = principal_components([v, w]), principal_components([v, 100 * w + 7])
    np.testing.assert_allclose(np.abs(first), np.abs(second), rtol=1e-6, atol=1e-8)


def test_at_most_one_component_for_eight_rows():
    (v, w, _), *_ = views(n=40)
    assert principal_components([v, w]).shape == (40, 5)
    assert principal_components([v, w], limit=2).shape == (40, 2)


def test_quadratic_features_by_hand():
    scores = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    features = quadratic_features(scores)
    np.testing.assert_allclose(features, [[0, 1, 0], [0, -1, 0], [0, -1, 0], [0, 1, 0]])


def naive(features, y, folds, penalty):
    predicted = np.empty(y.shape)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        a = features[train] - features[train].mean(axis=0)
        weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ y[train])
        predicted[test] = (features[test] - features[train].mean(axis=0)) @ weights + y[train].mean(axis=0)
    return predicted


def test_smoother_is_cross_fitted_ridge():
    (w, y, _), *_ = views(n=60)
    folds = folds_of(60)
    smoother = Smoother.fit([principal_components([w])], y, folds)
    np.testing.assert_allclose(smoother(y), naive(smoother.features, y, folds, smoother.penalty), rtol=1e-8, atol=1e-8)


def test_smoother_chooses_the_least_cross_fitted_error():
    (w, y, _), *_ = views(n=80, noise=20.0)
    folds, scores = folds_of(80), principal_components([w])
    smoother = Smoother.fit([scores], y, folds)
    error = np.sum((y - smoother(y)) ** 2)
    for factor in (0.1, 10.0):
        assert error <= np.sum((y - naive(smoother.features, y, folds, factor * smoother.penalty)) ** 2)


def test_smoother_keeps_constants_and_is_linear():
    (w, y, v), *_ = views(n=60)
    smoother = Smoother.fit([principal_components([w])], y, folds_of(60))
    np.testing.assert_allclose(smoother(np.full((60, 1), 3.0)), 3.0)
    np.testing.assert_allclose(smoother(2 * y - v), 2 * smoother(y) - smoother(v), atol=1e-8)


def test_a_held_out_fold_does_not_touch_the_first_stage():
    (w, x, _), _, rng = views(n=60)
    smoother = Smoother.fit([principal_components([w])], x, folds_of(60))
    changed = x.copy()
    changed[smoother.rows[2]] += rng.standard_normal((12, x.shape[1]))
    np.testing.assert_allclose(smoother.without(x, 2), smoother.without(changed, 2))
    assert not np.allclose(smoother.without(x, 1), smoother.without(changed, 1))


@pytest.mark.parametrize("reliability", [0.9, 0.6])
def test_reliability_is_recovered(reliability):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((3000, 8))
    noise = np.sqrt((1 - reliability) / reliability)
    x, first, second = (z @ np.linalg.qr(rng.standard_normal((8, 8)))[0] for _ in range(3))
    x, first, second = (a + noise * rng.standard_normal(a.shape) for a in (x, first, second))
    found = axis_reliability(x, first, second, folds_of(3000))
    assert found.overall == pytest.approx(reliability, abs=0.03)
    assert found.latent.sum() == pytest.approx(8, rel=0.05)


def test_reliability_does_not_depend_on_a_rotation():
    (x, v, w), _, rng = views()
    turned = x @ np.linalg.qr(rng.standard_normal((6, 6)))[0]
    first, second = (axis_reliability(a, v, w, folds_of(600)).overall for a in (x, turned))
    assert first == pytest.approx(second, rel=1e-6)
