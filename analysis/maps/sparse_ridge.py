"""Ridge from sparse features to vectors by conjugate gradients, block by block: no kernel, no normal equations.

Minimises Σ‖yᵢ − Wᵀφᵢ‖² + λ‖W‖². Each step reads every block of rows once and holds five tables of the size of W, so
memory does not grow with the rows where the blocks are made anew. The steps needed grow with the root of the condition
number, which the penalty bounds (Hestenes and Stiefel, 1952) and the diagonal as preconditioner lowers, since features
differ in how often they occur; each column of y has its own step lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError
from ..types import Floats, Floats32

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TOLERANCE = 0.01
MOST_STEPS = 60
#: Gives the blocks of rows: features (m, f) and targets (m, q).
Blocks = Callable[[], Iterator[tuple["csr_array", Floats32]]]


def sparse_ridge(
    blocks: Blocks,
    shape: tuple[int, int],
    penalty: float,
    *,
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
) -> Floats32:
    """Solve a ridge regression.

    Parameters
    ----------
    blocks : callable
        Gives the same blocks in the same order each time.
    shape : (int, int)
        f features, q columns of the targets.
    penalty : float
        λ > 0.
    tolerance : float
        Stop when the gradient has this share of its first length, > 0.
    most_steps : int
        Or after so many steps.

    Returns
    -------
    array (f, q) of float32

    Raises
    ------
    ConfigError
        If the penalty or the tolerance is not positive.
    """
    if not (penalty > 0 and tolerance > 0):
        raise ConfigError(f"penalty and tolerance must be above 0, got {penalty} and {tolerance}")
    weights, gradient = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    diagonal = np.full((shape[0], 1), penalty, np.float32)
    for features, y in blocks():
        gradient += features.T @ y
        diagonal[:, 0] += features.power(2).sum(axis=0)
    goal = tolerance**2 * _products(gradient, gradient).sum()
    scaled = gradient / diagonal
    direction, squares = scaled.copy(), _products(gradient, scaled)
    for _ in range(most_steps):
        if _products(gradient, gradient).sum() <= goal:
            break
        image = penalty * direction
        for features, _ in blocks():
            image += features.T @ (features @ direction)
        step = _ratio(squares, _products(direction, image))
        weights += step * direction
        gradient -= step * image
        np.divide(gradient, diagonal, out=scaled)
        before, squares = squares, _products(gradient, scaled)
        direction *= _ratio(squares, before)
        direction += scaled
    return weights


def _products(a: Floats32, b: Floats32) -> Floats:
    """Return the inner products of columns, (q,)."""
    return np.asarray(np.einsum("ij,ij->j", a, b, dtype=np.float64))


def _ratio(above: Floats, below: Floats) -> Floats32:
    """Divide by column; a column that is solved already takes no step."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0).astype(np.float32)
