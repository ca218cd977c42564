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
from ..types import Integers
from .hashed_ngrams import BITS, NgramBuckets, NgramVocabulary
from .hashed_words import HashedWords

WEIGHTS_FILE = "model.safetensors"


class NgramEmbedding(InputModule):
    """ŷ = Σ φ(g) e(g) + μ over the n-grams of a text; see `HashedWords`.

    Parameters
    ----------
    table : tensor (f, q)
        e.
    buckets, frequencies : tensor (f,)
        The vocabulary.
    mean : tensor (q,)
        μ.
    """

    tokenizer = None  # type: ignore[assignment]  # n-grams have none
    buckets: torch.Tensor
    frequencies: torch.Tensor
    mean: torch.Tensor

    def __init__(
        self, table: torch.Tensor, buckets: torch.Tensor, frequencies: torch.Tensor, mean: torch.Tensor
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.table = torch.nn.Parameter(table.half(), requires_grad=False)
        self.register_buffer("buckets", buckets.int())
        self.register_buffer("frequencies", frequencies.float())
        self.register_buffer("mean", mean.float())
        # The library may cast and move the buffers; texts are read on the processor.
        self._vocabulary = NgramVocabulary(buckets.cpu().long().numpy(), frequencies.cpu().float().numpy())

    @classmethod
    def of(cls, words: HashedWords) -> Self:
        """Take a fitted map; its table is rounded to 16 bits."""
        arrays = (words.table, words.vocabulary.buckets, words.vocabulary.frequencies, words.mean_y)
        return cls(*map(torch.from_numpy, arrays))

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
        return {"bits": BITS}

    def occurrences(self, texts: Sequence[str]) -> Integers:
        """Return how many n-grams each of n texts has, (n,)."""
        return np.diff(NgramBuckets.of(texts, BITS).offsets)

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the unit rows of n texts: places in the vocabulary, where each text begins, and φ of each place."""
        rows = self._vocabulary.unit_rows([(prompt or "") + text for text in inputs])
        return {
            "input_ids": torch.from_numpy(rows.indices.astype(np.int64)),
            "offsets": torch.from_numpy(rows.indptr[:-1].astype(np.int64)),
            "weights": torch.from_numpy(rows.data),
        }

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as of the library
        """Add the sentence embeddings, (n, q)."""
        sums = torch.nn.functional.embedding_bag(
            features["input_ids"],
            self.table,
            features["offsets"],
            mode="sum",
            per_sample_weights=features["weights"].to(self.table.dtype),
        )
        features["sentence_embedding"] = sums.float() + self.mean
        return features

    def save(self, output_path: str, *_: Any, safe_serialization: bool = True, **__: Any) -> None:  # noqa: ANN401
        """Write the arrays and the settings into a folder."""
        arrays = {"table": self.table.data.half(), "mean": self.mean}
        arrays |= {"buckets": self.buckets, "frequencies": self.frequencies}
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
            If there is no such file, or it lacks an array.
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
        arrays = load_file(file)
        if lacking := {"table", "buckets", "frequencies", "mean"} - set(arrays):
            raise DataError(f"{model_name_or_path} lacks {', '.join(sorted(lacking))}: train the model again")
        return cls(**arrays)
