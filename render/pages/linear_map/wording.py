"""Maps in everyday words: what each does, as a row's name and as the subject of a sentence."""

from __future__ import annotations

from ...formatting import rung_name

ROWS = {
    "identity": "no map",
    "shift": "add a constant",
    "rotation": "rotate",
    "similarity": "rotate and scale",
    "low_rank": "matrix of low rank",
    "linear": "any matrix",
    "local": "a matrix for each region",
    "nonlinear": "matrix and curves",
    "mlp": "matrix and small network",
}
SUBJECTS = {
    "identity": "no map",
    "shift": "adding a constant",
    "rotation": "a rotation",
    "similarity": "a scaled rotation",
    "low_rank": "a low-rank matrix",
    "linear": "a matrix",
    "local": "a matrix per region",
    "nonlinear": "a curved map",
    "mlp": "a small network",
}
SIMPLE = ("shift", "rotation", "similarity")


def row_words(rung: str) -> str:
    """Return what a map does, as the name of a row."""
    return ROWS.get(rung, rung_name(rung))


def subject_words(rung: str) -> str:
    """Return a map as the subject of a sentence."""
    return SUBJECTS.get(rung, rung_name(rung))
