import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest
from polyglot.data.bitext import Bitext, ParallelText
from polyglot.errors import ConfigError, DataError
from polyglot.probe.layers.run import LayersConfig, measure, run
from polyglot.probe.layers.sentences import layer_sentences
from polyglot.probe.results.layers import MEASURES, ChanceBand, LayersResult
from polyglot.probe.results.serialization import from_json, to_json

QUICK = LayersConfig(folds=3, permutations=6, costly_permutations=2, resamples=100, neighbours=5, removed=1)


def planted(n=150, d=6):
    """Three layers: unrelated, a rotation with little noise, an offset with much noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, n, d)) + 1
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    y = np.stack(
        [
            rng.standard_normal((n, d)) + 3,
            x[1] @ turn + 0.1 * rng.standard_normal((n, d)),
            x[2] + 1.5 * rng.standard_normal((n, d)) + 4,
        ]
    )
    return x, y


@pytest.fixture(scope="module")
def result():
    return measure(*planted(), config=QUICK, layers=("0", "1", "2"))


def test_each_measure_is_highest_where_the_languages_were_made_alike(result):
    for name in ("cka", "cka_without_components", "mutual_knn", "cknna", "procrustes", "linear_r2", "p_at_1_mapped"):
        values = [getattr(layer.measures, name).value for layer in result.layers]
        assert int(np.argmax(values)) == 1, name


def test_known_values_of_the_planted_layer(result):
    layer = result.layers[1].measures
    assert layer.linear_r2.low > 0.97
    assert layer.rotation_share.value == pytest.approx(1, abs=0.01)
    assert layer.p_at_1_mapped.low > 0.9
    assert result.layers[0].measures.cka.low < 0.02
    assert result.layers[2].measures.language_id.low > 0.95


def test_best_layer_clears_the_maximum_under_broken_pairs_and_unrelated_rows_do_not(result):
    band = result.chance["cka"]
    assert result.layers[1].measures.cka.low > band.p95 > result.layers[0].measures.cka.low
    assert band.mean >= max(layer.measures.cka.null_mean for layer in result.layers)
    latent = {"latent_rotation", "latent_linear"}
    assert set(result.chance) == set(MEASURES) - {"rotation_share", "similarity_share"} - latent


def test_every_estimate_lies_in_its_interval_and_mapped_retrieval_has_its_null(result):
    for layer in result.layers:
        for name in MEASURES:
            estimate = getattr(layer.measures, name)
            if name.startswith("latent"):
                assert estimate is None  # nothing takes noise out
                continue
            assert estimate.low <= estimate.value <= estimate.high, name
    assert result.layers[0].measures.p_at_1_mapped.null_p95 < 0.05


def test_story_names_the_planted_layer(result):
    assert any(s.startswith("Similarity (debiased CKA) peaks at layer 1 of 2") for s in result.story)
    assert any("linear map predicts" in s and "layer 1 of 2" in s for s in result.story)


def test_story_is_silent_where_intervals_overlap_or_chance_is_not_cleared(result):
    flat = tuple(dataclasses.replace(result.layers[1], name=str(i)) for i in range(3))
    assert layer_sentences(flat, {}) == ()
    unbeaten = {name: ChanceBand(0.9, 1.1, 6) for name in ("cka", "linear_r2")}
    assert not any("peaks" in s for s in layer_sentences(result.layers, unbeaten))


def test_json_is_the_same_for_the_same_seed_and_reads_back(result):
    again = measure(*planted(), config=QUICK, layers=("0", "1", "2"))
    assert again.layers == result.layers
    assert again.chance == result.chance
    assert from_json(to_json(result), LayersResult) == result


def test_sides_of_different_width_lack_what_needs_one_space():
    x, y = planted()
    wide = [np.hstack([layer, layer[:, :2]]) for layer in y]
    layer = measure(list(x), wide, config=QUICK).layers[1]
    assert layer.dims == (6, 8)
    assert layer.measures.p_at_1 is None
    assert layer.measures.language_id is None


def test_stress_moves_what_is_known_to_move_and_leaves_the_rest():
    x, y = planted()
    found = measure(x[1:2], y[1:2], config=dataclasses.replace(QUICK, stress=True)).stress
    by_name = {stress.name: {m.name: m for m in stress.measures} for stress in found}
    assert list(by_name) == ["one outlier", "a rogue dimension", "a shifted subset", "shuffled pairs"]
    unrelated = measure(x[:1], y[:1], config=dataclasses.replace(QUICK, stress=True)).stress
    biased = next(m for m in unrelated[0].measures if m.name == "biased_cka")
    assert biased.moved
    assert biased.plain.value < 0.2
    assert biased.stressed.value > 0.8
    shuffled = by_name["shuffled pairs"]
    assert all(shuffled[name].moved for name in ("cka", "mutual_knn", "procrustes", "linear_r2"))
    assert "→" in found[-1].sentence


def test_run_encodes_each_side_once_for_all_layers(letter_encoder, letter_texts):
    bitext = Bitext.of("letters", ("en", "fr"), letter_texts["en"], letter_texts["fr"])
    config = dataclasses.replace(QUICK, stress=True)
    found = run(letter_encoder, bitext, config, command="polyglot probe layers en fr")
    assert [layer.name for layer in found.layers] == ["0", "1", "2", "pooled"]
    assert letter_encoder.calls == 4  # one for each side, and one for each side beside a long text
    assert found.provenance.command == "polyglot probe layers en fr"
    padding = next(stress for stress in found.stress if stress.name == "padding")
    assert not any(m.moved for m in padding.measures)
    assert found.layers[-1].measures.cka.value == pytest.approx(found.layers[-2].measures.cka.value, abs=1e-5)


def test_run_measures_only_the_asked_layers(letter_encoder, letter_texts):
    bitext = Bitext.of("letters", ("en", "de"), letter_texts["en"], letter_texts["de"])
    found = run(letter_encoder, bitext, dataclasses.replace(QUICK, layers=(0, -1)))
    assert [layer.name for layer in found.layers] == ["0", "2", "pooled"]


def test_refuses_bad_shapes_rows_and_configs(letter_encoder, letter_texts):
    x, y = planted()
    with pytest.raises(DataError, match="with the same sentences"):
        measure([x[0], x[1][:-1]], y[:2])
    with pytest.raises(DataError, match="a name for each"):
        measure(x, y, layers=("0",))
    with pytest.raises(DataError, match="same layers on both sides"):
        measure(x, y[:2])
    with pytest.raises(DataError, match="as many rows"):
        measure(x, y[:, :-1])
    with pytest.raises(DataError, match="layer 1: source rows 7 are all zeros"):
        measure(np.where((np.arange(3) == 1)[:, None, None] & (np.arange(150) == 7)[:, None], 0, x), y)
    with pytest.raises(DataError, match="a group for each of 150"):
        measure(x, y, groups=[0, 1])
    with pytest.raises(DataError, match="at least 50"):
        run(letter_encoder, Bitext.of("letters", ("en", "fr"), ["a"] * 3, ["b"] * 3))
    for wrong in (
        {"folds": 2},
        {"neighbours": 1},
        {"removed": 0},
        {"permutations": 1},
        {"resamples": 5},
        {"layers": ()},
    ):
        with pytest.raises(ConfigError):
            LayersConfig(**wrong)
    with pytest.raises(ConfigError, match="costly"):
        LayersConfig(costly_permutations=30)


def noisy_layers(n=300, d=6):
    """Three layers under noise: unrelated to the instruments, a rotation, a stretch of the coordinates."""
    rng = np.random.default_rng(5)
    meaning = rng.standard_normal((n, d))
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    stretch = np.diag(np.linspace(0.3, 2.0, d))

    def noisy(rows):
        return rows + 0.6 * rows.std() * rng.standard_normal(rows.shape)

    x = [noisy(meaning) for _ in range(3)]
    y = [rng.standard_normal((n, d)), noisy(meaning @ turn), noisy(meaning @ turn @ stretch)]
    return x, y, {name: noisy(meaning @ rng.standard_normal((d, d))) for name in ("de", "es")}


@pytest.fixture(scope="module")
def latent():
    x, y, instruments = noisy_layers()
    return measure(x, y, config=QUICK, instruments=instruments)


def test_latent_shares_see_the_map_under_the_noise(latent):
    unrelated, rotated, stretched = (layer.measures for layer in latent.layers)
    assert unrelated.latent_rotation is None
    assert unrelated.latent_linear is None
    assert rotated.linear_r2.value < 0.8
    assert rotated.latent_rotation.value == pytest.approx(1, abs=0.05)
    assert stretched.latent_rotation.high < 0.95
    assert stretched.latent_linear.value == pytest.approx(1, abs=0.06)
    assert latent.instruments == ("de", "es")
    assert from_json(to_json(latent), LayersResult) == latent


def test_instruments_of_other_rows_are_refused():
    x, y, instruments = noisy_layers()
    short = {"de": instruments["de"][:200]}
    with pytest.raises(DataError, match=r"de: expected finite values of shape \(300, width\)"):
        measure(x, y, config=QUICK, instruments=short)


def test_other_languages_of_the_text_are_instruments_unless_the_model_reads_none(letter_encoder, letter_texts):
    text = ParallelText.of("letters", pa.table(letter_texts))
    bitext, quick = text.bitext("en", "fr"), dataclasses.replace(QUICK, layers=(1,))
    read = run(letter_encoder, bitext, quick, instruments=text)
    assert read.instruments == ("de",)
    assert read.layers[-1].measures.latent_linear is not None
    encode = letter_encoder.encode_block
    letter_encoder.encode_block = lambda *args, **options: unknown_tokens(encode(*args, **options))
    unread = run(letter_encoder, bitext, quick, instruments=text)
    assert unread.instruments == ()
    assert unread.layers[-1].measures.latent_linear is None
    assert "52% of the en tokens are unknown to the model: there are no latent shares" in unread.warnings


def unknown_tokens(encoded):
    return dataclasses.replace(encoded, unknown=encoded.tokens // 2 + encoded.tokens % 2)


def test_results_without_latent_shares_read_as_before(result):
    plain = json.loads(to_json(result))
    del plain["instruments"]
    for layer in plain["layers"]:
        del layer["measures"]["latent_rotation"], layer["measures"]["latent_linear"]
    assert from_json(json.dumps(plain), LayersResult) == result
