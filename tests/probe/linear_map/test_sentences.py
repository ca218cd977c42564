import numpy as np
import pytest
from polyglot.analysis.certificate.equivalence import SharedErrors, decide
from polyglot.analysis.resampling import Interval, Resamples
from polyglot.probe.linear_map.sentences import Limits, verdict_sentence

NOTHING = Limits(1200, None, None)


def sentence(reach=NOTHING, margin=0.05, noise=0.0, **r2):
    rng = np.random.default_rng(0)
    total = np.ones(400)
    errors = {name: (1 - value) * (1 + noise * rng.standard_normal(400)) for name, value in r2.items()}
    scores = SharedErrors.of(errors, total, Resamples.draw(np.arange(400), rng, 200))
    return verdict_sentence(("en", "fr"), decide(scores, 0.01, margin), scores, reach)


@pytest.mark.parametrize(
    ("r2", "words"),
    [
        ({"identity": 0.5, "linear": 0.5}, "en → fr is already the identity"),
        ({"shift": 0.5, "linear": 0.5}, "en → fr is a shift"),
        ({"rotation": 0.5, "linear": 0.5}, "en → fr is a rotation: it reaches 100 %"),
        ({"similarity": 0.5, "linear": 0.5}, "en → fr is a rotation with one scale"),
        ({"rotation": 0.2, "linear": 0.5}, "en → fr is a linear map: it reaches 100 %"),
        ({"linear": 0.4, "nonlinear": 0.5}, "en → fr is mostly linear: a linear map reaches 80 % [80, 80]"),
        ({"linear": 0.1, "nonlinear": 0.5}, "en → fr is nonlinear: a linear map reaches 20 %"),
        ({"linear": 0.001}, "en → fr: no map found"),
    ],
)
def test_every_verdict_has_its_sentence(r2, words):
    assert sentence(**r2).startswith(words)


def test_what_is_undecided_says_so():
    assert "is undecided" in sentence(linear=0.475, nonlinear=0.5, noise=0.5)


def test_a_verdict_says_what_bounds_it():
    words = sentence(Limits(1200, 0.05, Interval(0.7, 0.65, 0.75)), rotation=0.5, linear=0.5)
    assert "1200 training pairs" in words
    assert "would explain more with more pairs" in words
    assert "70 %" not in words  # an extrapolation stays with its figure
    assert "curvature of 5 % or more" in words
    settled = sentence(Limits(1200, None, Interval(0.5, 0.45, 0.55)), rotation=0.5, linear=0.5)
    assert "more pairs" not in settled
    assert "curvature" not in settled


def test_resolution_is_not_claimed_for_a_verdict_of_curvature():
    assert "would have been seen" not in sentence(Limits(1200, 0.05, None), linear=0.3, nonlinear=0.5)


def test_a_test_without_power_says_so():
    words = sentence(Limits(1200, None, None, missed=0.2), rotation=0.5, linear=0.5)
    assert "even curvature of 20 % could have been missed" in words
