"""The page of a layers result: its view, from the result alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from ...probe.results.intervals import Interval
from ...probe.results.layers import Layer, LayersResult, Stress
from ...probe.results.serialization import from_json
from ..charts.layers import TEMPLATE, FindingsView, Series, layer_panel, layer_table, models, where
from ..charts.theme import SEQUENTIAL, panel, row_axis, row_height, value_axis
from ..formatting import count, drawn_text, interval, language_name, number, percent, two_digits
from ..terminal import SummaryColumn, SummaryPart, SummaryTable
from ..view import Column, Fact, Figure, FigureGroup, Headline, Panel, PlotlyJson, Table, Verdict
from .provenance import provenance_facts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

NAMES = {
    "biased_cka": "biased CKA",
    "cka": "debiased CKA",
    "cka_without_components": "CKA without top components",
    "cka_without_rogue": "CKA without rogue dimensions",
    "mutual_knn": "mutual k-NN",
    "cknna": "CKNNA",
    "procrustes": "Procrustes, held out",
    "linear_r2": "linear map, R²",
    "rotation_share": "rotation, share of the best R²",
    "similarity_share": "scaled rotation, share of the best R²",
    "p_at_1": "P@1, as it is",
    "p_at_1_backward": "P@1, as it is, backward",
    "p_at_1_mapped": "P@1, mapped",
    "p_at_1_mapped_backward": "P@1, mapped, backward",
    "language_id": "language identity",
}
BAND = (
    "The grey band is the maximum over all layers with broken pairs of like length, mean to 95th percentile: what the "
    "best layer must clear. The chance of each layer alone is in the table."
)


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a layers result."""
    result = from_json(text, LayersResult)
    groups = _groups(result)
    source, target = language_name(result.source), language_name(result.target)
    return FindingsView(
        kind="layers",
        title=f"{source} and {target}: where do the layers meet?",
        question=(
            f"Sentences in {source} and {target} that mean the same, read off every layer of "
            f"{models(result.provenance)}: how alike are the two languages there, does a map carry one onto the other, "
            "and can the language still be told?"
        ),
        verdicts=(Verdict(f"{source} ↔ {target}", "", _told(result), "", None, result.warnings),),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(*provenance_facts(result.provenance), Fact("draws", _draws(result))),
        command=result.provenance.command,
        rows=_rows(result),
        groups=groups,
    )


def headline(text: str) -> Headline:
    """Return a layers result in one line."""
    result = from_json(text, LayersResult)
    subject = f"{language_name(result.source)} ↔ {language_name(result.target)}"
    source = result.provenance
    return Headline("layers", subject, _told(result), models(source), source.corpus, result.n, source.time)


def summary_parts(result: LayersResult) -> tuple[SummaryPart, ...]:
    """Return the table of layers and the story."""
    columns = (
        SummaryColumn("layer", right=False),
        SummaryColumn("CKA"),
        SummaryColumn("chance", drop=3),
        SummaryColumn("k-NN", drop=2),
        SummaryColumn("linear R²", drop=1),
        SummaryColumn("P@1", drop=1),
        SummaryColumn("language", drop=4),
    )
    rows = tuple(
        (
            layer.name,
            interval(layer.measures.cka),
            number(layer.measures.cka.null_p95),
            interval(layer.measures.mutual_knn),
            interval(layer.measures.linear_r2),
            _percent(layer.measures.p_at_1 or layer.measures.p_at_1_mapped),
            _percent(layer.measures.language_id),
        )
        for layer in result.layers
    )
    label = f"{language_name(result.source)} ↔ {language_name(result.target)}"
    heading = f"{label}  ({result.n} pairs, {result.groups} groups, {result.pool} candidates)"
    return (SummaryPart(heading, _told(result), "", SummaryTable(columns, rows), result.warnings),)


def _percent(estimate: Interval | None) -> str:
    return "" if estimate is None else percent(estimate.value, 1)


def _told(result: LayersResult) -> str:
    return " ".join(result.story) or "No layer stands clear of the first and of the last."


def _rows(result: LayersResult) -> str:
    return (
        f"{count(result.n)} pairs in {count(result.groups)} groups of like meaning, {len(result.layers)} layers, "
        f"{result.folds} folds by group, {count(result.pool)} candidates in every search, k = {result.neighbours}."
    )


def _draws(result: LayersResult) -> str:
    return (
        f"{count(result.resamples)} bootstrap samples of groups; {result.permutations} permutations "
        f"({result.costly_permutations} for maps and classifier)"
    )


def _groups(result: LayersResult) -> tuple[FigureGroup, ...]:
    found = [
        FigureGroup("How alike the languages are", (_similarity(result), _neighbours(result))),
        FigureGroup("What a map carries over", (_maps(result), _retrieval(result))),
    ]
    if any(layer.measures.language_id for layer in result.layers):
        found.append(FigureGroup("Whether the language can be told", (_language(result),)))
    if result.stress:
        found.append(FigureGroup("What stress does to the measures", (_stress(result.stress),)))
    return tuple(found)


def _series(layers: Sequence[Layer], *names: str) -> list[Series]:
    found = [Series(NAMES[name], tuple(getattr(layer.measures, name) for layer in layers)) for name in names]
    return [one for one in found if any(e is not None for e in one.estimates)]


@dataclass(frozen=True, slots=True)
class _Words:
    """What stands around a figure: its name, its title, the title of its axis, its caption, its section."""

    name: str
    title: str
    axis: str
    caption: str
    method: str


def _figure(result: LayersResult, words: _Words, series: list[Series], *, band: str) -> Figure:
    layers = [layer.name for layer in result.layers]
    drawn = layer_panel(f"layers-{words.name}", words.axis, layers, series, band=result.chance.get(band))
    told = f"{words.caption} {BAND}" if band in result.chance else words.caption
    return Figure(f"layers-{words.name}", words.title, (drawn,), told, words.method, layer_table(layers, series))


def peak_title(result: LayersResult, name: str, what: str) -> str:
    """State where a measure is highest and with which layers it is level; no peak where chance is not cleared."""
    known = [(layer.name, getattr(layer.measures, name)) for layer in result.layers]
    present = [(layer, e) for layer, e in known if e is not None and e.value == e.value]
    if not present:
        return what
    best, top = max(present, key=lambda pair: pair[1].value)
    band = result.chance.get(name)
    if band is not None and not top.low > band.p95:
        return f"{what} is not told from chance at any layer"
    level = [layer for layer, e in present if layer != best and e.high >= top.low]
    if level:
        others = " and ".join(where(layer) for layer in level) if len(level) < 3 else f"{len(level)} others"
        return f"{what} is highest at {where(best)}, level with {others}"
    return f"{what} is highest at {where(best)}: {two_digits(top.value)}"


def _similarity(result: LayersResult) -> Figure:
    series = _series(result.layers, "cka", "cka_without_components", "cka_without_rogue")
    caption = (
        "Debiased linear CKA of both languages with 95 % block-jackknife intervals; beside it the same after taking "
        "out "
        f"the {result.removed} strongest principal components, and the {result.removed} coordinates that rule cosine "
        "or "
        "variance, of each side. Where the three lie apart, few directions carry the similarity."
    )
    title = peak_title(result, "cka", "Similarity")
    return _figure(result, _Words("similarity", title, "debiased CKA", caption, "6"), series, band="cka")


def _neighbours(result: LayersResult) -> Figure:
    series = _series(result.layers, "mutual_knn", "cknna")
    caption = (
        f"Share of the {result.neighbours} nearest sentences that both languages have in common (mutual k-NN, cluster "
        "bootstrap), and CKA over shared neighbours alone (CKNNA, block jackknife)."
    )
    title = peak_title(result, "mutual_knn", "Agreement of neighbourhoods")
    return _figure(result, _Words("neighbours", title, "share, or alignment", caption, "6"), series, band="mutual_knn")


def _maps(result: LayersResult) -> Figure:
    series = _series(result.layers, "linear_r2", "procrustes", "similarity_share")
    caption = (
        "All on held-out rows: R² of a linear map; cosine of the rotated source with the target (Procrustes); and "
        "the R² "
        "of a rotation with one scale as a share of the best map's. The share of an unscaled rotation is in the table."
    )
    layers = [layer.name for layer in result.layers]
    band = result.chance.get("linear_r2")
    drawn = layer_panel("layers-maps", "held-out score", layers, series, band=band)
    table = layer_table(layers, [*series, *_series(result.layers, "rotation_share")])
    title = peak_title(result, "linear_r2", "What a linear map predicts")
    told = f"{caption} {BAND} It is drawn for R²." if band is not None else caption
    return Figure("layers-maps", title, (drawn,), told, "1–3", table)


def _retrieval(result: LayersResult) -> Figure:
    series = _series(result.layers, "p_at_1", "p_at_1_backward", "p_at_1_mapped", "p_at_1_mapped_backward")
    plain = result.layers[-1].measures.p_at_1 is not None
    name, what = ("p_at_1", "Retrieval without a map") if plain else ("p_at_1_mapped", "Retrieval through a map")
    caption = (
        f"How often the right sentence is the nearest of {count(result.pool)}, by cosine, with the vectors as they are "
        "and through the held-out linear map, both ways. Predictions are drawn towards their mean, where the same few "
        "sentences are near to all: the mapped search forward suffers from it, backward it does not."
    )
    title = peak_title(result, name, what)
    return _figure(result, _Words("retrieval", title, "P@1", caption, "2"), series, band=name)


def _language(result: LayersResult) -> Figure:
    series = _series(result.layers, "language_id")
    caption = (
        "Held-out accuracy of a linear classifier that tells the two languages apart; a sentence and its translation "
        "share a fold. One half is chance."
    )
    values = [layer.measures.language_id for layer in result.layers if layer.measures.language_id is not None]
    lowest = min(values, key=lambda e: e.value)
    title = (
        "The language is told right for every text at every layer"
        if lowest.value >= 1
        else f"The language is told right for at least {percent(floor(1000 * lowest.value) / 1000, 1)} of the texts "
        "at every layer"
    )
    return _figure(result, _Words("language", title, "accuracy", caption, "9"), series, band="language_id")


def _stress(stress: tuple[Stress, ...]) -> Figure:
    rows = tuple(
        (
            one.name,
            NAMES[m.name],
            m.plain.value,
            m.plain.low,
            m.plain.high,
            m.stressed.value,
            "moved" if m.moved else "",
        )
        for one in stress
        for m in one.measures
    )
    columns = (
        Column("stress", "name"),
        Column("measure", "text"),
        Column("plain"),
        Column("low"),
        Column("high"),
        Column("stressed"),
        Column("moved", "text"),
    )
    caption = "The pooled output before → after. " + " ".join(
        f"{s.name.capitalize()}: {s.description}." for s in stress
    )
    return Figure(
        "layers-stress", stress_title(stress), (_stress_panel(stress),), caption, "6", Table.of(columns, rows)
    )


def stress_title(stress: tuple[Stress, ...]) -> str:
    """Name the measures that moved although retrieval did not."""
    moved = {m.name for s in stress if not s.retrieval_moved for m in s.measures if m.moved}
    if not moved:
        return "No measure moved where retrieval did not"
    listed = ", ".join(NAMES[name] for name in NAMES if name in moved)
    return f"Moved while retrieval did not: {listed}"


def _stress_panel(stress: tuple[Stress, ...]) -> Panel:
    names = [m.name for m in stress[0].measures]
    data: PlotlyJson = {
        "type": "heatmap",
        "x": list(range(len(stress))),
        "y": list(range(len(names))),
        "z": [[abs(_at(s, n)[1] - _at(s, n)[0]) for s in stress] for n in names],
        "text": [[" → ".join(map(two_digits, _at(s, n))) for s in stress] for n in names],
        "texttemplate": "%{text}",
        "colorscale": SEQUENTIAL,
        "zmin": 0,
        "zmax": 1,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "hovertemplate": "%{text}<extra></extra>",
    }
    columns = {"tickvals": list(range(len(stress))), "ticktext": [drawn_text(s.name) for s in stress]}
    layout = {
        "xaxis": value_axis("what was done", **columns, showgrid=False),
        "yaxis": row_axis([NAMES[n] for n in names]),
    }
    return panel("layers-stress", "Measures before and after each stress", [data], layout, row_height(len(names), 110))


def _at(stress: Stress, name: str) -> tuple[float, float]:
    found = next(m for m in stress.measures if m.name == name)
    return found.plain.value, found.stressed.value
