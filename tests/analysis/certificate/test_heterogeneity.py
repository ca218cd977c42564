import numpy as np
import pytest
from polyglot.analysis.certificate.heterogeneity import domain_transfer, local_drift
from polyglot.analysis.resampling import permutation_p_value


def cloud(n, d, rng):
    return rng.standard_normal((n, d)) * np.arange(1, d + 1) ** -0.5 + 2


def test_a_global_map_does_not_drift_and_a_curved_one_does():
    rng = np.random.default_rng(1)
    x = cloud(800, 6, rng)
    weights = rng.standard_normal((6, 6))
    noise = 0.3 * rng.standard_normal((800, 6))
    straight = local_drift(x, x @ weights + noise, 1e-3)
    curved = local_drift(x, x @ weights + (x - 2) ** 2 + noise, 1e-3)
    assert straight.p_value > 0.1
    assert curved.p_value == pytest.approx(1 / (1 + len(curved.null)))
    assert curved.statistic == pytest.approx(curved.differences.mean())
    assert len(curved.distances) == len(curved.differences) == 28


def test_drift_under_a_global_map_is_as_likely_as_it_says():
    values = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x = cloud(300, 6, rng)
        y = x @ rng.standard_normal((6, 6)) + rng.standard_normal((300, 6))
        values.append(local_drift(x, y, 1e-2, seed=seed).p_value)
    assert 0.3 < np.mean(values) < 0.7
    assert np.mean(np.array(values) <= 0.05) <= 0.15


def test_drift_does_not_know_origin_or_unit_of_the_target():
    rng = np.random.default_rng(1)
    x = cloud(300, 4, rng)
    y = x @ rng.standard_normal((4, 4)) + rng.standard_normal((300, 4))
    a, b = local_drift(x, y, 1e-3), local_drift(x, 10 * y + 7, 1e-3)
    np.testing.assert_allclose(a.differences, b.differences, rtol=1e-5)  # of float32
    np.testing.assert_allclose(a.null, b.null, rtol=1e-5)
    assert a.p_value == permutation_p_value(a.statistic, a.null)


def test_the_size_of_the_global_map_does_not_enter_the_test():
    rng = np.random.default_rng(2)
    x = cloud(300, 4, rng)
    noise = rng.standard_normal((300, 4))
    p_values = [local_drift(x, x @ (s * np.ones((4, 4))) + noise, 0.1).p_value for s in (0.0, 1.0, 100.0)]
    assert p_values == [p_values[0]] * 3


def test_a_constant_column_changes_nothing():
    rng = np.random.default_rng(3)
    x = cloud(300, 4, rng)
    y = x @ rng.standard_normal((4, 4)) + rng.standard_normal((300, 4))
    a, b = local_drift(x, y, 1e-6), local_drift(np.column_stack([x, np.full(300, 5.0)]), y, 1e-6)
    assert a.p_value == pytest.approx(b.p_value, abs=0.1)


def test_too_few_rows_or_regions_have_no_drift():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 3))
    assert local_drift(x, x, 1e-3) is None
    wide = rng.standard_normal((200, 150))
    assert local_drift(wide, wide, 1e-3) is None
    doubled = np.repeat(rng.standard_normal((2, 3)), 60, axis=0)
    assert local_drift(doubled, doubled, 1e-3) is None


def domains_with_offset(n=150, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3 * n, 4))
    names = np.repeat(np.array(["law", "news", "talk"]), n)
    weights = rng.standard_normal((4, 4))
    y = x @ weights + 0.3 * rng.standard_normal((3 * n, 4))
    y[names == "talk"] += 10
    return x, y, names, np.arange(3 * n)


def test_transfer_sees_an_offset_between_domains():
    names, r2 = domain_transfer(*domains_with_offset())
    assert names == ["law", "news", "talk"]
    assert (r2.diagonal() > 0.9).all()
    assert min(r2[0, 1], r2[1, 0]) > 0.9
    assert max(r2[0, 2], r2[2, 0]) < 0


def test_transfer_between_equal_domains_is_a_plain_held_out_ridge():
    x, y, names, groups = domains_with_offset()
    _, r2 = domain_transfer(x, y, names, groups)
    law, news = names == "law", names == "news"
    about = x[law] - x[law].mean(axis=0)
    weights = np.linalg.lstsq(about, y[law] - y[law].mean(axis=0), rcond=None)[0]
    predicted = (x[news] - x[law].mean(axis=0)) @ weights + y[law].mean(axis=0)
    expected = 1 - np.sum((y[news] - predicted) ** 2) / np.sum((y[news] - y[news].mean(axis=0)) ** 2)
    assert r2[0, 1] == pytest.approx(expected, abs=1e-3)


def test_repeated_groups_are_neither_scored_across_domains_nor_split_within():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.standard_normal((90, 60)), 2, axis=0)
    y = np.repeat(rng.standard_normal((90, 5)), 2, axis=0)
    groups = np.repeat(np.arange(90), 2)
    names = np.tile(np.array(["a", "b"]), 90)
    found, r2 = domain_transfer(x, y, names, groups)
    assert found == ["a", "b"]
    assert np.isnan([r2[0, 1], r2[1, 0]]).all()
    _, doubled = domain_transfer(x, y, np.full(180, "a"), groups)
    assert doubled[0, 0] < 0.1


def test_small_domains_are_left_out():
    x, y, names, groups = domains_with_offset()
    names = names.copy()
    names[:130] = "talk"
    assert domain_transfer(x, y, names, groups)[0] == ["news", "talk"]
