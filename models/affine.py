"""An affine map as the last layer of a sentence-transformers model."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense


def full_width(model: "SentenceTransformer") -> int:
    """Return how wide the output of a model's last module is, before `truncate_dim` cuts it."""
    cut, model.truncate_dim = model.truncate_dim, None
    try:
        return int(model.get_embedding_dimension() or 0)
    finally:
        model.truncate_dim = cut


def truncates(model: "SentenceTransformer") -> bool:
    """Return whether a model cuts its vectors to fewer dimensions than its modules give."""
    return model.truncate_dim is not None and model.truncate_dim < full_width(model)


def affine_layer(weights: NDArray[Any], bias: NDArray[Any], *, width: int | None = None) -> "Dense":
    """Return x W + b as a layer without an activation, float32.

    Parameters
    ----------
    weights : array (p, q)
    bias : array (q,)
    width : int, optional
        Width of the rows that the layer is given, ≥ p; of these it reads the first p, as a model that cuts its vectors
        to p would. By default p.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense

    p, q = weights.shape
    held = np.zeros((width or p, q), np.float32)
    held[:p] = weights
    return Dense(
        len(held),
        q,
        bias=True,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(np.ascontiguousarray(held.T)),
        init_bias=torch.from_numpy(np.ascontiguousarray(bias, dtype=np.float32)),
    )
