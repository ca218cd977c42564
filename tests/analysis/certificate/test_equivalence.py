import numpy as np
import pytest
from polyglot.analysis.certificate.equivalence import (
    NO_MAP,
    NONLINEAR,
    UNDECIDED,
    VERDICT_ORDER,
    SharedErrors,
    decide,
    decide_retrieval,
    verdict_of,
)
from polyglot.analysis.resampling import Resamples


def resamples(n, seed=0):
    return Resamples.draw(np.arange(n), np.random.default_rng(seed), 300)


def scores(n=2000, noise=0.05, **r2):
    """Per-row errors whose R² is about what is asked for."""
    rng = np.random.default_rng(0)
    total = rng.chisquare(20, n) / 20
    errors = {name: total * (1 - value) * (1 + noise * rng.standard_normal(n)) for name, value in r2.items()}
    return SharedErrors.of(errors, total, resamples(n))


def test_r2_shares_and_gains_by_hand():
    found = SharedErrors.of({"linear": np.array([1.0, 1.0]), "local": np.zeros(2)}, np.full(2, 2.0), resamples(2))
    assert found.r2.tolist() == [0.5, 1.0]
    assert found.ceiling == "local"
    assert (found.share("linear").value, found.gain("local", over="linear").value) == (0.5, 0.5)
    assert found.interval("linear").low == found.interval("linear").high == 0.5


def test_shares_are_ratios_of_the_same_resamples():
    n = 60
    rng = np.random.default_rng(0)
    a, b, total, shared = rng.random(n), rng.random(n), 3 * rng.random(n), resamples(n)
    found = SharedErrors.of({"rotation": a, "linear": b}, total, shared)
    literal = []
    for weights in shared.weights.astype(float):
        rotation, linear = (1 - weights @ e / (weights @ total) for e in (a, b))
        literal.append((rotation, linear))
    literal = np.array(literal)
    share = found.share("rotation")
    of_best = literal[:, 0] / literal.max(axis=1)
    np.testing.assert_allclose((share.low, share.high), np.quantile(of_best, [0.025, 0.975]))
    gain = found.gain("linear", over="rotation")
    np.testing.assert_allclose((gain.low, gain.high), np.quantile(literal[:, 1] - literal[:, 0], [0.025, 0.975]))


def test_the_best_rung_is_selected_anew_in_every_resample():
    rng = np.random.default_rng(1)
    total, shared = np.ones(200), resamples(200)
    found = SharedErrors.of({"linear": rng.random(200), "nonlinear": rng.random(200)}, total, shared)
    best = found.share(found.ceiling)
    assert best.value == best.high == 1.0
    assert best.low < 0.97
    gaps = decide_retrieval(
        hits(n=300, rotation=0.5) | {"linear": hits(n=300, a=0.51)["a"][::-1]}, resamples(300)
    ).shares
    assert gaps["linear"].low < -0.02


@pytest.mark.parametrize(
    ("r2", "verdict"),
    [
        ({"identity": 0.5, "shift": 0.501, "rotation": 0.502, "linear": 0.503, "nonlinear": 0.504}, "identity"),
        ({"identity": 0.1, "shift": 0.5, "rotation": 0.5, "linear": 0.5, "nonlinear": 0.5}, "shift"),
        ({"identity": 0.1, "shift": 0.2, "rotation": 0.3, "similarity": 0.5, "linear": 0.5}, "similarity"),
        ({"rotation": 0.3, "linear": 0.5, "nonlinear": 0.51}, "linear"),
        ({"rotation": 0.3, "linear": 0.4, "nonlinear": 0.5}, NONLINEAR),
        ({"rotation": 0.3, "low_rank": 0.5, "linear": 0.4, "nonlinear": 0.4}, "linear"),
        ({"rotation": 0.3, "low_rank": 0.3, "linear": 0.3, "nonlinear": 0.5}, NONLINEAR),
    ],
)
def test_the_lowest_rung_that_suffices_is_named(r2, verdict):
    assert decide(scores(**r2), 0.01).verdict == verdict


def test_a_share_on_the_margin_is_undecided():
    decision = decide(scores(linear=0.475, nonlinear=0.5, noise=0.3), 0.01)
    assert decision.equivalences == {"linear": "undecided"}
    assert decision.verdict == UNDECIDED


def test_margins_move_the_verdict():
    found = scores(rotation=0.45, linear=0.5)
    assert decide(found, 0.01, margin=0.05).verdict == "linear"
    assert decide(found, 0.01, margin=0.2).verdict == "rotation"


def test_a_ceiling_below_its_null_is_no_map():
    found = scores(linear=0.02, nonlinear=0.03, noise=0.0)
    assert decide(found, 0.04).verdict == NO_MAP
    assert decide(found, 0.04).shares == {}
    assert decide(scores(linear=-0.01, nonlinear=-0.02), -0.5).verdict == NO_MAP
    assert decide(found, 0.01).verdict != NO_MAP


def test_verdicts_of_every_pattern():
    for i, name in enumerate(VERDICT_ORDER):
        pattern = {n: "suffices" if j >= i else "falls short" for j, n in enumerate(VERDICT_ORDER)}
        assert verdict_of(pattern) == name
    assert verdict_of({"linear": "falls short"}) == NONLINEAR
    assert verdict_of({"linear": "undecided", "rotation": "falls short"}) == UNDECIDED
    assert verdict_of({}) == UNDECIDED


def hits(n=3000, **p_at_1):
    rng = np.random.default_rng(0)
    level = rng.random(n)
    return {name: (level < value).astype(float) for name, value in p_at_1.items()}


@pytest.mark.parametrize(
    ("p_at_1", "verdict"),
    [
        ({"identity": 0.8, "rotation": 0.8, "linear": 0.8}, "identity"),
        ({"identity": 0.5, "rotation": 0.798, "linear": 0.8}, "rotation"),
        ({"rotation": 0.6, "linear": 0.7, "nonlinear": 0.8}, NONLINEAR),
        ({"rotation": 0.6, "linear": 0.7, "low_rank": 0.8}, "linear"),
        ({"linear": 0.788, "nonlinear": 0.8}, UNDECIDED),
    ],
)
def test_retrieval_names_the_lowest_rung_within_a_point(p_at_1, verdict):
    assert decide_retrieval(hits(**p_at_1), resamples(3000), null_p95=0.01).verdict == verdict


def test_gaps_are_differences_to_the_best_rung():
    decision = decide_retrieval(hits(rotation=0.6, linear=0.7), resamples(3000))
    assert decision.ceiling == "linear"
    assert decision.shares["linear"].value == 0.0
    assert decision.shares["rotation"].value == pytest.approx(-0.1, abs=0.01)


def test_retrieval_by_chance_is_no_map():
    found = hits(identity=0.002, linear=0.002)
    assert decide_retrieval(found, resamples(3000), null_p95=0.004).verdict == NO_MAP
