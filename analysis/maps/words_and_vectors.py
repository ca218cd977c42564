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
from ..types import Floats, Floats32, Labels, Rows
from .hashed_ngrams import NgramBuckets, inverse_document_frequencies
from .hashed_words import BITS, BLOCK_ROWS
from .kernel_path import choice_rows, penalty_by_folds
from .sparse_ridge import TOLERANCE, sparse_ridge

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FORMAT, ARRAYS_FILE = "polyglot/words-map/1", "words.safetensors"
ARRAYS = ("table", "frequencies", "weights", "mean_x", "mean_y")


@dataclass(frozen=True, slots=True, eq=False)
class WordsAndVectors:
    """A fitted map from texts and their vectors.

    Parameters
    ----------
    table : array (buckets, q) of float32
        E.
    frequencies : array (buckets,) of float32
        Inverse document frequencies.
    weights : array (p, q) of float32
        A.
    mean_x, mean_y : arrays (p,), (q,) of float32
    penalty : float
        λ of the ridge.
    """

    table: Floats32
    frequencies: Floats32
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
        groups: Labels | None = None,
        penalty: float | None = None,
        bits: int = BITS,
        seed: int = 0,
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
        groups, penalty, bits, seed, tolerance
            As for `HashedWords.fit`.

        Raises
        ------
        DataError
            If the numbers of rows differ.
        """
        if not len(texts) == len(x) == len(y):
            raise DataError(f"expected as many rows of x and y as texts, got {len(x)}, {len(y)} and {len(texts)}")
        mean_x, mean_y = (np.asarray(np.mean(side, axis=0, dtype=np.float64), np.float32) for side in (x, y))
        found = sum(
            (NgramBuckets.of(texts[i : i + BLOCK_ROWS], bits).document_frequencies(1 << bits) for i in _starts(texts)),
            start=np.zeros(1 << bits, np.int64),
        )
        frequencies = inverse_document_frequencies(found, len(texts))
        if penalty is None:
            rng = np.random.default_rng(seed)
            rows = choice_rows(len(texts), rng)
            own = rows if groups is None else np.asarray(groups)[rows]
            sample = _features([texts[row] for row in rows.tolist()], x[rows] - mean_x, frequencies)
            penalty = penalty_by_folds(lambda _: sample, np.asarray(y[rows], np.float64), own, rng)

        def blocks() -> Iterator[tuple[csr_array, Floats32]]:
            for start in _starts(texts):
                here = slice(start, start + BLOCK_ROWS)
                yield _features(texts[here], x[here] - mean_x, frequencies), np.asarray(y[here], np.float32) - mean_y

        made = list(blocks())
        shape = len(frequencies) + len(mean_x), len(mean_y)
        solved = sparse_ridge(lambda: iter(made), shape, penalty, tolerance=tolerance)
        return cls(solved[: len(frequencies)], frequencies, solved[len(frequencies) :], mean_x, mean_y, penalty)

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
        bits = len(self.frequencies).bit_length() - 1
        words = NgramBuckets.of(texts, bits).unit_rows(self.frequencies) @ self.table
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
            write_bytes(folder / ARRAYS_FILE, save({name: getattr(self, name) for name in ARRAYS}))
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
            return cls(**load_file(folder / ARRAYS_FILE), penalty=float(record["penalty"]))
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


def _features(texts: Sequence[str], centred: Rows, frequencies: Floats32) -> csr_array:
    from scipy.sparse import csr_array, hstack

    bits = len(frequencies).bit_length() - 1
    words = NgramBuckets.of(texts, bits).unit_rows(frequencies)
    return csr_array(hstack([words, csr_array(np.asarray(centred, np.float32))], format="csr"))
