"""Hashed character n-grams as the first module of a sentence-transformers model.

The folder names this class by its import path in `modules.json`, so it loads wherever this package is installed and
brings no code of its own. The table is of 16-bit floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers.base.modules.input_module import InputModule

from ...errors import DataError
from ..types import Floats32, Integers
from .hashed_ngrams import NgramBuckets, inverse_norms
from .hashed_words import HashedWords

WEIGHTS_FILE = "model.safetensors"


class NgramEmbedding(InputModule):
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

    tokenizer = None  # type: ignore[assignment]  # n-grams have none
    frequencies: torch.Tensor
    mean: torch.Tensor

    def __init__(self, table: torch.Tensor, frequencies: torch.Tensor, mean: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bits = len(table).bit_length() - 1
        self.table = torch.nn.Parameter(table.half(), requires_grad=False)
        self.register_buffer("frequencies", frequencies.float())
        self.register_buffer("mean", mean.float())
        self._frequencies: Floats32 = frequencies.cpu().float().numpy()

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

    def occurrences(self, texts: Sequence[str]) -> Integers:
        """Return how many n-grams each of n texts has, (n,)."""
        return np.diff(NgramBuckets.of(texts, self.bits).offsets)

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        """Hash the n-grams of n texts: buckets of all occurrences, where each text begins, and 1 / ‖w‖ of each."""
        found = NgramBuckets.of([(prompt or "") + text for text in inputs], self.bits)
        scale = inverse_norms(self._frequencies[found.buckets], found.offsets)
        return {
            "input_ids": torch.from_numpy(found.buckets),
            "offsets": torch.from_numpy(found.offsets[:-1]),
            "scale": torch.from_numpy(scale),
        }

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as of the library
        """Add the sentence embeddings, (n, q)."""
        sums = torch.nn.functional.embedding_bag(features["input_ids"], self.table, features["offsets"], mode="sum")
        features["sentence_embedding"] = sums.float() * features["scale"][:, None] + self.mean
        return features

    def save(self, output_path: str, *_: Any, safe_serialization: bool = True, **__: Any) -> None:  # noqa: ANN401
        """Write the arrays and the settings into a folder."""
        arrays = {"table": self.table.data.half(), "frequencies": self.frequencies, "mean": self.mean}
        save_file({name: array.contiguous().cpu() for name, array in arrays.items()}, Path(output_path) / WEIGHTS_FILE)
        self.save_config(output_path)

    @classmethod
    def load(  # noqa: PLR0917 - as of the library
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: bool | str | None = None,
        cache_folder: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        init_defaults: dict[str, Any] | None = None,
        **_: Any,  # noqa: ANN401 - as of the library
    ) -> Self:
        """Read what `save` wrote, from a folder or the hub.

        Raises
        ------
        DataError
            If there is no such file.
        """
        file = cls.load_file_path(
            model_name_or_path,
            WEIGHTS_FILE,
            subfolder=subfolder,
            token=token,
            cache_folder=cache_folder,
            revision=revision,
            local_files_only=local_files_only,
        )
        if file is None:
            raise DataError(f"{model_name_or_path} lacks {WEIGHTS_FILE}: train or copy the model again")
        return cls(**load_file(file))
