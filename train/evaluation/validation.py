"""What the stages measure between two steps, so that one sees where a run is going and patience can end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...analysis.types import Floats32
from ...errors import DataError
from ...probe.results.training import MapVerdict
from ..config import LoopConfig
from .metrics import LEAST_FOR_CERTIFICATE, map_verdict
from .retention import OldLanguage, score_old_language

if TYPE_CHECKING:
    from ...models.encoder import Encoder


@dataclass(frozen=True, slots=True, eq=False)
class WatchedPairs:
    """Held-out pairs of one language.

    Parameters
    ----------
    language, known : str
    sources, targets : list of str
        Of n pairs, the targets in the language that is known.
    groups : (n,) int64
        Concept groups; every member of a row's group is a right answer.
    pivot : (n, d), optional
        f0 of the targets; embedded by the encoder as it is if not given.
    """

    language: str
    known: str
    sources: list[str]
    targets: list[str]
    groups: NDArray[np.int64]
    pivot: Floats32 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PairWatch:
    """P@1 of held-out pairs, mean over their kinds, and the linear-map certificate of each language.

    Parameters
    ----------
    encoder : Encoder
        Whose weights move.
    watched : sequence of WatchedPairs
    seed : int
    """

    encoder: Encoder
    watched: Sequence[WatchedPairs]
    seed: int
    name: str = "P@1"

    @classmethod
    def of(cls, encoder: Encoder, watched: Sequence[WatchedPairs], loop: LoopConfig) -> PairWatch:
        """Make a watch that can measure what the settings ask for.

        Raises
        ------
        DataError
            If there are too few rows for a certificate.
        """
        least = min(len(pairs.sources) for pairs in watched)
        if loop.certify_every is not None and least < LEAST_FOR_CERTIFICATE:
            raise DataError(
                f"--certify-every needs {LEAST_FOR_CERTIFICATE} held-out pairs, there are {least}: "
                "give more text, or a larger --held-out"
            )
        return cls(encoder, watched, loop.seed)

    def measure(self, *, certified: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Embed the pairs and measure them."""
        from ...analysis.retrieval.search import match_ranks

        scores, certificates = [], {}
        for pairs in self.watched:
            new = self.encoder.encode(pairs.sources).pooled
            pivot = self.encoder.encode(pairs.targets).pooled if pairs.pivot is None else pairs.pivot
            forward, _ = match_ranks(new, pivot, pairs.groups, pairs.groups)
            scores.append(float(np.mean(forward.cosine <= 1)))
            if certified:
                names = (pairs.language, pairs.known)
                certificates[pairs.language] = map_verdict(new, pivot, pairs.groups, names, seed=self.seed)
        return float(np.mean(scores)), certificates


@dataclass(frozen=True, slots=True, eq=False)
class QuestionWatch:
    """Retrieval of passages by held-out questions."""

    encoder: Encoder
    asked: OldLanguage
    name: str = "nDCG@10"

    def measure(self, *, certified: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Embed questions and passages and measure them."""
        assert not certified
        return float(score_old_language(self.encoder, self.asked).gains.mean()), {}
