import numpy as np
import pytest
from polyglot.analysis.certificate.geometry import (
    FOLDS,
    Effort,
    Views,
    first_stage,
    maps_by_rung,
    noise_residuals,
    structural_fits,
)
from polyglot.analysis.certificate.latent_composition import path_shares
from polyglot.analysis.splits import group_folds


def turned(rng, z, noise):
    width = z.shape[1]
    turn = np.linalg.qr(rng.standard_normal((width, width)))[0]
    return (z + noise * rng.standard_normal(z.shape)) @ turn


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((300, 12))
    sides = [turned(rng, z, 0.6) for _ in range(3)]
    return path_shares(sides, {name: turned(rng, z, 0.6) for name in "ab"}, np.arange(300), same_space=True)


def test_maps_that_agree_lose_nothing_on_the_way_however_noisy(found):
    assert len(found) == 6
    for shares in found.values():
        assert shares.direct.value == pytest.approx(1, abs=0.03)
        assert shares.composed.value == pytest.approx(1, abs=0.03)


def test_composed_shares_have_the_wider_intervals(found):
    widths = np.array([[s.direct.high - s.direct.low, s.composed.high - s.composed.low] for s in found.values()])
    assert widths[:, 1].mean() > widths[:, 0].mean()


@pytest.mark.parametrize("scored", [2, FOLDS])
def test_residuals_have_the_size_of_the_noise_whether_their_fold_is_scored_or_not(scored):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((400, 10))
    views = Views(z, turned(rng, z, 0.5), {"a": turned(rng, z, 0.5)})
    folds = group_folds(views.groups, FOLDS, np.random.default_rng(2))
    fits = structural_fits(views, folds, Effort(scored), first_stage(views.instruments))
    residual = noise_residuals(views, folds, maps_by_rung(fits)["linear"])
    assert np.sqrt(np.mean(residual**2)) == pytest.approx(0.5, rel=0.05)
    first, last = (np.sqrt(np.mean(residual[part] ** 2)) for part in (folds < 2, folds >= 2))
    assert first == pytest.approx(last, rel=0.05)
