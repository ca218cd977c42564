"""An encoder of the same shape with random weights: what tokenizer, architecture and pooling give without training."""

from __future__ import annotations

import copy
from typing import Any

from ..errors import ModelError
from .encoder import Encoder


def untrained(encoder: Encoder, *, seed: int = 0) -> Encoder:
    """Return an encoder with the tokenizer, shape, pooling and prompt of another, and weights drawn at random.

    The transformer is initialised as its architecture is before training. What follows it is drawn anew where it can
    be (dense layers).

    Parameters
    ----------
    encoder : Encoder
        Stays as it is.
    seed : int
        Of the weights.

    Raises
    ------
    ModelError
        If the encoder is no transformer: its vectors are looked up, so that random ones would show nothing.
    """
    import torch

    if encoder.architecture.transformer is None:
        raise ModelError(f"{encoder.name} has no transformer to draw at random; leave --untrained out")
    trained: Any = encoder.architecture.transformer.model
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        drawn = type(trained)(trained.config).to(device=trained.device, dtype=trained.dtype)
        model = copy.deepcopy(encoder.model, {id(trained): drawn})  # the weights that go are not copied first
        for module in list(model)[1:]:
            for part in module.modules():
                if callable(draw := getattr(part, "reset_parameters", None)):
                    draw()
    name = f"{encoder.name} (untrained)"
    return Encoder(model, name=name, prompt=encoder.prompt, max_length=encoder.max_length, task=encoder.texts.task)
