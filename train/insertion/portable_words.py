"""Words as static embeddings of subword pieces, which sentence-transformers loads without code of this package."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EDGE, UNKNOWN = "▁", "<unk>"
MOST_PIECES = 28_000  # 23 MB with 384 dimensions of 16 bits
LONGEST_PIECE = 24


def piece_tokenizer(texts: Sequence[str], most: int = MOST_PIECES) -> Tokenizer:
    """Train a unigram tokenizer in which frequent words are pieces of their own (Kudo, 2018).

    Words are lower-cased, without punctuation, and carry a mark at both edges, so that a piece knows whether it begins
    or ends a word. The pieces of the library's trainer come first; words that it left out follow, the frequent ones
    first, up to the asked size.

    Parameters
    ----------
    texts : sequence of str
    most : int
        Greatest number of pieces.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    def made(vocabulary: list[tuple[str, float]] | None) -> Tokenizer:
        model = models.Unigram() if vocabulary is None else models.Unigram(vocabulary, 0)
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.Sequence(
            [
                normalizers.NFC(),
                normalizers.Lowercase(),
                normalizers.Replace(Regex(r"[^\p{L}\p{M}\p{N}]+"), " "),
                normalizers.Replace(Regex("^ $"), EDGE),  # a text without words is one piece, whose row is the mean
                normalizers.Strip(),
                normalizers.Replace(" ", f"{EDGE} {EDGE}"),
                normalizers.Prepend(EDGE),
                normalizers.Replace(Regex(r"(?<=.)$"), EDGE),
                normalizers.Replace(Regex(f"^{EDGE}+$"), EDGE),
            ]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        return tokenizer

    tokenizer = made(None)
    trainer = trainers.UnigramTrainer(
        vocab_size=most // 2,
        unk_token=UNKNOWN,
        special_tokens=[UNKNOWN],
        max_piece_length=LONGEST_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    pieces = [(str(piece), _written(score)) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]
    normalised = (tokenizer.normalizer.normalize_str(text) for text in texts)
    words = Counter(word for text in normalised for word in text.split())
    known, total = {piece for piece, _ in pieces}, words.total()
    new = [(word, _written(np.log(count / total))) for word, count in words.most_common() if word not in known]
    return made(pieces + new[: most - len(pieces)])


def _written(score: float) -> float:
    """Round a score to what a file gives back to the last bit."""
    return round(float(score) * 1024) / 1024


def pieces_of(tokenizer: Tokenizer) -> list[str]:
    """Return the pieces by number, spaces in the place of the marks; that of unknown text is empty."""
    numbers = tokenizer.get_vocab()
    pieces = sorted(numbers, key=lambda piece: numbers[piece])
    return ["" if piece == UNKNOWN else piece.replace(EDGE, " ") for piece in pieces]
