"""Warnings of a probe: what in the texts, the rows or the pool limits its numbers (method §11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...analysis.types import Integers
    from ...data.bitext import Bitext
    from ...models.embeddings import Encoded

UNKNOWN_SHARE = 0.05
UNREAD = 0.2  # share of unknown tokens above which a model does not read a language
SMALL_POOL = 200
FEW_PAIRS_PER_DIMENSION = 4
FEW_GROUPS = 40
FEW_PASSAGES = 200
ROWS_PER_DIMENSION = 10  # of a sample whose spectrum is close to the population's


def tokens(encoded: Encoded, language: str, model: str) -> Iterator[str]:
    """Warn of unknown tokens and of texts that were cut."""
    unknown = encoded.unknown_share
    if unknown > UNKNOWN_SHARE:
        yield f"{unknown:.0%} of the {language} tokens are unknown to {model}"
    if encoded.truncated.any():
        yield f"{int(encoded.truncated.sum())} {language} texts were cut at the model's length"


def identical_texts(bitext: Bitext) -> Iterator[str]:
    """Warn of pairs whose two texts are the same."""
    pairs = zip(bitext.sources, bitext.targets, strict=True)
    same = sum(a.strip().casefold() == b.strip().casefold() for a, b in pairs)
    if same:
        yield f"{same} pairs have identical source and target text"


def repeated_pairs(groups: Integers, consequence: str = "they share its fold and its resamples") -> Iterator[str]:
    """Warn of pairs that share a concept group (n,), and say what follows."""
    repeated = len(groups) - len(np.unique(groups))
    if repeated:
        yield f"{repeated} of {len(groups)} pairs repeat or nearly repeat another: {consequence}"


def few_pairs(n: int, width: int) -> Iterator[str]:
    """Warn of fewer than two pairs a dimension."""
    if n < 2 * width:
        yield f"{n} pairs in {width} dimensions: fewer than two pairs a dimension, maps rest on their penalties"


def small_pool(candidates: int) -> Iterator[str]:
    """Warn of a small pool."""
    if candidates < SMALL_POOL:
        yield f"the pool holds {candidates} candidates: P@1 is easy, do not compare it with larger pools"


def few_pairs_for_a_ladder(n: int, width: int, groups: int) -> Iterator[str]:
    """Warn of samples in which the rungs of a ladder are fitted unequally well, or intervals are too short."""
    if n < 2 * width:
        yield f"{n} pairs in {width} dimensions: fewer than two pairs a dimension, the ladder rests on its penalties"
    elif n < FEW_PAIRS_PER_DIMENSION * width:
        yield (
            f"{n} pairs in {width} dimensions: with fewer than about {FEW_PAIRS_PER_DIMENSION} pairs a dimension a "
            "rotation rests on its prior, so that linear may stand for a rotation"
        )
    if groups < FEW_GROUPS:
        yield f"{groups} independent groups of pairs: intervals of so few are too short"


def few_passages(passages: int) -> Iterator[str]:
    """Warn of a small collection of passages."""
    if passages < FEW_PASSAGES:
        yield f"{passages} passages are few: do not compare these scores with larger collections"


def few_rows(n: int, width: int) -> Iterator[str]:
    """Warn of a sample whose spectrum is spread by its size."""
    if n < ROWS_PER_DIMENSION * width:
        yield (
            f"{n} rows in {width} dimensions: a sample spreads its spectrum by itself, so compare IsoScore and "
            "ranks with the isotropic cloud of the same size, not with 1 and the width"
        )
