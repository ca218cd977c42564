"""The method `map`, a control: a rotation with shift, fitted behind the frozen encoder."""

from __future__ import annotations

import numpy as np

from ...analysis.types import Floats32
from ...models.affine import affine_layer, full_width
from ..engine.student import Student


def fit_rotation(new: Floats32, known: Floats32) -> tuple[Floats32, Floats32]:
    """Fit the rotation with shift from f0 of the new language to f0 of the known one (Schönemann, 1966).

    Parameters
    ----------
    new, known : array (n, d)

    Returns
    -------
    weight : array (d, d)
    bias : array (d,)
        y = weight · x + bias, as in a dense layer.
    """
    x, y = new.astype(np.float64), known.astype(np.float64)
    left, _, right = np.linalg.svd((x - x.mean(axis=0)).T @ (y - y.mean(axis=0)))
    rotation = left @ right
    bias = y.mean(axis=0) - x.mean(axis=0) @ rotation
    return rotation.T.astype(np.float32), bias.astype(np.float32)


def append_rotation(student: Student, weight: Floats32, bias: Floats32) -> None:
    """Append a dense layer, weight (d, d) and bias (d,), and a normalisation to an encoder."""
    from sentence_transformers.sentence_transformer.modules import Normalize

    layer = affine_layer(weight.T, bias, width=full_width(student.model))
    student.model.truncate_dim = None  # the layer reads what was left
    student.model.append(layer.to(student.encoder.device))
    student.model.append(Normalize())
