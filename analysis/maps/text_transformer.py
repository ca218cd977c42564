"""A transformer that passes on the texts that it was given, for a later module that reads them in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers.sentence_transformer.modules import Transformer
from torch import Tensor

from ...errors import ModelError
from ..types import Integers

CHARACTERS = "characters"
CHARACTERS_A_TOKEN = 8  # at most so many characters for each position are passed on
USUAL_LENGTH = 512  # positions, where a model states no limit


class TextTransformer(Transformer):
    """A transformer whose features hold each text as code points, without the prompt.

    The feature `characters` is (n, longest, 1) int32, padded with 0, so that rows can be cut out of it like out of any
    other, and nothing takes its columns for tokens.
    """

    def preprocess(
        self,
        inputs: Sequence[Any],
        prompt: str | None = None,
        processing_kwargs: Any = None,  # noqa: ANN401 - as of the library
        **kwargs: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Tokenise as the library does, and add the texts.

        Raises
        ------
        ModelError
            If an input is no text.
        """
        features: dict[str, Any] = super().preprocess(inputs, prompt, processing_kwargs, **kwargs)
        if not all(isinstance(text, str) for text in inputs):
            raise ModelError("a model with words beside its encoder reads plain texts only; give each input as text")
        longest = CHARACTERS_A_TOKEN * int(self.max_seq_length or USUAL_LENGTH)
        features[CHARACTERS] = characters([text[:longest] for text in inputs])
        return features


def passing_on_texts(module: Transformer) -> TextTransformer:
    """Turn a transformer module into one that passes on its texts; weights and settings stay the same objects.

    Raises
    ------
    ModelError
        If it is of another class than the library's own.
    """
    if type(module) is not Transformer:
        raise ModelError(f"words cannot stand beside a {type(module).__name__}: expected a Transformer of the library")
    module.__class__ = TextTransformer
    return module  # type: ignore[return-value]


def characters(texts: Sequence[str]) -> Tensor:
    """Return the code points of n texts, (n, longest, 1) int32, padded with 0."""
    encoded = [np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.int32) for text in texts]
    points = np.zeros((len(texts), max((len(row) for row in encoded), default=0), 1), np.int32)
    for row, own in zip(points, encoded, strict=True):
        row[: len(own), 0] = own
    return torch.from_numpy(points)


def texts_of(points: Integers) -> list[str]:
    """Return the texts of code points (n, longest, 1), padded with 0."""
    rows = points[:, :, 0].astype("<u4")
    return [row[row > 0].tobytes().decode("utf-32-le", "surrogatepass") for row in rows]
