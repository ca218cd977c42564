"""What a model is made of: what can be encoded, and what is refused with its reason."""

import json

import numpy as np
import pytest
from polyglot.errors import ConfigError, ModelError
from polyglot.models.encoder import Encoder, load_encoder
from polyglot.models.loading import check_folder


@pytest.fixture
def tiny_modules(tiny_model_folder):
    from sentence_transformers import SentenceTransformer

    return list(SentenceTransformer(str(tiny_model_folder), device="cpu"))


@pytest.fixture
def routed_folder(tiny_modules, tmp_path):
    """A model with a route for queries and one for documents, which differ in their pooling."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sentence_transformer.modules import Pooling

    routes = {"query": tiny_modules[:2], "document": [tiny_modules[0], Pooling(16, pooling_mode="max")]}
    router = Router.for_query_document(query_modules=routes["query"], document_modules=routes["document"])
    SentenceTransformer(modules=[router, tiny_modules[2]], device="cpu").save(
        str(tmp_path / "routed"), create_model_card=False
    )
    return tmp_path / "routed"


def model_of(*modules, **settings):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(modules=list(modules), device="cpu", **settings)


def with_settings(folder, **content):
    path = folder / "sentence_bert_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | content))
    return folder


def test_a_router_asks_for_the_task(routed_folder):
    with pytest.raises(ConfigError, match=r"routes texts by task: give --task .*one of query, document"):
        load_encoder(str(routed_folder), device="cpu")
    with pytest.raises(ConfigError, match="no route for the task 'poem': give --task, one of query, document"):
        load_encoder(str(routed_folder), device="cpu", task="poem")


@pytest.mark.parametrize("task", ["query", "document"])
def test_the_layers_of_a_route_are_pooled_by_its_own_pooling(routed_folder, task):
    from sentence_transformers import SentenceTransformer

    encoder = load_encoder(str(routed_folder), device="cpu", task=task)
    encoded = encoder.encode(["a cat", "b"], layers=[-1])
    last = encoded.hidden[0] / np.linalg.norm(encoded.hidden[0], axis=1, keepdims=True)
    np.testing.assert_allclose(last, encoded.pooled, atol=1e-6)
    own = SentenceTransformer(str(routed_folder), device="cpu").encode(["a cat", "b"], task=task)
    np.testing.assert_allclose(encoded.pooled, own, atol=1e-6)


def test_the_task_is_part_of_the_fingerprint(routed_folder):
    prints = {load_encoder(str(routed_folder), device="cpu", task=task).fingerprint for task in ("query", "document")}
    assert len(prints) == 2


def test_a_task_takes_its_prompt_as_the_library_does(tiny_copy):
    from sentence_transformers import SentenceTransformer

    path = tiny_copy / "config_sentence_transformers.json"
    prompts = {"query": "q: ", "document": "d: "}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prompts": prompts, "default_prompt_name": "document"}))
    own = SentenceTransformer(str(tiny_copy), device="cpu")
    texts = ["a cat", "b"]
    for task, expected in (("query", own.encode_query(texts)), ("document", own.encode_document(texts))):
        encoder = load_encoder(str(tiny_copy), device="cpu", task=task)
        assert encoder.prompt == prompts[task]
        np.testing.assert_allclose(encoder.encode(texts).pooled, expected, atol=1e-6)
    assert load_encoder(str(tiny_copy), device="cpu").prompt == "d: "


def test_a_convolution_is_refused_since_it_reads_padding():
    from sentence_transformers.sentence_transformer.modules import CNN, Pooling, WordEmbeddings
    from sentence_transformers.sentence_transformer.modules.tokenizer import WhitespaceTokenizer

    reader = WordEmbeddings(WhitespaceTokenizer(["a", "b"]), np.eye(2, 4, dtype=np.float32))
    model = model_of(reader, CNN(in_word_embedding_dimension=4, out_channels=4), Pooling(12))
    with pytest.raises(ModelError, match="a text has another vector beside other texts"):
        Encoder(model, name="convolved")


def test_a_transformer_that_reads_no_text_says_what_it_reads(tiny_modules):
    first = tiny_modules[0]
    first.modality_config = {"image": {"method": "forward", "method_output_name": "last_hidden_state"}}
    with pytest.raises(ModelError, match="does not read text but image"):
        Encoder(model_of(*tiny_modules), name="seer")


def test_words_have_no_maximal_length_to_be_given():
    from sentence_transformers.sentence_transformer.modules import BoW

    with pytest.raises(ConfigError, match="reads words, not a sequence"):
        Encoder(model_of(BoW(["a", "b"])), name="bag", max_length=8)


def test_words_without_a_vector_are_counted_as_unknown():
    from sentence_transformers.sentence_transformer.modules import BoW

    encoded = Encoder(model_of(BoW(["a", "b"])), name="bag").encode(["a b a", "a z, π", ""])
    assert encoded.tokens.tolist() == [3, 3, 0]
    assert encoded.unknown.tolist() == [0, 2, 0]
    assert not encoded.truncated.any()


def test_saved_tokenizer_settings_are_followed_and_counted(tiny_copy):
    with_settings(tiny_copy, processing_kwargs={"text": {"max_length": 6, "add_special_tokens": False}})
    encoder = load_encoder(str(tiny_copy), device="cpu")
    assert encoder.max_length == 6
    encoded = encoder.encode(["a b", "a b c d e f g h", "π b"])
    assert encoded.tokens.tolist() == [2, 8, 2]
    assert encoded.truncated.tolist() == [False, True, False]
    assert encoded.unknown.tolist() == [0, 0, 1]


def test_a_given_length_goes_before_a_saved_one(tiny_copy):
    with_settings(tiny_copy, processing_kwargs={"text": {"max_length": 6}})
    encoded = load_encoder(str(tiny_copy), device="cpu", max_length=10).encode(["a b c d e f g h i j k", "a b c d e f"])
    assert encoded.truncated.tolist() == [True, False]


def test_settings_that_do_not_cut_refuse_what_is_too_long(tiny_copy):
    with_settings(tiny_copy, processing_kwargs={"text": {"truncation": False}})
    encoder = load_encoder(str(tiny_copy), device="cpu")
    assert encoder.encode(["a b c"]).tokens.tolist() == [5]
    with pytest.raises(ModelError, match="positions for 64 tokens and its saved settings do not cut"):
        encoder.encode(["a", "a " * 80])
    cut = load_encoder(str(tiny_copy), device="cpu", max_length=64).encode(["a", "a " * 80])
    assert cut.truncated.tolist() == [False, True]


def test_settings_without_an_attention_mask_are_refused(tiny_copy):
    with_settings(tiny_copy, processing_kwargs={"text": {"return_attention_mask": False}})
    with pytest.raises(ModelError, match="no attention mask"):
        load_encoder(str(tiny_copy), device="cpu").encode(["a", "b c"])


def test_a_text_without_a_token_is_refused(tiny_copy):
    with_settings(tiny_copy, processing_kwargs={"text": {"add_special_tokens": False}})
    with pytest.raises(ModelError, match="gives no token for ''"):
        load_encoder(str(tiny_copy), device="cpu").encode([""])


def test_settings_are_part_of_the_fingerprint(tiny_copy, tiny_encoder):
    prints = {tiny_encoder.fingerprint}
    for kept in ({"max_length": 48}, {"add_special_tokens": False}, {"padding_side": "left"}):
        with_settings(tiny_copy, processing_kwargs={"text": kept})
        prints.add(load_encoder(str(tiny_copy), device="cpu").fingerprint)
    assert len(prints) == 4


def test_whether_layers_are_weighed_is_part_of_the_fingerprint(tiny_modules):
    from sentence_transformers.sentence_transformer.modules import WeightedLayerPooling

    first, *rest = tiny_modules
    model = model_of(first, WeightedLayerPooling(16, num_hidden_layers=2, layer_start=0), *rest)
    apart = Encoder(model, name="weighed").fingerprint
    first.model.config.output_hidden_states = True
    assert Encoder(model, name="weighed").fingerprint != apart


def test_weighed_layers_are_those_of_the_library_whether_layers_are_asked_for_or_not(tiny_modules):
    from sentence_transformers.sentence_transformer.modules import WeightedLayerPooling

    first, *rest = tiny_modules
    model = model_of(first, WeightedLayerPooling(16, num_hidden_layers=2, layer_start=0), *rest)
    vectors = []
    for given in (False, True):
        first.model.config.output_hidden_states = given
        expected = model.encode(["a cat", "b"])
        encoder = Encoder(model, name="weighed")
        for layers in ((), (0, 1, 2)):
            np.testing.assert_allclose(encoder.encode(["a cat", "b"], layers=layers).pooled, expected, atol=1e-6)
        vectors.append(expected)
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01


def test_layers_are_read_before_a_dense_layer_over_tokens(tiny_modules):
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling

    plain = Encoder(model_of(*tiny_modules[:2]), name="plain").encode(["a cat", "b"], layers=[0, 1, 2]).hidden
    dense = Dense(16, 5, module_input_name="token_embeddings")
    encoder = Encoder(model_of(tiny_modules[0], dense, Pooling(5)), name="dense")
    encoded = encoder.encode(["a cat", "b"], layers=[0, 1, 2])
    assert encoded.pooled.shape == (2, 5)
    np.testing.assert_allclose(encoded.hidden, plain, atol=1e-6)


@pytest.mark.parametrize("harm", ["code", "pickle"])
def test_what_a_router_holds_is_looked_at_before_it_is_loaded(routed_folder, harm):
    router = next(routed_folder.glob("**/router_config.json"))
    held = json.loads(router.read_text())
    if harm == "code":
        held["types"][next(iter(held["types"]))] = "evil.Module"
        router.write_text(json.dumps(held))
    else:
        part = router.parent / next(iter(held["types"]))
        next(part.glob("*.safetensors")).rename(part / "pytorch_model.bin")
    with pytest.raises(ModelError, match="evil" if harm == "code" else "are pickled"):
        check_folder(routed_folder, trust_remote_code=False)


def test_modules_that_do_not_fit_each_other_say_what_is_lacking(tiny_modules):
    from sentence_transformers.sentence_transformer.modules import LSTM, Pooling

    encoder = Encoder(model_of(tiny_modules[0], LSTM(16, 4), Pooling(8)), name="mixed")
    with pytest.raises(ModelError, match="the modules of mixed do not fit: one wants 'sentence_lengths'"):
        encoder.encode(["a"])
