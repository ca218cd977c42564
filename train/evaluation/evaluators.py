"""Evaluators of held-out rows during training: pairs by retrieval and certificate, questions by retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.types import Floats32, Integers
from ...errors import DataError
from ...probe.results.training import MapVerdict
from ..config import LoopConfig
from .metrics import LEAST_FOR_CERTIFICATE, Certify, map_verdict
from .retention import RetentionText, measure_retention

if TYPE_CHECKING:
    from ...data.bitext import Bitext
    from ...models.encoder import Encoder


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationPairs:
    """Held-out pairs of one language.

    Parameters
    ----------
    pairs : Bitext
        n pairs (new language, pivot).
    groups : array (n,) of int64
        Concept groups; every member of a row's group counts as correct.
    pivot : array (n, d), optional
        f0 of the pivot side; by default the pivot side is embedded by the model in training.
    """

    pairs: Bitext
    groups: Integers
    pivot: Floats32 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PairEvaluator:
    """Mean P@1 over data sets of held-out pairs, and the linear-map certificate of each language.

    Geometry is judged before and after training only.

    Parameters
    ----------
    encoder : Encoder
        The model in training.
    datasets : sequence of EvaluationPairs
    seed : int
    """

    encoder: Encoder
    datasets: Sequence[EvaluationPairs]
    seed: int
    name: str = "P@1"

    @classmethod
    def of(cls, encoder: Encoder, datasets: Sequence[EvaluationPairs], loop: LoopConfig) -> PairEvaluator:
        """Make an evaluator for the settings of a loop.

        Raises
        ------
        DataError
            If there are too few rows for a certificate.
        """
        least = min(len(dataset.pairs) for dataset in datasets)
        if loop.certify_every is not None and least < LEAST_FOR_CERTIFICATE:
            raise DataError(
                f"--certify-every needs {LEAST_FOR_CERTIFICATE} held-out pairs, there are {least}: "
                "give more text, or a larger --held-out"
            )
        return cls(encoder, datasets, loop.seed)

    def evaluate(self, *, certify: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Embed the pairs; return their mean P@1, and the certificates if asked for."""
        from ...analysis.retrieval.ranks import match_ranks

        scores, certificates = [], {}
        for dataset in self.datasets:
            pairs, groups = dataset.pairs, dataset.groups
            new = self.encoder.encode(pairs.sources).pooled
            pivot = self.encoder.encode(pairs.targets).pooled if dataset.pivot is None else dataset.pivot
            forward, _ = match_ranks(new, pivot, groups, groups)
            scores.append(float(np.mean(forward.cosine <= 1)))
            if certify:
                sides = Certify((pairs.source, pairs.target))
                certificates[pairs.source] = map_verdict(new, pivot, groups, sides, seed=self.seed)
        return float(np.mean(scores)), certificates


@dataclass(frozen=True, slots=True, eq=False)
class QuestionEvaluator:
    """Mean nDCG@10 of held-out questions."""

    encoder: Encoder
    questions: RetentionText
    name: str = "nDCG@10"

    def evaluate(self, *, certify: bool) -> tuple[float, dict[str, MapVerdict]]:
        """Embed questions and passages; return the mean nDCG@10. There is no certificate."""
        assert not certify
        return float(measure_retention(self.encoder, self.questions).gains.mean()), {}
