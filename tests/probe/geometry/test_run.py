import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from polyglot.analysis.geometry.intrinsic_dimension import two_nn_dimension
from polyglot.analysis.geometry.isotropy import covariance_spectrum, effective_rank, isoscore, mean_cosine
from polyglot.data.bitext import ParallelText
from polyglot.errors import ConfigError, DataError
from polyglot.probe.geometry.run import GeometryConfig, measure, run
from polyglot.probe.results.geometry import MEASURES, GeometryResult
from polyglot.probe.results.serialization import from_json, to_json

QUICK = GeometryConfig(blocks=5, neighbours=5, removed=1, rogue=2)


@pytest.fixture(scope="module")
def clouds():
    """An isotropic cloud, and a narrow one far from the origin along its third coordinate."""
    rng = np.random.default_rng(0)
    narrow = 0.3 * rng.standard_normal((200, 8))
    narrow[:, 2] += 5 + 3 * rng.standard_normal(200)
    return [rng.standard_normal((200, 8)), narrow]


@pytest.fixture(scope="module")
def result(clouds):
    return measure(clouds, config=QUICK, names=("round", "narrow"))


def layers(result):
    return {language.language: language.layers[-1] for language in result.languages}


def test_values_are_the_plain_functions(result, clouds):
    for cloud, layer in zip(clouds, layers(result).values(), strict=True):
        spectrum = covariance_spectrum(cloud)
        assert layer.plain.isoscore.value == pytest.approx(isoscore(spectrum))
        assert layer.plain.effective_rank.value == pytest.approx(effective_rank(spectrum))
        assert layer.plain.mean_cosine.value == pytest.approx(mean_cosine(cloud))
        assert layer.plain.dimension.value == pytest.approx(two_nn_dimension(cloud))
        assert layer.without_components.effective_rank.value == pytest.approx(effective_rank(spectrum[1:]))


def test_narrow_cloud_is_told_from_the_round_one_and_its_coordinate_is_named(result):
    found = layers(result)
    assert found["round"].plain.isoscore.low > found["narrow"].plain.isoscore.high
    assert found["narrow"].plain.mean_cosine.low > 0.5 > found["round"].plain.mean_cosine.high
    assert found["narrow"].rogue[0].coordinate == 2
    assert found["narrow"].rogue[0].variance_share > 0.8
    assert len(found["narrow"].rogue) == 2


def test_removing_the_component_makes_the_narrow_cloud_round(result):
    narrow = layers(result)["narrow"]
    assert narrow.without_components.isoscore.low > narrow.plain.isoscore.high
    assert abs(narrow.without_components.mean_cosine.value) < 0.1


def test_every_estimate_has_its_interval_and_an_isotropic_reference(result):
    for layer in layers(result).values():
        for measures in (layer.plain, layer.without_components):
            for name in MEASURES:
                estimate = getattr(measures, name)
                assert estimate.low <= estimate.value <= estimate.high, name
                assert estimate.null_mean is not None
    around = layers(result)["round"].plain
    assert around.dimension.low < around.dimension.null_mean < around.dimension.high


def test_dimension_over_scales_stands_at_the_last_layer_only(clouds):
    stacked = [np.stack([cloud, cloud[:, ::-1]]) for cloud in clouds]
    found = measure(stacked, config=QUICK, names=("a", "b")).languages[0].layers
    assert found[0].scales == ()
    assert [point.rows for point in found[1].scales] == [200, 100, 50, 25]


def test_duplicate_rows_are_counted_once_for_the_dimension(clouds):
    twice = np.concatenate([clouds[0], clouds[0][:20]])
    found = measure([twice], config=QUICK, names=("a",))
    assert found.groups == 200
    assert layers(found)["a"].plain.dimension.value == pytest.approx(two_nn_dimension(clouds[0]))


def test_sentence_and_warning(result):
    assert result.sentences[0].startswith("round, layer 0: mean cosine")
    assert result.warnings == ()
    wide = measure([np.random.default_rng(0).standard_normal((60, 8))], config=QUICK, names=("few",))
    assert wide.warnings[0].startswith("60 rows in 8 dimensions")


def test_run_measures_all_layers_of_one_language(letter_encoder, letter_texts):
    text = ParallelText.of("letters", pa.table(letter_texts))
    found = run(letter_encoder, text, ("en",), QUICK, command="polyglot probe geometry en")
    assert [layer.name for layer in found.languages[0].layers] == ["0", "1", "2", "pooled"]
    assert from_json(to_json(found), GeometryResult) == found
    asked = run(letter_encoder, text, ("en", "de"), dataclasses.replace(QUICK, layers=(-1,)))
    assert [layer.name for layer in asked.languages[1].layers] == ["2", "pooled"]


def test_same_seed_same_result(result, clouds):
    assert measure(clouds, config=QUICK, names=("round", "narrow")).languages == result.languages


def test_refuses_nothing_to_measure_and_bad_configs(clouds):
    with pytest.raises(ConfigError, match="at least 1 languages"):
        measure([], config=QUICK, names=())
    with pytest.raises(DataError, match="groups of rows for the jackknife"):
        measure(clouds, [0] * 200, QUICK, names=("a", "b"))
    with pytest.raises(DataError, match="at least 10 different rows"):
        measure([np.repeat(np.eye(5)[:, :4] + 1, 20, axis=0)], list(range(100)), QUICK, names=("a",))
    for wrong in ({"removed": 0}, {"neighbours": 1}, {"blocks": 4}, {"rogue": 0}):
        with pytest.raises(ConfigError):
            GeometryConfig(**wrong)
