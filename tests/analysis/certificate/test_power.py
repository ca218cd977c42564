from dataclasses import replace

import numpy as np
import pytest
from polyglot.analysis.certificate import power
from polyglot.analysis.certificate.power import (
    Planting,
    PowerCurve,
    curvature,
    curvature_gain,
    detection_rate,
    flat_gains,
    linear_span,
    planted_target,
    power_curve,
)
from polyglot.analysis.maps.ladder import Ladder


def setting(n=300, d=4, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) + 1
    fitted = x @ rng.standard_normal((d, d))
    residuals = noise * fitted.std() * rng.standard_normal((n, d))
    ladder = Ladder(x, np.arange(n) % 5, rungs=("linear", "nonlinear"))
    return ladder, Planting(fitted, residuals)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5])
def test_planted_curvature_has_the_share_that_was_asked_for(share):
    ladder, planting = setting(n=2000)
    quiet = Planting(planting.fitted, np.zeros_like(planting.residuals))
    y = planted_target(ladder.x, quiet, share, np.random.default_rng(1))
    curve = np.sum((y - planting.fitted) ** 2)
    straight = np.sum((planting.fitted - planting.fitted.mean(axis=0)) ** 2)
    assert curve / (curve + straight) == pytest.approx(share)


def test_curvature_is_uncorrelated_with_linear_functions_of_gaussian_rows():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_000, 3)) * [3, 1, 0.3] + 5
    curve = curvature(x, 6, rng)
    about = x - x.mean(axis=0)
    explained = about @ np.linalg.lstsq(about, curve - curve.mean(axis=0), rcond=None)[0]
    assert np.sum(explained**2) < 0.005 * np.sum(curve**2)


def test_curvature_does_not_know_where_the_rows_lie():
    x = np.random.default_rng(0).standard_normal((50, 3))
    a, b = (curvature(rows, 2, np.random.default_rng(1)) for rows in (x, 5 * x + 9))
    np.testing.assert_allclose(a, b)


def test_residuals_are_the_observed_ones_in_another_order():
    ladder, planting = setting()
    noise = planted_target(ladder.x, Planting(0 * planting.fitted, planting.residuals), 0.1, np.random.default_rng(1))
    np.testing.assert_allclose(np.sort(noise, axis=0), np.sort(planting.residuals, axis=0))


def test_strong_curvature_is_detected_and_none_is_not():
    ladder, planting = setting()
    flat = flat_gains(ladder, planting, 19, seed=0)
    assert detection_rate(ladder, planting, 0.5, least=max(flat), replicates=4, seed=0) == (1.0, 4)
    again = [
        curvature_gain(ladder, planted_target(ladder.x, planting, 0.0, np.random.default_rng(s))) for s in range(20)
    ]
    assert np.mean(np.array(again) > max(flat)) <= 0.2


def test_a_gain_of_the_features_without_curvature_is_no_detection():
    """In wide, noisy data the features gain a little by shrinking otherwise; the unbent replicates show how much."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((150, 60)) * np.arange(1, 61) ** -0.7
    fitted = x @ rng.standard_normal((60, 4))
    planting = Planting(fitted, 4 * fitted.std() * rng.standard_normal(fitted.shape))
    curve = power_curve(Ladder(x, np.arange(150) % 5, rungs=("linear", "nonlinear")), planting, shares=(0.005, 0.01))
    assert len(curve.flat) == 19
    assert curve.smallest_detectable is None


def test_the_search_visits_what_it_needs(monkeypatch):
    ladder, planting = setting(n=60)
    for first in (None, *power.SHARES):
        rates = {share: 0.9 if first is not None and share >= first else 0.3 for share in power.SHARES}
        monkeypatch.setattr(power, "detection_rate", lambda *given, rates=rates, **_: (rates[given[2]], 10))
        curve = power_curve(ladder, planting)
        assert curve.smallest_detectable == first
        assert len(curve.shares) <= 4
        assert list(curve.shares) == sorted(curve.shares)


def test_nothing_detected_is_said():
    assert PowerCurve((0.1, 0.2), (0.0, 0.7), (3, 10)).smallest_detectable is None
    assert PowerCurve((0.1, 0.2), (0.8, 0.9), (10, 10)).smallest_detectable == 0.1


def test_wide_targets_keep_their_shares_through_a_projection():
    rng = np.random.default_rng(0)
    planting = Planting(rng.standard_normal((200, 256)), 2 * rng.standard_normal((200, 256)))
    ladder = Ladder(rng.standard_normal((200, 8)), np.arange(200) % 4, rungs=("linear",))
    narrow = planting.projected(ladder, rng)
    assert narrow.fitted.shape == (200, 64)
    ratio = np.sum(narrow.fitted**2) / np.sum(narrow.residuals**2)
    assert ratio == pytest.approx(np.sum(planting.fitted**2) / np.sum(planting.residuals**2), rel=0.1)
    small = Planting(rng.standard_normal((200, 64)), rng.standard_normal((200, 64)))
    assert small.projected(ladder, rng) is small


def test_what_is_planted_into_skewed_rows_has_no_linear_part():
    rng = np.random.default_rng(0)
    x = rng.exponential(size=(400, 5)) ** 2
    planting = Planting(x @ rng.standard_normal((5, 3)), np.zeros((400, 3)))
    skewed = planted_target(x, planting, 0.2, np.random.default_rng(1)) - planting.fitted
    curve = planted_target(x, replace(planting, span=linear_span(x)), 0.2, np.random.default_rng(1)) - planting.fitted
    about = x - x.mean(axis=0)
    assert np.abs(about.T @ curve).max() < 1e-8 * np.abs(about.T @ skewed).max()
    assert linear_span(x[:11]) is None


def test_a_share_is_given_up_as_soon_as_the_power_is_out_of_reach():
    ladder, planting = setting()
    assert detection_rate(ladder, planting, 1e-9, least=1.0, replicates=10, seed=0) == (0.0, 3)
