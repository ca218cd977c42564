from dataclasses import fields

import numpy as np
import pytest
from polyglot.analysis.certificate import geometry
from polyglot.analysis.certificate.curvature import Resolution, Straightness
from polyglot.analysis.certificate.geometry import (
    REASONS,
    RUNGS,
    VERDICTS,
    Geometry,
    GeometryConfig,
    Views,
    decide,
    geometry_verdict,
    map_p_value,
)
from polyglot.analysis.certificate.planted_views import Design, plant_views
from polyglot.analysis.resampling import Interval
from polyglot.analysis.splits import group_folds
from polyglot.errors import ConfigError, DataError

HIGH, LOW, OPEN = Interval(1.0, 0.98, 1.02), Interval(0.8, 0.7, 0.9), Interval(0.95, 0.9, 1.0)


def shares(**known):
    return {rung: known.get(rung, LOW) for rung in RUNGS}


def straightness(p_value=0.5, excluded=True, exceeded=False, share=0.05, families=2):
    resolution = Resolution("products", share, excluded, excluded, exceeded, {0.05: 1.0})
    return Straightness(p_value, {}, (resolution,) * families)


@pytest.mark.parametrize(
    ("found", "straight", "p_value", "expected"),
    [
        (
            shares(rotation=HIGH, similarity=HIGH, linear=HIGH),
            straightness(),
            0.02,
            ("rotation", geometry.SUFFICES, None),
        ),
        (shares(rotation=HIGH), None, 0.02, ("rotation", geometry.SUFFICES, None)),
        (shares(shift=OPEN, rotation=HIGH), straightness(), 0.02, ("undecided", geometry.RUNG_OPEN, "shift")),
        (shares(linear=HIGH), straightness(), 0.02, ("linear", geometry.SUFFICES, None)),
        (shares(linear=HIGH), None, 0.02, ("undecided", geometry.CURVATURE_UNTESTED, None)),
        (shares(linear=HIGH), straightness(excluded=False), 0.02, ("undecided", geometry.CURVATURE_NOT_EXCLUDED, None)),
        (shares(linear=HIGH), straightness(0.002), 0.02, ("linear", geometry.SUFFICES, None)),
        (
            shares(rotation=HIGH),
            straightness(0.002, excluded=False),
            0.02,
            ("undecided", geometry.CURVATURE_OPEN, None),
        ),
        (shares(linear=HIGH), straightness(0.002, False, True), 0.02, ("nonlinear", geometry.CURVED, None)),
        (
            shares(linear=HIGH),
            straightness(0.002, False, True, families=1),
            0.02,
            ("undecided", geometry.CURVATURE_OPEN, None),
        ),
        (shares(), straightness(), 0.02, ("undecided", geometry.LINEAR_FALLS_SHORT, None)),
        (shares(rotation=HIGH), straightness(), 0.04, ("undecided", geometry.MAP_UNSURE, None)),
        (shares(rotation=HIGH), straightness(), 0.06, ("no map", geometry.NO_MAP, None)),
    ],
)
def test_decisions(found, straight, p_value, expected):
    assert decide(found, straight, p_value, 0.05) == expected
    assert expected[0] in VERDICTS
    assert expected[1] in REASONS


def test_weak_instruments_settle_nothing():
    found = decide(shares(rotation=HIGH), straightness(), 0.02, 0.05, weak=True)
    assert found == ("undecided", geometry.WEAK_INSTRUMENTS, None)


def planted(seed=0, **design):
    return plant_views(Design(**{"n": 400, "d": 8} | design), np.random.default_rng(seed)).views


@pytest.fixture(scope="module")
def rotation():
    views = planted()
    return views, geometry_verdict(views)


def test_a_rotation_under_noise_is_a_rotation(rotation):
    _, found = rotation
    assert (found.verdict, found.reason, found.scale) == ("rotation", geometry.SUFFICES, "latent")
    assert found.shares["rotation"].value == pytest.approx(1.0, abs=0.03)
    assert found.reliability == pytest.approx((0.7, 0.7), abs=0.05)
    assert found.instruments_agree
    assert set(found.by_instrument) == {"instrument 1", "instrument 2", "instrument 3"}
    assert found.sentence().startswith("rotation: suffices")
    assert "mixture" in found.sentence()


def test_the_same_seed_gives_the_same_result(rotation):
    views, found = rotation
    again = geometry_verdict(views)
    assert all(getattr(found, f.name) == getattr(again, f.name) for f in fields(Geometry))


def test_shares_do_not_depend_on_a_turn_and_a_unit_of_the_target(rotation):
    views, _ = rotation
    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((8, 8)))[0]
    views = Views(views.x, views.y, views.instruments, same_space=False)
    turned = Views(views.x, views.y @ turn + 3.0, views.instruments, same_space=False)
    first, second = geometry_verdict(views), geometry_verdict(turned)
    assert list(first.shares) == ["rotation", "similarity", "linear"]
    for rung, share in first.shares.items():
        assert second.shares[rung].value == pytest.approx(share.value, abs=2e-3)


def test_without_instruments_nothing_is_claimed():
    views = planted()
    found = geometry_verdict(Views(views.x, views.y, {}))
    assert (found.verdict, found.reason, found.scale) == ("undecided", geometry.NO_INSTRUMENTS, "observed")
    assert found.shares == {}


def test_one_instrument_stands_for_itself():
    found = geometry_verdict(planted(instruments=1))
    assert found.by_instrument == {"instrument 1": found.shares}


def test_too_few_rows_leave_curvature_untested():
    found = geometry_verdict(planted(n=100, d=60))
    assert found.straightness is None
    assert found.resolution == {}
    assert found.verdict != "linear"


@pytest.mark.parametrize("truth", ["length", "independent"])
def test_no_map(truth):
    assert geometry_verdict(planted(truth=truth)).verdict == "no map"


def test_length_within_strata_is_no_map_and_without_strata_a_map():
    views = planted(truth="length")
    folds = group_folds(views.groups, 5, np.random.default_rng(0))
    assert map_p_value(views, folds, GeometryConfig()) > 0.05
    plain = Views(views.x, views.y, views.instruments)
    assert map_p_value(plain, folds, GeometryConfig()) == pytest.approx(0.02)


def test_small_visible_curvature_is_named():
    found = Geometry("linear", geometry.SUFFICES, None, "latent", 0.05, 0.02, {}, {}, None, straightness(0.002))
    assert "visible but below the margin of 5%" in found.sentence()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros((30, 4))}, "y: expected finite values of shape"),
        ({"x": np.full((40, 4), np.nan)}, "x: expected finite values"),
        ({"instruments": {"de": np.zeros(40)}}, "de: expected finite values"),
        ({"y": np.zeros((40, 5))}, "same_space: expected equal widths, got 4 and 5"),
        ({"groups": np.zeros(40, np.int64)}, "expected at least 10 groups of rows, got 1"),
        ({"strata": np.zeros(39, np.int64)}, "strata: expected one number for each of 40 rows"),
    ],
)
def test_unfit_views_are_refused(change, message):
    given = {"x": np.zeros((40, 4)), "y": np.zeros((40, 4)), "instruments": {}} | change
    with pytest.raises(DataError, match=message):
        Views(**given)


@pytest.mark.parametrize(("change", "message"), [({"margin": 0.0}, "margin"), ({"permutations": 20}, "permutations")])
def test_unfit_options_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        GeometryConfig(**change)
