"""The decoder of RetroMAE: a text is rebuilt from its pooled vector and a heavily masked copy (Xiao et al., 2022).

A single layer sees words of which half or more are hidden; what it cannot see it must find in the pooled vector, so the
encoder learns to put the text there. Queries of the layer carry the pooled vector and the position, and a token never
attends to itself (enhanced decoding, section 3.3). The decoder is thrown away after pretraining.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Decoder(nn.Module):
    """One layer of attention and feed-forward.

    Parameters
    ----------
    width : int
        Of the pooled vector and of the embeddings.
    heads : int
        Divides the width.
    positions : int
        Longest text.
    """

    def __init__(self, width: int, heads: int, positions: int) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(positions, width) * 0.02)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.forward_net = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])

    @classmethod
    def beside(cls, model: Any) -> Decoder:  # noqa: ANN401 - BERT or ModernBERT
        """Make the decoder that fits a masked language model."""
        config = model.config
        return cls(config.hidden_size, config.num_attention_heads, config.max_position_embeddings)

    def forward(self, pooled: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """Rebuild texts.

        Parameters
        ----------
        pooled : tensor (b, d)
            Of the encoder.
        embeddings : tensor (b, l, d)
            Of the masked copy.

        Returns
        -------
        tensor (b, l, d)
            To be compared with the embedding table.
        """
        length = embeddings.shape[1]
        place = self.position[:length]
        queries = pooled[:, None] + place
        memory = torch.cat([pooled[:, None], embeddings + place], dim=1)
        itself = torch.eye(length, dtype=torch.bool, device=pooled.device)
        hidden = torch.cat([itself.new_zeros(length, 1), itself], dim=1)
        seen, _ = self.attention(queries, memory, memory, attn_mask=hidden, need_weights=False)
        states = self.norms[0](queries + seen)
        rebuilt: torch.Tensor = self.norms[1](states + self.forward_net(states))
        return rebuilt
