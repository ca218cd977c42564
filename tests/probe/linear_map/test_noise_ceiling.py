from dataclasses import replace

import numpy as np
import pytest
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.splits import group_folds
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map.config import LinearMapConfig
from polyglot.probe.linear_map.noise_ceiling import noise_ceiling, shrunk_reference

CONFIG = LinearMapConfig(resamples=200)


def setting(noise=0.5, n=400, missing=0, seed=0):
    """Two noisy translations of a common meaning, of which x is a linear function."""
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((n, 5))
    x = meaning @ rng.standard_normal((5, 5))
    first, second = (meaning + noise * rng.standard_normal((n, 5)) for _ in range(2))
    second[:missing] = np.nan
    pairs = Pairs.of_arrays(x, first, None, names=("a", "b"), same_space=False)
    fit = Ladder(x, group_folds(pairs.groups, 5, rng), rungs=("linear",)).fit(first)
    return replace(pairs, references=(None, second)), fit


def test_without_second_references_there_is_no_ceiling():
    pairs, fit = setting()
    assert noise_ceiling(replace(pairs, references=(None, None)), fit, "linear", CONFIG) == (None, 0, None)
    few, fit = setting(missing=351)
    assert noise_ceiling(few, fit, "linear", CONFIG) == (None, 49, None)


def test_a_repeated_reference_predicts_everything():
    pairs, fit = setting()
    twin, rows, _ = noise_ceiling(replace(pairs, references=(None, pairs.y + 4)), fit, "linear", CONFIG)
    assert rows == 400
    assert twin.value == pytest.approx(1)


def test_a_second_translation_tells_the_square_of_what_the_meaning_tells():
    pairs, fit = setting(noise=0.7, n=3000)
    twin, _, mapped = noise_ceiling(pairs, fit, "linear", CONFIG)
    reliability = 1 / (1 + 0.7**2)
    assert twin.value == pytest.approx(reliability**2, abs=0.03)
    assert mapped.value == pytest.approx(reliability, abs=0.03)
    assert twin.low < twin.value < twin.high


def test_only_rows_with_both_references_are_scored():
    pairs, fit = setting(missing=100)
    _, rows, mapped = noise_ceiling(pairs, fit, "linear", CONFIG)
    assert rows == 300
    error = np.sum((pairs.y - fit.predictions["linear"])[100:] ** 2)
    assert mapped.value == pytest.approx(1 - error / np.sum((pairs.y - fit.reference)[100:] ** 2))


def test_the_twin_is_fitted_on_other_folds():
    rng = np.random.default_rng(0)
    second, first = rng.standard_normal((2, 40, 3))
    folds = np.arange(40) % 4
    prediction, reference = shrunk_reference(second, first, folds)
    training = folds != 1
    a, b = (side[training] - side[training].mean(axis=0) for side in (second, first))
    slope = np.linalg.lstsq(a.ravel()[:, None], b.ravel(), rcond=None)[0][0]
    expected = first[training].mean(axis=0) + slope * (second[folds == 1] - second[training].mean(axis=0))
    np.testing.assert_allclose(prediction[folds == 1], expected)
    np.testing.assert_allclose(reference[folds == 1], np.tile(first[training].mean(axis=0), (10, 1)))
