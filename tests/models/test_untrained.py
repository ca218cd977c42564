"""An encoder of the same shape with random weights."""

import numpy as np
import torch
from polyglot.models.untrained import untrained

TEXTS = ["a cat sat", "the dog", "ask not what"]


def test_the_shape_is_kept_and_the_weights_are_new(tiny_encoder):
    before = tiny_encoder.encode(TEXTS).pooled
    drawn = untrained(tiny_encoder, seed=5)  # its own weights were drawn with 0
    shapes = [{name: part.shape for name, part in one.model.state_dict().items()} for one in (tiny_encoder, drawn)]
    assert shapes[0] == shapes[1]
    assert (drawn.dim, drawn.layers, drawn.max_length) == (
        tiny_encoder.dim,
        tiny_encoder.layers,
        tiny_encoder.max_length,
    )
    assert drawn.fingerprint != tiny_encoder.fingerprint
    assert drawn.name == f"{tiny_encoder.name} (untrained)"
    assert not np.allclose(drawn.encode(TEXTS).pooled, before, atol=0.05)
    np.testing.assert_array_equal(tiny_encoder.encode(TEXTS).pooled, before)


def test_weights_follow_the_seed_and_leave_the_generator_alone(tiny_encoder):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, again, other = untrained(tiny_encoder), untrained(tiny_encoder), untrained(tiny_encoder, seed=1)
    assert torch.equal(torch.rand(1), expected)
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_layers_that_follow_the_pooling_are_drawn_too(tiny_encoder):
    from polyglot.models.encoder import Encoder
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    modules = [tiny_encoder.model[0], tiny_encoder.model[1], Dense(tiny_encoder.dim, 6)]
    dense = Encoder(SentenceTransformer(modules=modules, device="cpu"), name="dense")
    drawn = untrained(dense)
    assert drawn.dim == 6
    assert not torch.equal(drawn.model[2].linear.weight, dense.model[2].linear.weight)
