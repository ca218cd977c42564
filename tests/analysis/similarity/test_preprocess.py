"""What comes before a measure: centring, removal of strong directions."""

import numpy as np
import pytest
from polyglot.analysis.similarity.cka import debiased_cka, linear_cka
from polyglot.analysis.similarity.preprocess import (
    centred,
    centred_pair,
    without_rogue_dimensions,
    without_top_components,
)
from polyglot.analysis.similarity.shape import procrustes_score
from polyglot.errors import ConfigError, DataError


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_rows_that_do_not_differ_raise(rng, constant):
    with pytest.raises(DataError, match="rows of y are the same"):
        centred_pair(rng.standard_normal((7, 3)), np.full((7, 2), constant))


def test_small_variation_on_a_large_mean_is_kept(rng):
    x = rng.standard_normal((50, 3))
    assert linear_cka(x, 1e-3 * x + 1e4) == pytest.approx(1.0, abs=1e-8)


def test_top_components_go_and_the_others_stay(rng):
    scales = np.array([100.0, 10.0, 1.0, 0.5])
    x = rng.standard_normal((400, 4)) * scales + 7
    left = without_top_components(x, 2)
    singular = np.linalg.svd(left, compute_uv=False)
    np.testing.assert_allclose(singular[:2], np.linalg.svd(centred(x), compute_uv=False)[2:], rtol=1e-10)
    np.testing.assert_allclose(singular[2:], 0, atol=1e-9)
    np.testing.assert_allclose(without_top_components(x, 0), centred(x))


def test_top_components_turn_with_the_rows(rng):
    x = rng.standard_normal((60, 5)) * np.arange(1, 6)
    q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    np.testing.assert_allclose(without_top_components(x @ q, 2), without_top_components(x, 2) @ q, atol=1e-10)


def test_a_shared_rogue_dimension_rules_cka_until_it_is_removed(rng):
    x, y = rng.standard_normal((2, 500, 32))
    shared = 30 * rng.standard_normal(500) + 50
    x[:, 5] = y[:, 9] = shared
    assert debiased_cka(x, y) > 0.95
    assert abs(debiased_cka(without_rogue_dimensions(x, 1), without_rogue_dimensions(y, 1))) < 0.05
    assert abs(debiased_cka(without_top_components(x, 1), without_top_components(y, 1))) < 0.05
    assert procrustes_score(without_rogue_dimensions(x, 1), without_rogue_dimensions(y, 1)) < 0.4
    np.testing.assert_array_equal(without_rogue_dimensions(x, 1), np.delete(x, 5, axis=1))


@pytest.mark.parametrize("remove", [without_top_components, without_rogue_dimensions])
@pytest.mark.parametrize("count", [-1, 4])
def test_removal_out_of_range_raises(rng, remove, count):
    with pytest.raises(ConfigError, match="0 to 3"):
        remove(rng.standard_normal((9, 4)), count)
