"""Embeddings of texts, and how texts are cut into distinct ones, blocks and batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

BLOCK_TEXTS = 1024


@dataclass(frozen=True, slots=True)
class Encoded:
    """Embeddings of n texts.

    Parameters
    ----------
    pooled : array (n, d) of float32
        What the model's whole pipeline gives, normalisation included if it is part of it.
    hidden : array (l, n, width) of float32
        The asked layers in the asked order, pooled by the model's own pooling, not normalised.
    tokens : array (n,) of int32
        Tokens before truncation, prompt and special tokens included.
    truncated : array (n,) of bool
        Whether the text was cut at the model's length.
    unknown : array (n,) of int32
        How many of the tokens stand for text that is not in the vocabulary.
    """

    pooled: NDArray[np.float32]
    hidden: NDArray[np.float32]
    tokens: NDArray[np.int32]
    truncated: NDArray[np.bool_]
    unknown: NDArray[np.int32]

    @property
    def unknown_share(self) -> float:
        """Share of the tokens that the tokenizer does not know."""
        return float(self.unknown.sum() / max(int(self.tokens.sum()), 1))

    def take(self, rows: NDArray[np.intp]) -> "Encoded":
        """Return the embeddings of the texts at the asked rows, in that order; rows may repeat.

        Parameters
        ----------
        rows : array (m,) of int
            Positions from 0 to n − 1.
        """
        return Encoded(
            self.pooled[rows], self.hidden[:, rows], self.tokens[rows], self.truncated[rows], self.unknown[rows]
        )


def joined(parts: Sequence[Encoded]) -> Encoded:
    """Put the texts of several parts one after the other.

    Parameters
    ----------
    parts : sequence of Encoded
        At least one; the same model and the same number of layers in each.
    """
    return Encoded(
        pooled=np.concatenate([part.pooled for part in parts]),
        hidden=np.concatenate([part.hidden for part in parts], axis=1),
        tokens=np.concatenate([part.tokens for part in parts]),
        truncated=np.concatenate([part.truncated for part in parts]),
        unknown=np.concatenate([part.unknown for part in parts]),
    )


def distinct(texts: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """Find the distinct texts.

    Parameters
    ----------
    texts : sequence of str, length n

    Returns
    -------
    unique : list of str
        In order of first appearance.
    places : array (n,) of int
        Where in `unique` each text is.

    Raises
    ------
    DataError
        An element is not text, or is text that cannot be written as UTF-8.
    """
    if isinstance(texts, str):
        raise DataError("expected a sequence of texts, got one text; put it into a list")
    numbers: dict[str, int] = {}
    places = np.empty(len(texts), np.intp)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"row {row} is not text: expected str, got {type(text).__name__}; drop or mend this row")
        places[row] = numbers.setdefault(text, len(numbers))
    unique = list(numbers)
    for text in unique:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"the text {text[:40]!a} holds half a surrogate pair; read the file again as UTF-8"
            ) from error
    return unique, places


def blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut texts into blocks of `BLOCK_TEXTS`; the last one may be shorter.

    Parameters
    ----------
    texts : sequence of str
    """
    for start in range(0, len(texts), BLOCK_TEXTS):
        yield texts[start : start + BLOCK_TEXTS]


def batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[slice]:
    """Cut rows into batches whose padded size is at most a budget.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each row, longest first.
    batch_tokens : int
        Upper limit of rows × longest row; a longer single row makes a batch of its own.
    """
    start = 0
    while start < len(lengths):
        rows = max(1, batch_tokens // max(1, lengths[start]))
        yield slice(start, start + rows)
        start += rows
