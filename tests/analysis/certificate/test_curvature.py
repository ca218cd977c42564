import numpy as np
import pytest
from polyglot.analysis.certificate.curvature import (
    FAMILIES,
    Resolution,
    Statistic,
    Straightness,
    draw_curves,
    enough_rows,
    quadratic,
)
from polyglot.analysis.certificate.curvature_kernels import KERNELS, Source, curvature_kernels
from polyglot.analysis.certificate.curvature_residuals import CURVATURE_FOLDS, Regularisation, crossed_residuals
from polyglot.analysis.certificate.geometry import (
    Effort,
    GeometryConfig,
    first_stage,
    geometry_verdict,
    structural_fits,
)
from polyglot.analysis.certificate.planted_views import Design, plant_views
from polyglot.analysis.maps.instruments import Smoother, axis_reliability, principal_components
from polyglot.analysis.splits import group_folds

N = 240


@pytest.fixture(scope="module")
def small():
    views = plant_views(Design(n=N, d=8), np.random.default_rng(0)).views
    folds = group_folds(views.groups, 5, np.random.default_rng(1))
    scores = principal_components(list(views.instruments.values()))
    first = Smoother.fit([scores], views.x, group_folds(views.groups, CURVATURE_FOLDS, np.random.default_rng(2)))
    source = Source.of(views.x, axis_reliability(views.x, views.y, scores, folds), first)
    fits = structural_fits(views, folds, Effort(), first_stage(views.instruments))
    return views, source, first, Regularisation.of(fits)


def test_kernels_are_symmetric_and_blind_to_what_is_linear_and_to_pairs_within_a_fold(small):
    _, source, first, _ = small
    kernels = curvature_kernels(source)
    assert set(kernels) == set(KERNELS)
    for kernel in kernels.values():
        np.testing.assert_allclose(kernel, kernel.T, atol=1e-4)
        for rows in first.rows:
            assert not kernel[np.ix_(rows, rows)].any()
        assert np.mean(kernel.astype(float) ** 2) == pytest.approx(1.0, abs=0.3)


def test_x_hat_of_a_block_does_not_see_its_folds(small):
    _, source, first, _ = small
    moved = source.x.copy()
    moved[np.concatenate([first.rows[0], first.rows[3]])] += 5.0
    other = Source(moved, source.along, source.scores, source.rows, source.penalty)
    for before, after in zip(source.predicted(0, 3), other.predicted(0, 3), strict=True):
        np.testing.assert_allclose(before, after)


def test_products_of_residuals_by_a_naive_loop(small):
    views, _, first, chosen = small
    crossed = crossed_residuals(views.x, views.y, first, chosen)
    fold = np.empty(N, int)
    for k, rows in enumerate(first.rows):
        fold[rows] = k
    assert not crossed.products[fold[:, None] == fold[None, :]].any()
    np.testing.assert_allclose(crossed.products, crossed.products.T)
    product, exact = crossed.mean @ crossed.mean.T, fold[:, None] != fold[None, :]
    assert np.corrcoef(product[exact], crossed.products[exact])[0, 1] > 0.97


def test_a_row_does_not_touch_the_map_behind_its_partner(small):
    """Moving y of one row changes no product between two other folds' residuals of which it is one."""
    views, _, first, chosen = small
    row, partners = first.rows[0][0], first.rows[1]
    moved = views.y.copy()
    moved[row] += 1.0
    before, after = (crossed_residuals(views.x, y, first, chosen).products for y in (views.y, moved))
    shift = after[row, partners] - before[row, partners]
    residual_sums = crossed_residuals(views.x, views.y, first, chosen)
    mean_of_partners = residual_sums.mean[partners].sum(axis=1)
    assert np.corrcoef(shift, mean_of_partners)[0, 1] > 0.9


def test_quadratic_forms_by_hand():
    matrix, rows = np.array([[0, 2], [2, 0]], np.float32), np.array([[1, 1], [1, -1]], np.float32)
    np.testing.assert_allclose(quadratic(matrix, rows), [4, -4])
    statistic = Statistic.of(matrix, np.full((2, 2), 3, np.float32), rows)
    assert statistic.observed == 12
    np.testing.assert_allclose(statistic.flat, [12, -12])


@pytest.mark.parametrize("family", FAMILIES[:-1])
def test_planted_curves_are_uncorrelated_with_their_projection(small, family):
    _, source, _, _ = small
    curves, reliability = draw_curves(family, source, np.random.default_rng(0))
    assert curves.shape == (N, len(reliability))
    assert np.all((reliability > 0) & (reliability <= 1))


def test_two_rows_a_column_are_asked_for():
    assert enough_rows(768, 384)
    assert not enough_rows(767, 384)


def resolution(share=0.05, excluded=True, exceeded=False):
    return Resolution("products", share, excluded, excluded, exceeded, {0.05: 1.0})


@pytest.mark.parametrize(
    ("p_value", "resolutions", "expected"),
    [
        (0.5, [resolution()], (False, True, False, True)),
        (0.5, [resolution(), resolution(excluded=False)], (False, False, False, False)),
        (0.5, [resolution(share=None)], (False, False, False, False)),
        (0.002, [resolution()], (True, True, False, True)),
        (0.002, [resolution(excluded=False, exceeded=True)] * 2, (True, False, True, False)),
        (0.002, [resolution(excluded=False, exceeded=True)], (True, False, False, False)),
        (0.5, [resolution(excluded=False, exceeded=True)], (False, False, False, False)),
    ],
)
def test_states_of_straightness(p_value, resolutions, expected):
    found = Straightness(p_value, {}, tuple(resolutions))
    assert (found.visible, found.below_margin, found.above_margin, found.straight) == expected


def test_flat_map_of_four_rows_a_column_is_not_curved():
    """Where one map stood behind both residuals of a pair, this design was tens of standard deviations off."""
    planted = plant_views(Design("linear", n=400, d=100), np.random.default_rng(5))
    found = geometry_verdict(planted.views, GeometryConfig(seed=5)).straightness
    assert found.p_value > 0.01
    assert max(found.p_values.values()) < 0.999
