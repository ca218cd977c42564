"""The decoder of RetroMAE: it reconstructs a text from its pooled vector and a heavily masked copy (Xiao et al., 2022).

A single layer sees a text with half of its words or more masked, and must predict the rest from the pooled vector, so
the encoder learns to represent the whole text there. Queries of the layer are the pooled vector plus the position, and
a token never attends to itself (enhanced decoding, section 3.3). The decoder is discarded after pretraining.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class RetroMAEDecoder(nn.Module):
    """One layer of attention and feed-forward.

    Parameters
    ----------
    width : int
        Of the pooled vector and of the embeddings; a multiple of `heads`.
    heads : int
    positions : int
        Greatest number of tokens.
    """

    def __init__(self, width: int, heads: int, positions: int) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(positions, width) * 0.02)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.forward_net = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])

    @classmethod
    def for_model(cls, model: Any) -> RetroMAEDecoder:  # noqa: ANN401 - BERT or ModernBERT
        """Make a decoder for a masked language model."""
        config = model.config
        return cls(config.hidden_size, config.num_attention_heads, config.max_position_embeddings)

    def forward(self, pooled: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """Reconstruct texts.

        Parameters
        ----------
        pooled : tensor (b, d)
            Of the encoder.
        embeddings : tensor (b, l, d)
            Of the tokens of the masked copy.

        Returns
        -------
        tensor (b, l, d)
            States, whose products with the embedding table are the scores of tokens.
        """
        length = embeddings.shape[1]
        position = self.position[:length]
        queries = pooled[:, None] + position
        memory = torch.cat([pooled[:, None], embeddings + position], dim=1)
        itself = torch.eye(length, dtype=torch.bool, device=pooled.device)
        hidden = torch.cat([itself.new_zeros(length, 1), itself], dim=1)
        attended, _ = self.attention(queries, memory, memory, attn_mask=hidden, need_weights=False)
        states = self.norms[0](queries + attended)
        output: torch.Tensor = self.norms[1](states + self.forward_net(states))
        return output
