"""Words beside a trained model: the gain is paired by row, and only a sure one goes without a warning."""

from types import SimpleNamespace

import numpy as np
import pytest
from polyglot.analysis.resampling import Interval
from polyglot.train.evaluation.metrics import language_metrics
from polyglot.train.evaluation.words_control import words_outcome, words_warnings


@pytest.fixture(scope="module")
def pairs(toy_sentences):
    """Pairs of the toy language, and vectors that the words of the known side add up to."""
    rng = np.random.default_rng(0)
    french, english = zip(*toy_sentences(200), strict=True)
    vectors = {word: rng.standard_normal(16) for text in english for word in text.split()}
    y = np.array([sum(vectors[word] for word in text.split()) for text in english], np.float32)
    training, held_out = SimpleNamespace(sources=french[:150]), SimpleNamespace(sources=french[150:])
    return SimpleNamespace(training=training, held_out=held_out, held_out_groups=np.arange(50)), y


@pytest.mark.parametrize("noise", [0.0, 30.0])
def test_words_find_what_their_vectors_add_up_to(pairs, noise):
    split, y = pairs
    new = y[150:] + noise * np.random.default_rng(1).standard_normal((50, 16)).astype(np.float32)
    trained = language_metrics(new, y[150:], split.held_out_groups, seed=0, certify=None)
    outcome = words_outcome(split, (y[:150], y[150:]), trained, seed=0)
    assert outcome.retrieval.p_at_1.value > 0.8
    hits = [np.array(ranks) <= 1 for ranks in (trained.ranks, outcome.ranks)]
    assert outcome.gain.value == pytest.approx(hits[0].mean() - hits[1].mean())
    assert (outcome.gain.high < 0) is (noise > 0)


@pytest.mark.parametrize(("low", "warned"), [(-0.01, True), (0.0, True), (0.01, False)])
def test_only_a_sure_gain_goes_without_a_warning(low, warned):
    p_at_1 = Interval(0.5, 0.4, 0.6)
    retrieval = SimpleNamespace(p_at_1=p_at_1)
    words = SimpleNamespace(retrieval=retrieval, gain=Interval(0.02, low, 0.05))
    outcome = SimpleNamespace(language="fr", after=SimpleNamespace(retrieval=retrieval), words=words)
    without = SimpleNamespace(language="de", words=None)
    warnings = words_warnings("align", [outcome, without])
    assert [warning.split(":")[0] for warning in warnings] == (["fr"] if warned else [])
    assert all("does not beat words alone" in warning for warning in warnings)
