"""Words and tokens of a text as a tokenizer sees them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.types import Bools
from ...errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONTINUATION, BEGINNINGS = "##", ("▁", "Ġ")
WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


def split_words(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    """Split a text into words after the normaliser of a tokenizer; each Han character is a word.

    Raises
    ------
    ModelError
        If the tokenizer has no Rust backend.
    """
    normaliser = rust_tokenizer(tokenizer).normalizer
    return WORD.findall(text if normaliser is None else normaliser.normalize_str(text))


def token_rows(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of texts, without special tokens."""
    rows: list[list[int]] = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    return rows


def rust_tokenizer(tokenizer: PreTrainedTokenizerBase) -> Any:  # noqa: ANN401 - the Rust library has no types
    """Return the Rust backend of a tokenizer.

    Raises
    ------
    ModelError
        If it has none.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{type(tokenizer).__name__} has no fast form, which training needs; take another base")
    return backend


def word_beginnings(tokenizer: PreTrainedTokenizerBase, size: int) -> Bools:
    """Return which of `size` token ids begin a word, by the mark that the tokenizer sets; never special tokens.

    Tokenizers that mark continuations (`##`) or beginnings (`▁`, `Ġ`) are told apart by what most of their vocabulary
    holds; tokens that were added begin a word; without marks every token does.
    """
    vocabulary = tokenizer.get_vocab()
    marks = {mark: sum(token.startswith(mark) for token in vocabulary) for mark in (*BEGINNINGS, CONTINUATION)}
    mark = max(marks, key=lambda one: marks[one])
    added = set(tokenizer.added_tokens_decoder)
    begins = np.zeros(size, bool)
    for token, number in vocabulary.items():
        marked = token.startswith(mark) if mark in BEGINNINGS else not token.startswith(CONTINUATION)
        begins[number] = marked or number in added or not marks[mark]
    begins[tokenizer.all_special_ids] = False
    return begins
