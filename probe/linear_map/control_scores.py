"""What a control predicts, row by row, and the scores that it sums to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...analysis.resampling import Resamples, percentile_interval, proportion_interval
from ...analysis.types import Floats
from ..results.linear_map import ControlScores


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Errors and hits of held-out predictions."""

    error: Floats  # (n,) ‖y − ŷ‖²
    total: Floats  # (n,) ‖y − μy‖²
    hits: Floats  # (n,) P@1 in both roles

    def scores(self, resamples: Resamples, beside: Floats | None = None) -> ControlScores:
        """Return R² and P@1, and the gap in P@1 to the hits (n,) of what stands beside."""
        unexplained, resampled = resamples.ratio_of_sums(self.error, self.total)
        return ControlScores(
            r2=percentile_interval(1 - unexplained, 1 - np.asarray(resampled)),
            p_at_1=proportion_interval(*resamples.mean(self.hits), resamples.n_groups),
            gap=None if beside is None else percentile_interval(*resamples.mean(self.hits - beside)),
        )
