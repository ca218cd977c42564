"""Words beside a transformer, as the last module of a sentence-transformers model.

A trained encoder knows the words of its bitext; n-grams also say something of words that share a stem or an ending
with them, and err elsewhere. The module reads the tokens back as text and adds the n-grams' vector of it to the
encoder's, as far as the text holds tokens of the inserted languages: a text of the known language, which has none,
keeps the encoder's vector.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sentence_transformers.base.modules.module import Module
from tokenizers import Tokenizer

from ...errors import DataError
from ..types import Labels, Rows
from .hashed_ngrams import UNSPACED_RANGES
from .hashed_words import HashedWords
from .ngram_embedding import NgramEmbedding

TOKENIZER_FILE = "tokenizer.json"
WEIGHT = 0.4  # of the n-grams, chosen by P@1 on development text (docs/inserting-a-language.md)
ENOUGH = 0.5  # share of new tokens from which the weight is the full one
UNSPACED = "".join(f"{chr(first)}-{chr(after - 1)}" for first, after in UNSPACED_RANGES.tolist())
SPACES_WITHIN_UNSPACED = re.compile(rf"(?<=[{UNSPACED}])\s+(?=[{UNSPACED}])")


class NgramAddition(Module):
    """unit((1 − w g) x + w g ŷ), with x the unit vector so far, ŷ that of the n-grams, g in [0, 1] by the tokens.

    Parameters
    ----------
    ngrams : NgramEmbedding
    tokenizer : Tokenizer
        That of the model, of the library `tokenizers`.
    first_new : int
        Tokens from this id on belong to the inserted languages: g is twice their share of the tokens, at most 1.
    weight : float
        w, in [0, 1].
    """

    config_keys = ["first_new", "weight"]  # noqa: RUF012 - as of the library

    def __init__(self, ngrams: NgramEmbedding, tokenizer: Tokenizer, first_new: int, weight: float = WEIGHT) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # The library casts what it loads to the precision of the transformer, so it is like that from the start.
        self.ngrams, self.first_new, self.weight = ngrams.float(), first_new, weight
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        added = self._tokenizer.get_added_tokens_decoder()
        self._special = np.array([number for number, token in added.items() if token.special], np.int64)

    @classmethod
    def fit(
        cls, rows: Sequence[Sequence[int]], y: Rows, groups: Labels, tokenizer: Tokenizer, *, first_new: int, seed: int
    ) -> Self:
        """Fit n-grams to n texts as their tokens give them back.

        Parameters
        ----------
        rows : sequence of n sequences of int
            Token ids, special ones included.
        y : array (n, q)
            Vectors of their translations.
        groups : array (n,)
            Of rows that must not be split in choosing the penalty.
        tokenizer, first_new
            As of the class.
        seed : int

        Raises
        ------
        DataError
            If no text holds an n-gram.
        """
        texts = texts_of_tokens(tokenizer, rows)
        return cls(NgramEmbedding.of(HashedWords.fit(texts, y, groups=groups, seed=seed)), tokenizer, first_new)

    @property
    def embedding_dim(self) -> int:
        """Return q."""
        return self.ngrams.embedding_dim

    def get_embedding_dimension(self) -> int:
        """Return q, under the name by which the library asks for it."""
        return self.embedding_dim

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as of the library
        """Replace the sentence embeddings (b, at least q) by the sums, (b, q)."""
        so_far = features["sentence_embedding"][:, : self.embedding_dim]
        ids, inside = (features[name].cpu().numpy() for name in ("input_ids", "attention_mask"))
        rows = [row[kept.astype(bool)] for row, kept in zip(ids, inside, strict=True)]
        found = self.ngrams.preprocess(texts_of_tokens(self._tokenizer, [row.tolist() for row in rows]))
        on_device = {name: tensor.to(so_far.device) for name, tensor in found.items()}
        words = torch.nn.functional.normalize(self.ngrams(on_device)["sentence_embedding"], dim=1)
        share = torch.tensor([self.weight * self._newness(row) for row in rows], device=so_far.device)[:, None]
        unit = torch.nn.functional.normalize(so_far.float(), dim=1)
        features["sentence_embedding"] = torch.nn.functional.normalize((1 - share) * unit + share * words, dim=1)
        return features

    def _newness(self, row: Rows) -> float:
        """Return g of one row of token ids."""
        tokens = row[~np.isin(row, self._special)]
        return min(1.0, float(np.mean(tokens >= self.first_new)) / ENOUGH) if len(tokens) else 0.0

    def save(self, output_path: str, *_: Any, safe_serialization: bool = True, **__: Any) -> None:  # noqa: ANN401
        """Write the arrays, the tokenizer and the settings into a folder."""
        self.ngrams.save(output_path)
        self.save_config(output_path)
        (Path(output_path) / TOKENIZER_FILE).write_text(self._tokenizer.to_str(), encoding="utf-8")

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
        file = cls.load_file_path(model_name_or_path, TOKENIZER_FILE, **where)
        if file is None:
            raise DataError(f"{model_name_or_path} lacks {TOKENIZER_FILE}: train or copy the model again")
        settings = cls.load_config(model_name_or_path, **where)
        ngrams = NgramEmbedding.load(model_name_or_path, **where)
        return cls(ngrams, Tokenizer.from_file(file), **{key: settings[key] for key in cls.config_keys})


def texts_of_tokens(tokenizer: Tokenizer, rows: Sequence[Sequence[int]]) -> list[str]:
    """Return the text that rows of token ids spell, as normalised by the tokenizer, without special tokens.

    Decoders set spaces between tokens, also in scripts that have none; those are taken out again.
    """
    found = tokenizer.decode_batch([list(row) for row in rows], skip_special_tokens=True)
    return [SPACES_WITHIN_UNSPACED.sub("", " ".join(text.split())) for text in found]
