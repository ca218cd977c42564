"""Held-out pairs as a picture: where a plane shows sources and targets, and how each map moves the sources."""

from __future__ import annotations

import numpy as np

from ...analysis.maps.search_stretch import stretched_by_fold
from ...analysis.retrieval.search import nearest
from ...analysis.types import Floats, Indices
from ..experiment.held_out import HeldOut
from ..experiment.pairs import Pairs
from ..results.linear_map import MapPicture, SearchExample
from .config import LinearMapConfig

PICTURED_MAPS = ("identity", "shift", "rotation", "linear")
JOINED = 60  # pairs that the page joins by a line and gives texts
CLOUD = 180  # pairs in all, at most a third of them, so that the plane is fitted on the others


def picture_of(held_out: HeldOut, pairs: Pairs, config: LinearMapConfig) -> MapPicture:
    """Project held-out pairs onto a plane that was fitted on the other pairs, under each of the plain maps.

    Within one space the plane is spanned by the offset of the two sides and the direction in which their pairs vary
    together most; between two spaces by the two main directions of the target.
    """
    order = np.random.default_rng([config.seed, 15]).permutation(len(pairs.x))
    shown, others = np.split(order, [min(CLOUD, len(order) // 3)])
    basis, centre = (
        _offset_plane(pairs.x[others], pairs.y[others]) if pairs.same_space else _main_plane(pairs.y[others])
    )
    maps = [rung for rung in PICTURED_MAPS if rung in held_out.fit.predictions]
    joined = shown[:JOINED] if config.texts else shown[:0]
    return MapPicture(
        rows=tuple(shown.tolist()),
        plane_rows=len(others),
        targets=_places(pairs.y[shown], basis, centre),
        moved={rung: _places(held_out.fit.predictions[rung][shown], basis, centre) for rung in maps},
        found={rung: tuple((held_out.searches.forward[rung].cosine[shown] == 1).tolist()) for rung in maps},
        source_texts=() if pairs.sources is None else tuple(pairs.sources[row] for row in joined),
        target_texts=() if pairs.targets is None else tuple(pairs.targets[row] for row in joined),
    )


def _places(rows: Floats, basis: Floats, centre: Floats) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(a), 4), round(float(b), 4)) for a, b in (rows - centre) @ basis)


def _offset_plane(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return an orthonormal basis (d, 2) and the centre (d,) of the plane within one space."""
    centre = (x.mean(axis=0) + y.mean(axis=0)) / 2
    offset = y.mean(axis=0) - x.mean(axis=0)
    shared = (x - x.mean(axis=0)).T @ (y - y.mean(axis=0))
    length = float(np.linalg.norm(offset))
    across = offset / length if length > 0 else np.linalg.eigh(shared + shared.T)[1][:, -1]
    outside = np.eye(len(across)) - np.outer(across, across)
    up = np.linalg.eigh(outside @ (shared + shared.T) @ outside)[1][:, -1]
    return np.column_stack([across, _signed(up) if len(up) > 1 else np.zeros(1)]), centre


def _main_plane(y: Floats) -> tuple[Floats, Floats]:
    """Return an orthonormal basis (q, 2) and the centre (q,) of the main plane of the targets."""
    centre = y.mean(axis=0)
    basis = np.linalg.eigh((y - centre).T @ (y - centre))[1][:, ::-1][:, :2]
    if basis.shape[1] < 2:
        basis = np.column_stack([basis, np.zeros(len(basis))])
    return np.column_stack([_signed(basis[:, 0]), _signed(basis[:, 1])]), centre


def _signed(direction: Floats) -> Floats:
    """Return a direction with its largest component positive, so that no library decides which way is up."""
    return direction if direction[np.abs(direction).argmax()] >= 0 else -direction


def search_examples(held_out: HeldOut, pairs: Pairs, best: str, config: LinearMapConfig) -> tuple[SearchExample, ...]:
    """Return one pair that the best map mends, one that it breaks, and one with which it changes nothing.

    Each is the first of its kind in the order of the rows, and says how many there are. Between two spaces there is no
    search without a map, and no example.
    """
    if "identity" not in held_out.searches.forward:
        return ()
    before, after = (held_out.searches.forward[rung].cosine == 1 for rung in ("identity", best))
    same = before == after
    usual = same & (before if np.sum(before & same) >= np.sum(~before & same) else ~before)
    kinds = {"mended": after & ~before, "broken": before & ~after, "unchanged": usual}
    counts = {**{kind: int(flags.sum()) for kind, flags in kinds.items()}, "unchanged": int(same.sum())}
    first = {kind: int(np.argmax(flags)) for kind, flags in kinds.items() if flags.any()}
    found = _found_first(held_out, pairs, best, np.array(list(first.values()), int)) if config.texts else {}
    return tuple(
        SearchExample(kind, counts[kind], row, *found.get(row, ("", "", "", ""))) for kind, row in first.items()
    )


def _found_first(held_out: HeldOut, pairs: Pairs, best: str, rows: Indices) -> dict[int, tuple[str, str, str, str]]:
    """Return by row its source, its target, and what is found first without and with the map, as texts."""
    if pairs.sources is None or pairs.targets is None or not len(rows):
        return {}
    fit = held_out.fit
    asked = stretched_by_fold(fit.predictions[best], fit.reference, fit.target.source.rows, held_out.stretches[best])
    pool = pairs.pool.rows
    without, through = (nearest(queries[rows], pairs.y[pool], k=1)[1][:, 0] for queries in (pairs.x, asked))
    return {
        int(row): (pairs.sources[row], pairs.targets[row], pairs.targets[pool[a]], pairs.targets[pool[b]])
        for row, a, b in zip(rows, without, through, strict=True)
    }
