"""The page of a linear-map result: its view, from the result alone."""

from __future__ import annotations

from dataclasses import dataclass

from ....probe.results.intervals import Interval
from ....probe.results.linear_map import Direction, Geometry, LinearMapResult, WorstRow
from ....probe.results.serialization import from_json
from ...charts.explorer import Explorer, explorer, packed_explorers
from ...formatting import (
    MEANINGS,
    count,
    identifier,
    language_name,
    language_tag,
    number,
    plain_percent,
    rung_name,
    shown_verdict,
)
from ...view import Fact, Figure, FigureGroup, Headline, Scale, ScaleRow, Verdict, View
from ..provenance import models_of, provenance_facts
from .certificate import certificate
from .controls import ControlRow, controls
from .decomposition import anatomy, drift
from .heterogeneity import hubness, residuals, transfer
from .ladder import ladder
from .resolution import learning_curve, power
from .summary import sentences, summary_parts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

TEMPLATE = "linear_map.html"
SCALE_ORDER = ("identity", "shift", "rotation", "similarity", "linear")


@dataclass(frozen=True, slots=True)
class DirectionView:
    """Everything shown for one direction of translation."""

    id: str
    label: str
    source: str
    target: str
    tags: tuple[str, str]  # of the languages, for the browser
    rows: str
    judged: str
    groups: tuple[FigureGroup, ...]
    controls: tuple[ControlRow, ...]
    worst: tuple[WorstRow, ...]
    explorer: Explorer | None


@dataclass(frozen=True, slots=True)
class LinearMapView(View):
    """The page of a language pair: a verdict and figures for each direction."""

    directions: tuple[DirectionView, ...]
    explorers: str  # their data, packed


def view(text: str) -> LinearMapView:
    """Return the page's content for the JSON text of a linear-map result."""
    result = from_json(text, LinearMapResult)
    prefixes = [identifier(f"{d.source}-{d.target}") for d in result.directions]
    if not all(prefixes) or len(set(prefixes)) < len(prefixes):
        prefixes = [f"d{i}" for i in range(len(prefixes))]
    directions = tuple(_direction(d, prefix) for d, prefix in zip(result.directions, prefixes, strict=True))
    figures = tuple(f for d in directions for group in d.groups for f in group.figures)
    languages = _languages(result)
    rows = {_rows(d): f"{d.source} → {d.target}" for d in result.directions}
    draws = (
        f"{count(result.resamples)} bootstrap samples of groups; {result.permutations} permutations "
        f"({result.costly_permutations} for the costly rungs)"
    )
    margins = ", ".join(dict.fromkeys(plain_percent(d.certificate.margin) for d in result.directions))
    return LinearMapView(
        kind="linear map",
        title=f"{' ↔ '.join(languages)}: is translation a linear map?",
        question=(
            f"Sentences in {' and '.join(languages)} that mean the same, embedded by {models_of(result.provenance)}. "
            f"Maps of growing freedom are fitted on some pairs and judged on others: which is the plainest that does "
            f"as well as any?"
        ),
        verdicts=tuple(_verdict(d) for d in result.directions),
        figures=figures,
        facts=(
            *provenance_facts(result.provenance),
            *(Fact("rows" if len(rows) == 1 else f"rows, {label}", words) for words, label in rows.items()),
            Fact("draws", draws),
            Fact("margin", margins),
        ),
        command=result.provenance.command,
        directions=directions,
        explorers=packed_explorers([d.explorer for d in directions if d.explorer is not None]),
    )


def headline(text: str) -> Headline:
    """Return a linear-map result in one line."""
    result = from_json(text, LinearMapResult)
    source = result.provenance
    verdicts = [f"{d.source} → {d.target}: {d.certificate.verdict}" for d in result.directions]
    return Headline(
        kind="linear map",
        subject=" ↔ ".join(_languages(result)),
        verdict="; ".join(verdicts),
        models=models_of(source),
        corpus=source.corpus,
        rows=result.directions[0].n if result.directions else 0,
        time=source.time,
    )


def _languages(result: LinearMapResult) -> list[str]:
    if not result.directions:
        return [language_name(side.language) for side in result.provenance.models]
    first = result.directions[0]
    return [language_name(first.source), language_name(first.target)]


def _verdict(direction: Direction) -> Verdict:
    judged, (first, second) = direction.certificate, sentences(direction)
    return Verdict(
        label=(f"{language_name(direction.source)} → {language_name(direction.target)}"),
        verdict=judged.verdict if direction.use is None else shown_verdict(direction.use.verdict),
        sentence=first,
        second=second,
        scale=_scale(direction),
        caveats=direction.warnings,
    )


def _scale(direction: Direction) -> Scale | None:
    """Return latent shares where there are any, else shares of the best map's R²."""
    geometry = direction.geometry
    if geometry is not None and geometry.shares:
        return _latent_scale(geometry, direction.target)
    judged = direction.certificate
    if not judged.shares:
        return None
    names = [n for n in SCALE_ORDER if n in judged.shares]
    rows = [
        ScaleRow(
            rung_name(name),
            MEANINGS.get(name, ""),
            judged.shares[name].value,
            judged.shares[name].low,
            judged.shares[name].high,
            judged.equivalences.get(name, ""),
            name == judged.verdict,
        )
        for name in names
    ]
    if judged.ceiling not in names:
        meaning = MEANINGS.get(judged.ceiling, "")
        rows.append(
            ScaleRow(rung_name(judged.ceiling), meaning, 1.0, 1.0, 1.0, "ceiling", judged.verdict == "nonlinear")
        )
    best = direction.rungs.get(judged.ceiling)
    r2 = "" if best is None else f" ({number(best.r2.value, 2)})"
    caption = (
        f"Share of the best map's R²{r2}, with its interval; tinted: enough, {plain_percent(1 - judged.margin)} or more"
    )
    return Scale(tuple(rows), 1 - judged.margin, caption)


def _latent_scale(geometry: Geometry, target: str) -> Scale:
    bound = 1 - geometry.margin
    rows = tuple(
        ScaleRow(
            rung_name(name),
            MEANINGS.get(name, ""),
            share.value,
            share.low,
            share.high,
            _against(share, bound),
            name == geometry.verdict,
        )
        for name, share in ((name, geometry.shares[name]) for name in SCALE_ORDER if name in geometry.shares)
    )
    shared = ", ".join(language_name(language) for language in geometry.instruments)
    caption = (
        f"How much each map explains of what {shared} share with {language_name(target)} (noise taken out), with its "
        f"interval; tinted: enough, {plain_percent(bound)} or more"
    )
    return Scale(rows, bound, caption, "latent share")


def _against(share: Interval, bound: float) -> str:
    if share.low > bound:
        return "suffices"
    return "falls short" if share.high < bound else "undecided"


def _direction(direction: Direction, prefix: str) -> DirectionView:
    source, target = language_name(direction.source), language_name(direction.target)
    return DirectionView(
        id=prefix,
        label=f"{source} → {target}",
        source=source,
        target=target,
        tags=(language_tag(direction.source), language_tag(direction.target)),
        rows=_rows(direction),
        judged=rung_name(direction.judged),
        groups=tuple(group for group in _groups(direction, prefix) if group.figures),
        controls=controls(direction),
        worst=direction.worst[:20],
        explorer=explorer(direction.explorer, prefix, (direction.source, direction.target)),
    )


def _groups(direction: Direction, prefix: str) -> tuple[FigureGroup, ...]:
    return (
        FigureGroup("Which map suffices", _present(ladder(direction, prefix), certificate(direction, prefix))),
        FigureGroup(
            "What the verdict could have missed",
            _present(power(direction, prefix), learning_curve(direction, prefix)),
        ),
        FigureGroup("What the map does", _present(anatomy(direction, prefix), drift(direction, prefix))),
        FigureGroup(
            "Where it fails",
            _present(
                residuals(direction, prefix),
                transfer(direction, prefix),
                hubness(direction, prefix),
            ),
        ),
    )


def _present(*figures: Figure | None) -> tuple[Figure, ...]:
    return tuple(f for f in figures if f is not None)


def _rows(direction: Direction) -> str:
    source, target = direction.dims
    width = str(source) if source == target else f"{source} and {target}"
    return (
        f"{count(direction.n)} pairs in {count(direction.groups)} groups of like meaning, {width} dimensions, "
        f"{direction.folds} folds by group, {count(direction.pool)} candidates in every search."
    )
