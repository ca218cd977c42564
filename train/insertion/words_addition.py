"""`--with-words`: what n-grams say of a text, added to the vector of a trained encoder."""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.types import Floats32, Labels
from ..engine.student import Student
from .tokenization import rust_tokenizer


def append_words(
    student: Student, texts: Sequence[str], y: Floats32, groups: Labels, *, first_new: int, seed: int
) -> None:
    """Fit n-grams to the training text of the new languages, and append them to an encoder.

    Parameters
    ----------
    student : Student
        Its vocabulary has the words of the new languages.
    texts : sequence of str
        n sentences of the new languages.
    y : array (n, d)
        f0 of their translations.
    groups : array (n,)
        Equal for translations of the same sentence.
    first_new : int
        First token id of the new languages.
    seed : int
    """
    from ...analysis.maps.ngram_addition import NgramAddition

    tokenizer = rust_tokenizer(student.tokenizer)
    module = NgramAddition.fit(student.tokenise(texts), y, groups, tokenizer, first_new=first_new, seed=seed)
    student.model.truncate_dim = None  # the n-grams have the width that was left
    student.model.append(module.to(student.encoder.device))
