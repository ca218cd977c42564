"""Words and the vectors of an encoder in one ridge: ŷ = Eᵀφ(text) + Aᵀ(x − μx) + μy.

φ are the unit rows of hashed n-grams of `HashedWords`; x stands beside them as more features, so one penalty weighs
both (a sum of two kernels). What the encoder knows of a language (names, numbers, loan words) and what the bitext
teaches of its words add up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ...errors import DataError
from ...files import MAP_FILE, output_errors, write_bytes
from ..types import Floats, Floats32, Rows
from .hashed_ngrams import BLOCK_ROWS, MOST_NGRAMS, NgramVocabulary
from .hashed_words import PENALTY
from .sparse_ridge import TOLERANCE, sparse_ridge

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FORMAT, ARRAYS_FILE = "polyglot/words-map/2", "words.safetensors"
ARRAYS = ("table", "weights", "mean_x", "mean_y")
OF_VOCABULARY = ("buckets", "frequencies")


@dataclass(frozen=True, slots=True, eq=False)
class WordsAndVectors:
    """A fitted map from texts and their vectors.

    Parameters
    ----------
    table : array (f, q) of float32
        E.
    vocabulary : NgramVocabulary
        f n-grams.
    weights : array (p, q) of float32
        A.
    mean_x, mean_y : arrays (p,), (q,) of float32
    penalty : float
        λ of the ridge.
    """

    table: Floats32
    vocabulary: NgramVocabulary
    weights: Floats32
    mean_x: Floats32
    mean_y: Floats32
    penalty: float

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        x: Rows,
        y: Rows,
        *,
        penalty: float = PENALTY,
        most: int = MOST_NGRAMS,
        tolerance: float = TOLERANCE,
    ) -> Self:
        """Fit to texts, their vectors, and the vectors of their translations.

        Parameters
        ----------
        texts : sequence of str
            n source texts.
        x : array (n, p)
            What an encoder makes of them; of about unit length.
        y : array (n, q)
            Target vectors.
        penalty, most, tolerance
            As for `HashedWords.fit`.

        Raises
        ------
        DataError
            If the numbers of rows differ, or no text holds an n-gram.
        """
        if not len(texts) == len(x) == len(y):
            raise DataError(f"expected as many rows of x and y as texts, got {len(x)}, {len(y)} and {len(texts)}")
        mean_x, mean_y = (np.asarray(np.mean(side, axis=0, dtype=np.float64), np.float32) for side in (x, y))
        vocabulary = NgramVocabulary.of(texts, most)

        def blocks() -> Iterator[tuple[csr_array, Floats32]]:
            for start in _starts(texts):
                here = slice(start, start + BLOCK_ROWS)
                yield _features(texts[here], x[here] - mean_x, vocabulary), np.asarray(y[here], np.float32) - mean_y

        made = list(blocks())
        shape = len(vocabulary) + len(mean_x), len(mean_y)
        solved = sparse_ridge(lambda: iter(made), shape, penalty, tolerance=tolerance)
        return cls(solved[: len(vocabulary)], vocabulary, solved[len(vocabulary) :], mean_x, mean_y, penalty)

    def __call__(self, texts: Sequence[str], x: Rows) -> Floats:
        """Map m texts with their vectors (m, p) to (m, q).

        Raises
        ------
        DataError
            If the numbers of rows differ, or x is not p wide.
        """
        if len(texts) != len(x) or x.shape[1:] != self.mean_x.shape:
            raise DataError(
                f"expected a vector of width {len(self.mean_x)} for each of {len(texts)} texts, got shape {x.shape}"
            )
        words = self.vocabulary.unit_rows(texts) @ self.table
        return np.asarray(words + (x - self.mean_x) @ self.weights + self.mean_y, np.float64)

    def save(self, folder: Path) -> None:
        """Write `words.safetensors` and `map.json` into a folder.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        from safetensors.numpy import save

        record = {"format": FORMAT, "rung": "words", "penalty": self.penalty}
        with output_errors(folder, "give another folder for the map"):
            folder.mkdir(parents=True, exist_ok=True)
            arrays = {name: getattr(self, name) for name in ARRAYS}
            arrays |= {name: getattr(self.vocabulary, name) for name in OF_VOCABULARY}
            write_bytes(folder / ARRAYS_FILE, save(arrays))
            write_bytes(folder / MAP_FILE, (json.dumps(record, indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If the folder holds no such map, or a damaged one.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            record = json.loads((folder / MAP_FILE).read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise ValueError(f"expected {FORMAT}")
            arrays = load_file(folder / ARRAYS_FILE)
            vocabulary = NgramVocabulary(*(arrays.pop(name) for name in OF_VOCABULARY))
            return cls(**arrays, vocabulary=vocabulary, penalty=float(record["penalty"]))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise DataError(
                f"{folder} holds no map of words to read ({error}): fit it with `polyglot map fit --with-words`"
            ) from error

    @staticmethod
    def lies_in(folder: Path) -> bool:
        """Tell whether a folder holds such a map."""
        return (folder / ARRAYS_FILE).is_file()


def _starts(texts: Sequence[str]) -> range:
    return range(0, len(texts), BLOCK_ROWS)


def _features(texts: Sequence[str], centred: Rows, vocabulary: NgramVocabulary) -> csr_array:
    from scipy.sparse import csr_array, hstack

    words = vocabulary.unit_rows(texts)
    return csr_array(hstack([words, csr_array(np.asarray(centred, np.float32))], format="csr"))
