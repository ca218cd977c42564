"""Models that read text without a transformer: a vector for each token or n-gram, averaged; no layers, no limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .embeddings import Encoded

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def is_static(model: SentenceTransformer) -> bool:
    """Tell whether a model begins with static embeddings of text."""
    from sentence_transformers.base.modules.input_module import InputModule
    from sentence_transformers.base.modules.transformer import Transformer

    first = model[0]
    return isinstance(first, InputModule) and not isinstance(first, Transformer) and hasattr(first, "embedding_dim")


def encode_static(model: SentenceTransformer, texts: Sequence[str], prompt: str) -> Encoded:
    """Embed n texts; `tokens` counts what was looked up, of which nothing is cut.

    Parameters
    ----------
    model : SentenceTransformer
        For which `is_static` holds.
    texts : sequence of str
    prompt : str
        Put before every text.
    """
    import torch
    from sentence_transformers.util import batch_to_device

    with torch.inference_mode():
        features = model.preprocess([prompt + text for text in texts])
        ends = [*features["offsets"].tolist()[1:], len(features["input_ids"])]
        tokens = np.diff([0, *ends]).astype(np.int32)
        output = model(batch_to_device(features, model.device))["sentence_embedding"]
    none = np.zeros(len(texts), np.int32)
    pooled = output.float().cpu().numpy()
    return Encoded(pooled, np.empty((0, len(texts), 0), np.float32), tokens, none.astype(bool), none)
