import numpy as np
import pytest
from polyglot.analysis.maps.text_transformer import characters, passing_on_texts, texts_of
from polyglot.errors import ModelError
from polyglot.models.encoder import load_encoder
from sentence_transformers import SentenceTransformer

TEXTS = ["abc", "", "çà 我😀", "x" * 90]


@pytest.fixture
def module(tiny_model_folder):
    return passing_on_texts(SentenceTransformer(str(tiny_model_folder), device="cpu")[0])


def test_code_points_give_the_texts_back():
    points = characters([*TEXTS, "\ud800"])
    assert tuple(points.shape) == (5, 90, 1)
    assert texts_of(points.numpy()) == [*TEXTS, "\ud800"]
    assert texts_of(characters([]).numpy()) == []


def test_texts_are_passed_on_without_the_prompt_and_not_beyond_what_tokens_may_hold(module):
    module.max_seq_length = 10
    found = module.preprocess(TEXTS, prompt="query: ")
    assert texts_of(found["characters"].numpy()) == [*TEXTS[:3], "x" * 80]
    assert found["input_ids"].shape[1] <= 10


def test_other_inputs_and_other_modules_are_refused(module):
    with pytest.raises(ModelError, match="plain texts only"):
        module.preprocess([("a", "b")])
    with pytest.raises(ModelError, match="beside a TextTransformer"):
        passing_on_texts(module)


def test_a_saved_model_passes_on_its_texts_and_encodes_as_before(tiny_model_folder, tmp_path):
    encoder = load_encoder(str(tiny_model_folder), device="cpu")
    expected = encoder.encode(TEXTS).pooled
    passing_on_texts(encoder.model[0])
    encoder.model.save(str(tmp_path / "model"))
    again = load_encoder(str(tmp_path / "model"), device="cpu")
    np.testing.assert_array_equal(again.encode(TEXTS).pooled, expected)
    assert texts_of(again.model[0].preprocess(TEXTS)["characters"].numpy())[2] == TEXTS[2]
