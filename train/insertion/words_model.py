"""Words as a sentence-transformers model: hashed n-grams, or a table of pieces that loads without this package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.maps.hashed_words import HashedWords
from ...analysis.maps.piece_words import PieceWords
from ...analysis.types import Rows
from .portable_words import piece_tokenizer, pieces_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def ngram_model(texts: Sequence[str], y: Rows) -> SentenceTransformer:
    """Fit hashed n-grams to n texts and the vectors of their translations, (n, q)."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize

    from ...analysis.maps.ngram_embedding import NgramEmbedding

    module = NgramEmbedding.of(HashedWords.fit(texts, y))
    return SentenceTransformer(modules=[module, Normalize()], device="cpu")


def portable_model(texts: Sequence[str], y: Rows) -> SentenceTransformer:
    """Train a tokenizer on n texts and fit a row to each of its pieces, y (n, q)."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    tokenizer = piece_tokenizer(texts)
    rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    fitted = PieceWords.fit(pieces_of(tokenizer), rows, y)
    module = StaticEmbedding(tokenizer, embedding_weights=torch.from_numpy(fitted.rows).half())
    return SentenceTransformer(modules=[module, Normalize()], device="cpu")
