"""Words beside a transformer, as the last module of a sentence-transformers model.

A trained encoder knows the words of its bitext; n-grams also say something of words that share a stem or an ending
with them, and err elsewhere. The module adds the n-grams' vector of a text to the encoder's, as far as its words have
tokens of the inserted languages: a text of the known language, which has none, keeps the encoder's vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers.base.modules.module import Module

from ...errors import DataError
from ..types import Bools, Rows
from .hashed_words import HashedWords
from .ngram_embedding import NgramEmbedding
from .text_transformer import CHARACTERS, texts_of

COUNTED_FILE = "counted.safetensors"
COUNTED = "counted"
WEIGHT = 0.5  # of the n-grams, chosen by P@1 on development text (docs/inserting-a-language.md)
ENOUGH = 0.25  # share of words with new tokens from which the weight is the full one


class NgramAddition(Module):
    """unit((1 − w g) x + w g ŷ), with x the unit vector so far, ŷ that of the n-grams, g in [0, 1] by the tokens.

    Parameters
    ----------
    ngrams : NgramEmbedding
    counted : array (v,) of bool
        Tokens by which a text is judged: those that begin a word, without special ones.
    first_new : int
        Tokens from this id on are of the inserted languages: see `newness`.
    weight : float
        w, in [0, 1].
    """

    config_keys = ["first_new", "weight"]  # noqa: RUF012 - as of the library
    counted: torch.Tensor

    def __init__(self, ngrams: NgramEmbedding, counted: Bools, first_new: int, weight: float = WEIGHT) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # The library casts what it loads to the precision of the transformer, so it is like that from the start.
        self.ngrams, self.first_new, self.weight = ngrams.float(), first_new, weight
        self.register_buffer(COUNTED, torch.as_tensor(counted))

    @classmethod
    def fit(cls, texts: Sequence[str], y: Rows, counted: Bools, *, first_new: int) -> Self:
        """Fit n-grams to n texts.

        Parameters
        ----------
        texts : sequence of n str
        y : array (n, q)
            Vectors of their translations.
        counted, first_new
            As of the class.

        Raises
        ------
        DataError
            If no text holds an n-gram.
        """
        return cls(NgramEmbedding.of(HashedWords.fit(texts, y)), counted, first_new)

    @property
    def embedding_dim(self) -> int:
        """Return q."""
        return self.ngrams.embedding_dim

    def get_embedding_dimension(self) -> int:
        """Return q, under the name by which the library asks for it."""
        return self.embedding_dim

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as of the library
        """Replace the sentence embeddings (b, at least q) by the sums, (b, q).

        Raises
        ------
        DataError
            If the features do not hold the texts.
        """
        if CHARACTERS not in features:
            raise DataError("the n-grams beside an encoder need the texts: load the model whole, as it was saved")
        so_far = features["sentence_embedding"][:, : self.embedding_dim]
        found = self.ngrams.preprocess(texts_of(features[CHARACTERS].cpu().numpy()))
        on_device = {name: tensor.to(so_far.device) for name, tensor in found.items()}
        words = torch.nn.functional.normalize(self.ngrams(on_device)["sentence_embedding"], dim=1)
        fresh = newness(features["input_ids"], features["attention_mask"].bool(), self.counted, self.first_new)
        unit = torch.nn.functional.normalize(so_far.float(), dim=1)
        features["sentence_embedding"] = weighted_sum(unit, words, self.weight * fresh)
        return features

    def save(self, output_path: str, *_: Any, safe_serialization: bool = True, **__: Any) -> None:  # noqa: ANN401
        """Write the arrays and the settings into a folder."""
        self.ngrams.save(output_path)
        self.save_config(output_path)
        save_file({COUNTED: self.counted.cpu().contiguous()}, Path(output_path) / COUNTED_FILE)

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
            If a file is missing.
        """
        where: dict[str, Any] = {
            "subfolder": subfolder,
            "token": token,
            "cache_folder": cache_folder,
            "revision": revision,
            "local_files_only": local_files_only,
        }
        file = cls.load_file_path(model_name_or_path, COUNTED_FILE, **where)
        if file is None:
            raise DataError(f"{model_name_or_path} lacks {COUNTED_FILE}: train or copy the model again")
        settings = cls.load_config(model_name_or_path, **where)
        ngrams = NgramEmbedding.load(model_name_or_path, **where)
        return cls(ngrams, load_file(file)[COUNTED].numpy(), **{key: settings[key] for key in cls.config_keys})


def newness(ids: torch.Tensor, inside: torch.Tensor, counted: torch.Tensor, first_new: int) -> torch.Tensor:
    """Return g of b texts, (b,): four times the share of words with a token of the inserted languages, at most 1.

    Parameters
    ----------
    ids, inside : tensor (b, t)
        Token ids, and which are no padding.
    counted : tensor (v,) of bool
        Tokens that begin a word.
    first_new : int
    """
    words = inside & counted[ids]
    new = (words & (ids >= first_new)).sum(dim=1)
    return (new / words.sum(dim=1).clamp(min=1) / ENOUGH).clamp(max=1.0)


def weighted_sum(x: torch.Tensor, words: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Return unit((1 − share) x + share words), (b, q), of unit rows x and words (b, q) and shares (b,)."""
    part = share[:, None]
    return torch.nn.functional.normalize((1 - part) * x + part * words, dim=1)
