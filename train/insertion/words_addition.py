"""`--with-words`: what n-grams say of a text, added to the vector of a trained encoder.

Training sees the sum too, with n-grams that were fitted without the row, so that the encoder learns what they lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.checks import unit_rows
from ...analysis.maps.hashed_words import words_out_of_fold
from ...analysis.types import Floats32, Integers, Labels
from ..engine.student import Student
from .tokenization import word_beginnings

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class WordsBeside:
    """What n-grams fitted without a training row say of it, and their share in its vector.

    Parameters
    ----------
    vectors : array (n, d) of float32
        Unit rows.
    shares : array (n,) of float32
        In [0, 1].
    """

    vectors: Floats32
    shares: Floats32

    @classmethod
    def out_of_fold(
        cls, student: Student, texts: Sequence[str], y: Floats32, groups: Labels, *, first_new: int, seed: int
    ) -> WordsBeside:
        """Fit n-grams to the other folds of n training texts.

        Parameters
        ----------
        student, texts, y, first_new
            As for `append_words`.
        groups : array (n,)
            Equal for translations of the same sentence: no group crosses the folds.
        seed : int
            Deals the groups to folds.
        """
        import torch
        from torch.nn.utils.rnn import pad_sequence

        from ...analysis.maps.ngram_addition import WEIGHT, newness

        vectors = unit_rows(words_out_of_fold(texts, y, groups, seed=seed), zeros="keep").astype(np.float32)
        ids = pad_sequence([torch.tensor(row) for row in student.tokenise(texts)], batch_first=True, padding_value=-1)
        counted = torch.from_numpy(word_beginnings(student.tokenizer, len(student.table.weight)))
        fresh = newness(ids.clamp(min=0), ids >= 0, counted, first_new)
        return cls(vectors, (WEIGHT * fresh).numpy().astype(np.float32))

    def split(self, sizes: Sequence[int]) -> list[WordsBeside]:
        """Return the parts of consecutive data sets of so many rows."""
        borders = np.cumsum(sizes)[:-1]
        parts = zip(np.split(self.vectors, borders), np.split(self.shares, borders), strict=True)
        return [WordsBeside(*part) for part in parts]

    def added(self, new: torch.Tensor, rows: Integers) -> torch.Tensor:
        """Add the n-grams of some rows (b,) to their unit vectors (b, d)."""
        import torch

        from ...analysis.maps.ngram_addition import weighted_sum

        vectors, shares = (torch.from_numpy(side[rows]).to(new.device) for side in (self.vectors, self.shares))
        return weighted_sum(new, vectors, shares)


def append_words(student: Student, texts: Sequence[str], y: Floats32, *, first_new: int) -> None:
    """Fit n-grams to the training text of the new languages, and append them to an encoder.

    Parameters
    ----------
    student : Student
        Its vocabulary has the words of the new languages.
    texts : sequence of str
        n sentences of the new languages.
    y : array (n, d)
        f0 of their translations.
    first_new : int
        First token id of the new languages.
    """
    from ...analysis.maps.ngram_addition import NgramAddition
    from ...analysis.maps.text_transformer import passing_on_texts

    passing_on_texts(student.model[0])
    counted = word_beginnings(student.tokenizer, len(student.table.weight))
    module = NgramAddition.fit(texts, y, counted, first_new=first_new)
    student.model.truncate_dim = None  # the n-grams have the width that was left
    student.model.append(module.to(student.encoder.device))
