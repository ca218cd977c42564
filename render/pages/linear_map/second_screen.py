"""The second screen of a direction: what to do next, how sure it is, every map as a row, three sentence pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ....probe.results.intervals import Interval
from ....probe.results.linear_map import Direction, SearchExample
from ....probe.results.provenance import Provenance
from ...formatting import counted, language_name, language_tag, plain_percent
from .certainty import certainty, listed
from .first_screen import best_map
from .ladder import rungs_in_order
from .next_step import Step, next_step
from .wording import row_words

KINDS = {
    "mended": ("Mended", "found first only with the map"),
    "broken": ("Broken", "found first only without it"),
    "unchanged": ("Unchanged", "stay the same with and without it"),
}


@dataclass(frozen=True, slots=True)
class MapRow:
    """A map with its P@1 and a share between 0 and 1."""

    name: str
    p_at_1: Interval
    share: Interval | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A pair of sentences, and what a search finds first for it."""

    title: str
    meaning: str
    source: str
    target: str
    before: str  # empty where it is the target
    after: str


@dataclass(frozen=True, slots=True)
class SecondScreen:
    """What stands below the first screen."""

    step: Step
    sure: tuple[tuple[str, str], ...]
    rows: tuple[MapRow, ...]
    share_name: str
    share_caption: str
    examples: tuple[Example, ...]
    tags: tuple[str, str]  # of the languages, for the browser


def second_screen(direction: Direction, provenance: Provenance) -> SecondScreen:
    """Return the second screen of a direction."""
    rows, name, caption = map_rows(direction)
    return SecondScreen(
        step=next_step(direction, provenance),
        sure=certainty(direction, provenance),
        rows=rows,
        share_name=name,
        share_caption=caption,
        examples=tuple(_example(one) for one in direction.examples),
        tags=(language_tag(direction.source), language_tag(direction.target)),
    )


def map_rows(direction: Direction) -> tuple[tuple[MapRow, ...], str, str]:
    """Return a row a map, and the name and caption of their shares: noise taken out where that was possible."""
    geometry, best = direction.geometry, best_map(direction)
    latent = geometry is not None and bool(geometry.shares)
    rungs = rungs_in_order(direction)
    rows = []
    for name, scores in rungs.items():
        share = geometry.shares.get(name) if latent and geometry is not None else scores.r2
        known = share if share is not None and math.isfinite(share.value) else None
        rows.append(MapRow(row_words(name), scores.p_at_1, known, name == best))
    if not latent or geometry is None:
        return tuple(rows), "R²", "R²: share of the variance predicted in pairs left out, noise included."
    others = listed([language_name(code) for code in geometry.instruments])
    target = language_name(direction.target)
    caption = (
        f"Explained: share of what {others} predict of {target}, so without noise; "
        f"tinted: {plain_percent(1 - geometry.margin)} or more, which is enough."
    )
    return tuple(rows), "explained", caption


def _example(one: SearchExample) -> Example:
    title, meaning = KINDS.get(one.kind, (one.kind, ""))
    return Example(
        title=title,
        meaning=f"{counted(one.count, 'pair')} {meaning}",
        source=one.source_text,
        target=one.target_text,
        before="" if one.before == one.target_text else one.before,
        after="" if one.after == one.target_text else one.after,
    )
