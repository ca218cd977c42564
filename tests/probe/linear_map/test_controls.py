"""Words alone as a control beside the ladder."""

from dataclasses import replace

import numpy as np
import pytest
from polyglot.analysis.maps import words
from polyglot.probe.experiment.held_out import fit_held_out
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map import controls


@pytest.fixture(scope="module")
def pairs():
    """Targets that are sums of the vectors of the source's words; the source vectors say nothing."""
    rng = np.random.default_rng(0)
    vocabulary = ["chien", "chat", "mange", "court", "vite", "demain", "pomme", "table", "rouge", "grand"]
    vectors = rng.standard_normal((len(vocabulary), 12))
    chosen = [rng.choice(len(vocabulary), 4, replace=False) for _ in range(200)]
    texts = tuple(" ".join(vocabulary[i] for i in row) for row in chosen)
    y = np.array([vectors[row].sum(axis=0) for row in chosen]) + 0.1 * rng.standard_normal((200, 12))
    plain = Pairs.of_arrays(rng.standard_normal((200, 12)), y, None, names=("fr", "en"), same_space=True)
    return replace(plain, sources=texts)


@pytest.fixture(scope="module")
def held_out(pairs):
    return fit_held_out(pairs, ("rotation", "linear"), folds=4, resamples=200, seed=0)


def test_words_find_what_the_encoder_does_not(pairs, held_out):
    found = controls.controls_of(held_out, pairs, 0).words
    assert found.r2.low > 0.8
    assert found.p_at_1.value > held_out.searches.hits()["linear"].mean() + 0.3


def test_the_score_is_that_of_the_held_out_prediction(pairs, held_out):
    found = controls.controls_of(held_out, pairs, 0).words
    predicted = words.held_out_words(pairs.sources, pairs.y, held_out.ladder.source.folds)
    error = np.square(pairs.y - predicted).sum() / np.square(pairs.y - held_out.fit.reference).sum()
    assert found.r2.value == pytest.approx(1 - error)


def test_arrays_and_very_many_rows_have_no_words(pairs, held_out, monkeypatch):
    assert controls.controls_of(held_out, replace(pairs, sources=None), 0).words is None
    monkeypatch.setattr(controls, "MOST_ROWS", 100)
    assert controls.controls_of(held_out, pairs, 0).words is None
