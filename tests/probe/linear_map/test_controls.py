"""Controls beside the linear map, on planted data where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from polyglot.analysis.maps import words
from polyglot.analysis.maps.fixed_shrinkage import wrong_language
from polyglot.analysis.maps.map_spec import MapSpec, fit_spec
from polyglot.analysis.maps.regression import Regression
from polyglot.analysis.moments import Moments
from polyglot.errors import ConfigError
from polyglot.probe.experiment.held_out import fit_held_out
from polyglot.probe.experiment.pairs import Pairs
from polyglot.probe.linear_map import controls
from polyglot.probe.linear_map.config import LinearMapConfig
from polyglot.probe.linear_map.paraphrase import paraphrase_control
from polyglot.probe.linear_map.run import measure
from polyglot.probe.results.linear_map import Controls, LinearMapResult
from polyglot.probe.results.serialization import from_json, to_json

RUNGS = ("identity", "linear")


def fitted(pairs, rungs=RUNGS):
    return fit_held_out(pairs, rungs, folds=4, resamples=200, seed=0)


def translated(seed=0, n=400, d=10, noise=0.25):
    """A source, its targets by a rotation about means, and the map that made them."""
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((n, d)) / np.sqrt(np.arange(1, d + 1))
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]

    def noisy(rows):
        return rows + noise * meaning.std() * rng.standard_normal(rows.shape)

    x, y = noisy(meaning) + 0.5, noisy(meaning @ turn) - 1
    return Pairs.of_arrays(x, y, None, names=("fr", "en"), same_space=True), meaning, noisy


@pytest.fixture(scope="module")
def worded():
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
def worded_ladder(worded):
    return fitted(worded, ("rotation", "linear"))


def test_words_find_what_the_encoder_does_not(worded, worded_ladder):
    found = controls.controls_of(worded_ladder, worded, {}, 0).words
    assert found.r2.low > 0.8
    assert found.gap.low > 0.3
    assert found.gap.value == pytest.approx(found.p_at_1.value - worded_ladder.searches.hits()["linear"].mean())


def test_the_score_is_that_of_the_held_out_prediction(worded, worded_ladder):
    found = controls.controls_of(worded_ladder, worded, {}, 0).words
    predicted = words.held_out_words(worded.sources, worded.y, worded_ladder.ladder.source.folds)
    error = np.square(worded.y - predicted).sum() / np.square(worded.y - worded_ladder.fit.reference).sum()
    assert found.r2.value == pytest.approx(1 - error)


def test_controls_ask_with_the_stretch_of_the_map_that_they_stand_beside():
    """What is shrunk beside a large mean would point at the mean, whatever it knows."""
    pairs, _, _ = translated(n=120)
    far = replace(pairs, y=pairs.y + 20)
    held_out = fitted(far, ("linear",))
    predicted, reference = held_out.fit.predictions["linear"], held_out.fit.reference
    shrunk = reference + 0.02 * (predicted - reference)
    plain, alone = ({"linear": (stretch,) * 4} for stretch in (1.0, np.inf))
    hits = held_out.searches.outcomes("linear")["p_at_1"]
    stretched = controls.OwnMap(replace(held_out, stretches=alone), far, hits)
    assert stretched.scores_beside(shrunk).p_at_1 == stretched.scores_beside(predicted).p_at_1
    unstretched = controls.OwnMap(replace(held_out, stretches=plain), far, hits)
    assert unstretched.scores_beside(shrunk).p_at_1.value < stretched.scores_beside(shrunk).p_at_1.value - 0.2


def test_arrays_and_very_many_rows_have_no_words(worded, worded_ladder, monkeypatch):
    assert controls.controls_of(worded_ladder, replace(worded, sources=None), {}, 0) == Controls()
    monkeypatch.setattr(controls, "MOST_ROWS", 100)
    assert controls.controls_of(worded_ladder, worded, {}, 0).words is None


def test_with_one_map_for_both_the_wrong_language_loses_nothing():
    pairs, meaning, noisy = translated()
    found = controls.controls_of(fitted(pairs), pairs, {"de": noisy(meaning) + 0.5}, 0).wrong_language["de"]
    assert abs(found.as_it_is.gap.value) < 0.02
    assert found.as_it_is.r2.value == pytest.approx(found.recentred.r2.value, abs=0.01)


def test_with_another_map_the_wrong_language_loses_everything():
    pairs, meaning, noisy = translated()
    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((10, 10)))[0]
    held_out = fitted(pairs)
    found = controls.controls_of(held_out, pairs, {"de": noisy(meaning @ turn)}, 0).wrong_language["de"]
    own = held_out.searches.hits()["linear"].mean()
    assert own > 0.6
    assert found.as_it_is.p_at_1.high < 0.1
    assert found.as_it_is.gap.high < -0.5 > found.recentred.gap.high
    assert found.as_it_is.gap.value == pytest.approx(found.as_it_is.p_at_1.value - own)
    assert found.recentred.r2.high < 0.1


def test_a_language_that_is_only_shifted_loses_nothing_with_the_right_mean():
    pairs, meaning, noisy = translated()
    found = controls.controls_of(fitted(pairs), pairs, {"de": noisy(meaning) + 4}, 0).wrong_language["de"]
    assert found.as_it_is.gap.high < -0.2
    assert found.as_it_is.r2.value < 0
    assert abs(found.recentred.gap.value) < 0.03


@pytest.mark.parametrize("towards", ["prior", "rotation", "zero"])
def test_the_wrong_map_is_that_of_the_training_rows(towards):
    """The slow way: a map from the other language's training rows, applied to held-out rows of this one."""
    pairs, meaning, noisy = translated(n=120)
    other, held_out = noisy(meaning[:, ::-1]) + 2, fitted(pairs)
    own = [replace(c.spec("linear").shrinkage, towards=towards, kappa=3.0, penalty=7.0) for c in held_out.fit.choices]
    found = wrong_language(pairs.x, other, held_out.fit.target, own)
    for fold, rows in enumerate(held_out.ladder.source.rows):
        training = np.setdiff1d(np.arange(120), rows)
        regression = Regression(Moments.from_arrays(other[training], pairs.y[training], dtype="float64"), np.eye(10))
        oracle = fit_spec(regression, MapSpec("linear", shrinkage=own[fold]))
        np.testing.assert_allclose(found.as_it_is[rows], oracle(pairs.x[rows]), atol=1e-8)
        moved = oracle(pairs.x[rows] - pairs.x[training].mean(axis=0) + other[training].mean(axis=0))
        np.testing.assert_allclose(found.recentred[rows], moved, atol=1e-8)


def test_maps_of_other_spaces_are_not_applied():
    pairs, meaning, noisy = translated(n=120)
    apart = replace(pairs, same_space=False)
    assert controls.controls_of(fitted(apart, ("linear",)), apart, {"de": noisy(meaning)}, 0).wrong_language == {}
    assert controls.controls_of(fitted(pairs), pairs, {"de": meaning[:, :5]}, 0).wrong_language == {}


def paraphrased(noise_of_second, given=slice(None), seed=0):
    pairs, meaning, _ = translated(seed, n=400, noise=0.4)
    turn = np.linalg.lstsq(meaning, pairs.y + 1, rcond=None)[0]
    rng = np.random.default_rng(seed + 1)
    second = np.full_like(pairs.y, np.nan)
    second[given] = (meaning @ turn + noise_of_second * meaning.std() * rng.standard_normal(pairs.y.shape) - 1)[given]
    return replace(pairs, references=(None, second))


def test_a_paraphrase_with_the_noise_of_the_source_is_as_hard_as_a_translation():
    pairs = paraphrased(0.4)
    found = paraphrase_control(fitted(pairs), pairs, 0)
    assert (found.language, found.rows) == ("en", 400)
    assert found.linear.gap.low < 0 < found.linear.gap.high
    assert found.linear.r2.value == pytest.approx(found.translation.r2.value, abs=0.03)
    assert abs(found.no_map.gap.value) < 0.05


def test_an_exact_paraphrase_is_easier():
    pairs = paraphrased(0.0)
    found = paraphrase_control(fitted(pairs), pairs, 0)
    assert found.linear.gap.low > 0.1
    assert found.linear.r2.low > found.translation.r2.high


def test_paraphrase_and_translation_share_rows_and_folds():
    """With all rows referenced, translation is the ladder's own linear rung; with some, only these are scored."""
    whole = paraphrased(0.4)
    held_out = fitted(whole)
    found = paraphrase_control(held_out, whole, 0).translation
    assert found.r2.value == pytest.approx(held_out.errors.interval("linear").value, abs=1e-6)
    assert found.p_at_1.value == pytest.approx(held_out.searches.hits()["linear"].mean(), abs=0.005)
    some = paraphrased(0.4, slice(0, 100))
    assert paraphrase_control(held_out, some, 0).rows == 100
    spoiled = replace(some, x=np.vstack([some.x[:100], some.x[100:][::-1]]))
    assert paraphrase_control(held_out, spoiled, 0) == paraphrase_control(held_out, some, 0)


def test_without_enough_second_renderings_there_is_no_paraphrase():
    pairs = paraphrased(0.4)
    held_out = fitted(pairs)
    assert paraphrase_control(held_out, replace(pairs, references=(pairs.x, None)), 0) is None
    few = paraphrased(0.4, slice(0, 49))
    assert paraphrase_control(held_out, few, 0) is None
    one_fold = paraphrased(0.4, held_out.ladder.source.rows[0])
    assert paraphrase_control(held_out, one_fold, 0) is None


def test_an_untrained_encoder_that_knows_nothing_finds_nothing():
    pairs, _, noisy = translated()
    held_out, rng = fitted(pairs), np.random.default_rng(4)
    nothing = replace(pairs, untrained=(rng.standard_normal((400, 8)), rng.standard_normal((400, 8))))
    found = controls.controls_of(held_out, nothing, {}, 0).untrained
    assert found.linear.p_at_1.high < 0.05
    assert found.linear.gap.high < -0.5
    alike = noisy(pairs.x)
    same = replace(pairs, untrained=(alike, alike), same_space=True)
    found = controls.controls_of(held_out, same, {}, 0).untrained
    assert found.no_map.p_at_1.value == pytest.approx(1)
    assert found.linear.p_at_1.value == pytest.approx(1)
    apart = replace(same, same_space=False)
    assert controls.controls_of(held_out, apart, {}, 0).untrained.no_map is None


def test_controls_survive_json_and_older_results_have_fewer():
    pairs, meaning, noisy = translated(n=150)
    quick = LinearMapConfig(
        rungs=("identity", "shift", "rotation", "linear"),
        permutations=2,
        costly_permutations=1,
        resamples=100,
        power_replicates=0,
        failure=False,
        same_space=True,
    )
    result = measure(pairs.x, pairs.y, config=quick, instruments={"de": noisy(meaning)})
    text = to_json(result)
    assert from_json(text, LinearMapResult).directions[0].controls == result.directions[0].controls
    assert set(result.directions[1].controls.wrong_language) == {"de"}
    first = from_json(text.replace('"controls"', '"something_else"'), LinearMapResult).directions[0]
    assert first.controls == Controls()
    with pytest.raises(ConfigError, match="arrays have none"):
        measure(pairs.x, pairs.y, config=replace(quick, untrained=True))
    with pytest.raises(ConfigError, match="is a control"):
        replace(quick, controls=False, untrained=True)
