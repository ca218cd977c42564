"""The explorer's data: pairs in the plane of both spaces, packed for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..probe.linear_map_result import ExplorerPoint
from .embed import to_script_json
from .plotlyjs import pack

LARGEST = 2000
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Explorer:
    """Two linked panels of sentences, source space and target space."""

    id: str
    source: str
    target: str
    count: int
    left_out: int
    same_space: bool
    packed: str


def explorer(points: Sequence[ExplorerPoint], prefix: str, languages: tuple[str, str]) -> Explorer | None:
    """Pack at most 2 000 pairs; None where the result has none."""
    if not points:
        return None
    drawn = points[:LARGEST]
    source, target = languages
    packed = pack(to_script_json(_columns(drawn)))
    same_space = any(p.before for p in drawn)
    return Explorer(f"{prefix}-explorer", source, target, len(drawn), len(points) - len(drawn), same_space, packed)


def _columns(points: Sequence[ExplorerPoint]) -> dict[str, object]:
    return {
        "row": [p.row for p in points],
        "source": [p.source_text for p in points],
        "target": [p.target_text for p in points],
        "sourceXY": [_place(p.source_xy) for p in points],
        "targetXY": [_place(p.target_xy) for p in points],
        "mappedXY": [_place(p.mapped_xy) for p in points],
        "before": [list(p.before) for p in points],
        "after": [list(p.after) for p in points],
    }


def _place(xy: tuple[float, float]) -> list[float]:
    return [round(value, DIGITS) for value in xy]
