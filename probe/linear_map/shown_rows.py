"""Rows shown in the result: the worst predictions, hubs, and the points of the explorer."""

from __future__ import annotations

import numpy as np

from ...analysis.retrieval.hubness import hubness, k_occurrence
from ...analysis.retrieval.ranks import MatchRanks
from ...analysis.retrieval.search import nearest
from ...analysis.types import Floats
from ..experiment.pairs import Pairs, row_cosines
from ..results.linear_map import ExplorerPoint, Hubness, Neighbour, WorstRow
from .config import LinearMapConfig

WORST = 20
SHOWN_NEIGHBOURS = 3
EXPLORER_ROWS = 2000
HUB_NEIGHBOURS = 10


def worst_rows(pairs: Pairs, prediction: Floats, ranks: MatchRanks, config: LinearMapConfig) -> tuple[WorstRow, ...]:
    """Return the rows whose translation ranks last, with their nearest candidates; none without texts."""
    if not config.texts or pairs.sources is None or pairs.targets is None:
        return ()
    rows = np.argsort(-ranks.cosine, kind="stable")[:WORST]
    scores, places = nearest(prediction[rows], pairs.y[pairs.pool.rows], k=SHOWN_NEIGHBOURS)
    right = row_cosines(prediction[rows], pairs.y[rows])
    neighbours = [
        tuple(
            Neighbour(pairs.targets[pairs.pool.rows[p]], round(float(s), 6), bool(pairs.pool.groups[p] == group))
            for p, s in zip(places[i], scores[i], strict=True)
        )
        for i, group in enumerate(pairs.groups[rows])
    ]
    return tuple(
        WorstRow(
            int(row),
            pairs.sources[row],
            pairs.targets[row],
            round(float(right[i]), 6),
            int(ranks.cosine[row]),
            neighbours[i],
        )
        for i, row in enumerate(rows)
    )


def hubness_of(pairs: Pairs, predictions: dict[str, Floats]) -> dict[str, Hubness]:
    """Measure how unevenly targets are found as near neighbours of each rung's predictions."""
    found: dict[str, Hubness] = {}
    candidates = pairs.y[pairs.pool.rows]
    k = min(HUB_NEIGHBOURS, len(candidates) - 1)
    for rung in ("identity", "rotation", "linear"):
        if rung in predictions and k > 0:
            places = nearest(predictions[rung], candidates, k=k)[1]
            measured = hubness(k_occurrence(places, len(candidates)))
            found[rung] = Hubness(measured.skew, measured.robin_hood, measured.antihubs, k)
    return found


def explorer_points(pairs: Pairs, prediction: Floats, config: LinearMapConfig) -> tuple[ExplorerPoint, ...]:
    """Place a sample of pairs in the plane of both spaces, with their neighbours before and after the map.

    Without texts the points stay, and their texts are empty.
    """
    sources, targets = (pairs.sources, pairs.targets) if config.texts else (None, None)
    rng = np.random.default_rng([config.seed, 14])
    rows = np.sort(rng.permutation(len(pairs.x))[:EXPLORER_ROWS])
    source, target, mapped = in_principal_planes(
        pairs.x[rows], pairs.y[rows], prediction[rows], one_space=pairs.same_space
    )
    k = min(SHOWN_NEIGHBOURS, len(rows))
    before = nearest(pairs.x[rows], pairs.y[rows], k=k)[1] if pairs.same_space else np.empty((len(rows), 0), int)
    after = nearest(prediction[rows], pairs.y[rows], k=k)[1]
    return tuple(
        ExplorerPoint(
            int(row),
            "" if sources is None else sources[row],
            "" if targets is None else targets[row],
            _place(source[i]),
            _place(target[i]),
            _place(mapped[i]),
            tuple(rows[before[i]].tolist()),
            tuple(rows[after[i]].tolist()),
        )
        for i, row in enumerate(rows)
    )


def _place(coordinates: Floats) -> tuple[float, float]:
    return round(float(coordinates[0]), 4), round(float(coordinates[1]), 4)


def in_principal_planes(x: Floats, y: Floats, mapped: Floats, *, one_space: bool) -> tuple[Floats, Floats, Floats]:
    """Project onto the principal plane of both sides together in one space, else onto that of each, (n, 2) each.

    Predictions are projected as y is.
    """
    if one_space:
        basis, centre = _principal_plane(np.vstack([x, y]))
        return (x - centre) @ basis, (y - centre) @ basis, (mapped - centre) @ basis
    basis_x, centre_x = _principal_plane(x)
    basis_y, centre_y = _principal_plane(y)
    return (x - centre_x) @ basis_x, (y - centre_y) @ basis_y, (mapped - centre_y) @ basis_y


def _principal_plane(rows: Floats) -> tuple[Floats, Floats]:
    centre = rows.mean(axis=0)
    about = rows - centre
    basis = np.linalg.eigh(about.T @ about)[1][:, ::-1][:, :2]
    if basis.shape[1] < 2:
        basis = np.column_stack([basis, np.zeros(len(basis))])
    signs = np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(2)])
    return basis * np.where(signs == 0, 1.0, signs), centre
