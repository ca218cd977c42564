"""The ladder held out, against a literal fit of one rung."""

import numpy as np
import pytest
from polyglot.analysis.certificate.permutation import NullPlan
from polyglot.analysis.splits import group_folds
from polyglot.probe.experiment.held_out import absent_rungs, fit_held_out, permuted_scores, scores_of_rung
from polyglot.probe.experiment.pairs import Pairs

RUNGS = ("identity", "rotation", "linear")


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 5))
    y = x @ np.linalg.qr(rng.standard_normal((5, 5)))[0] + 0.3 * rng.standard_normal(x.shape)
    return Pairs.of_arrays(x, y, None, names=("x", "y"), same_space=False)


@pytest.fixture(scope="module")
def held_out(pairs):
    return fit_held_out(pairs, RUNGS, folds=4, resamples=200, seed=3)


def test_r2_of_the_rotation_is_that_of_a_literal_procrustes(pairs, held_out):
    folds = group_folds(pairs.groups, 4, np.random.default_rng(3))
    error = total = 0.0
    for fold in range(4):
        x, y = pairs.x[folds != fold], pairs.y[folds != fold]
        u, _, vt = np.linalg.svd((x - x.mean(0)).T @ (y - y.mean(0)))
        predicted = (pairs.x[folds == fold] - x.mean(0)) @ u @ vt + y.mean(0)
        error += np.sum((pairs.y[folds == fold] - predicted) ** 2)
        total += np.sum((pairs.y[folds == fold] - y.mean(0)) ** 2)
    assert held_out.errors.interval("rotation").value == pytest.approx(1 - error / total, abs=1e-9)


def test_rungs_of_one_space_are_absent_and_say_why(pairs, held_out):
    assert set(held_out.ladder.rungs) == {"rotation", "linear"} or "identity" not in held_out.ladder.rungs
    assert list(absent_rungs(held_out, pairs, RUNGS)) == ["identity"]
    assert "same-space" in absent_rungs(held_out, pairs, RUNGS)["identity"]


def test_scores_stand_beside_their_null(pairs, held_out):
    null = permuted_scores(held_out, pairs, NullPlan(4, 2, 4))
    scores = scores_of_rung(held_out, null, "linear")
    for score in (scores.r2, scores.cosine, scores.p_at_1, scores.backward.p_at_1_csls):
        assert score.null_mean is not None
        assert score.value > score.null_mean
    assert scores.r2_refitted is None


def test_hits_are_those_of_the_searches(held_out):
    hits = held_out.searches.hits()
    assert set(hits) == set(held_out.fit.predictions)
    assert all(np.array_equal(hits[rung], held_out.searches.outcomes(rung)["p_at_1"]) for rung in hits)


def test_centred_searches_do_not_depend_on_shrinkage_or_on_a_mean(pairs):
    mean = 40 * np.ones(5)
    moved = Pairs.of_arrays(pairs.x, pairs.y + mean, None, names=("x", "y"), same_space=False)
    ours, theirs = (fit_held_out(p, ("rotation",), folds=4, resamples=200, seed=3) for p in (pairs, moved))
    found = [h.centred.outcomes("rotation")["p_at_1"] for h in (ours, theirs)]
    np.testing.assert_allclose(found[0], found[1])
    prediction, reference = ours.fit.predictions["rotation"], ours.fit.reference
    a, b = prediction - reference, pairs.y - reference
    cosines = (a / np.linalg.norm(a, axis=1)[:, None]) @ (b / np.linalg.norm(b, axis=1)[:, None]).T
    hits = cosines.argmax(axis=1) == np.arange(len(a))
    scores = scores_of_rung(ours, permuted_scores(ours, pairs, NullPlan(2, 1, 4)), "rotation")
    assert scores.p_at_1_centred.value == pytest.approx(hits.mean())
    assert scores.p_at_1_centred_backward.value == pytest.approx((cosines.argmax(axis=0) == np.arange(len(a))).mean())


def test_a_rogue_coordinate_decides_the_plain_r2_and_not_the_standardised_one(pairs):
    y = np.random.default_rng(1).standard_normal(pairs.y.shape)
    y[:, 4] = 100 * pairs.x[:, 4]
    alone = Pairs.of_arrays(pairs.x, y, None, names=("x", "y"), same_space=False)
    held_out = fit_held_out(alone, ("linear",), folds=4, resamples=200, seed=3)
    assert held_out.errors.interval("linear").value > 0.95
    assert held_out.standardised.interval("linear").value < 0.3


def test_a_coordinate_that_is_zero_but_for_rounding_does_not_decide_the_standardised_r2(pairs):
    rounding = 1e-19 * np.random.default_rng(2).standard_normal((len(pairs.y), 1))
    found = []
    for y in (pairs.y, np.concatenate([pairs.y, rounding], axis=1)):
        alone = Pairs.of_arrays(pairs.x, y, None, names=("x", "y"), same_space=False)
        held_out = fit_held_out(alone, ("rotation", "linear"), folds=4, resamples=200, seed=3)
        found.append([held_out.standardised.interval(rung).value for rung in ("rotation", "linear")])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3)
