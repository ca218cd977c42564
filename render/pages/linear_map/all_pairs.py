"""R² of the closed-form maps over all pairs, beside the sample on which everything else of the page rests."""

from __future__ import annotations

from ....probe.results.linear_map import AllPairs, Direction
from ...charts.intervals import INTERVAL_COLUMNS, interval_cells
from ...charts.marks import dots, scores
from ...charts.theme import ROOM_FOR_LEGEND, Reach, panel, row_axis, row_height, value_axis
from ...formatting import count, interval, number, percent, percent_interval, rung_name, shown_verdict
from ...view import Cell, Column, Figure, Panel, Table
from .ladder import ORDER


def all_pairs(direction: Direction, prefix: str) -> Figure | None:
    """R² of each closed-form map over all pairs and in the sample; None where all pairs were measured in memory."""
    streamed = direction.streamed
    if streamed is None:
        return None
    return Figure(
        f"{prefix}-all-pairs",
        all_pairs_title(streamed),
        (_panel(direction, streamed, prefix),),
        all_pairs_caption(streamed),
        (4, 5),
        _table(direction, streamed),
    )


def all_pairs_title(streamed: AllPairs) -> str:
    """State the verdict by R² over all pairs."""
    pairs = f"Over all {count(streamed.n)} pairs"
    if streamed.verdict == "no map":
        return f"{pairs} no map predicts better than chance"
    shown = streamed.verdict if streamed.verdict in streamed.r2 else "linear"
    reached = f"{rung_name(shown)} reaches {number(streamed.r2[shown].value)}"
    return f"{pairs} the verdict by R² is “{shown_verdict(streamed.verdict)}”; {reached}"


def all_pairs_caption(streamed: AllPairs) -> str:
    """Say which numbers rest on what."""
    level = percent(next(iter(streamed.r2.values())).level) if streamed.r2 else "95 %"
    curved = (
        f" The best map, {rung_name(streamed.ceiling)}, was fitted to the sample only: what it gains there is added to "
        "the best of the others."
        if streamed.ceiling not in streamed.r2
        else ""
    )
    return (
        f"Full dots: maps in closed form, fitted to all {count(streamed.n)} pairs and scored on pairs left out, with "
        f"{level} intervals from {streamed.blocks} resampled blocks of pairs. Open dots: the same maps in a random "
        f"sample of {count(streamed.sample)} pairs, on which everything else on this page rests: curved maps, chance, "
        f"search, power, pictures and examples. Maps that were fitted to more pairs may predict better.{curved}"
        f"{_latent_caption(streamed)}"
    )


def _latent_caption(streamed: AllPairs) -> str:
    shares = [f"{rung_name(name)} {percent_interval(streamed.latent[name])}" for name in shown_latent(streamed)]
    if not shares:
        return ""
    return f" Noise aside, by linear instruments and over all pairs, latent shares are: {', '.join(shares)}."


def all_pairs_note(streamed: AllPairs) -> str:
    """Return the same in a few sentences, for the terminal."""
    shown = [name for name in ("shift", "rotation", "linear") if name in streamed.r2]
    reached = ", ".join(f"{rung_name(name)} {interval(streamed.r2[name])}" for name in shown)
    latent = ", ".join(
        f"{rung_name(name)} {percent_interval(streamed.latent[name])}" for name in shown_latent(streamed)
    )
    noise_aside = f" Latent shares of all of them, by linear instruments: {latent}." if latent else ""
    return (
        f"The table is of a random sample of {count(streamed.sample)} of {count(streamed.n)} pairs. "
        f"R² of all of them: {reached}.{noise_aside}"
    )


def shown_latent(streamed: AllPairs) -> list[str]:
    """Return the maps whose latent shares are shown where there is little room."""
    return [name for name in ("shift", "rotation", "linear") if name in streamed.latent]


def _names(streamed: AllPairs) -> list[str]:
    return [name for name in ORDER if name in streamed.r2]


def _panel(direction: Direction, streamed: AllPairs, prefix: str) -> Panel:
    names = _names(streamed)
    labels = [rung_name(name) for name in names]
    whole = [streamed.r2[name] for name in names]
    sampled = [direction.rungs[name].r2 for name in names]
    reach = Reach.of([*whole, *sampled])
    rows = range(len(names))
    data = list(scores("all pairs", rows, whole, [f"{name}, all pairs" for name in labels], reach=reach))
    held = [i for i in rows if reach.holds(sampled[i])]
    beside = [f"{labels[i]}, sample" for i in held]
    data.append(dots("sample", [i + 0.26 for i in held], [sampled[i] for i in held], beside, hollow=True))
    layout = {
        "xaxis": value_axis("held-out R² (1 = exact)", range=reach.range),
        "yaxis": row_axis(labels),
        "margin": ROOM_FOR_LEGEND,
    }
    label = f"R² over all pairs, {direction.source} to {direction.target}"
    return panel(f"{prefix}-all-pairs-r2", label, data, layout, row_height(len(names), 124))


def _table(direction: Direction, streamed: AllPairs) -> Table:
    columns = (Column("rung", "name"), Column("pairs", "text"), Column("score", "text"), *INTERVAL_COLUMNS)
    rows: list[tuple[Cell, ...]] = []
    for name in _names(streamed):
        rung = rung_name(name)
        rows.append((rung, "all", "R²", *interval_cells(streamed.r2[name])))
        rows.append((rung, "sample", "R²", *interval_cells(direction.rungs[name].r2)))
        rows.append((rung, "all less sample", "R²", *interval_cells(streamed.gaps[name])))
        if name in streamed.shares:
            rows.append((rung, "all", "share of the best", *interval_cells(streamed.shares[name])))
        if name in streamed.latent:
            rows.append((rung, "all", "latent share, linear instruments", *interval_cells(streamed.latent[name])))
    return Table.of(columns, rows)
