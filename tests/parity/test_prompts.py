"""Prompts, similarity and `truncate_dim` of a model go with it into every folder that is written from it."""

import functools
import json

import numpy as np
import pytest
from polyglot.models.encoder import load_encoder
from polyglot.models.prompts import prompt_of
from polyglot.probe.fitted_map.run import MapFitConfig, fit
from polyglot.probe.fitted_map.use import export
from polyglot.train.engine.student import Student

LINEAR = MapFitConfig(rung="linear", resamples=100, permutations=2)


@pytest.fixture
def base(save_model, zoo):
    """Give a function that saves a model with prompts of its own."""
    return lambda prompts, default=None, **more: save_model(
        zoo["combined"], prompts=prompts, default_prompt_name=default, **more
    )


@pytest.fixture
def mapped(sixty, tmp_path):
    """Give a function that fits a map to a model and loads its folder with the library."""
    from sentence_transformers import SentenceTransformer

    def make(folder, **options):
        encoder = load_encoder(str(folder), device="cpu", **options)
        fit((encoder, encoder), sixty, tmp_path / "map", LINEAR)
        return encoder, SentenceTransformer(str(tmp_path / "map"), device="cpu", local_files_only=True)

    return make


def test_the_folder_has_all_settings_of_its_base(base, mapped, change_settings, tmp_path):
    prompts = {"query": "q: ", "passage": "p: ", "poem": "o "}
    folder = base(prompts, "query", similarity_fn_name="dot")
    change_settings(folder, house="blue")
    _, model = mapped(folder)
    held = json.loads((tmp_path / "map" / "config_sentence_transformers.json").read_text())
    assert held["prompts"] == prompts | {"document": "p: "}
    assert held["default_prompt_name"] == "query"
    assert held["similarity_fn_name"] == model.similarity_fn_name == "dot"
    assert held["house"] == "blue"


def test_queries_are_read_as_plain_texts_are_and_documents_with_their_own_prompt(base, mapped, texts):
    encoder, model = mapped(base({"query": "q: ", "passage": "p: "}, "query"))
    assert encoder.prompt == "q: "
    np.testing.assert_array_equal(model.encode_query(texts), model.encode(texts))
    np.testing.assert_array_equal(model.encode_document(texts), model.encode(texts, prompt="p: "))
    assert np.abs(model.encode_document(texts) - model.encode(texts)).max() > 0.01


def test_a_base_without_prompts_gets_the_one_of_the_fit_for_both(base, mapped, texts):
    _, model = mapped(base({}), prompt="x: ")
    expected = model.encode(texts, prompt="x: ")
    for found in (model.encode(texts), model.encode_query(texts), model.encode_document(texts)):
        np.testing.assert_array_equal(found, expected)


def test_an_empty_prompt_stands_against_the_default_of_the_base(base, mapped, texts):
    encoder, model = mapped(base({"query": "q: "}, "query"), prompt="")
    assert encoder.prompt == ""
    np.testing.assert_array_equal(model.encode(texts), model.encode(texts, prompt=""))
    np.testing.assert_array_equal(model.encode_query(texts), model.encode(texts, prompt="q: "))


@pytest.mark.parametrize("given", [None, "", "x: "])
def test_a_trained_model_is_saved_with_the_prompt_it_was_trained_with(base, library, texts, tmp_path, given):
    encoder = load_encoder(str(base({"query": "q: "}, "query")), device="cpu", prompt=given)
    Student(encoder, "float32").save(tmp_path / "saved")
    np.testing.assert_allclose(library(tmp_path / "saved", texts), encoder.encode(texts).pooled, atol=1e-6)
    assert load_encoder(str(tmp_path / "saved"), device="cpu").prompt == encoder.prompt


def test_the_prompt_of_a_task_is_the_first_that_the_library_looks_for(base):
    model = load_encoder(str(base({"corpus": "c: ", "passage": "p: "})), device="cpu").model
    assert [prompt_of(model, task) for task in ("query", "document", "corpus", None)] == [None, "p: ", "c: ", None]


def test_the_dense_layer_of_a_cut_model_fits_behind_it_as_it_is(save_model, zoo, sixty, library, texts, tmp_path):
    """Appended by hand to the base, whose own cut is taken out, the exported layer gives the map's vectors."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    folder = save_model(functools.partial(zoo["combined"], normal=False), truncate_dim=5)
    encoder = load_encoder(str(folder), device="cpu")
    assert encoder.dim == 5
    fit((encoder, encoder), sixty, tmp_path / "map", LINEAR)
    layer = Dense.load(str(export(tmp_path / "map", tmp_path / "dense")))
    by_hand = SentenceTransformer(modules=[*SentenceTransformer(str(folder), device="cpu"), layer], device="cpu")
    assert library(tmp_path / "map", texts).shape == (len(texts), 5)
    np.testing.assert_allclose(by_hand.encode(texts), library(tmp_path / "map", texts), atol=1e-5)


def test_a_rotation_behind_a_cut_model_is_of_what_is_left(save_model, zoo, texts):
    from polyglot.train.insertion.rotation import append_rotation

    encoder = load_encoder(str(save_model(zoo["combined"], truncate_dim=6)), device="cpu")
    before = encoder.encode(texts).pooled
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0].astype(np.float32)
    append_rotation(Student(encoder, "float32"), turn, np.zeros(6, np.float32))
    expected = before @ turn.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.model.encode(texts), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(texts).pooled, expected, atol=1e-5)


def test_contrastive_training_of_a_cut_model_sees_what_is_left(save_model, zoo, texts):
    import torch
    from polyglot.distributed import Processes
    from polyglot.train.objectives.contrastive import info_nce

    encoder = load_encoder(str(save_model(zoo["combined"], truncate_dim=6)), device="cpu")
    student = Student(encoder, "float32")
    rows = student.tokenise(texts)
    criterion = info_nce(student, Processes(), scale=20, mini_batch=4)
    with torch.no_grad():
        loss = float(criterion([student.pad(rows), student.pad(rows)], torch.arange(len(rows))))
        left = student.forward(rows)
    scores = 20 * left @ left.T
    truth = torch.arange(len(rows))
    oracle = sum(torch.nn.functional.cross_entropy(s, truth) for s in (scores, scores.T)) / 2
    assert loss == pytest.approx(float(oracle), abs=1e-4)
