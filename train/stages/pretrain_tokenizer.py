"""A WordPiece tokenizer trained on the text of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_LETTERS = 1000
SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerBase:
    """Train a WordPiece tokenizer that lower-cases text and keeps accents.

    Parameters
    ----------
    texts : iterable of str
    vocabulary : int
        Greatest number of tokens, special ones included.

    Notes
    -----
    By default the trainer numbers continuation letters in the order of a hash table, which differs between processes
    and decides ties between merges: a resumed run and its checkpoint, or two processes of one run, would have different
    vocabularies. So all letters are given to it in order, as if they were special tokens, and the vocabulary is then
    put into a new tokenizer.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    texts = list(texts)
    letters, continuations = _letters(learner, texts)
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=[*SPECIAL.values(), *(f"##{letter}" for letter in continuations)],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    tokenizer = Tokenizer(models.WordPiece(learner.get_vocab(), unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = learner.normalizer, learner.pre_tokenizer
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=tokenizer, **SPECIAL)  # type: ignore[no-any-return]


def _letters(tokenizer: Any, texts: Sequence[str]) -> tuple[list[str], list[str]]:  # noqa: ANN401 - the Rust library has no types
    """Return the most frequent characters, and those of them that also continue words, both in order."""
    words = Counter(
        word
        for text in texts
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    )
    counts, continuing = Counter[str](), set[str]()
    for word, count in words.items():
        for letter in word:
            counts[letter] += count
        continuing.update(word[1:])
    letters = sorted(counts, key=lambda letter: (-counts[letter], letter))[:MOST_LETTERS]
    return sorted(letters), sorted(continuing.intersection(letters))
