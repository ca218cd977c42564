"""The page of a geometry result: its view, from the result alone."""

from __future__ import annotations

from ...probe.results.geometry import GeometryResult, LanguageGeometry, LayerGeometry
from ...probe.results.intervals import Interval
from ...probe.results.layers import constant_sentence
from ...probe.results.serialization import from_json
from ..charts.layers import TEMPLATE, FindingsView, Series, layer_panel, layer_table, where, with_constant
from ..charts.marks import curve, dots
from ..charts.theme import SERIES, panel, row_axis, row_height, value_axis
from ..formatting import capitalized, count, drawn_text, interval, language_name, number, percent, two_digits
from ..terminal import SummaryColumn, SummaryPart, SummaryTable, rows_with_constant
from ..view import Cell, Column, Fact, Figure, FigureGroup, Headline, Panel, Table, Verdict
from .provenance import models_of, provenance_facts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

NAMES = {
    "isoscore": "IsoScore",
    "mean_cosine": "mean cosine",
    "effective_rank": "effective rank",
    "participation_ratio": "participation ratio",
    "dimension": "intrinsic dimension (TwoNN)",
    "hub_skew": "hubness (skew of k-occurrence)",
    "robin_hood": "Robin Hood index",
    "antihubs": "share of antihubs",
}
FIGURES = (
    ("isotropy", ("mean_cosine", "isoscore"), "Isotropy"),
    ("rank", ("effective_rank", "dimension"), "Rank and dimension"),
    ("hubs", ("hub_skew", "antihubs"), "Hubs"),
)


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a geometry result."""
    result = from_json(text, GeometryResult)
    groups = [FigureGroup(title, (layers_figure(result, name, measures),)) for name, measures, title in FIGURES]
    groups.append(FigureGroup("Rogue dimensions", (rogue_figure(result),)))
    if any(one.layers[-1].scales for one in result.languages):
        groups.append(FigureGroup("Dimension over scales", (scales_figure(result),)))
    return FindingsView(
        kind="geometry",
        title=f"{_subject(result)}: the geometry of the embeddings",
        question=(
            f"How the sentences of each language fill the space of {models_of(result.provenance)}: in all directions "
            "alike "
            "or in few, in how many dimensions, and with which hubs."
        ),
        verdicts=tuple(
            Verdict(language_name(one.language), "", sentence, "", None, result.warnings if place == 0 else ())
            for place, (one, sentence) in enumerate(zip(result.languages, result.sentences, strict=True))
        ),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(*provenance_facts(result.provenance), Fact("jackknife", f"{result.blocks} blocks of groups")),
        command=result.provenance.command,
        rows=(
            f"{count(result.n)} sentences in each language, {count(result.groups)} groups of like meaning; "
            f"{result.removed} principal components removed where said so; k = {result.neighbours}. "
            f"{constant_sentence(result.constant)}"
        ),
        groups=tuple(groups),
    )


def headline(text: str) -> Headline:
    """Return a geometry result in one line."""
    result = from_json(text, GeometryResult)
    source, sentence = result.provenance, " ".join(result.sentences)
    return Headline("geometry", _subject(result), sentence, models_of(source), source.corpus, result.n, source.time)


def summary_parts(result: GeometryResult) -> tuple[SummaryPart, ...]:
    """Return for each language its layers."""
    return tuple(
        SummaryPart(
            language_name(one.language), sentence, "", _summary(one, result), result.warnings if place == 0 else ()
        )
        for place, (one, sentence) in enumerate(zip(result.languages, result.sentences, strict=True))
    )


def _summary(language: LanguageGeometry, result: GeometryResult) -> SummaryTable:
    columns = (
        SummaryColumn("layer", right=False),
        SummaryColumn("mean cosine"),
        SummaryColumn("IsoScore", drop=2),
        SummaryColumn("effective rank", drop=1),
        SummaryColumn("dimension", drop=1),
        SummaryColumn("hub skew", drop=3),
    )
    rows = tuple(
        (
            layer.name,
            interval(layer.plain.mean_cosine, 2),
            interval(layer.plain.isoscore, 3),
            interval(layer.plain.effective_rank, 0),
            interval(layer.plain.dimension, 1),
            interval(layer.plain.hub_skew, 1),
        )
        for layer in language.layers
    )
    return SummaryTable(columns, rows_with_constant(rows, result.constant))


def _subject(result: GeometryResult) -> str:
    return ", ".join(language_name(one.language) for one in result.languages)


def _series(result: GeometryResult, measure: str) -> list[Series]:
    """Each language as it is, then each without its strongest components."""
    found = []
    for field, words in (("plain", ""), ("without_components", ", components removed")):
        for one in result.languages:
            estimates = tuple(getattr(getattr(layer, field), measure) for layer in one.layers)
            found.append(Series(f"{language_name(one.language)}{words}", estimates))
    return found


def layers_figure(result: GeometryResult, name: str, measures: tuple[str, str]) -> Figure:
    """Draw two measures of each language at every layer."""
    layers = [layer.name for layer in result.languages[0].layers]
    panels = tuple(
        layer_panel(f"geometry-{m}", NAMES[m], *with_constant(layers, _series(result, m), result.constant))
        for m in measures
    )
    more = [m for m in NAMES if m in measures or (name, m) in (("rank", "participation_ratio"), ("hubs", "robin_hood"))]
    table = layer_table(
        layers, [Series(f"{NAMES[m]}, {one.name}", one.estimates) for m in more for one in _series(result, m)]
    )
    last = result.languages[0].layers[-1]
    references = "; ".join(f"{NAMES[m]} {number(getattr(last.plain, m).null_mean, 2)}" for m in measures)
    caption = (
        f"{capitalized(NAMES[measures[0]])} and {NAMES[measures[1]]} with 95 % block-jackknife intervals, as the "
        f"vectors are and without the {result.removed} strongest principal components. A cloud without a preferred "
        f"direction, of as many rows and as wide, would have: {references}. In the table it stands as chance."
    )
    return Figure(f"geometry-{name}", trend_title(result, measures[0]), panels, caption, (7,), table)


def trend_title(result: GeometryResult, measure: str) -> str:
    """Say whether a measure of the first language rises or falls from the first layer to the last."""
    one = result.languages[0]
    first, last = (getattr(one.layers[place].plain, measure) for place in (0, -1))
    name = f"{language_name(one.language)}: {NAMES[measure]}"
    if len(one.layers) < 2:
        return f"{name} {_value(last)}"
    if first.low <= last.high and last.low <= first.high:
        return f"{name} is alike at {where(one.layers[0].name)} and {where(one.layers[-1].name)}: {_value(last)}"
    word = "rises" if last.value > first.value else "falls"
    start, end = (where(one.layers[place].name) for place in (0, -1))
    return f"{name} {word} from {_value(first)} at {start} to {_value(last)} at {end}"


def _value(estimate: Interval) -> str:
    return two_digits(estimate.value) if abs(estimate.value) < 10 else number(estimate.value, 0)


def rogue_figure(result: GeometryResult) -> Figure:
    """Draw the coordinates that add most to the mean cosine."""
    lasts = [(language_name(one.language), one.layers[-1]) for one in result.languages]
    panels = tuple(_rogue_panel(place, name, layer) for place, (name, layer) in enumerate(lasts[:3]))
    columns = (
        Column("language", "name"),
        Column("layer", "text"),
        Column("coordinate", "count"),
        Column("share of the mean cosine", "percent"),
        Column("share of the variance", "percent"),
    )
    rows: list[tuple[Cell, ...]] = [
        (language_name(one.language), layer.name, rogue.coordinate, rogue.cosine_share, rogue.variance_share)
        for one in result.languages
        for layer in one.layers
        for rogue in layer.rogue
    ]
    name, layer = max(lasts, key=lambda pair: abs(pair[1].rogue[0].cosine_share))
    top = layer.rogue[0]
    title = f"Coordinate {top.coordinate} holds {percent(abs(top.cosine_share))} of the mean cosine in {name}"
    caption = (
        "The coordinates that add most to the mean cosine, and what they hold of the variance, at the last layer "
        "measured. Evenly spread, each would hold one part in as many as there are coordinates. Shares of one sample, "
        "without intervals. The table has every layer."
    )
    return Figure("geometry-rogue", title, panels, caption, (7,), Table.of(columns, rows))


def _rogue_panel(place: int, name: str, layer: LayerGeometry) -> Panel:
    names = [str(rogue.coordinate) for rogue in layer.rogue]
    traces = []
    for title, field, (color, symbol) in (
        ("mean cosine", "cosine_share", SERIES[0]),
        ("variance", "variance_share", SERIES[1]),
    ):
        values = [float(getattr(rogue, field)) for rogue in layer.rogue]
        estimates = [Interval(value, value, value) for value in values]
        labels = [f"coordinate {n}, share of the {title}" for n in names]
        traces.append(dots(title, range(len(names)), estimates, labels, color=color, symbol=symbol))
    layout = {
        "xaxis": value_axis(f"share, {name}", tickformat=".1%", rangemode="tozero", nticks=5),
        "yaxis": {**row_axis(names), "title": {"text": "coordinate"}},
    }
    return panel(f"geometry-rogue-{place}", f"Rogue dimensions of {name}", traces, layout, row_height(len(names)))


def scales_figure(result: GeometryResult) -> Figure:
    """Draw the intrinsic dimension against the number of rows."""
    traces = []
    rows: list[tuple[Cell, ...]] = []
    for one, (color, symbol) in zip(result.languages, SERIES * len(result.languages), strict=False):
        name, points = language_name(one.language), one.layers[-1].scales
        estimates = [Interval(p.dimension, p.dimension - p.deviation, p.dimension + p.deviation) for p in points]
        labels = [f"{name}, {p.rows} rows" for p in points]
        trace = curve(drawn_text(name), [p.rows for p in points], estimates, labels, color=color)
        trace["marker"] = {**trace["marker"], "symbol": symbol}
        traces.append(trace)
        rows += [(name, p.rows, p.dimension, p.deviation) for p in points]
    layout = {
        "xaxis": value_axis("rows in a part (log scale)", type="log"),
        "yaxis": value_axis("intrinsic dimension (TwoNN)", rangemode="tozero"),
    }
    drawn = panel("geometry-scales", "Dimension against the number of rows", traces, layout, 340)
    columns = (Column("language", "name"), Column("rows", "count"), Column("dimension"), Column("deviation"))
    first = result.languages[0].layers[-1].scales
    title = (
        f"From {first[-1].rows} rows to {first[0].rows} the dimension goes from {number(first[-1].dimension, 1)} to "
    )
    title += number(first[0].dimension, 1)
    caption = (
        "TwoNN on ever smaller random parts, at the last layer measured: bars are one standard deviation over the "
        "parts. "
        "A plateau is the dimension of the cloud; a slope means that noise of some scale is counted too."
    )
    return Figure("geometry-scales-figure", title, (drawn,), caption, (7,), Table.of(columns, rows))
