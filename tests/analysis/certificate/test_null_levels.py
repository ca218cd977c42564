"""What measures show where there is nothing: levels that independent rows reach by chance, in sample and held out.

Biased CKA and the Procrustes score depend on the ratio of dimensions to rows alone, up to terms that vanish with
either, so that an eighth of the published sizes has the published levels. The full sizes are replayed by
`polyglot verify` and by the slow test of tests/probe/test_reference.py.
"""

import numpy as np
import pytest
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.maps.procrustes import procrustes
from polyglot.analysis.retrieval.ranks import match_ranks
from polyglot.analysis.similarity import cka
from polyglot.analysis.similarity.shape import procrustes_score
from polyglot.analysis.splits import group_folds

EIGHTH = 8


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def p_at_1(x, y):
    numbers = np.arange(len(x))
    return np.mean(match_ranks(x, y, numbers, numbers)[0].cosine == 1)


@pytest.mark.parametrize(("n", "published"), [(1000, 0.434), (5000, 0.133)])
def test_biased_cka_of_independent_gaussians_is_far_from_zero_and_debiased_is_not(n, published):
    rng = np.random.default_rng(n)
    rows, width = n // EIGHTH, 768 // EIGHTH
    pairs = [rng.standard_normal((2, rows, width)) for _ in range(12)]
    biased = [cka.linear_cka(x, y) for x, y in pairs]
    debiased = [cka.debiased_cka(x, y) for x, y in pairs]
    assert np.mean(biased) == pytest.approx(published, abs=0.005)
    assert np.mean(biased) == pytest.approx(width / (rows + width), abs=0.005)
    assert abs(np.mean(debiased)) < 4 * np.std(debiased) / np.sqrt(len(debiased))
    assert abs(np.mean(debiased)) < 0.01


def test_a_rotation_fits_noise_in_sample_and_nothing_held_out():
    rng = np.random.default_rng(3)
    x, y, fresh_x, fresh_y = rng.standard_normal((4, 5000 // EIGHTH, 768 // EIGHTH))
    rotation, _ = procrustes(x.T @ y)
    held_out = np.vdot(fresh_x @ rotation, fresh_y) / (np.linalg.norm(fresh_x) * np.linalg.norm(fresh_y))
    assert procrustes_score(x, y) == pytest.approx(0.327, abs=0.01)
    assert abs(held_out) < 5 / np.sqrt(x.size)


@pytest.mark.parametrize(("n", "published"), [(1000, 1.00), (5000, 0.83)])
def test_a_rotation_finds_pairs_that_it_has_seen_and_no_others(n, published):
    rng = np.random.default_rng(n)
    x, y, fresh_x, fresh_y = (unit(rng.standard_normal((n, 384), np.float32)) for _ in range(4))
    rotation = procrustes(x.T @ y)[0].astype(np.float32)
    assert p_at_1(x @ rotation, y) == pytest.approx(published, abs=0.015)
    assert p_at_1(fresh_x @ rotation, fresh_y) <= 5 / n


def test_no_rung_of_the_ladder_explains_or_finds_independent_rows():
    rng = np.random.default_rng(5)
    x, y = (unit(rng.standard_normal((400, 32))) for _ in range(2))
    folds = group_folds(np.arange(400), 5, np.random.default_rng(0))
    ladder = Ladder(x, folds, rungs=("identity", "shift", "rotation", "similarity", "linear")).fit(y)
    assert set(ladder.predictions) == {"identity", "shift", "rotation", "similarity", "linear"}
    for predicted in ladder.predictions.values():
        r2 = 1 - np.sum((y - predicted) ** 2) / np.sum((y - ladder.reference) ** 2)
        assert r2 < 0.01
        assert p_at_1(predicted, y) <= 6 / 400
