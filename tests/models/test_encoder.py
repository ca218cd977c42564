import numpy as np
import pytest
from polyglot.errors import ConfigError, DataError, ModelError
from polyglot.models.encoder import CPU_BATCH_TOKENS, Encoder, load_encoder

TEXTS = ["a cat sat", "", "the dog", "a", "xyz xyz xyz xyz", "ask not what", "b b", "A CAT SAT", "π b"]


def random_texts(count, seed=0):
    rng = np.random.default_rng(seed)
    letters = list("abcdefghijklmnopqrstuvwxyz    ")
    return ["".join(rng.choice(letters, rng.integers(1, 40))).strip() + f" {chr(97 + i % 26)}" for i in range(count)]


def library_encode(encoder, texts):
    return encoder.model.encode(list(texts), prompt=encoder.prompt or None, show_progress_bar=False)


def masked_means(encoder, text):
    """Pool every hidden state of one text the slow way: no padding, plain mean."""
    import torch

    transformer = encoder.model[0]
    ids = transformer.tokenizer(encoder.prompt + text, truncation=True, max_length=encoder.max_length)["input_ids"]
    with torch.inference_mode():
        states = transformer.model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states
    return np.stack([state[0].mean(dim=0).numpy() for state in states])


def test_pooled_equals_the_library(tiny_encoder):
    np.testing.assert_allclose(tiny_encoder.encode(TEXTS).pooled, library_encode(tiny_encoder, TEXTS), atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls", "lasttoken", "max", "weightedmean"])
@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_every_pooling_equals_the_library_even_without_the_prompt(make_tiny_model, pooling, padding_side):
    folder = make_tiny_model(pooling=pooling, include_prompt=False, padding_side=padding_side)
    encoder = load_encoder(str(folder), device="cpu", prompt="q: ")
    np.testing.assert_allclose(encoder.encode(TEXTS).pooled, library_encode(encoder, TEXTS), atol=1e-5)
    last = encoder.encode(TEXTS, layers=[-1]).hidden[0]
    normal = last / np.linalg.norm(last, axis=1, keepdims=True)
    np.testing.assert_allclose(normal, encoder.encode(TEXTS).pooled, atol=1e-5)


def test_layers_equal_naive_means(tiny_encoder):
    hidden = tiny_encoder.encode(TEXTS, layers=range(tiny_encoder.layers)).hidden
    oracle = np.stack([masked_means(tiny_encoder, text) for text in TEXTS], axis=1)
    assert hidden.shape == (3, len(TEXTS), 16)
    np.testing.assert_allclose(hidden, oracle, atol=1e-5)


def test_layers_come_in_the_asked_order_and_may_repeat(tiny_encoder):
    every = tiny_encoder.encode(TEXTS, layers=[0, 1, 2]).hidden
    asked = tiny_encoder.encode(TEXTS, layers=[-1, 0, -1]).hidden
    np.testing.assert_array_equal(asked, every[[2, 0, 2]])


def test_asking_for_layers_leaves_the_model_as_it_was(tiny_encoder):
    tiny_encoder.encode(TEXTS, layers=[0])
    assert not tiny_encoder.model[0].model.config.output_hidden_states


def test_padding_does_not_matter(tiny_encoder):
    texts = random_texts(64)
    alone = tiny_encoder.encode(texts, layers=[0, 1, 2], batch_tokens=1)
    together = tiny_encoder.encode(texts, layers=[0, 1, 2], batch_tokens=64 * 48)
    np.testing.assert_allclose(alone.pooled, together.pooled, atol=1e-5)
    np.testing.assert_allclose(alone.hidden, together.hidden, atol=1e-5)


def test_order_of_texts_does_not_matter(tiny_encoder):
    texts = random_texts(50)
    order = np.random.default_rng(1).permutation(50)
    shuffled = tiny_encoder.encode([texts[row] for row in order])
    np.testing.assert_allclose(shuffled.pooled, tiny_encoder.encode(texts).pooled[order], atol=1e-5)


def test_equal_texts_are_computed_once(tiny_encoder, monkeypatch):
    seen = []
    forward = tiny_encoder._forward

    def watched(batch, *rest):
        seen.extend(batch["input_ids"])
        return forward(batch, *rest)

    monkeypatch.setattr(tiny_encoder, "_forward", watched)
    encoded = tiny_encoder.encode(["a b", "c", "a b", "a b"])
    assert len(seen) == 2
    np.testing.assert_array_equal(encoded.pooled[0], encoded.pooled[3])
    assert encoded.tokens.tolist() == [4, 3, 4, 4]


def test_batches_stay_under_the_budget(tiny_encoder, monkeypatch):
    sizes = []
    forward = tiny_encoder._forward

    def watched(batch, *rest):
        sizes.append(batch["input_ids"].numel())
        return forward(batch, *rest)

    monkeypatch.setattr(tiny_encoder, "_forward", watched)
    tiny_encoder.encode(random_texts(200), batch_tokens=100)
    assert len(sizes) > 10
    assert max(sizes) <= 100


def test_counts_are_taken_before_truncation(tiny_encoder):
    encoded = tiny_encoder.encode(["a b", "π π", "a " * 100])
    assert encoded.tokens.tolist() == [4, 4, 102]
    assert encoded.unknown.tolist() == [0, 2, 0]
    assert encoded.truncated.tolist() == [False, False, True]
    assert encoded.tokens.dtype == encoded.unknown.dtype == np.int32


def test_long_texts_are_cut_as_the_library_cuts(tiny_model_folder):
    encoder = load_encoder(str(tiny_model_folder), device="cpu", max_length=8)
    texts = ["a b c d e f g h i j k", "z " * 70, "a"]
    np.testing.assert_allclose(encoder.encode(texts).pooled, library_encode(encoder, texts), atol=1e-5)
    assert encoder.encode(texts).truncated.tolist() == [True, True, False]


def test_no_texts(tiny_encoder):
    nothing = tiny_encoder.encode([], layers=[0, 1])
    assert nothing.pooled.shape == (0, 16)
    assert nothing.hidden.shape == (2, 0, 16)
    assert nothing.tokens.shape == nothing.truncated.shape == nothing.unknown.shape == (0,)


def test_more_texts_than_a_block(tiny_encoder):
    texts = [f"{a}{b} {c}" for a in "abcdefghijklm" for b in "abcdefghij" for c in "abcdefghij"]
    encoded = tiny_encoder.encode(texts, layers=[1])
    np.testing.assert_allclose(encoded.pooled[1024:1030], tiny_encoder.encode(texts[1024:1030]).pooled, atol=1e-5)
    assert encoded.hidden.shape == (1, 1300, 16)


def test_prompt_changes_the_embedding_and_the_fingerprint(tiny_encoder, tiny_model_folder):
    prompted = load_encoder(str(tiny_model_folder), device="cpu", prompt="q: ")
    assert prompted.fingerprint != tiny_encoder.fingerprint
    np.testing.assert_allclose(prompted.encode(["cat"]).pooled, tiny_encoder.encode(["q: cat"]).pooled, atol=1e-6)


def test_default_prompt_of_a_folder_is_used(tiny_copy):
    import json

    config = tiny_copy / "config_sentence_transformers.json"
    content = json.loads(config.read_text()) | {"prompts": {"query": "q: "}, "default_prompt_name": "query"}
    config.write_text(json.dumps(content))
    assert load_encoder(str(tiny_copy), device="cpu").prompt == "q: "
    assert load_encoder(str(tiny_copy), device="cpu", prompt="").prompt == ""


def test_fingerprint_is_that_of_the_content(tiny_encoder, tiny_copy, make_tiny_model):
    assert load_encoder(str(tiny_copy), device="cpu").fingerprint == tiny_encoder.fingerprint
    assert load_encoder(str(tiny_copy), device="cpu", max_length=20).fingerprint != tiny_encoder.fingerprint
    for change in ({"seed": 1}, {"pooling": "cls"}, {"include_prompt": False}):
        other = load_encoder(str(make_tiny_model(str(change), **change)), device="cpu")
        assert other.fingerprint != tiny_encoder.fingerprint


def test_fingerprint_survives_use_and_ignores_the_pooler(tiny_model_folder):
    import torch

    encoder = load_encoder(str(tiny_model_folder), device="cpu")
    encoder.encode(TEXTS, layers=[0])
    with torch.no_grad():
        encoder.model[0].model.pooler.dense.bias += 1
    assert Encoder(encoder.model, name="again").fingerprint == encoder.fingerprint
    with torch.no_grad():
        encoder.model[0].model.encoder.layer[0].output.dense.bias[0] += 1e-3
    assert Encoder(encoder.model, name="again").fingerprint != encoder.fingerprint


def test_base_fingerprint_is_read_from_the_folder(tiny_copy, tiny_encoder):
    assert tiny_encoder.base_fingerprint is None
    (tiny_copy / "polyglot.json").write_text('{"base_fingerprint": "abc"}')
    assert load_encoder(str(tiny_copy), device="cpu").base_fingerprint == "abc"


@pytest.mark.parametrize("content", ["not json", "[1]", '{"base_fingerprint": 3}'])
def test_damaged_lineage_is_an_error(tiny_copy, content):
    (tiny_copy / "polyglot.json").write_text(content)
    with pytest.raises(ModelError, match=r"polyglot\.json is damaged"):
        load_encoder(str(tiny_copy), device="cpu")


@pytest.mark.parametrize("layer", [3, -4, 99])
def test_absent_layers_are_an_error(tiny_encoder, layer):
    with pytest.raises(ConfigError, match=r"expected 0 \(embeddings\) to 2"):
        tiny_encoder.encode(["a"], layers=[layer])


@pytest.mark.parametrize(
    ("texts", "message"),
    [("one text", "put it into a list"), (["a", 3], "row 1 is not text"), (["a", "\ud800"], "half a surrogate pair")],
)
def test_what_is_not_text_is_an_error(tiny_encoder, texts, message):
    with pytest.raises(DataError, match=message):
        tiny_encoder.encode(texts)


@pytest.mark.parametrize("budget", [0, -5])
def test_budget_must_be_positive(tiny_encoder, budget):
    with pytest.raises(ConfigError, match="at least 1"):
        tiny_encoder.encode(["a"], batch_tokens=budget)


def test_default_budget_is_that_of_the_device(tiny_encoder):
    assert tiny_encoder.checked_budget(None) == CPU_BATCH_TOKENS
    assert tiny_encoder.checked_budget(7) == 7


@pytest.mark.parametrize("length", [2, 65, -1])
def test_impossible_lengths_are_an_error(tiny_model_folder, length):
    with pytest.raises(ConfigError, match=r"expected 3 .* to 64"):
        load_encoder(str(tiny_model_folder), device="cpu", max_length=length)


def test_numbers_that_are_not_finite_are_an_error(tiny_model_folder):
    import torch

    encoder = load_encoder(str(tiny_model_folder), device="cpu")
    with torch.no_grad():
        encoder.model[0].model.embeddings.word_embeddings.weight[4] = float("nan")
    with pytest.raises(ModelError, match="not finite for 1 texts, first 'a'"):
        encoder.encode(["b", "a"])


def test_a_model_without_a_text_transformer_is_an_error():
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize

    with pytest.raises(ModelError, match="begins with Normalize"):
        Encoder(SentenceTransformer(modules=[Normalize()], device="cpu"), name="odd")


def test_a_model_without_pooling_gives_no_layers(tiny_model_folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    whole = SentenceTransformer(str(tiny_model_folder), device="cpu")
    encoder = Encoder(SentenceTransformer(modules=[whole[0], Dense(16, 16)], device="cpu"), name="odd")
    with pytest.raises(ModelError, match="has no pooling module"):
        encoder.encode(["a"], layers=[0])
