import numpy as np
import pytest
from polyglot.analysis.certificate.planted import KINDS, plant


def r2_of_regression(x, y):
    about_x, about_y = x - x.mean(axis=0), y - y.mean(axis=0)
    residual = about_y - about_x @ np.linalg.lstsq(about_x, about_y, rcond=None)[0]
    return 1 - np.sum(residual**2) / np.sum(about_y**2)


def test_noiseless_plants_are_what_they_say():
    draws = {kind: plant(kind, 300, 5, np.random.default_rng(0), r2=1.0) for kind in KINDS}
    x, y = draws["identity"]
    np.testing.assert_array_equal(x, y)
    x, y = draws["shift"]
    np.testing.assert_allclose(y - x, np.tile((y - x)[0], (300, 1)), atol=1e-12)
    assert np.linalg.norm((y - x)[0]) > 0
    for kind, scale in (("rotation", 1.0), ("similarity", 0.5)):
        x, y = draws[kind]
        np.testing.assert_allclose(np.linalg.norm(y, axis=1), scale * np.linalg.norm(x, axis=1))
    assert r2_of_regression(*draws["linear"]) == pytest.approx(1)
    assert r2_of_regression(*draws["nonlinear"]) == pytest.approx(0.5, abs=0.08)
    assert r2_of_regression(*draws["no map"]) < 0.1


@pytest.mark.parametrize("kind", ["identity", "shift", "rotation", "similarity", "linear"])
def test_noise_leaves_the_share_that_was_asked_for(kind):
    x, y = plant(kind, 4000, 8, np.random.default_rng(1), r2=0.7)
    assert r2_of_regression(x, y) == pytest.approx(0.7, abs=0.02)


def test_seeds_decide_everything():
    for kind in KINDS:
        a, b = plant(kind, 50, 3, np.random.default_rng(2)), plant(kind, 50, 3, np.random.default_rng(2))
        np.testing.assert_array_equal(a[1], b[1])
