"""Random Fourier features of the Gaussian kernel (Rahimi and Recht, 2007)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Floats

MEDIAN_ROWS = 512


@dataclass(frozen=True, slots=True, eq=False)
class FourierFeatures:
    """z(x) = √(2/m) cos(xΩ + b): inner products of z approach exp(−‖x − x'‖² / 2σ²)."""

    omega: Floats  # (p, m)
    phase: Floats  # (m,)

    @classmethod
    def draw(cls, width: int, n_features: int, sigma: float, rng: np.random.Generator) -> FourierFeatures:
        """Draw m features for a bandwidth σ > 0 in the units of x."""
        omega = rng.standard_normal((width, n_features)) / sigma
        return cls(omega, rng.uniform(0.0, 2 * np.pi, n_features))

    def __call__(self, x: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the features of rows x (n, p), as (n, m) float32."""
        angles = x.astype(np.float32) @ self.omega.astype(np.float32) + self.phase.astype(np.float32)
        features: NDArray[np.float32] = np.sqrt(np.float32(2.0 / len(self.phase))) * np.cos(angles)
        return features


def median_distance(x: NDArray[np.floating], rng: np.random.Generator) -> float:
    """Median Euclidean distance between rows of a sample of x; 1 where all rows coincide."""
    from scipy.spatial.distance import pdist

    rows = rng.choice(len(x), size=min(len(x), MEDIAN_ROWS), replace=False)
    return float(np.median(pdist(x[rows]))) or 1.0
