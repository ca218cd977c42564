"""New words: token ids of their own for the words of a new language, embedded by word alignment."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.types import Floats32, Integers
from ...errors import ModelError
from ..config import Method
from ..engine.student import Student
from .tokenization import rust_tokenizer, split_words, token_rows
from .word_alignment import WordAlignment, align_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ...data.bitext import Bitext

LEAST_SHARE = 0.1
PARTNERS = 5
MOST_SHARE_IN_PIVOT = 0.1
STRICT_OCCURRENCES = 10
_UNREACHABLE = "\u2060"  # prefix of tokens that no text matches


@dataclass(frozen=True, slots=True)
class AddedWords:
    """Number of new words, how many of them replaced tokens of the base, and their first row in the table."""

    words: int
    replaced: int
    first_row: int


def add_words(student: Student, bitext: Bitext, most: int, *, method: Method) -> AddedWords:
    """Add the words of a new language to a model, embedded by word alignment.

    Parameters
    ----------
    student : Student
        Its tokenizer and its embedding table are extended.
    bitext : Bitext
        Training pairs (new language, known language).
    most : int
        Greatest number of words; 0 adds none.
    method : str
        `embeddings` adds no word that occurs on the known side, so that no text of it changes.
    """
    import torch

    table = student.table
    size = len(table.weight)
    if most == 0:
        return AddedWords(0, 0, size)
    columns = [[split_words(student.tokenizer, text) for text in side] for side in (bitext.sources, bitext.targets)]
    strict = method == "embeddings"
    chosen = choose_words(
        student.tokenizer, table.weight.detach().cpu().numpy(), align_words(*columns), most, strict=strict
    )
    ids = extend_tokenizer(student.tokenizer, chosen.words)
    if not len(ids):
        return AddedWords(0, 0, size)
    student.body.resize_token_embeddings(max(size, int(ids.max()) + 1), mean_resizing=False)
    with torch.no_grad():
        student.table.weight[torch.from_numpy(ids)] = torch.from_numpy(chosen.vectors).to(student.encoder.device)
    return AddedWords(len(ids), chosen.replaced, int(ids.min()))


@dataclass(frozen=True, slots=True, eq=False)
class NewWords:
    """Words that get token ids of their own, with their initial embeddings.

    Parameters
    ----------
    words : tuple of str
        As the normaliser of the tokenizer writes them.
    vectors : array (w, d) of float32
    replaced : int
        Words that had a token before, which stays in the table but no longer occurs.
    """

    words: tuple[str, ...]
    vectors: Floats32
    replaced: int


def choose_words(
    tokenizer: PreTrainedTokenizerBase,
    table: Floats32,
    alignment: WordAlignment,
    most: int,
    *,
    strict: bool = False,
) -> NewWords:
    """Choose the words of a new language that get ids, and embed each by its translations in the known language.

    Parameters
    ----------
    tokenizer : tokenizer with a Rust backend
    table : array (v, d) of float32
        Word embeddings of the base.
    alignment : WordAlignment
        Of the bitext.
    most : int
        Greatest number of words.
    strict : bool
        Choose no word that occurs on the known side, and a word that has a token already only if it occurs ninety
        times on the new side: most such words belong to the known language too.

    Notes
    -----
    A word belongs to the new language if it occurs at most a tenth as often on the known side; words that have a token
    already get a pseudo-count of one on both sides, since they lose it. The initial embedding is the mean of the
    subwords of each partner, weighted by the alignment; without a partner that aligns with a tenth of the word, the
    mean of the subwords of the word itself.
    """
    tokens = set(tokenizer.get_vocab())
    partners = alignment.partners(LEAST_SHARE, PARTNERS)
    chosen: list[tuple[str, list[tuple[str, float]]]] = []
    by_count = sorted(range(len(alignment.new_words)), key=lambda i: -alignment.new_counts[alignment.new_words[i]])
    for i in by_count:
        word = alignment.new_words[i]
        if strict and alignment.known_counts[word]:
            continue
        pseudo_count = (word in tokens) * (STRICT_OCCURRENCES if strict else 1)
        if len(chosen) < most and _is_new(word, alignment, pseudo_count):
            chosen.append((word, partners[i]))
    subwords = _SubwordMeans(tokenizer, table)
    vectors = [subwords.weighted(word, translations) for word, translations in chosen]
    stacked = np.array(vectors, np.float32).reshape(len(chosen), table.shape[1])
    return NewWords(tuple(word for word, _ in chosen), stacked, sum(word in tokens for word, _ in chosen))


def _is_new(word: str, alignment: WordAlignment, pseudo_count: int) -> bool:
    has_letters = word.isalpha() or any(unicodedata.category(c)[0] in "LM" for c in word)
    new, known = alignment.new_counts[word] + pseudo_count, alignment.known_counts[word] + pseudo_count
    return has_letters and known <= MOST_SHARE_IN_PIVOT * new


class _SubwordMeans:
    """Mean embeddings of the subwords of words."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, table: Floats32) -> None:
        self.tokenizer, self.table = tokenizer, table
        self.cache: dict[str, Floats32] = {}

    def mean(self, word: str) -> Floats32:
        if word not in self.cache:
            ids = token_rows(self.tokenizer, [word])[0]
            self.cache[word] = self.table[ids].mean(axis=0) if ids else self.table.mean(axis=0)
        return self.cache[word]

    def weighted(self, word: str, partners: list[tuple[str, float]]) -> Floats32:
        means = [(self.mean(partner), share) for partner, share in partners if partner]
        if not means:
            return self.mean(word)
        total = sum(share for _, share in means)
        return np.asarray(sum(share * vector for vector, share in means) / total, np.float32)


def extend_tokenizer(tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> Integers:
    """Add w whole words to a tokenizer, after its own tokens, and return their ids, (w,).

    A word is matched only as a whole, so a text without it keeps its tokens. If it was a token before, that token is
    renamed so that no text matches it, and its row of the table stays.

    Raises
    ------
    ModelError
        If the tokenizer has no Rust backend, or does not take the words.
    """
    from transformers import AddedToken

    tokens = tokenizer.get_vocab()
    _rename_tokens(tokenizer, {word for word in words if word in tokens})
    first = len(tokenizer)
    han = {word for word in words if len(word) == 1 and unicodedata.name(word, "").startswith("CJK")}
    tokenizer.add_tokens([AddedToken(word, single_word=word not in han, normalized=True) for word in words])
    ids = np.array(tokenizer.convert_tokens_to_ids(list(words)), np.int64)
    if len(ids) and (int(ids.min()) < first or len(tokenizer) != first + len(words)):
        raise ModelError("the tokenizer did not take the new words as tokens of their own; use --extend-vocab 0")
    return ids


def _rename_tokens(tokenizer: PreTrainedTokenizerBase, words: set[str]) -> None:
    """Rename tokens so that no text matches them; they keep their ids."""
    if not words:
        return
    from tokenizers import Tokenizer

    state: dict[str, Any] = json.loads(rust_tokenizer(tokenizer).to_str())
    vocabulary = state["model"].get("vocab")
    if isinstance(vocabulary, list):
        state["model"]["vocab"] = [[_UNREACHABLE + t if t in words else t, score] for t, score in vocabulary]
    elif isinstance(vocabulary, dict) and state["model"].get("type") == "WordPiece":
        state["model"]["vocab"] = {_UNREACHABLE + t if t in words else t: i for t, i in vocabulary.items()}
    else:
        raise ModelError(f"tokens of a {state['model'].get('type')} tokenizer cannot be renamed; use --extend-vocab 0")
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(state))
