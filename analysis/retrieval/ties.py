"""Order of equal scores: one rule for every search.

The last bits of a product depend on the processor, on the number of threads and on the position of a row in its tile,
so that equal rows do not get equal scores. Scores within a few units of rounding are therefore ties:

- in a list of the k best, each place is filled by the candidate with the lowest row number among those within the
  tolerance of the best remaining score;
- in ranks of right answers, a wrong answer within the tolerance of the right one counts against it.

Rounding changes such a result only where two scores differ by almost exactly the tolerance, which no structure of the
data (repeated rows, symmetric pairs) causes. Rounding scores to a grid would fail: those of equal rows may fall on both
sides of an edge.
"""

from __future__ import annotations

import torch

#: In units of a cosine of float32 rows: above the rounding error of equal rows, far below the differences of others.
TIE = 1e-6


def first_of_ties(
    values: torch.Tensor, places: torch.Tensor, k: int, tie: float = TIE
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scores and places of the k best of each line, ties by place, (n, k) each.

    Parameters
    ----------
    values : tensor (n, w)
        Scores, largest first; with the k largest also those within `tie` of the k-th. −∞ where a line has fewer.
    places : tensor (n, w) of int64
        Their places, which decide between ties.
    k : int
        1 to w.
    tie : float
        Scores within it are ties, 0 or more.
    """
    chosen, where = values[:, :k].clone(), places[:, :k].clone()
    lines = (values[:, 1:] >= values[:, :-1] - tie).any(dim=1).nonzero().ravel()
    left, here = values[lines], places[lines]
    for step in range(k if len(lines) else 0):
        eligible = left >= left.amax(dim=1, keepdim=True) - tie
        pick = here.masked_fill(~eligible, torch.iinfo(torch.int64).max).argmin(dim=1, keepdim=True)
        chosen[lines, step] = left.gather(1, pick).ravel()
        where[lines, step] = here.gather(1, pick).ravel()
        left.scatter_(1, pick, -torch.inf)
    return chosen, where
