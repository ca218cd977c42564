"""Rows for masked language modelling: texts packed to one length, whole words masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Bools, Integers
from ...errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100


def pack(rows: Sequence[Sequence[int]], length: int, cls: int, sep: int) -> Integers:
    """Pack token rows into r rows of one length, (r, length): [CLS] text [SEP] text [SEP] …; texts are cut at row ends.

    Parameters
    ----------
    rows : sequence of token ids without special tokens
    length : int
        Tokens in a packed row.
    cls, sep : int
        Special tokens.

    Notes
    -----
    Texts in a row attend to each other, as in full-sentence packing (Liu et al., 2019): they come in random order, with
    separators between them. Tokens that do not fill a last row are dropped.
    """
    stream = np.concatenate([np.array([*row, sep], np.int64) for row in rows]) if len(rows) else np.empty(0, np.int64)
    inner = length - 1
    whole = stream[: len(stream) // inner * inner].reshape(-1, inner)
    return np.column_stack([np.full(len(whole), cls, np.int64), whole])


def word_starts(tokenizer: PreTrainedTokenizerBase, size: int) -> Bools:
    """Return for each of v token ids whether it begins a word, (v,)."""
    pieces = tokenizer.convert_ids_to_tokens(list(range(size)))
    marked = any(piece is not None and piece.startswith(("▁", "Ġ")) for piece in pieces)
    if marked:
        return np.array([piece is None or piece.startswith(("▁", "Ġ")) for piece in pieces])
    return np.array([piece is None or not piece.startswith("##") for piece in pieces])


@dataclass(frozen=True, slots=True, eq=False)
class WholeWordMasker:
    """Whole-word masking: of the chosen words 80 % become [MASK], 10 % random tokens, 10 % stay (Devlin et al., 2019).

    Parameters
    ----------
    starts : array (v,) of bool
        Tokens that begin a word.
    special : array (s,) of int64
        Tokens that are never masked.
    mask : int
        The [MASK] token.
    """

    starts: Bools
    special: Integers
    mask: int

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, size: int) -> WholeWordMasker:
        """Make the masker of a tokenizer whose model has `size` embeddings.

        Raises
        ------
        ModelError
            If it has no mask token.
        """
        if tokenizer.mask_token_id is None:
            raise ModelError("the tokenizer has no mask token, which pretraining needs; leave --tokenizer out")
        special = np.array(tokenizer.all_special_ids, np.int64)
        return cls(word_starts(tokenizer, size), special, int(tokenizer.mask_token_id))

    def __call__(self, ids: Integers, share: float, rng: np.random.Generator) -> tuple[Integers, Integers]:
        """Mask about a share of the words of rows (b, l); return rows and labels, (b, l), −100 if not chosen."""
        special = np.isin(ids, self.special)
        word = np.cumsum(self.starts[ids] | special, axis=1, dtype=np.int64)
        drawn = rng.random((len(ids), int(word.max()) + 1)) < share
        chosen = np.take_along_axis(drawn, word, axis=1) & ~special
        labels = np.where(chosen, ids, IGNORED)
        kind = rng.random(ids.shape)
        masked = np.where(chosen & (kind < 0.8), self.mask, ids)
        random = rng.integers(len(self.starts), size=ids.shape)
        return np.where(chosen & (kind >= 0.9), random, masked), labels
