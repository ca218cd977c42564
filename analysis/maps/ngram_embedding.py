"""Hashed character n-grams as the first module of a sentence-transformers model.

The folder names this class by its import path in `modules.json`, so it loads wherever this package is installed and
brings no code of its own. The table is of 16-bit floats.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers.base.modules.input_module import InputModule

from .hashed_ngrams import NgramBuckets, inverse_norms
from .hashed_words import HashedWords

WEIGHTS_FILE = "model.safetensors"


class NgramEmbedding(InputModule):  # type: ignore[misc]  # the library is not annotated
    """ŷ = Σ w(g) e(g) / ‖w‖ + μ over the occurrences of n-grams; see `HashedWords`.

    Parameters
    ----------
    table : tensor (buckets, q)
        w(g) e(g).
    frequencies : tensor (buckets,)
        w(g), 0 for buckets of no training text.
    mean : tensor (q,)
        μ.
    """

    tokenizer = None

    def __init__(self, table: torch.Tensor, frequencies: torch.Tensor, mean: torch.Tensor) -> None:
        super().__init__()
        self.bits = len(table).bit_length() - 1
        self.table = torch.nn.Parameter(table.half(), requires_grad=False)
        self.register_buffer("frequencies", frequencies.float())
        self.register_buffer("mean", mean.float())
        self._frequencies = self.frequencies.numpy()

    @classmethod
    def of(cls, words: HashedWords) -> Self:
        """Take a fitted map; its table is rounded to 16 bits."""
        table = torch.from_numpy(words.table * words.frequencies[:, None])
        return cls(table, torch.from_numpy(words.frequencies), torch.from_numpy(words.mean_y))

    @property
    def embedding_dim(self) -> int:
        """Return q."""
        return int(self.table.shape[1])

    @property
    def max_seq_length(self) -> float:
        """No limit."""
        return float("inf")

    def get_embedding_dimension(self) -> int:
        """Return q, under the name by which the library asks for it."""
        return self.embedding_dim

    def get_config_dict(self) -> dict[str, Any]:
        """Return what describes the features."""
        return {"bits": self.bits}

    def preprocess(self, inputs: list[str], prompt: str | None = None, **_: object) -> dict[str, torch.Tensor]:
        """Hash the n-grams of n texts: buckets of all occurrences, where each text begins, and 1 / ‖w‖ of each."""
        found = NgramBuckets.of([(prompt or "") + text for text in inputs], self.bits)
        scale = inverse_norms(self._frequencies[found.buckets], found.offsets)
        return {
            "input_ids": torch.from_numpy(found.buckets),
            "offsets": torch.from_numpy(found.offsets[:-1]),
            "scale": torch.from_numpy(scale),
        }

    def forward(self, features: dict[str, torch.Tensor], **_: object) -> dict[str, torch.Tensor]:
        """Add the sentence embeddings, (n, q)."""
        sums = torch.nn.functional.embedding_bag(features["input_ids"], self.table, features["offsets"], mode="sum")
        features["sentence_embedding"] = sums.float() * features["scale"][:, None] + self.mean
        return features

    def save(self, output_path: str, *_: object, **__: object) -> None:
        """Write the arrays and the settings into a folder."""
        arrays = {"table": self.table.data, "frequencies": self.frequencies, "mean": self.mean}
        save_file({name: array.contiguous().cpu() for name, array in arrays.items()}, Path(output_path) / WEIGHTS_FILE)
        self.save_config(output_path)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **hub: Any) -> Self:  # noqa: ANN401 - of the library
        """Read what `save` wrote, from a folder or the hub."""
        places = {key: hub.get(key) for key in ("token", "cache_folder", "revision")}
        local = bool(hub.get("local_files_only"))
        file = cls.load_file_path(
            model_name_or_path, WEIGHTS_FILE, subfolder=subfolder, local_files_only=local, **places
        )
        return cls(**load_file(file))
