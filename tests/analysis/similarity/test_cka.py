"""CKA in all its forms against literal transcriptions from Gram matrices."""

import numpy as np
import pytest
from polyglot.analysis.moments import Moments, merged
from polyglot.analysis.similarity import cka
from polyglot.errors import ConfigError, DataError


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def pair(rng):
    x = rng.standard_normal((60, 8)) + 3
    return x, x @ rng.standard_normal((8, 5)) + rng.standard_normal((60, 5)) - 2


def rotation(rng, width):
    return np.linalg.qr(rng.standard_normal((width, width)))[0]


def naive_biased(k, l):  # noqa: E741
    n = len(k)
    h = np.eye(n) - np.ones((n, n)) / n
    hsic = lambda a, b: np.trace(a @ h @ b @ h)  # noqa: E731
    return hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))


def naive_unbiased_hsic(k, l):  # noqa: E741
    """Song et al. (2012, eq. 4): the sum over different i, j, q, r by their counts."""
    n = len(k)
    one = two = 0.0
    for i in range(n):
        for j in range(n):
            if j == i:
                continue
            one += k[i, j] * l[i, j]
            two += sum(k[i, j] * l[i, q] for q in range(n) if q not in (i, j))
    off = ~np.eye(n, dtype=bool)
    # Ordered quadruples of different indices: all pairs of pairs less those that share one or two indices.
    three = k[off].sum() * l[off].sum() - 4 * two - 2 * one
    return one / (n * (n - 1)) + three / (n * (n - 1) * (n - 2) * (n - 3)) - 2 * two / (n * (n - 1) * (n - 2))


def naive_debiased(x, y):
    k, l = x @ x.T, y @ y.T  # noqa: E741
    return naive_unbiased_hsic(k, l) / np.sqrt(naive_unbiased_hsic(k, k) * naive_unbiased_hsic(l, l))


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


def test_unbiased_hsic_is_the_sum_over_different_indices(rng):
    k, l = (a @ a.T for a in rng.standard_normal((2, 9, 4)))  # noqa: E741
    assert cka.unbiased_hsic(k, l) == pytest.approx(naive_unbiased_hsic(k, l), rel=1e-10)


def test_biased_hsic_is_the_trace_form(rng):
    k, l = (a @ a.T for a in rng.standard_normal((2, 9, 4)))  # noqa: E741
    h = np.eye(9) - 1 / 9
    assert cka.biased_hsic(k, l) == pytest.approx(np.trace(k @ h @ l @ h) / 64)


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


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_streaming_equals_gram_form(rng, shift):
    x = rng.standard_normal((300, 12)) * np.linspace(0.1, 3, 12) + shift
    y = x[:, :7] + rng.standard_normal((300, 7))
    moments = Moments.from_arrays(x, y, block_rows=37, dtype="float64")
    a, b = x - x.mean(0), y - y.mean(0)
    k, l = a @ a.T, b @ b.T  # noqa: E741
    gram = cka.Hsics(cka.unbiased_hsic(k, l), cka.unbiased_hsic(k, k), cka.unbiased_hsic(l, l))
    streamed = cka.debiased_hsics_from_moments(moments)
    for ours, theirs in ((streamed.xy, gram.xy), (streamed.xx, gram.xx), (streamed.yy, gram.yy)):
        assert ours == pytest.approx(theirs, rel=1e-12)
    assert cka.debiased_cka_from_moments(moments) == pytest.approx(gram.cka, rel=1e-12)
    assert cka.debiased_cka(x, y) == pytest.approx(gram.cka, rel=1e-12)
    assert cka.linear_cka_from_moments(moments) == pytest.approx(naive_biased(k, l), rel=1e-12)


def test_streaming_about_a_bad_centre_equals_the_good_one(rng, pair):
    x, y = pair
    good = Moments.from_arrays(x, y, dtype="float64")
    bad = Moments.from_arrays(x, y, centres=(rng.standard_normal(8), rng.standard_normal(5)), dtype="float64")
    assert cka.debiased_cka_from_moments(bad) == pytest.approx(cka.debiased_cka_from_moments(good), rel=1e-11)


def test_jackknife_leaves_each_block_out(rng, pair):
    x, y = pair
    centres = x[:5].mean(0), y[:5].mean(0)
    parts = np.array_split(np.arange(60), 6)
    blocks = [Moments.from_arrays(x[p], y[p], centres=centres, dtype="float64") for p in parts]
    without = np.array([cka.debiased_cka(np.delete(x, p, 0), np.delete(y, p, 0)) for p in parts])
    error = np.sqrt(5 / 6 * np.sum((without - without.mean()) ** 2))
    interval = cka.jackknife_debiased_cka(blocks)
    assert interval.value == pytest.approx(cka.debiased_cka(x, y), rel=1e-12)
    assert interval.high - interval.value == pytest.approx(2.570581835636314 * error, rel=1e-9)
    assert interval.low + interval.high == pytest.approx(2 * interval.value, rel=1e-12)


def test_jackknife_covers(rng):
    """The true value of x against x + noise, from a large sample, lies within most 95 % intervals."""
    scales = np.linspace(0.5, 2, 6)

    def draw(n):
        x = rng.standard_normal((n, 6)) * scales
        return x, x + rng.standard_normal((n, 6))

    truth = cka.debiased_cka(*draw(200_000))
    inside = 0
    for _ in range(60):
        x, y = draw(400)
        blocks = [
            Moments.from_arrays(x[i::20], y[i::20], centres=(np.zeros(6), np.zeros(6)), dtype="float64")
            for i in range(20)
        ]
        interval = cka.jackknife_debiased_cka(blocks)
        inside += interval.low <= truth <= interval.high
    assert inside >= 50


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
    with pytest.raises(DataError, match="at least 4"):
        cka.unbiased_hsic(np.eye(3), np.eye(3))
    with pytest.raises(DataError, match="at least 4"):
        cka.debiased_cka_from_moments(Moments.from_arrays(x[:3], y[:3]))
    with pytest.raises(ConfigError, match="bandwidth above 0"):
        cka.rbf_cka(x, y, sigma=0.0)
    with pytest.raises(ConfigError, match="bandwidth above 0"):
        cka.rbf_cka(x, y, median_fraction=-1.0)
    with pytest.raises(DataError, match="median gives no bandwidth"):
        cka.rbf_cka(np.eye(60, 8) * (np.arange(60)[:, None] == 0), y)
    with pytest.raises(ConfigError, match="at least 2 blocks"):
        cka.jackknife_debiased_cka([Moments.from_arrays(x, y)])
    with pytest.raises(DataError, match="centres"):
        cka.jackknife_debiased_cka([Moments.from_arrays(x[:30], y[:30]), Moments.from_arrays(x[30:], y[30:])])
    with pytest.raises(DataError, match="at least one batch"):
        cka.minibatch_cka([])
    with pytest.raises(DataError, match="not defined"):
        _ = cka.Hsics(0.1, -0.1, 1.0).cka


def test_blocks_merge_to_the_whole(pair):
    x, y = pair
    centres = np.zeros(8), np.zeros(5)
    blocks = [Moments.from_arrays(x[i::3], y[i::3], centres=centres, dtype="float64") for i in range(3)]
    assert cka.debiased_cka_from_moments(merged(blocks)) == pytest.approx(cka.debiased_cka(x, y), rel=1e-10)
