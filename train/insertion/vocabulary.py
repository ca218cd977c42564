"""Vocabularies: train one, give a new language token ids of its own, and say how well a language can be read at all."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from .word_alignment import WordAlignment

UNREADABLE = 0.05
SPELLED_OUT = 2.5
LEAST_SHARE = 0.1
PARTNERS = 5
FOREIGN = 0.1
STRICT_OCCURRENCES = 10
MOST_LETTERS = 1000
_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_RETIRED = "\u2060"


@dataclass(frozen=True, slots=True)
class TokenizerReport:
    """How a tokenizer reads a language.

    Parameters
    ----------
    language : str
    tokens : int
        Tokens of the sample, special ones left out.
    unknown_rate : float
        Share of tokens that stand for something the vocabulary cannot spell.
    fertility : float
        Tokens for each word.
    accent_collisions : float
        Share of word forms whose tokens are also those of another form that differs in accents only.
    warnings : tuple of str
    """

    language: str
    tokens: int
    unknown_rate: float
    fertility: float
    accent_collisions: float
    warnings: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say how the language is read."""
        return (
            f"the tokenizer reads {self.language} in {self.fertility:.2f} tokens a word, {self.unknown_rate:.1%} of "
            f"them unknown; {self.accent_collisions:.1%} of word forms read like another that differs in accents only"
        )


def words_of(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    """Split a text into words as the tokenizer sees it after its normaliser; Han characters stand alone."""
    normaliser = _backend(tokenizer).normalizer
    return _WORD.findall(text if normaliser is None else normaliser.normalize_str(text))


def report_tokenizer(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], language: str) -> TokenizerReport:
    """Measure unknown tokens, fertility and accent collisions on a sample of a language.

    Parameters
    ----------
    tokenizer : tokenizer with a Rust backend
    texts : sequence of str
        Not empty.
    language : str
        For the message.
    """
    rows = _token_rows(tokenizer, texts)
    tokens = sum(len(row) for row in rows)
    unknown = sum(row.count(tokenizer.unk_token_id) for row in rows) / max(tokens, 1)
    words = [word for text in texts for word in _WORD.findall(unicodedata.normalize("NFC", text).lower())]
    fertility = tokens / max(len(words), 1)
    collisions = _accent_collisions(tokenizer, sorted(set(words)))
    return TokenizerReport(
        language, tokens, unknown, fertility, collisions, reading_warnings(language, unknown, fertility)
    )


def reading_warnings(language: str, unknown: float, fertility: float) -> tuple[str, ...]:
    """Warn of a language that a tokenizer cannot read or spells out, by its unknown tokens and its fertility."""
    found = []
    if unknown > UNREADABLE:
        found.append(
            f"the tokenizer cannot read {language}: {unknown:.0%} of its tokens are unknown; "
            "extend the vocabulary (--extend-vocab) or take a base whose tokenizer knows the script"
        )
    if fertility > SPELLED_OUT:
        found.append(f"the tokenizer spells {language} in pieces: {fertility:.1f} tokens a word; --extend-vocab helps")
    return tuple(found)


def _accent_collisions(tokenizer: PreTrainedTokenizerBase, forms: list[str]) -> float:
    if not forms:
        return 0.0
    keys = [(_bare(form), tuple(row)) for form, row in zip(forms, _token_rows(tokenizer, forms), strict=True)]
    counted = Counter(keys)
    return sum(counted[key] > 1 for key in keys) / len(keys)


def _bare(form: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", form) if unicodedata.category(c) != "Mn")


def _token_rows(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    rows: list[list[int]] = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    return rows


# ---------------------------------------------------------------- new words


@dataclass(frozen=True, slots=True, eq=False)
class NewWords:
    """Words that get token ids of their own, with their first embeddings.

    Parameters
    ----------
    words : tuple of str
        As the normaliser of the tokenizer writes them.
    vectors : (w, d) float32
    retired : int
        How many of them had a token before, which is kept but no longer reached.
    """

    words: tuple[str, ...]
    vectors: NDArray[np.float32]
    retired: int


def choose_words(
    tokenizer: PreTrainedTokenizerBase,
    table: NDArray[np.float32],
    alignment: WordAlignment,
    most: int,
    *,
    strict: bool = False,
) -> NewWords:
    """Choose the words of a new language that get ids, and place each where its partners in the known language stand.

    Parameters
    ----------
    tokenizer : tokenizer with a Rust backend
    table : (v, d) float32
        Word embeddings of the base.
    alignment : WordAlignment
        Of the bitext.
    most : int
        Number of words.
    strict : bool
        Take no word that the known side holds at all, and one that has a token already only where the new side holds
        it ninety times: most such words belong to the known language too.

    Notes
    -----
    A word belongs to the new language if the known side holds it at most a tenth as often, one imagined occurrence
    included for words that have a token already: those lose it, and should be seen often before they do. The first
    embedding is the mean of the pieces of each partner, weighted by the alignment; without a partner that takes a
    tenth of the word, the mean of the pieces of which the word was made.
    """
    held = set(tokenizer.get_vocab())
    partners = alignment.partners(LEAST_SHARE, PARTNERS)
    chosen: list[tuple[str, list[tuple[str, float]]]] = []
    by_count = sorted(range(len(alignment.new_words)), key=lambda i: -alignment.new_counts[alignment.new_words[i]])
    for i in by_count:
        word = alignment.new_words[i]
        if strict and alignment.known_counts[word]:
            continue
        imagined = (word in held) * (STRICT_OCCURRENCES if strict else 1)
        if len(chosen) < most and _is_new(word, alignment, imagined):
            chosen.append((word, partners[i]))
    pieces = _Pieces(tokenizer, table)
    vectors = [pieces.vector(word, found) for word, found in chosen]
    stacked = np.array(vectors, np.float32).reshape(len(chosen), table.shape[1])
    return NewWords(tuple(word for word, _ in chosen), stacked, sum(word in held for word, _ in chosen))


def _is_new(word: str, alignment: WordAlignment, imagined: int) -> bool:
    letters = word.isalpha() or any(unicodedata.category(c)[0] in "LM" for c in word)
    here, there = alignment.new_counts[word], alignment.known_counts[word]
    return letters and there + imagined <= FOREIGN * (here + imagined)


class _Pieces:
    """Mean embeddings of the pieces of words."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, table: NDArray[np.float32]) -> None:
        self.tokenizer, self.table = tokenizer, table
        self.known: dict[str, NDArray[np.float32]] = {}

    def mean(self, word: str) -> NDArray[np.float32]:
        if word not in self.known:
            ids = _token_rows(self.tokenizer, [word])[0]
            self.known[word] = self.table[ids].mean(axis=0) if ids else self.table.mean(axis=0)
        return self.known[word]

    def vector(self, word: str, partners: list[tuple[str, float]]) -> NDArray[np.float32]:
        real = [(self.mean(partner), share) for partner, share in partners if partner]
        if not real:
            return self.mean(word)
        total = sum(share for _, share in real)
        return np.asarray(sum(share * vector for vector, share in real) / total, np.float32)


def extend_tokenizer(tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> NDArray[np.int64]:
    """Give whole words ids after those that the tokenizer has, and return them, (w,).

    A word is matched only as a whole, so a text without it keeps its tokens. Where it was a token before, the old token
    is kept under a name that no text reaches, so that the row of the table stays what it was.

    Raises
    ------
    ModelError
        If the tokenizer has no Rust backend, or does not take the words.
    """
    from transformers import AddedToken

    held = tokenizer.get_vocab()
    _retire(tokenizer, [word for word in words if word in held])
    first = len(tokenizer)
    tokenizer.add_tokens([AddedToken(word, single_word=not _is_han(word), normalized=True) for word in words])
    ids = np.array(tokenizer.convert_tokens_to_ids(list(words)), np.int64)
    if len(ids) and (int(ids.min()) < first or len(tokenizer) != first + len(words)):
        raise ModelError("the tokenizer did not take the new words as tokens of their own; use --extend-vocab 0")
    return ids


def _is_han(word: str) -> bool:
    return len(word) == 1 and unicodedata.name(word, "").startswith("CJK")


def _retire(tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> None:
    """Rename tokens in the model of the tokenizer, keeping their ids."""
    if not words:
        return
    from tokenizers import Tokenizer

    state: dict[str, Any] = json.loads(_backend(tokenizer).to_str())
    vocabulary = state["model"].get("vocab")
    if isinstance(vocabulary, list):
        gone = set(words)
        state["model"]["vocab"] = [[_RETIRED + p if p in gone else p, score] for p, score in vocabulary]
    elif isinstance(vocabulary, dict) and state["model"].get("type") == "WordPiece":
        gone = set(words)
        state["model"]["vocab"] = {_RETIRED + p if p in gone else p: i for p, i in vocabulary.items()}
    else:
        raise ModelError(f"tokens of a {state['model'].get('type')} tokenizer cannot be renamed; use --extend-vocab 0")
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(state))


def _backend(tokenizer: PreTrainedTokenizerBase) -> Any:  # noqa: ANN401 - the Rust library has no types
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{type(tokenizer).__name__} has no fast form, which training needs; take another base")
    return backend


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerBase:
    """Train a WordPiece vocabulary that keeps case apart from nothing and accents as they are.

    Parameters
    ----------
    texts : iterable of str
    vocabulary : int
        Greatest number of pieces, special ones included.

    Notes
    -----
    Left alone, the trainer numbers continued letters in the order of a hash table, which changes from process to
    process and decides ties between merges: a resumed run and its checkpoint, or two processes of one run, would have
    different vocabularies. So all letters are given to it in order, as if they were special, and the pieces are then
    put into a clean tokenizer.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    held = list(texts)
    letters, continued = _letters(learner, held)
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=[*special, *(f"##{letter}" for letter in continued)],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    learner.train_from_iterator(held, trainer)
    tokenizer = Tokenizer(models.WordPiece(learner.get_vocab(), unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = learner.normalizer, learner.pre_tokenizer
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast: Any = PreTrainedTokenizerFast
    made: PreTrainedTokenizerBase = fast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
    return made


def _letters(tokenizer: Any, texts: Sequence[str]) -> tuple[list[str], list[str]]:  # noqa: ANN401 - the Rust library has no types
    """Return the commonest characters of texts, and those of them that do not only begin words, both in order."""
    words = Counter(
        word
        for text in texts
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    )
    counts, continued = Counter[str](), set[str]()
    for word, count in words.items():
        for letter in word:
            counts[letter] += count
        continued.update(word[1:])
    kept = sorted(counts, key=lambda letter: (-counts[letter], letter))[:MOST_LETTERS]
    return sorted(kept), sorted(continued.intersection(kept))
