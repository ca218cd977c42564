import numpy as np
import pytest
from polyglot.analysis.certificate.geometry import Effort, first_stage, structural_fits
from polyglot.analysis.certificate.latent import (
    Correction,
    PairTerms,
    latent_share,
    map_products,
    pair_terms,
    second_reference_share,
    smoother_weights,
    total_products,
)
from polyglot.analysis.certificate.planted_views import Design, plant_views
from polyglot.analysis.certificate.refitting import REFITTED, corrections, turning
from polyglot.analysis.maps.affine import AffineMap
from polyglot.analysis.maps.instruments import Smoother, principal_components
from polyglot.analysis.maps.structural import polar

FOLDS = np.arange(120) % 5


def problem(seed=0, d=4):
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, 120, d))
    y = x + rng.standard_normal((120, d))
    return x, y, Smoother.fit([principal_components([w])], y, FOLDS)


def map_terms(smoother, groups, x, y, fitted):
    return pair_terms(smoother_weights(smoother), map_products(smoother.rows, x, y, fitted), groups)


def total_terms(smoother, groups, y):
    return pair_terms(smoother_weights(smoother), total_products(smoother.rows, y), groups)


def maps(d=4, scale=1.0):
    return [AffineMap(scale * np.eye(d), np.zeros(d), np.zeros(d))] * 5


def test_terms_sum_to_the_form():
    x, y, smoother = problem()
    terms = map_terms(smoother, np.arange(120), x, y, maps())
    assert terms.total == pytest.approx(np.sum((y - x) * smoother(y - x)))
    np.testing.assert_allclose(terms.pairs, terms.pairs.T)


def test_groups_are_summed_and_their_names_do_not_matter():
    x, y, smoother = problem()
    groups = np.arange(120) // 3
    terms = map_terms(smoother, groups, x, y, maps())
    rows = map_terms(smoother, np.arange(120), x, y, maps()).pairs
    np.testing.assert_allclose(terms.pairs, rows.reshape(40, 3, 40, 3).sum(axis=(1, 3)))
    named = np.random.default_rng(0).permutation(40)[groups]
    assert map_terms(smoother, named, x, y, maps()).error == pytest.approx(terms.error)


def test_share_of_the_target_itself_is_one_and_of_its_mean_zero():
    _, y, smoother = problem()
    groups, total = np.arange(120), total_terms(smoother, np.arange(120), y)
    assert latent_share(map_terms(smoother, groups, y, y, maps()), total).value == pytest.approx(1.0)
    nothing = latent_share(total, total)
    assert (nothing.value, nothing.low, nothing.high) == pytest.approx((0.0, 0.0, 0.0))


def test_share_does_not_depend_on_the_unit_of_the_target():
    x, y, smoother = problem()
    groups = np.arange(120)
    first, second = (
        latent_share(map_terms(smoother, groups, x, s * y, maps(scale=s)), total_terms(smoother, groups, s * y))
        for s in (1.0, 7.0)
    )
    assert (first.value, first.low) == pytest.approx((second.value, second.low))


def test_error_of_an_average_by_hand():
    """For q_ij = (a_i + a_j)/2n the sum is Σ a_i, and its error nearly that of a sum."""
    a = np.random.default_rng(0).standard_normal(400)
    a -= a.mean()
    terms = PairTerms((a[:, None] + a[None, :]) / 800)
    assert terms.error == pytest.approx(np.sqrt(np.sum(a**2)), rel=0.01)


def test_corrections_move_the_value_and_widen_the_interval():
    x, y, smoother = problem()
    groups = np.arange(120)
    missed, total = map_terms(smoother, groups, x, y, maps(scale=0.5)), total_terms(smoother, groups, y)
    plain = latent_share(missed, total)
    moved = latent_share(missed, total, Correction(0.3 * total.total, error=0.1 * total.total))
    assert moved.value == pytest.approx(plain.value + 0.3)
    assert moved.high - moved.low > plain.high - plain.low


@pytest.mark.parametrize("reliability", [(0.7, 0.7), (0.5, 0.5), (0.5, 0.9)])
def test_corrections_bring_a_rotation_back_to_one(reliability):
    planted = plant_views(Design(n=800, reliability=reliability), np.random.default_rng(3))
    views, folds = planted.views, np.arange(800) % 5
    fits = structural_fits(views, folds, Effort(), first_stage(views.instruments))
    smoother = Smoother.fit([principal_components(list(views.instruments.values()))], views.y, folds)
    residual = np.concatenate([views.y - fits[k].maps()["linear"](views.x) for k in range(5)]).reshape(5, 800, -1)
    found = corrections(smoother, fits, views.x, residual[folds, np.arange(800)], seed=0)
    assert set(found) == set(REFITTED)
    fitted = [fit.maps()["rotation"] for fit in fits]
    missed, total = (
        map_terms(smoother, views.groups, views.x, views.y, fitted),
        total_terms(smoother, views.groups, views.y),
    )
    corrected = latent_share(missed, total, found["rotation"])
    assert corrected.value == pytest.approx(1.0, abs=0.02)
    assert corrected.low > 0.95


@pytest.mark.parametrize("shape", [(6, 6), (6, 4), (4, 6)])
def test_noise_that_is_symmetric_beside_a_rotation_does_not_turn_it(shape):
    rng = np.random.default_rng(0)
    left, _, right = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    rotation, noise = left @ right, rng.standard_normal((min(shape), min(shape)))
    symmetric = noise + noise.T
    beside = rotation @ symmetric if shape[0] >= shape[1] else symmetric @ rotation
    assert np.abs(turning(beside, rotation)).max() < 1e-12
    other = rng.standard_normal(shape)
    turned = turning(other, rotation)
    assert np.allclose(turning(turned, rotation), turned)
    step = 1e-6
    assert np.allclose(polar(rotation + step * other), polar(rotation + step * turned), atol=1e-10)


def test_second_references_see_through_noise():
    rng = np.random.default_rng(0)
    z, rotation = rng.standard_normal((4000, 8)), np.linalg.qr(rng.standard_normal((8, 8)))[0]
    x, y = ([side + rng.standard_normal(z.shape) for _ in range(2)] for side in (z, z @ rotation))
    for matrix, share in ((rotation, 1.0), (0.5 * rotation, 0.75)):
        residuals = tuple(b - a @ matrix for a, b in zip(x, y, strict=True))
        assert second_reference_share(residuals, tuple(y)) == pytest.approx(share, abs=0.05)
