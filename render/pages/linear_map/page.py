"""The page of a linear-map result: its view, from the result alone."""

from __future__ import annotations

from dataclasses import dataclass

from ....probe.results.linear_map import Direction, LinearMapResult, WorstRow
from ....probe.results.provenance import Provenance
from ....probe.results.serialization import from_json
from ...charts.explorer import Explorer, explorer, packed_explorers
from ...formatting import (
    count,
    counted,
    identifier,
    language_name,
    language_tag,
    model_name,
    plain_percent,
    shown_verdict,
)
from ...view import Fact, Figure, FigureGroup, Headline, View
from ..provenance import models_of, provenance_facts
from .all_pairs import all_pairs
from .certificate import certificate
from .controls import ControlRow, controls
from .decomposition import anatomy, drift
from .first_screen import FirstScreen, first_screen
from .hero import packed_heroes
from .heterogeneity import hubness, residuals, transfer, worst_lead
from .ladder import ladder
from .resolution import learning_curve, power
from .second_screen import SecondScreen, second_screen
from .summary import summary_parts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

TEMPLATE = "linear_map.html"


@dataclass(frozen=True, slots=True)
class DirectionView:
    """Everything shown for one direction of translation."""

    id: str
    label: str
    source: str
    target: str
    tags: tuple[str, str]  # of the languages, for the browser
    first: FirstScreen
    second: SecondScreen
    pool: int
    enough: float | None  # the share from which a map is enough; None where shares are of R²
    caveats: tuple[str, ...]
    rows: str
    fails: FigureGroup
    groups: tuple[FigureGroup, ...]
    controls: tuple[ControlRow, ...]
    worst: tuple[WorstRow, ...]
    worst_lead: str
    explorer: Explorer | None


@dataclass(frozen=True, slots=True)
class LinearMapView(View):
    """The page of a language pair: a verdict and figures for each direction."""

    directions: tuple[DirectionView, ...]
    heroes: str  # their data, as JSON safe in a script element
    explorers: str  # their data, packed


def view(text: str) -> LinearMapView:
    """Return the page's content for the JSON text of a linear-map result."""
    result = from_json(text, LinearMapResult)
    prefixes = [identifier(f"{d.source}-{d.target}") for d in result.directions]
    if not all(prefixes) or len(set(prefixes)) < len(prefixes):
        prefixes = [f"d{i}" for i in range(len(prefixes))]
    models = " and ".join(dict.fromkeys(model_name(side.model) for side in result.provenance.models if side.model))
    source = result.provenance
    directions = tuple(
        _direction(d, prefix, models, source) for d, prefix in zip(result.directions, prefixes, strict=True)
    )
    figures = tuple(f for d in directions for group in (d.fails, *d.groups) for f in group.figures)
    languages = _languages(result)
    rows = {_rows(d): f"{d.source} → {d.target}" for d in result.directions}
    draws = (
        f"{count(result.resamples)} bootstrap samples of groups; {result.permutations} permutations "
        f"({result.costly_permutations} for the costly rungs)"
    )
    margins = ", ".join(dict.fromkeys(plain_percent(d.certificate.margin) for d in result.directions))
    return LinearMapView(
        kind="linear map",
        title=directions[0].first.title if directions else " ↔ ".join(languages),
        question=(
            f"Sentences in {' and '.join(languages)} that mean the same, embedded by {models_of(result.provenance)}. "
            f"Maps of growing freedom are fitted on some pairs and judged on others: which is the plainest that does "
            f"as well as any?"
        ),
        verdicts=(),
        figures=figures,
        facts=(
            *provenance_facts(result.provenance),
            *(Fact("rows" if len(rows) == 1 else f"rows, {label}", words) for words, label in rows.items()),
            Fact("draws", draws),
            Fact("margin", margins),
        ),
        command=result.provenance.command,
        directions=directions,
        heroes=packed_heroes([d.first.hero for d in directions if d.first.hero is not None]),
        explorers=packed_explorers([d.explorer for d in directions if d.explorer is not None]),
    )


def headline(text: str) -> Headline:
    """Return a linear-map result in one line."""
    result = from_json(text, LinearMapResult)
    source = result.provenance
    verdicts = [f"{d.source} → {d.target}: {_verdict(d)}" for d in result.directions]
    return Headline(
        kind="linear map",
        subject=" ↔ ".join(_languages(result)),
        verdict="; ".join(verdicts),
        models=models_of(source),
        corpus=source.corpus,
        rows=_all_rows(result.directions[0]) if result.directions else 0,
        time=source.time,
    )


def _verdict(direction: Direction) -> str:
    """Return both verdicts in a few words; in results that have neither, the one by R²."""
    if direction.use is None:
        return direction.certificate.verdict
    search = "search not settled" if direction.use.verdict == "undecided" else direction.use.verdict
    if direction.geometry is None:
        return search
    return f"{search}, geometry {shown_verdict(direction.geometry.verdict)}"


def _languages(result: LinearMapResult) -> list[str]:
    if not result.directions:
        return [language_name(side.language) for side in result.provenance.models]
    first = result.directions[0]
    return [language_name(first.source), language_name(first.target)]


def _direction(direction: Direction, prefix: str, models: str, provenance: Provenance) -> DirectionView:
    source, target = language_name(direction.source), language_name(direction.target)
    label = f"{source} → {target}"
    return DirectionView(
        id=prefix,
        label=label,
        source=source,
        target=target,
        tags=(language_tag(direction.source), language_tag(direction.target)),
        first=first_screen(direction, prefix, f"{models}: {label}" if models else label),
        second=second_screen(direction, provenance),
        pool=direction.pool,
        enough=1 - direction.geometry.margin if direction.geometry and direction.geometry.shares else None,
        caveats=direction.warnings,
        rows=_rows(direction),
        fails=FigureGroup("Where it fails", _present(residuals(direction, prefix))),
        groups=tuple(group for group in _groups(direction, prefix) if group.figures),
        controls=controls(direction),
        worst=direction.worst[:20],
        worst_lead=worst_lead(direction),
        explorer=explorer(direction.explorer, prefix, (direction.source, direction.target)),
    )


def _groups(direction: Direction, prefix: str) -> tuple[FigureGroup, ...]:
    return (
        FigureGroup(
            "Which map suffices",
            _present(all_pairs(direction, prefix), ladder(direction, prefix), certificate(direction, prefix)),
        ),
        FigureGroup(
            "What the verdict could have missed",
            _present(power(direction, prefix), learning_curve(direction, prefix)),
        ),
        FigureGroup("What the map does", _present(anatomy(direction, prefix), drift(direction, prefix))),
        FigureGroup(
            "From domain to domain, and hubs", _present(transfer(direction, prefix), hubness(direction, prefix))
        ),
    )


def _present(*figures: Figure | None) -> tuple[Figure, ...]:
    return tuple(f for f in figures if f is not None)


def _all_rows(direction: Direction) -> int:
    return direction.n if direction.streamed is None else direction.streamed.n


def _rows(direction: Direction) -> str:
    source, target = direction.dims
    width = str(source) if source == target else f"{source} and {target}"
    streamed = direction.streamed
    drawn = "" if streamed is None else f"A random sample of {count(streamed.n)} pairs: "
    return (
        f"{drawn}{counted(direction.n, 'pair')} in {counted(direction.groups, 'group')} of like meaning, "
        f"{width} dimensions, {direction.folds} folds by group, {count(direction.pool)} candidates in every search."
    )
