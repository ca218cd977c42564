"""Small line charts as plain SVG, for pages that need no plotly: one panel a group, one line a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 340.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 12.0, 10.0, 26.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
SHADES = ("accent", "second", "third", "fourth", "fifth")  # colours of the palette, by place


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a path in pixels and where its highest value stands."""

    name: str
    shade: str
    path: str
    peak: tuple[float, float]
    peak_name: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class LinePanel:
    """Lines over the same steps, between 0 and 1."""

    title: str
    said: str  # what the lines show, in words
    lines: tuple[Line, ...]
    steps: tuple[tuple[float, str], ...]  # places and names along the axis

    viewbox = f"0 0 {WIDTH:g} {HEIGHT:g}"
    edges = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Heights of the grid lines, with their names."""
        return tuple((round(_height(tick), 1), f"{100 * tick:.0f}") for tick in TICKS)


def line_panel(
    title: str,
    steps: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    shades: Sequence[str] = SHADES,
    dashed: Sequence[bool] = (),
) -> LinePanel:
    """Return a panel of lines.

    Parameters
    ----------
    title : str
    steps : sequence of str
        Names of the steps, such as layers.
    series : sequence of (str, sequence of float or None)
        Name and one value a step, 0 … 1; None where it was not measured.
    shades : sequence of str
        Names of colours, one for each series, used in turn.
    dashed : sequence of bool
        Which lines are dashed; none by default.
    """
    places = [LEFT + (WIDTH - LEFT - RIGHT) * i / max(len(steps) - 1, 1) for i in range(len(steps))]
    lines, said = [], []
    for i, (name, values) in enumerate(series):
        known = [
            (place, value, step) for place, value, step in zip(places, values, steps, strict=True) if value is not None
        ]
        if not known:
            continue
        x, y, step = max(known, key=lambda one: one[1])
        path = "M" + "L".join(f"{place:.1f},{_height(value):.1f}" for place, value, _ in known)
        lines.append(
            Line(
                name,
                shades[i % len(shades)],
                path,
                (round(x, 1), round(_height(y), 1)),
                step,
                bool(dashed and dashed[i]),
            )
        )
        said.append(f"{name} highest at {step}, {100 * y:.0f}")
    every = max(1, -(-len(steps) // 7))
    named = tuple(
        (round(place, 1), step) for i, (place, step) in enumerate(zip(places, steps, strict=True)) if i % every == 0
    )
    return LinePanel(title, f"{title}: {'; '.join(said)}", tuple(lines), named)


def _height(value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(value, 0.0), 1.0)
