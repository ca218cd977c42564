import numpy as np
import pytest
from polyglot.analysis.certificate.geometry import Views, first_stage, geometry_verdict
from polyglot.analysis.certificate.latent_shares import latent_shares
from polyglot.analysis.certificate.planted_views import Design, plant_views
from polyglot.errors import DataError


def planted(seed=0, **design):
    return plant_views(Design(**{"n": 600, "d": 16} | design), np.random.default_rng(seed)).views


@pytest.mark.parametrize("reliability", [0.9, 0.7])
def test_a_rotation_under_noise_misses_nothing(reliability):
    found = latent_shares(planted(reliability=(reliability, reliability)))
    assert found["rotation"].value == pytest.approx(1, abs=0.03)
    assert found["linear"].value == pytest.approx(1, abs=0.03)
    assert found["rotation"].low < 1 < found["rotation"].high


def test_the_rotation_falls_short_of_a_linear_map_and_both_of_a_curve():
    found = latent_shares(planted(truth="linear"))
    assert found["rotation"].high < found["linear"].low
    assert latent_shares(planted(n=800, d=32, curves="axes", share=0.2))["linear"].high < 0.97


def test_shares_agree_with_those_of_the_verdict():
    views = planted(truth="linear")
    quick, full = latent_shares(views), geometry_verdict(views).shares
    for rung, share in quick.items():
        assert share.value == pytest.approx(full[rung].value, abs=0.05)
        assert share.high - share.low > full[rung].high - full[rung].low


def test_shares_do_not_depend_on_a_turn_and_a_unit_of_the_target():
    views = planted(truth="linear")
    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((16, 16)))[0]
    turned = Views(views.x, views.y @ turn + 3.0, views.instruments, same_space=False)
    plain = Views(views.x, views.y, views.instruments, same_space=False)
    for rung, share in latent_shares(plain).items():
        assert latent_shares(turned)[rung].value == pytest.approx(share.value, abs=2e-3)


def test_components_of_the_instruments_may_be_given():
    views = planted()
    assert latent_shares(views, components=first_stage(views.instruments)) == latent_shares(views)


def test_instruments_that_know_nothing_of_the_target_give_no_share():
    views = planted()
    noise = {"de": np.random.default_rng(1).standard_normal((600, 16))}
    assert latent_shares(Views(views.x, views.y, noise)) == {}


def test_too_few_groups_are_refused():
    with pytest.raises(DataError, match="at least 10 groups"):
        latent_shares(Views(np.zeros((40, 4)), np.zeros((40, 4)), {}, np.zeros(40, np.int64)))
