"""The explorers' data: pairs in the plane of both spaces, packed for the page.

The directions of one result show the same sentences: a column that several explorers share is packed once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...probe.results.linear_map import ExplorerPoint
from ..escaping import to_script_json
from ..formatting import language_name, language_tag
from ..plotlyjs import pack

LARGEST = 2000
STEPS = 2000  # coordinates are rounded to this fraction of the plane, less than a pixel


@dataclass(frozen=True, slots=True)
class Explorer:
    """Two linked panels of sentences, source space and target space."""

    id: str
    source: str
    target: str
    tags: tuple[str, str]  # of the languages, for the browser
    points: tuple[ExplorerPoint, ...]
    left_out: int

    @property
    def has_texts(self) -> bool:
        """Whether the points have sentences, not only numbers."""
        return any(p.source_text or p.target_text for p in self.points)

    @property
    def count(self) -> int:
        """How many pairs are drawn."""
        return len(self.points)


def explorer(points: Sequence[ExplorerPoint], prefix: str, codes: tuple[str, str]) -> Explorer | None:
    """Return an explorer of at most 2 000 pairs between two languages; None where the result has none."""
    if not points:
        return None
    drawn = tuple(points[:LARGEST])
    source, target = (language_name(code) for code in codes)
    tags = (language_tag(codes[0]), language_tag(codes[1]))
    return Explorer(f"{prefix}-explorer", source, target, tags, drawn, len(points) - len(drawn))


def packed_explorers(explorers: Sequence[Explorer]) -> str:
    """Return the data of all explorers of a page: distinct columns, and for each explorer which column is which."""
    columns: list[list[object]] = []
    places: dict[str, int] = {}
    used: dict[str, dict[str, int]] = {}
    for item in explorers:
        used[item.id] = {}
        for name, column in _columns(item.points).items():
            key = to_script_json(column)
            if key not in places:
                places[key] = len(columns)
                columns.append(column)
            used[item.id][name] = places[key]
    return pack(to_script_json({"columns": columns, "explorers": used})) if used else ""


def _columns(points: Sequence[ExplorerPoint]) -> dict[str, list[object]]:
    values = [value for p in points for value in (*p.source_xy, *p.target_xy) if math.isfinite(value)]
    span = max(values, default=0.0) - min(values, default=0.0)
    digits = math.ceil(math.log10(STEPS / span)) if span > 0 else 0
    return {
        "row": [p.row for p in points],
        "source": [p.source_text for p in points],
        "target": [p.target_text for p in points],
        "sourceXY": [_place(p.source_xy, digits) for p in points],
        "targetXY": [_place(p.target_xy, digits) for p in points],
        "mappedXY": [_place(p.mapped_xy, digits) for p in points],
        "before": [list(p.before) for p in points],
        "after": [list(p.after) for p in points],
    }


def _place(xy: tuple[float, float], digits: int) -> list[float]:
    return [round(value, digits) for value in xy]
