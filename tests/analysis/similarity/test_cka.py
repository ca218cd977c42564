"""CKA of arrays against literal transcriptions from Gram matrices."""

import numpy as np
import pytest
from polyglot.analysis.similarity import cka
from polyglot.errors import ConfigError, DataError

from .gram_forms import naive_biased, naive_debiased, naive_unbiased_hsic


def rotation(rng, width):
    return np.linalg.qr(rng.standard_normal((width, width)))[0]


def test_equal_sides_give_one(pair):
    x, _ = pair
    for measure in (cka.linear_cka, cka.debiased_cka, cka.rbf_cka):
        assert measure(x, x) == pytest.approx(1, abs=1e-12)


def test_hand_worked_case():
    x = np.array([[-1.0], [0.0], [1.0]])
    y = np.array([[1.0], [-2.0], [1.0]])
    assert cka.linear_cka(x, y) == pytest.approx(0, abs=1e-15)
    assert cka.linear_cka(x, x + y) == pytest.approx(4 / (2 * 8))  # (x·(x+y))² / (‖x‖² ‖x+y‖²) = 2² / (2 · 8)


@pytest.mark.parametrize("n", [6, 40])
def test_linear_matches_the_gram_form_on_both_sides_of_n_equals_d(rng, n):
    x, y = rng.standard_normal((n, 12)) + 1, rng.standard_normal((n, 9))
    assert cka.linear_cka(x, y) == pytest.approx(naive_biased(x @ x.T, y @ y.T), rel=1e-12)
    assert cka.debiased_cka(x, y) == pytest.approx(naive_debiased(x, y), rel=1e-9)


def test_rotation_scale_and_shift_change_nothing(rng, pair):
    x, y = pair
    moved = 2.5 * y @ rotation(rng, 5) + rng.standard_normal(5)
    for measure in (cka.linear_cka, cka.debiased_cka, cka.rbf_cka):
        assert measure(x, moved) == pytest.approx(measure(x, y), rel=1e-10)
        assert measure(y, x) == pytest.approx(measure(x, y), rel=1e-12)


@pytest.mark.parametrize("sigma", [None, 1.7])
def test_rbf_matches_its_literal_form(pair, sigma):
    x, y = pair
    grams = []
    for rows in (x, y):
        squares = np.array([[np.sum((a - b) ** 2) for b in rows] for a in rows])
        variance = sigma**2 if sigma else 0.8**2 * np.median(squares)
        grams.append(np.exp(-squares / (2 * variance)))
    assert cka.rbf_cka(x, y, sigma=sigma, median_fraction=0.8) == pytest.approx(naive_biased(*grams), rel=1e-10)


def test_rbf_of_large_bandwidth_is_linear(pair):
    x, y = pair
    assert cka.rbf_cka(x, y, sigma=1e3) == pytest.approx(cka.linear_cka(x, y), abs=1e-4)


def test_debiased_is_unbiased_and_not_clipped(rng):
    values = [cka.debiased_cka(*rng.standard_normal((2, 30, 20))) for _ in range(200)]
    assert min(values) < 0
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200)
    assert np.mean([cka.linear_cka(*rng.standard_normal((2, 30, 20))) for _ in range(20)]) > 0.3


def test_one_outlier_rules_biased_cka(rng):
    x, y = rng.standard_normal((2, 500, 64))
    before = cka.linear_cka(x, y)
    x[0] *= 30
    y[0] *= 30
    assert before < 0.2
    assert cka.linear_cka(x, y) > 0.9


def test_minibatch_is_the_ratio_of_means_not_the_mean_of_ratios(pair):
    x, y = pair
    batches = [(x[i : i + 12], y[i : i + 12]) for i in range(0, 60, 12)]
    xy, xx, yy = (
        np.mean([naive_unbiased_hsic(a @ a.T, b @ b.T) for a, b in pairs])
        for pairs in (batches, [(a, a) for a, _ in batches], [(b, b) for _, b in batches])
    )
    value = cka.minibatch_cka(batches)
    assert value == pytest.approx(xy / np.sqrt(xx * yy), rel=1e-9)
    assert value != pytest.approx(np.mean([cka.debiased_cka(a, b) for a, b in batches]), abs=1e-4)
    assert cka.minibatch_cka([(x, y)]) == pytest.approx(cka.debiased_cka(x, y), rel=1e-12)


def test_raises(rng, pair):
    x, y = pair
    with pytest.raises(DataError, match="at least 4"):
        cka.debiased_cka(x[:3], y[:3])
    with pytest.raises(ConfigError, match="bandwidth above 0"):
        cka.rbf_cka(x, y, sigma=0.0)
    with pytest.raises(ConfigError, match="bandwidth above 0"):
        cka.rbf_cka(x, y, median_fraction=-1.0)
    with pytest.raises(DataError, match="median gives no bandwidth"):
        cka.rbf_cka(np.eye(60, 8) * (np.arange(60)[:, None] == 0), y)
    with pytest.raises(DataError, match="at least one batch"):
        cka.minibatch_cka([])
