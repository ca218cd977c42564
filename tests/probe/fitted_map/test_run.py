"""A fitted map's folder: what is loaded from it predicts what was fitted and scored, as vectors and as a model."""

import dataclasses
import json

import numpy as np
import pytest
from polyglot.analysis.certificate.equivalence import NO_MAP, NONLINEAR
from polyglot.analysis.maps.estimators import load_map, make_map
from polyglot.analysis.maps.ladder import Ladder
from polyglot.analysis.maps.map_spec import solve
from polyglot.analysis.moments import Moments
from polyglot.analysis.splits import group_folds
from polyglot.errors import ConfigError, DataError, MissingExtraError, OutputError
from polyglot.probe.fitted_map.certificate import certified_direction
from polyglot.probe.fitted_map.choice import RungEvidence
from polyglot.probe.fitted_map.run import MapFitConfig, choose_rung, fit, fit_vectors, read_certificate
from polyglot.probe.fitted_map.use import apply, export
from polyglot.probe.linear_map.run import LinearMapConfig
from polyglot.probe.linear_map.run import measure as certify
from polyglot.probe.linear_map.run import run as certify_text
from polyglot.probe.results.fitted_map import MapFitResult
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.serialization import from_json, to_json

N, WIDTH = 240, 8
LINEAR = MapFitConfig(rung="linear", resamples=100, permutations=2)
ROTATION = MapFitConfig(rung="rotation", resamples=100, permutations=2)


@pytest.fixture(scope="module")
def turned():
    """A space, and the same space turned with a little noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, WIDTH)) * np.linspace(2, 0.5, WIDTH)
    y = x @ np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0] + 0.5 + 0.05 * rng.standard_normal((N, WIDTH))
    return x, y


@pytest.fixture(scope="module")
def minilm():
    from polyglot.models.encoder import load_encoder

    try:
        return load_encoder("minilm", device="cpu")
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def bitext():
    from polyglot.data.open import open_corpus

    return open_corpus(["builtin:kitchen"], ("fr", "en"), limit=80).bitext("fr", "en")


@pytest.fixture(scope="module")
def fitted_model(minilm, bitext, tmp_path_factory):
    folder = tmp_path_factory.mktemp("map") / "fr-en"
    return folder, fit((minilm, minilm), bitext, folder, ROTATION)


def test_the_lowest_rung_that_suffices_is_fitted(turned, tmp_path):
    config = MapFitConfig(resamples=100, permutations=2, chosen_by="r2")
    result = fit_vectors(*turned, tmp_path / "map", config=config)
    assert result.rung == result.verdict == "rotation"
    assert result.scores.p_at_1.value > 0.95
    assert "rotation map fitted on 240 pairs" in result.sentence
    assert load_map(tmp_path / "map").rung == "rotation"


def test_what_is_loaded_predicts_what_was_scored(turned, tmp_path):
    x, y = turned
    folds = group_folds(np.arange(N), 5, np.random.default_rng(0))
    ladder = Ladder(x, folds, rungs=("linear",)).fit(y)
    held = folds == 2
    moments = Moments.from_arrays(x[~held], y[~held], dtype="float64")
    (solved,) = solve(moments, [ladder.choices[2].spec("linear")])
    chosen = make_map("linear").fit(x[~held], y[~held])
    chosen.weights_, chosen.mean_x_, chosen.mean_y_ = solved.weights, solved.mean_x, solved.mean_y
    loaded = load_map(chosen.save(tmp_path / "fold"))
    np.testing.assert_allclose(loaded.transform(x[held]), ladder.predictions["linear"][held], atol=1e-9)
    result = fit_vectors(x, y, tmp_path / "map", config=LINEAR)
    errors = np.sum((y - ladder.predictions["linear"]) ** 2) / np.sum((y - ladder.reference) ** 2)
    assert result.scores.r2.value == pytest.approx(1 - errors, abs=1e-9)


def test_the_folder_holds_a_record_a_card_and_no_pickle(turned, tmp_path):
    result = fit_vectors(*turned, tmp_path / "map", config=LINEAR)
    names = {path.name for path in (tmp_path / "map").iterdir()}
    assert names == {"map.safetensors", "map.json", "fit.json", "README.md", "polyglot.json", "canary.json"}
    assert from_json((tmp_path / "map" / "fit.json").read_text(), MapFitResult) == result
    card = (tmp_path / "map" / "README.md").read_text()
    assert "it was fitted to vectors" in card
    assert f"{result.scores.p_at_1.value:.3f}" in card
    assert {path.name for path in tmp_path.iterdir()} == {"map"}


def test_the_model_of_the_folder_lands_where_the_map_says(fitted_model, minilm):
    from sentence_transformers import SentenceTransformer

    folder, result = fitted_model
    assert result.carries_model
    assert result.normalised
    texts = ["où est la gare ?", "Il pleut.", "La soupe refroidit sur la table."]
    mapped = load_map(folder).transform(minilm.encode(texts).pooled)
    mapped /= np.linalg.norm(mapped, axis=1, keepdims=True)
    loaded = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    np.testing.assert_allclose(loaded.encode(texts, show_progress_bar=False), mapped, atol=2e-6)


def test_the_model_of_the_folder_is_an_encoder_here_with_its_lineage(fitted_model, minilm):
    from polyglot.models.encoder import load_encoder

    folder, _ = fitted_model
    encoder = load_encoder(str(folder), device="cpu")
    assert encoder.base_fingerprint == minilm.fingerprint
    assert encoder.fingerprint != minilm.fingerprint
    assert encoder.prompt == minilm.prompt


def test_the_card_says_what_was_gained(fitted_model):
    folder, result = fitted_model
    assert result.before is not None
    card = (folder / "README.md").read_text()
    assert f"| P@1 | {result.before.p_at_1.value:.3f}" in card
    assert "SentenceTransformer('THIS_FOLDER')" in card


@pytest.fixture(scope="module")
def certificate(minilm, bitext):
    quick = LinearMapConfig(
        ("identity", "shift", "rotation", "linear"),
        power_replicates=0,
        failure=False,
        permutations=2,
        costly_permutations=1,
        resamples=100,
    )
    return certify_text((minilm, minilm), bitext, quick)


def test_a_saved_certificate_chooses_and_nothing_is_measured_again(minilm, bitext, certificate, tmp_path, monkeypatch):
    saved = tmp_path / "fr-en.json"
    saved.write_text(to_json(certificate), encoding="utf-8")
    monkeypatch.setattr("polyglot.probe.fitted_map.run.measure_rungs", lambda *_, **__: pytest.fail("measured again"))
    given = read_certificate(saved)
    result = fit((minilm, minilm), bitext, tmp_path / "map", MapFitConfig(), certificate=given)
    direction = certificate.directions[0]
    assert result.rung == choose_rung(RungEvidence.of_direction(direction), "p_at_1")
    assert result.scores == direction.rungs[result.rung]
    assert result.retrieval_verdict == direction.certificate.retrieval_verdict
    assert result.n == len(bitext)
    assert not any("the rung was chosen" in warning for warning in result.warnings)
    asked = fit((minilm, minilm), bitext, tmp_path / "asked", ROTATION, certificate=given)
    assert (asked.rung, asked.chosen_by) == ("rotation", "asked")


def test_a_certificate_measured_on_other_rows_is_said_so(minilm, bitext, certificate, tmp_path):
    made = dataclasses.replace(certificate.provenance, corpus="news", corpus_fingerprint="c0")
    other = dataclasses.replace(certificate, provenance=made)
    result = fit((minilm, minilm), bitext, tmp_path / "map", MapFitConfig(), certificate=other)
    assert "chosen, and the held-out scores measured, on news (80 pairs); the map is fitted" in result.warnings[0]


def test_a_certificate_of_other_models_or_languages_is_refused(certificate, tmp_path):
    record = certificate.provenance
    french, english = record.models
    tuned = dataclasses.replace(french, model="runs/tuned", model_fingerprint="b2")
    german = dataclasses.replace(french, language="de")
    for models, words in (
        ((tuned, english), "is of minilm on the fr side, not of these weights of runs/tuned: make it with"),
        ((german, english), "is of fr → en, en → fr, not of de → en"),
    ):
        with pytest.raises(DataError, match=words):
            certified_direction(certificate, dataclasses.replace(record, models=models))
    of_arrays = dataclasses.replace(certificate, provenance=dataclasses.replace(record, models=()))
    with pytest.raises(DataError, match=r"fr → en, en → fr of arrays, not of fr → en: make"):
        certified_direction(of_arrays, record)
    assert certified_direction(certificate, dataclasses.replace(record, models=(english, french))).source == "en"


def test_files_that_are_no_certificate_are_refused(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_certificate(tmp_path / "none.json")
    for text, words in (
        ("{", "not JSON"),
        ('{"schema": "polyglot/cka/1"}', r"another probe \(polyglot/cka/1\)"),
        ('{"schema": "polyglot/linear-map/1"}', "has no 'directions'"),
    ):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(DataError, match=words):
            read_certificate(tmp_path / "x.json")


def test_a_rung_that_no_folder_can_hold_is_not_chosen(certificate):
    direction = certificate.directions[0]
    best = dataclasses.replace(direction.rungs["linear"], p_at_1=Interval(1.0, 1.0, 1.0))
    judged = dataclasses.replace(direction.certificate, verdict=NONLINEAR, retrieval_verdict=NONLINEAR)
    with_network = dataclasses.replace(direction, rungs=direction.rungs | {"mlp": best}, certificate=judged)
    assert choose_rung(RungEvidence.of_direction(with_network), "p_at_1") != "mlp"
    none = dataclasses.replace(direction, certificate=dataclasses.replace(judged, retrieval_verdict=NO_MAP))
    with pytest.raises(DataError, match="clears its null"):
        choose_rung(RungEvidence.of_direction(none), "p_at_1")


def test_no_map_is_said_and_not_fitted(turned, tmp_path):
    x, _ = turned
    unrelated = np.random.default_rng(5).standard_normal(x.shape)
    with pytest.raises(DataError, match="clears its null"):
        fit_vectors(x, unrelated, tmp_path / "map", config=MapFitConfig(resamples=100, permutations=5))
    assert not (tmp_path / "map").exists()


def test_a_bent_space_gets_a_bent_map_without_a_model(tmp_path):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((400, 4))
    y = np.abs(x) @ rng.standard_normal((4, 4)) + 0.02 * rng.standard_normal((400, 4))
    config = LinearMapConfig(power_replicates=0, failure=False, permutations=2, costly_permutations=1, resamples=100)
    direction = certify(x, y, config=config).directions[0]
    assert choose_rung(RungEvidence.of_direction(direction), "r2") in ("local", "nonlinear")
    result = fit_vectors(x, y, tmp_path / "map", config=MapFitConfig(rung="nonlinear", resamples=100, permutations=2))
    assert not result.carries_model
    assert "is not affine" in (tmp_path / "map" / "README.md").read_text()
    with pytest.raises(ConfigError, match="is not affine, so no layer"):
        export(tmp_path / "map", tmp_path / "dense")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_files_are_mapped_in_blocks(turned, tmp_path, dtype):
    x, y = turned
    fit_vectors(x, y, tmp_path / "map", config=LINEAR)
    np.save(tmp_path / "x.npy", x.astype(dtype))
    shape = apply(tmp_path / "map", tmp_path / "x.npy", tmp_path / "deep" / "mapped.npy", block_rows=37)
    mapped = np.load(tmp_path / "deep" / "mapped.npy")
    assert mapped.shape == shape == (N, WIDTH)
    assert mapped.dtype == np.float32
    expected = load_map(tmp_path / "map").transform(x.astype(dtype))
    np.testing.assert_allclose(mapped, expected, rtol=1e-6, atol=1e-6)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["mapped.npy"]


def test_no_rows_are_mapped_to_no_rows(turned, tmp_path):
    fit_vectors(*turned, tmp_path / "map", config=LINEAR)
    np.save(tmp_path / "none.npy", np.empty((0, WIDTH), np.float32))
    assert apply(tmp_path / "map", tmp_path / "none.npy", tmp_path / "out.npy", dtype="float16") == (0, WIDTH)
    assert np.load(tmp_path / "out.npy").dtype == np.float16


def test_mapped_vectors_are_normalised_as_the_target_model_does(fitted_model, minilm, tmp_path):
    folder, _ = fitted_model
    np.save(tmp_path / "x.npy", minilm.encode(["Bonjour.", "Merci."]).pooled)
    apply(folder, tmp_path / "x.npy", tmp_path / "y.npy")
    np.testing.assert_allclose(np.linalg.norm(np.load(tmp_path / "y.npy"), axis=1), 1, atol=1e-6)


def test_a_failed_block_leaves_no_file(turned, tmp_path):
    x, y = turned
    fit_vectors(x, y, tmp_path / "map", config=LINEAR)
    broken = x.copy()
    broken[200, 1] = np.nan
    np.save(tmp_path / "x.npy", broken)
    with pytest.raises(DataError, match="NaN or infinity"):
        apply(tmp_path / "map", tmp_path / "x.npy", tmp_path / "y.npy", block_rows=50)
    assert {path.name for path in tmp_path.iterdir()} == {"map", "x.npy"}


def test_a_dense_export_is_the_map(turned, tmp_path):
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense

    x, y = turned
    fit_vectors(x, y, tmp_path / "map", config=LINEAR)
    layer = Dense.load(str(export(tmp_path / "map", tmp_path / "dense")))
    with torch.no_grad():
        given = layer({"sentence_embedding": torch.from_numpy(x.astype(np.float32))})["sentence_embedding"]
    np.testing.assert_allclose(given, load_map(tmp_path / "map").transform(x), atol=1e-4)
    with pytest.raises(ConfigError, match="dense or onnx"):
        export(tmp_path / "map", tmp_path / "x", "torch")


@pytest.fixture(scope="module", params=["vectors", "model"])
def exported(request, turned, tmp_path_factory):
    """The graph of a map of vectors or of a map whose target model normalises, rows to map, and what `apply` makes."""
    pytest.importorskip("onnx", reason="the export needs the extra `onnx`")
    folder = tmp_path_factory.mktemp("onnx")
    fit_vectors(*turned, folder / "map", config=LINEAR)
    if request.param == "model":
        (folder / "map" / "polyglot.json").write_text(json.dumps({"normalised": True}))
    np.save(folder / "x.npy", turned[0].astype(np.float32))
    apply(folder / "map", folder / "x.npy", folder / "y.npy")
    path = export(folder / "map", folder / "map.onnx", "onnx")
    assert {p.name for p in folder.iterdir()} == {"map", "x.npy", "y.npy", "map.onnx", "map.canary.json"}
    return path, np.load(folder / "x.npy"), np.load(folder / "y.npy")


@pytest.mark.parametrize("rows", [1, N])
def test_the_onnx_graph_gives_what_apply_gives(exported, rows):
    import onnx
    from onnx.reference import ReferenceEvaluator

    path, x, mapped = exported
    onnx.checker.check_model(str(path), full_check=True)
    (found,) = ReferenceEvaluator(str(path)).run(None, {"vectors": x[:rows]})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, mapped[:rows], atol=1e-5)


def test_the_onnx_graph_runs_where_models_are_served(exported):
    runtime = pytest.importorskip("onnxruntime", reason="a runtime for ONNX is no dependency")
    path, x, mapped = exported
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(["mapped"], {"vectors": x[:7]})[0], mapped[:7], atol=1e-5)


def test_the_missing_extra_for_onnx_is_named(turned, tmp_path, monkeypatch):
    fit_vectors(*turned, tmp_path / "map", config=LINEAR)
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(ConfigError, match=r"pip install 'polyglot-geometry\[onnx\]'"):
        export(tmp_path / "map", tmp_path / "map.onnx", "onnx")


def test_an_earlier_map_is_replaced_and_nothing_else(turned, tmp_path):
    fit_vectors(*turned, tmp_path / "map", config=LINEAR)
    fit_vectors(*turned, tmp_path / "map", config=MapFitConfig(rung="rotation", resamples=100, permutations=2))
    assert json.loads((tmp_path / "map" / "map.json").read_text())["rung"] == "rotation"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="not a map"):
        fit_vectors(*turned, tmp_path / "other", config=LINEAR)
    with pytest.raises(OutputError, match="is a file"):
        fit_vectors(*turned, tmp_path / "other" / "thesis.tex", config=LINEAR)


def test_wrong_files_and_settings_are_named(turned, tmp_path):
    x, y = turned
    fit_vectors(x, y, tmp_path / "map", config=LINEAR)
    np.save(tmp_path / "narrow.npy", x[:, :3])
    np.save(tmp_path / "whole.npy", np.arange(10))
    (tmp_path / "text.npy").write_text("no")
    for name, words in (("narrow", "width 3"), ("whole", "matrix of floats"), ("text", "no .npy file")):
        with pytest.raises(DataError, match=words):
            apply(tmp_path / "map", tmp_path / f"{name}.npy", tmp_path / "out.npy")
    with pytest.raises(ConfigError, match="unknown rung 'mlp'"):
        MapFitConfig(rung="mlp")
    with pytest.raises(ConfigError, match="p_at_1 or r2"):
        MapFitConfig(chosen_by="f1")
    with pytest.raises(DataError, match="'shift' cannot be fitted"):
        fit_vectors(x, y, tmp_path / "shift", config=MapFitConfig(rung="shift", resamples=100, permutations=2))
