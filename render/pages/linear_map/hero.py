"""The picture of the first screen: held-out pairs in one plane, and where each map takes the sources.

It is plain SVG, drawn here for the page as it opens and for print; a small script moves the points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....probe.results.linear_map import Direction, MapPicture
from ...escaping import to_script_json
from ...formatting import count, language_name, language_tag, number, percent, shortened

WIDTH, HEIGHT, PAD = 560.0, 400.0, 12.0
CUT = 0.005  # share of the points on either side that the picture may leave outside
NAMES = {"identity": "no map", "shift": "shift", "rotation": "rotation", "linear": "linear"}
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one map takes the sources, in pixels, and what is then found first."""

    rung: str
    name: str
    share: float
    value: str
    limits: str
    sources: tuple[Place, ...]
    found: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Hero:
    """Both clouds, the first pairs of which are joined by lines."""

    id: str
    source: str
    target: str
    tags: tuple[str, str]  # of the languages, for the browser
    targets: tuple[Place, ...]
    frames: tuple[Frame, ...]
    best: int  # the frame that is shown beside the first one where nothing moves
    joined: int
    texts: tuple[tuple[str, str], ...]
    caption: str

    @property
    def stills(self) -> tuple[Frame, Frame]:
        """The frames of print: the first one and the best one."""
        return self.frames[0], self.frames[self.best]

    @property
    def viewbox(self) -> str:
        """The SVG's own coordinates."""
        return f"0 0 {WIDTH:g} {HEIGHT:g}"

    def dots(self, places: Sequence[Place], *, joined: bool) -> str:
        """Return the path of dots: of the joined pairs, or of the others."""
        return "".join(f"M{x:g},{y:g}h0" for x, y in (places[: self.joined] if joined else places[self.joined :]))

    def lines(self, frame: Frame, *, found: bool) -> str:
        """Return the path of the lines between pairs that are, or are not, found first."""
        pairs = zip(frame.sources[: self.joined], self.targets, frame.found, strict=False)
        return "".join(f"M{x:g},{y:g}L{u:g},{v:g}" for (x, y), (u, v), hit in pairs if hit == found)


JOINED = 60


def hero(direction: Direction, prefix: str) -> Hero | None:
    """Return the picture of a direction; None in results that have none."""
    picture = direction.picture
    names = [] if picture is None else [name for name in NAMES if name in picture.moved and name in direction.rungs]
    if picture is None or not picture.targets or not names:
        return None
    targets, moved = _placed(picture, names)
    frames = tuple(_frame(direction, name, moved[name], picture.found[name]) for name in names)
    maps = [i for i, frame in enumerate(frames) if frame.rung != "identity"] or [0]
    chosen = None if direction.use is None else direction.use.best
    best = next((i for i in maps if frames[i].rung == chosen), max(maps, key=lambda i: frames[i].share))
    source, target = language_name(direction.source), language_name(direction.target)
    return Hero(
        id=f"{prefix}-hero",
        source=source,
        target=target,
        tags=(language_tag(direction.source), language_tag(direction.target)),
        targets=targets,
        frames=frames,
        best=best,
        joined=min(JOINED, len(targets)),
        texts=tuple(
            (shortened(a), shortened(b)) for a, b in zip(picture.source_texts, picture.target_texts, strict=False)
        ),
        caption=_caption(direction, picture),
    )


def packed_heroes(heroes: Sequence[Hero]) -> str:
    """Return what the script needs of every picture, as JSON for a script element."""
    return to_script_json(
        {
            hero.id: {
                "targets": hero.targets,
                "frames": [
                    {
                        "name": frame.name,
                        "share": frame.share,
                        "limits": frame.limits,
                        "sources": frame.sources,
                        "found": [int(hit) for hit in frame.found],
                    }
                    for frame in hero.frames
                ],
                "best": hero.best,
                "joined": hero.joined,
                "texts": hero.texts,
            }
            for hero in heroes
        }
    )


def _frame(direction: Direction, rung: str, sources: tuple[Place, ...], found: tuple[bool, ...]) -> Frame:
    share = direction.rungs[rung].p_at_1
    limits = f"[{number(100 * share.low, 0)}, {number(100 * share.high, 0)}]"
    return Frame(rung, NAMES[rung], share.value, percent(share.value), limits, sources, found)


def _placed(picture: MapPicture, names: Sequence[str]) -> tuple[tuple[Place, ...], dict[str, tuple[Place, ...]]]:
    """Return targets and moved sources in pixels, one scale for both axes and all maps."""
    points = [*picture.targets, *(place for name in names for place in picture.moved[name])]
    ranges = [_range([place[axis] for place in points]) for axis in (0, 1)]
    scale = min(
        (size - 2 * PAD) / ((high - low) or 1.0) for size, (low, high) in zip((WIDTH, HEIGHT), ranges, strict=True)
    )
    middle = [(low + high) / 2 for low, high in ranges]

    def pixels(places: Sequence[Place]) -> tuple[Place, ...]:
        return tuple(
            (round(WIDTH / 2 + scale * (x - middle[0]), 1), round(HEIGHT / 2 - scale * (y - middle[1]), 1))
            for x, y in places
        )

    return pixels(picture.targets), {name: pixels(picture.moved[name]) for name in names}


def _range(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    cut = int(CUT * len(ordered))
    return ordered[cut], ordered[len(ordered) - 1 - cut]


def _caption(direction: Direction, picture: MapPicture) -> str:
    across = (
        "across, the offset between the languages; up, the direction in which pairs vary together most"
        if "identity" in picture.moved
        else f"the two main directions of {language_name(direction.target)}"
    )
    fitted = f"Fitted on the {count(picture.plane_rows)} pairs that are not shown"
    held_out = "maps were fitted without the pairs that they move"
    return f"2 of {direction.dims[1]} dimensions: {across}. {fitted}; {held_out}."
