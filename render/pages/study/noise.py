"""The verdict by R² beside the one with noise taken out."""

from __future__ import annotations

from ....probe.results.intervals import Interval
from ....probe.results.linear_map import Direction
from ...formatting import MISSING, capitalized, model_name, percent_interval, plain_percent, shown_verdict
from .matrix import PLAIN, direction_name, directions_of
from .results import StudyResults, models_in
from .tracks import Cell, Mark, Tracks, columned, points, some


def noise(results: StudyResults) -> Tracks | None:
    """Return the share of a linear map by R² and with noise taken out; None where no further language was there."""
    every = list(directions_of(results))
    if not any(direction.geometry is not None and direction.geometry.shares for _, direction, _ in every):
        return None
    cells = {(direction_name(one), model): _cell(one, model, address) for model, one, address in every}
    columns = models_in(results)
    margin = max(direction.certificate.margin for _, direction, _ in every)
    by_r2 = sum(one.certificate.verdict in PLAIN for _, one, _ in every)
    settled = sum(one.geometry is not None and one.geometry.verdict in PLAIN for _, one, _ in every)
    return Tracks(
        id="noise",
        title=(
            f"By R² alone {some(by_r2, len(every))} cases pass for linear or plainer; with noise taken out "
            f"{some(settled, len(every))}"
        ),
        caption=(
            "How far a linear map reaches. By R²: its R² as a share of that of the best map found, which noise drags "
            "down alike, so that poor maps tie. Noise taken out: the share of what further languages of the same rows "
            "predict of the target. The band begins where a linear map would do: at "
            f"{plain_percent(1 - margin)}, which the interval must lie within, and no curvature may be seen."
        ),
        columns=tuple(map(model_name, columns)),
        rows=columned(cells, columns),
        legend=(
            ("naive", "by R² alone"),
            ("best", "noise taken out, with its interval"),
            ("hollow", "not settled"),
            ("band", "enough"),
        ),
        enough=1 - margin,
    )


def _cell(direction: Direction, model: str, address: str) -> Cell:
    judged, geometry = direction.certificate, direction.geometry
    naive = judged.shares.get("linear")
    latent = None if geometry is None else geometry.shares.get("linear")
    unsettled = geometry is None or geometry.verdict == "undecided"
    marks = [Mark("naive", naive.value)] if naive is not None else []
    if latent is not None:
        marks.append(Mark.of("best", latent, hollow=unsettled))
    verdict = "not judged" if geometry is None else shown_verdict(geometry.verdict)
    note = f"{shown_verdict(judged.verdict)} → {verdict}"
    reason = "" if geometry is None or latent is not None else f": {geometry.reason}"
    r2 = direction.rungs["linear"].r2 if "linear" in direction.rungs else None
    return Cell(
        marks=tuple(marks),
        text=f"{_share(naive)} → {_share(latent)}",
        note=note,
        said=(
            f"{direction_name(direction)} in {model_name(model)}: a linear map has R² {_said(r2)}, by R² alone "
            f"{_said(naive)} of the best map; with noise taken out {_said(latent)}; "
            f"by R² {shown_verdict(judged.verdict)}, with noise taken out {verdict}{reason}"
        ),
        address=address,
        join=len(marks) == 2,
    )


def reasons(results: StudyResults) -> tuple[str, ...]:
    """Return why geometry has no number, for directions that have none."""
    found: dict[str, list[str]] = {}
    for model, direction, _ in directions_of(results):
        geometry = direction.geometry
        if geometry is not None and "linear" not in geometry.shares and geometry.reason:
            found.setdefault(f"{model_name(model)}: {geometry.reason}", []).append(direction_name(direction))
    return tuple(f"{reason} ({', '.join(names)})." for reason, names in found.items())


def _share(estimate: Interval | None) -> str:
    return MISSING if estimate is None else points(estimate)


def _said(estimate: Interval | None) -> str:
    return capitalized(MISSING) if estimate is None else percent_interval(estimate)
