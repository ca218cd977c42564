"""Words and tokens of a text as a tokenizer sees them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

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
