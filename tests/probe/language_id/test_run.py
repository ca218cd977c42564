import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from polyglot.data.bitext import ParallelText
from polyglot.errors import ConfigError, DataError
from polyglot.probe.language_id.baseline import baseline_features
from polyglot.probe.language_id.run import LanguageIdConfig, measure, run
from polyglot.probe.results.language_id import CONDITIONS, LanguageIdResult
from polyglot.probe.results.serialization import from_json, to_json

QUICK = LanguageIdConfig(folds=3, controls=2, orders=2, resamples=100)


def planted(offset=3.0, n=140, d=8):
    """One cloud in three languages: a language is an offset, and a little noise of its own."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d))
    return [x + offset * rng.standard_normal(d) + 0.05 * rng.standard_normal((n, d)) for _ in range(3)]


@pytest.fixture(scope="module")
def result():
    return measure(planted(), config=QUICK, names=("en", "fr", "de"))


def conditions(result):
    return {condition.name: condition for condition in result.layers[-1].conditions}


def test_offsets_are_read_off_and_their_removal_leaves_chance(result):
    found = conditions(result)
    assert tuple(found) == CONDITIONS
    assert found["as it is"].accuracy.low > 0.97
    for name in CONDITIONS[1:]:
        assert found[name].accuracy.value < 0.45, name
        assert found[name].bits.value > found["as it is"].bits.value + 1


def test_removal_of_offsets_brings_translations_together(result):
    found = conditions(result)
    assert found["means removed"].p_at_1_change.low > 0.1
    assert found["means removed"].p_at_1.value > 0.95
    assert found["as it is"].p_at_1_change is None


def test_controls_stand_at_chance_and_selectivity_is_the_difference(result):
    plain = conditions(result)["as it is"]
    assert result.chance == pytest.approx(1 / 3)
    assert plain.accuracy.null_mean == pytest.approx(1 / 3, abs=0.08)
    assert plain.selectivity.value == pytest.approx(plain.accuracy.value - plain.accuracy.null_mean)


def test_accuracy_by_language_averages_to_the_whole(result):
    plain = conditions(result)["as it is"].accuracy
    assert list(result.layers[0].by_language) == ["en", "fr", "de"]
    assert np.mean([e.value for e in result.layers[0].by_language.values()]) == pytest.approx(plain.value)


def test_without_offsets_nothing_is_read_off_and_the_sentence_says_so():
    found = measure(planted(offset=0.0), config=QUICK, names=("en", "fr", "de"))
    assert conditions(found)["as it is"].accuracy.low < 0.4
    assert found.sentence.endswith("no removal lowers it.")


def test_sentence_names_removal_and_price(result):
    assert "leaves" in result.sentence
    assert "changes P@1 by +" in result.sentence
    assert "(chance 33 %)" in result.sentence


def test_translations_never_cross_a_fold():
    rows = planted(offset=0.0)
    rng = np.random.default_rng(1)
    # Every sentence has a language of its own style, which a classifier could only know from its translations.
    twins = [np.repeat(side[:70], 2, axis=0) + 1e-9 * rng.standard_normal((140, 8)) for side in rows]
    groups = np.repeat(np.arange(70), 2)
    found = measure(twins, groups, QUICK, names=("en", "fr", "de"))
    assert found.groups == 70
    assert conditions(found)["as it is"].accuracy.value < 0.5


def test_baseline_tells_scripts_apart_but_not_lengths():
    texts = (["abc d", "ef"], ["где", "мы тут"], ["好的", "你在哪里"])
    features, names = baseline_features(texts, [np.array([2, 3])] * 3)
    assert names == ("tokens", "log tokens", "cjk", "cyrillic", "latin")
    np.testing.assert_array_equal(features[:, 2:].argmax(axis=1), [2, 2, 1, 1, 0, 0])
    np.testing.assert_allclose(features[:, 2:].sum(axis=1), 1)


def test_run_measures_asked_layers_with_a_baseline(letter_encoder, letter_texts):
    text = ParallelText.of("letters", pa.table(letter_texts))
    config = dataclasses.replace(QUICK, layers=(0,))
    found = run(letter_encoder, text, ("en", "fr"), config, command="polyglot probe language-id en fr")
    assert [layer.name for layer in found.layers] == ["0", "pooled"]
    assert conditions(found)["as it is"].accuracy.low > 0.7  # every French text begins with zz
    assert found.baseline is not None
    assert 0.5 < found.baseline.accuracy.value < 1
    assert [model.language for model in found.provenance.models] == ["en", "fr"]
    assert from_json(to_json(found), LanguageIdResult) == found


def test_same_seed_same_result(result):
    assert measure(planted(), config=QUICK, names=("en", "fr", "de")).layers == result.layers


def test_refuses_bad_languages_arrays_and_configs(letter_encoder, letter_texts):
    text = ParallelText.of("letters", pa.table(letter_texts))
    with pytest.raises(ConfigError, match="at least 2 languages"):
        run(letter_encoder, text, ("en",), QUICK)
    with pytest.raises(ConfigError, match="different languages"):
        run(letter_encoder, text, ("en", "en"), QUICK)
    with pytest.raises(DataError, match="holds en, fr, de"):
        run(letter_encoder, text, ("en", "ru"), QUICK)
    with pytest.raises(DataError, match="a name for each of 3"):
        measure(planted(), config=QUICK, names=("en", "fr"))
    with pytest.raises(DataError, match="a group for each of 140"):
        measure(planted(), [1], QUICK, names=("a", "b", "c"))
    with pytest.raises(DataError, match="as many rows"):
        measure([planted()[0], planted()[1][:-1]], config=QUICK, names=("a", "b"))
    wrongs = ({"penalty": 0}, {"folds": 1}, {"controls": 1}, {"orders": 1}, {"resamples": 9})
    for wrong in wrongs:
        with pytest.raises(ConfigError):
            LanguageIdConfig(**wrong)
