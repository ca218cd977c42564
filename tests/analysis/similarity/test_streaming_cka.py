"""CKA from moments against Gram matrices and against the rows outside each block."""

import numpy as np
import pytest
from polyglot.analysis.moments import Moments, merged
from polyglot.analysis.similarity.cka import debiased_cka
from polyglot.analysis.similarity.hsic import Hsics, unbiased_hsic
from polyglot.analysis.similarity.streaming_cka import (
    debiased_cka_from_moments,
    debiased_hsics_from_moments,
    jackknife_debiased_cka,
    linear_cka_from_moments,
)
from polyglot.errors import ConfigError, DataError

from .gram_forms import naive_biased


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_streaming_equals_gram_form(rng, shift):
    x = rng.standard_normal((300, 12)) * np.linspace(0.1, 3, 12) + shift
    y = x[:, :7] + rng.standard_normal((300, 7))
    moments = Moments.from_arrays(x, y, block_rows=37, dtype="float64")
    a, b = x - x.mean(0), y - y.mean(0)
    k, l = a @ a.T, b @ b.T  # noqa: E741
    gram = Hsics(unbiased_hsic(k, l), unbiased_hsic(k, k), unbiased_hsic(l, l))
    streamed = debiased_hsics_from_moments(moments)
    for ours, theirs in ((streamed.xy, gram.xy), (streamed.xx, gram.xx), (streamed.yy, gram.yy)):
        assert ours == pytest.approx(theirs, rel=1e-12)
    assert debiased_cka_from_moments(moments) == pytest.approx(gram.cka, rel=1e-12)
    assert debiased_cka(x, y) == pytest.approx(gram.cka, rel=1e-12)
    assert linear_cka_from_moments(moments) == pytest.approx(naive_biased(k, l), rel=1e-12)


def test_streaming_about_a_bad_centre_equals_the_good_one(rng, pair):
    x, y = pair
    good = Moments.from_arrays(x, y, dtype="float64")
    bad = Moments.from_arrays(x, y, centres=(rng.standard_normal(8), rng.standard_normal(5)), dtype="float64")
    assert debiased_cka_from_moments(bad) == pytest.approx(debiased_cka_from_moments(good), rel=1e-11)


def test_jackknife_leaves_each_block_out(rng, pair):
    x, y = pair
    centres = x[:5].mean(0), y[:5].mean(0)
    parts = np.array_split(np.arange(60), 6)
    blocks = [Moments.from_arrays(x[p], y[p], centres=centres, dtype="float64") for p in parts]
    without = np.array([debiased_cka(np.delete(x, p, 0), np.delete(y, p, 0)) for p in parts])
    error = np.sqrt(5 / 6 * np.sum((without - without.mean()) ** 2))
    interval = jackknife_debiased_cka(blocks)
    assert interval.value == pytest.approx(debiased_cka(x, y), rel=1e-12)
    assert interval.high - interval.value == pytest.approx(2.570581835636314 * error, rel=1e-9)
    assert interval.low + interval.high == pytest.approx(2 * interval.value, rel=1e-12)


def test_jackknife_covers(rng):
    """The true value of x against x + noise, from a large sample, lies within most 95 % intervals."""
    scales = np.linspace(0.5, 2, 6)

    def draw(n):
        x = rng.standard_normal((n, 6)) * scales
        return x, x + rng.standard_normal((n, 6))

    truth = debiased_cka(*draw(200_000))
    inside = 0
    for _ in range(60):
        x, y = draw(400)
        blocks = [
            Moments.from_arrays(x[i::20], y[i::20], centres=(np.zeros(6), np.zeros(6)), dtype="float64")
            for i in range(20)
        ]
        interval = jackknife_debiased_cka(blocks)
        inside += interval.low <= truth <= interval.high
    assert inside >= 50


def test_blocks_merge_to_the_whole(pair):
    x, y = pair
    centres = np.zeros(8), np.zeros(5)
    blocks = [Moments.from_arrays(x[i::3], y[i::3], centres=centres, dtype="float64") for i in range(3)]
    assert debiased_cka_from_moments(merged(blocks)) == pytest.approx(debiased_cka(x, y), rel=1e-10)


def test_streaming_refuses_too_few_rows_one_block_and_blocks_about_different_centres(pair):
    x, y = pair
    with pytest.raises(DataError, match="at least 4"):
        debiased_cka_from_moments(Moments.from_arrays(x[:3], y[:3]))
    with pytest.raises(ConfigError, match="at least 2 blocks"):
        jackknife_debiased_cka([Moments.from_arrays(x, y)])
    with pytest.raises(DataError, match="centres"):
        jackknife_debiased_cka([Moments.from_arrays(x[:30], y[:30]), Moments.from_arrays(x[30:], y[30:])])
