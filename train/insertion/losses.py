"""The losses of language insertion that the libraries do not have: the student against a frozen teacher's English.

Of the n rows of a batch a process has b; `align_loss` returns its share of the mean over the batch, the distances one
value for each row. All vectors have unit length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...distributed import Processes

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class AlignWeights:
    """Weights of `align_loss`; see `FinetuneConfig`."""

    scale: float = 20.0
    anchor: float = 3.0
    pull: float = 3.0
    false_negative: float = 0.9


def align_loss(
    new: torch.Tensor,
    teacher: torch.Tensor,
    processes: Processes,
    weights: AlignWeights,
    bank: torch.Tensor | None = None,
) -> torch.Tensor:
    """Symmetric InfoNCE of the new language against the teacher's English, plus the pull of rows onto translations.

    Parameters
    ----------
    new : tensor (b, d)
        fθ of the new language, with gradient.
    teacher : tensor (b, d)
        f0 of the English side of the same rows.
    processes : Processes
        Negatives are gathered over all processes.
    weights : AlignWeights
        Rows whose English has a cosine of at least `false_negative` are not negatives of each other.
    bank : tensor (m, d), optional
        f0 of further English, which may hold that of the batch: negatives of the new language, the same on every
        process.

    Notes
    -----
    InfoNCE: van den Oord et al. (2018), eq. 4. The mask uses the frozen English side only (after GISTEmbed,
    Solatorio, 2024), since the student's similarities of the new language are still being trained.
    """
    import torch
    from torch.nn.functional import cross_entropy

    every_new, every_teacher = processes.gather(new), processes.gather(teacher)
    english = every_teacher if bank is None else torch.cat([every_teacher, bank])
    same = every_teacher @ english.T >= weights.false_negative
    same.fill_diagonal_(False)
    scores = (weights.scale * every_new @ english.T).masked_fill(same, -torch.inf)
    right = torch.arange(len(scores), device=scores.device)
    nce = (cross_entropy(scores, right) + cross_entropy(scores[:, : len(scores)].T, right)) / 2
    # Every process computes the same InfoNCE, each with a gradient for its own rows only: summed, that is the whole.
    return nce + weights.pull * cosine_distance(new, teacher).sum() / len(every_new)


def cosine_distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return 1 − cos of the unit rows of x and y (b, d), (b,)."""
    return 1 - (x * y).sum(dim=1)


def squared_distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean squared difference of the rows of x and y (b, d), (b,) (Reimers and Gurevych, 2020, eq. 1)."""
    return ((x - y) ** 2).mean(dim=1)
