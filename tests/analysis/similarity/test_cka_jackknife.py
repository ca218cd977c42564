import numpy as np
import pytest
from polyglot.analysis.similarity.cka import debiased_cka, debiased_hsics
from polyglot.analysis.similarity.cka_jackknife import BlockedRows, blocked_cka, hsics, permuted_cka
from polyglot.errors import ConfigError, DataError


@pytest.fixture
def clouds():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 5)) + 3.0
    return x, x @ rng.standard_normal((5, 7)) + rng.standard_normal((60, 7))


@pytest.fixture
def blocks():
    return np.array_split(np.random.default_rng(1).permutation(60), 6)


def sides(clouds, blocks):
    return tuple(BlockedRows.of(cloud, blocks) for cloud in clouds)


def test_equals_the_plain_function_on_all_rows_and_without_each_block(clouds, blocks):
    one, other = sides(clouds, blocks)
    values = hsics(one, other) / np.sqrt(one.self_hsic * other.self_hsic)
    naive = [debiased_cka(*clouds)]
    naive += [debiased_cka(*(np.delete(cloud, block, axis=0) for cloud in clouds)) for block in blocks]
    np.testing.assert_allclose(values, naive, atol=1e-12)


def test_hsic_is_that_of_the_definition(clouds, blocks):
    one, other = sides(clouds, blocks)
    assert hsics(one, other)[0] == pytest.approx(debiased_hsics(*clouds).xy)


def test_a_cloud_with_itself_is_one_without_width(clouds, blocks):
    one, _ = sides(clouds, blocks)
    found = blocked_cka(one, one)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))


def test_does_not_see_rotation_scale_and_offset(clouds, blocks):
    x, y = clouds
    turned = 2.5 * x @ np.linalg.qr(np.random.default_rng(2).standard_normal((5, 5)))[0] - 1.0
    plain = blocked_cka(*sides((x, y), blocks))
    moved = blocked_cka(*sides((turned, y), blocks))
    assert (moved.value, moved.low, moved.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_permuted_equals_the_plain_function_on_permuted_rows(clouds, blocks):
    x, y = clouds
    partner = np.random.default_rng(3).permutation(60)
    found = permuted_cka(*sides(clouds, blocks), [partner, np.arange(60)])
    np.testing.assert_allclose(found, [debiased_cka(x, y[partner]), debiased_cka(x, y)], atol=1e-5)


def test_refuses_one_block_too_few_rows_and_sides_that_differ(clouds, blocks):
    x, y = clouds
    with pytest.raises(ConfigError, match="at least 2 blocks"):
        BlockedRows.of(x, blocks[:1])
    with pytest.raises(DataError, match="at least 4 rows"):
        BlockedRows.of(x[:6], [np.arange(3), np.arange(3, 6)])
    with pytest.raises(DataError, match="not defined"):
        BlockedRows.of(np.ones((60, 5)), blocks)
    with pytest.raises(DataError, match="same rows and blocks"):
        blocked_cka(BlockedRows.of(x, blocks), BlockedRows.of(y, blocks[:3]))
