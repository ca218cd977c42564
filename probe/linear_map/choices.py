"""What one fold chose, as a part of the result."""

from __future__ import annotations

import math

from ...analysis.maps.ladder import Choices
from ..results.linear_map import Choice


def choice_of_fold(choices: Choices) -> Choice:
    """Return what one fold chose as a part of the result."""
    locality, curvature, shrinkage = choices.locality, choices.curvature, choices.shrinkage
    return Choice(
        penalty=choices.penalty,
        rank=choices.rank,
        regions=locality.regions if locality else None,
        region_penalty=locality.penalty if locality else None,
        bandwidth=curvature.bandwidth if curvature else None,
        curvature_penalty=curvature.penalty if curvature else None,
        kappa=choices.kappa if math.isfinite(choices.kappa) else None,
        scale=shrinkage.scale if shrinkage else None,
        towards=shrinkage.towards if shrinkage else None,
    )
