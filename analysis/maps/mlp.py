"""The optional MLP rung: a small network on the residuals of the linear rung, width and stopping chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..types import Floats
from .affine import AffineMap
from .fold_moments import FoldedTarget

if TYPE_CHECKING:
    from sklearn.neural_network import MLPRegressor

WIDTHS: tuple[int, ...] = (64, 256)


def residual_mlp(target: FoldedTarget, linear: AffineMap, *, held_out: int, seed: int) -> Floats:
    """Predict the rows of an outer fold by the linear map plus a network fitted to its training residuals, (h, q).

    The network trains on all but one of the other folds, a tenth of whose rows decide when to stop; that one chooses
    its width, and whether to use it at all (a network that does not lower the error there is left out).
    """
    source = target.source
    inner = (held_out + 1) % source.n_folds
    training = source.rows_outside(frozenset({held_out, inner}))
    validation = source.rows[inner]
    size = float(np.sqrt(np.mean(source.x**2))) or 1.0
    x = source.x / size
    residual = target.y - linear(source.x)
    best = np.zeros((len(source.rows[held_out]), target.y.shape[1]))
    best_error = float(np.mean(residual[validation] ** 2))
    for width in WIDTHS:
        network = trained_network(x[training], residual[training], width=width, seed=seed)
        error = float(np.mean((residual[validation] - network.predict(x[validation])) ** 2))
        if error < best_error:
            best_error, best = error, network.predict(x[source.rows[held_out]])
    return linear(source.x[source.rows[held_out]]) + best


def trained_network(x: Floats, y: Floats, *, width: int, seed: int) -> MLPRegressor:
    """Train a network of one hidden layer on rows x (n, p) and residuals y (n, q), stopping early."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    network = MLPRegressor(
        hidden_layer_sizes=(width,), alpha=1e-3, early_stopping=True, max_iter=60, random_state=seed, n_iter_no_change=5
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(x, y)
