"""The page of a language-identity result: its view, from the result alone."""

from __future__ import annotations

from ...probe.results.intervals import Interval
from ...probe.results.language_id import AS_IT_IS, LanguageIdResult, LayerLanguageId
from ...probe.results.layers import constant_sentence
from ...probe.results.serialization import from_json
from ..charts.intervals import INTERVAL_COLUMNS, interval_cells
from ..charts.layers import TEMPLATE, FindingsView, Series, layer_panel, layer_table, where, with_constant
from ..charts.marks import dots, over, vertical_line
from ..charts.theme import panel, row_axis, row_height, value_axis
from ..formatting import capitalized, count, interval, language_name, number, percent, percent_interval
from ..terminal import SummaryColumn, SummaryPart, SummaryTable
from ..view import Cell, Column, Fact, Figure, FigureGroup, Headline, Panel, Table, Verdict
from .provenance import models_of, provenance_facts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a language-identity result."""
    result = from_json(text, LanguageIdResult)
    last = result.layers[-1]
    groups = [FigureGroup(f"At {where(last.name)}", (conditions_figure(result, last), languages_figure(result, last)))]
    if len(result.layers) > 1:
        groups.append(FigureGroup("Layer by layer", (layers_figure(result),)))
    return FindingsView(
        kind="language identity",
        title=f"{_subject(result)}: can a linear classifier identify the language?",
        question=(
            f"Sentences that mean the same in {_subject(result)}, embedded by {models_of(result.provenance)}: how "
            "easily is "
            "their language read off, how is it taken out, and what does that cost in retrieval?"
        ),
        verdicts=(Verdict(_subject(result), "", result.sentence, "", None, result.warnings),),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(
            *provenance_facts(result.provenance),
            Fact(
                "draws",
                (
                    f"{count(result.resamples)} bootstrap samples of groups; {result.controls} draws of random labels; "
                    f"{result.orders} orders of the online code"
                ),
            ),
        ),
        command=result.provenance.command,
        rows=(
            f"{count(result.n)} sentences in each language, {count(result.groups)} groups of like meaning, "
            f"{result.folds} folds by group: a sentence and its translations never stand on two sides. "
            f"{constant_sentence(result.constant)}"
        ),
        groups=tuple(groups),
    )


def headline(text: str) -> Headline:
    """Return a language-identity result in one line."""
    result = from_json(text, LanguageIdResult)
    source = result.provenance
    sentence = result.sentence
    return Headline("language id", _subject(result), sentence, models_of(source), source.corpus, result.n, source.time)


def summary_parts(result: LanguageIdResult) -> tuple[SummaryPart, ...]:
    """Return the conditions of the last layer."""
    columns = (
        SummaryColumn("condition", right=False),
        SummaryColumn("accuracy"),
        SummaryColumn("control", drop=2),
        SummaryColumn("bits a text", drop=1),
        SummaryColumn("P@1", drop=1),
        SummaryColumn("change", drop=3),
    )
    rows = tuple(
        (
            condition.name,
            percent_interval(condition.accuracy, 1),
            percent(condition.accuracy.null_mean, 1),
            interval(condition.bits),
            _percent(condition.p_at_1),
            _percent(condition.p_at_1_change),
        )
        for condition in result.layers[-1].conditions
    )
    heading = f"{_subject(result)}  ({result.n} sentences in each, {where(result.layers[-1].name)})"
    constant = constant_sentence(result.constant)
    return (SummaryPart(heading, result.sentence, constant, SummaryTable(columns, rows), result.warnings),)


def _percent(estimate: Interval | None) -> str:
    return "" if estimate is None else percent_interval(estimate, 1)


def _subject(result: LanguageIdResult) -> str:
    return ", ".join(language_name(code) for code in result.languages)


def conditions_figure(result: LanguageIdResult, layer: LayerLanguageId) -> Figure:
    """Draw accuracy and retrieval before and after each way of removing the language."""
    names = [condition.name for condition in layer.conditions]
    accuracy = [condition.accuracy for condition in layer.conditions]
    if result.baseline is not None:
        names, accuracy = [*names, "length and script alone"], [*accuracy, result.baseline.accuracy]
    marks = over(vertical_line(result.chance, "chance", at="top"))
    layout = {
        "xaxis": value_axis("held-out accuracy", range=[-0.02, 1.02], tickformat=".0%"),
        "yaxis": row_axis(names),
        **marks,
    }
    drawn = dots("accuracy", range(len(names)), accuracy, names)
    panels = [panel("language-accuracy", "Accuracy of each condition", [drawn], layout, row_height(len(names)))]
    estimates = [(c.name, c.p_at_1_change) for c in layer.conditions if c.p_at_1_change is not None]
    if estimates:
        panels.append(_retrieval_panel(estimates))
    caption = (
        "First panel: how often a linear classifier predicts the language of a held-out text, without and after each "
        "removal, which is fitted on the other folds like the classifier; removing means needs to know the "
        "language, the "
        "others do not. Second panel: how much each removal changes P@1, paired, over all ordered pairs of languages."
    )
    return Figure(
        "language-conditions", removal_title(layer), tuple(panels), caption, (10,), _conditions_table(result, layer)
    )


def _retrieval_panel(estimates: list[tuple[str, Interval]]) -> Panel:
    names, values = [name for name, _ in estimates], [value for _, value in estimates]
    layout = {
        "xaxis": value_axis("change of P@1, mean over pairs of languages", tickformat="+.1%", rangemode="tozero"),
        "yaxis": row_axis(names),
        **over(vertical_line(0, "", dash="solid")),
    }
    drawn = dots("change of P@1", range(len(names)), values, names, color="@second", symbol="diamond")
    return panel("language-retrieval", "Change of P@1 by each removal", [drawn], layout, row_height(len(names)))


def removal_title(layer: LayerLanguageId) -> str:
    """Name the removal that leaves least, and whether it changes retrieval."""
    plain = next(c for c in layer.conditions if c.name == AS_IT_IS)
    removals = [c for c in layer.conditions if c.name != AS_IT_IS]
    best = min(removals, key=lambda c: c.accuracy.value, default=None)
    if best is None or not best.accuracy.high < plain.accuracy.low:
        return f"{percent(plain.accuracy.value, 1)} are classified right, and no removal lowers it"
    left, before = percent(best.accuracy.value, 1), percent(plain.accuracy.value, 1)
    title = f"{capitalized(best.name)}: {left} instead of {before} classified right"
    change = best.p_at_1_change
    if change is None:
        return title
    if change.low <= 0 <= change.high:
        return f"{title}, retrieval unchanged"
    points = number(100 * abs(change.value), 1)
    return f"{title}, retrieval {points} points {'better' if change.value > 0 else 'worse'}"


def _conditions_table(result: LanguageIdResult, layer: LayerLanguageId) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for c in layer.conditions:
        parts = (
            ("accuracy", c.accuracy),
            ("selectivity", c.selectivity),
            ("bits a text", c.bits),
            ("P@1", c.p_at_1),
            ("P@1, change", c.p_at_1_change),
        )
        rows += [(c.name, name, *interval_cells(e)) for name, e in parts if e is not None]
    if result.baseline is not None:
        rows.append(("length and script alone", "accuracy", *interval_cells(result.baseline.accuracy)))
        rows.append(("length and script alone", "bits a text", *interval_cells(result.baseline.bits)))
    rows.append(("not looking", "bits a text", result.uniform_bits, None, None, None, None))
    return Table.of((Column("condition", "name"), Column("score", "text"), *INTERVAL_COLUMNS), rows)


def languages_figure(result: LanguageIdResult, layer: LayerLanguageId) -> Figure:
    """Draw how often each language is recognised."""
    names = [language_name(code) for code in layer.by_language]
    values = list(layer.by_language.values())
    layout = {
        "xaxis": value_axis("accuracy on the texts of one language", range=[-0.02, 1.02], tickformat=".0%"),
        "yaxis": row_axis(names),
        **over(vertical_line(result.chance, "chance", at="top")),
    }
    drawn = panel(
        "language-each",
        "Accuracy for each language",
        [dots("accuracy", range(len(names)), values, names)],
        layout,
        row_height(len(names)),
    )
    low, high = min(values, key=lambda e: e.value), max(values, key=lambda e: e.value)
    apart = low.high < high.low
    hardest = names[values.index(low)]
    title = (
        f"{hardest} is the hardest to identify: {percent(low.value, 1)}"
        if apart
        else "No language is significantly harder to identify"
    )
    caption = "The same classifier, scored on the held-out texts of each language; vectors as they are."
    rows = [(name, *interval_cells(value)) for name, value in zip(names, values, strict=True)]
    table = Table.of((Column("language", "name"), *INTERVAL_COLUMNS), rows)
    return Figure("language-languages", title, (drawn,), caption, (10,), table)


def layers_figure(result: LanguageIdResult) -> Figure:
    """Draw accuracy and bits at every layer."""
    layers = [layer.name for layer in result.layers]
    names = [condition.name for condition in result.layers[0].conditions]
    accuracy = [Series(n, tuple(layer.conditions[i].accuracy for layer in result.layers)) for i, n in enumerate(names)]
    bits = [Series(n, tuple(layer.conditions[i].bits for layer in result.layers)) for i, n in enumerate(names)]
    panels = (
        layer_panel(
            "language-layer-accuracy",
            "held-out accuracy",
            *with_constant(layers, accuracy, result.constant),
            tickformat=".0%",
            range=[-0.02, 1.02],
        ),
        layer_panel(
            "language-layer-bits",
            "description length, bits a text",
            *with_constant(layers, bits, result.constant),
            rangemode="tozero",
        ),
    )
    lowest = min(result.layers, key=lambda layer: layer.conditions[0].accuracy.value)
    value = lowest.conditions[0].accuracy
    caption = (
        "Accuracy, and the bits to transmit the language of a text given its vector (online code; the interval is over "
        f"orders). Without the vectors it costs {number(result.uniform_bits, 2)} bits; more than that means that the "
        "classifier is overconfident and no better than chance."
    )
    title = f"The language is identified for at least {percent(value.value, 1)} of the texts at every layer"
    table = layer_table(
        layers,
        [
            *(Series(f"accuracy, {one.name}", one.estimates) for one in accuracy),
            *(Series(f"bits, {one.name}", one.estimates) for one in bits),
        ],
    )
    return Figure("language-by-layer", title, panels, caption, (10,), table)
