"""The page of a CKA result: its view, from the result alone."""

from __future__ import annotations

from ...probe.results.cka import CkaResult, LayerTable
from ...probe.results.layers import ConstantLayer, constant_sentence
from ...probe.results.provenance import Side
from ...probe.results.serialization import from_json
from ..charts.layers import TEMPLATE, FindingsView, matrix_panel, matrix_table, where
from ..formatting import capitalized, count, counted, interval, language_name, number, two_digits
from ..terminal import SummaryColumn, SummaryPart, SummaryTable, rows_with_constant
from ..view import Fact, Figure, FigureGroup, Headline, Verdict
from .provenance import models_of, provenance_facts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

PARTS = {"cka": "debiased CKA", "mutual_knn": "mutual k-NN", "linear_r2": "linear map, held-out R²"}


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a CKA result."""
    result = from_json(text, CkaResult)
    groups = tuple(
        FigureGroup(_label(table), (table_figure(table, place),)) for place, table in enumerate(result.tables)
    )
    return FindingsView(
        kind="layers against layers",
        title=f"{_subject(result)}: which layers are alike?",
        question=(
            f"Every layer of one side against every layer of the other, by {models_of(result.provenance)}, on the same "
            "sentences or their translations."
        ),
        verdicts=tuple(
            Verdict(_label(table), "", table.sentence, "", None, result.warnings if place == 0 else ())
            for place, table in enumerate(result.tables)
        ),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(
            *provenance_facts(result.provenance),
            Fact(
                "draws", (f"{count(result.resamples)} bootstrap samples of groups; {result.permutations} permutations")
            ),
        ),
        command=result.provenance.command,
        rows=(
            f"{counted(result.n, 'pair')} in {counted(result.groups, 'group')} of like meaning, "
            f"{result.folds} folds by group, "
            f"k = {result.neighbours}. {constant_sentence(result.constant)}"
        ),
        groups=groups,
    )


def headline(text: str) -> Headline:
    """Return a CKA result in one line."""
    result = from_json(text, CkaResult)
    sentence = " ".join(table.sentence for table in result.tables)
    source = result.provenance
    return Headline("cka", _subject(result), sentence, models_of(source), source.corpus, result.n, source.time)


def summary_parts(result: CkaResult) -> tuple[SummaryPart, ...]:
    """Return for each table the best column of every row."""
    return tuple(_part(table, result) for table in result.tables)


def _part(table: LayerTable, result: CkaResult) -> SummaryPart:
    columns = (
        SummaryColumn("layer", right=False),
        SummaryColumn("most like", right=False),
        SummaryColumn("CKA"),
        SummaryColumn("k-NN", drop=1),
        SummaryColumn("linear R²", drop=2),
    )
    rows = []
    for i, layer in enumerate(table.row_layers):
        j = max(range(len(table.column_layers)), key=lambda column: table.cka[i][column].value)
        parts = (table.cka[i][j], table.mutual_knn[i][j], table.linear_r2[i][j])
        rows.append((layer, table.column_layers[j], *(interval(part) for part in parts)))
    warnings = result.warnings if table is result.tables[0] else ()
    constant = [one for one in result.constant if _constant_row(one, table)]
    return SummaryPart(
        _label(table), table.sentence, "", SummaryTable(columns, rows_with_constant(rows, constant)), warnings
    )


def _constant_row(layer: ConstantLayer, table: LayerTable) -> bool:
    return table.rows.language in layer.languages and layer.model in ("", table.rows.model)


def _subject(result: CkaResult) -> str:
    return f"{language_name(result.source)} ↔ {language_name(result.target)}"


def _label(table: LayerTable) -> str:
    return f"{_side(table.rows)} × {_side(table.columns)}"


def _side(side: Side) -> str:
    return f"{language_name(side.language)}, {side.model}"


def table_figure(table: LayerTable, place: int) -> Figure:
    """Draw one table of layers against layers."""
    axes = (f"layer of {_side(table.columns)}", f"layer of {_side(table.rows)}")
    parts = {"cka": table.cka, "mutual_knn": table.mutual_knn, "linear_r2": table.linear_r2}
    panels = tuple(
        matrix_panel(
            f"cka-{place}-{name}",
            PARTS[name],
            table.row_layers,
            table.column_layers,
            [[cell.value for cell in row] for row in cells],
            axes=axes,
        )
        for name, cells in parts.items()
    )
    limits = "; ".join(f"{PARTS[name]} {number(band.p95)}" for name, band in table.chance.items() if name in PARTS)
    caption = (
        "Debiased CKA, the share of common nearest neighbours, and the held-out R² of a linear map from the row's "
        "layer to the column's: measures disagree about what counts as similar. The greatest cell with permuted pairs "
        "reaches "
        f"(95th percentile): {limits}. The table has every cell with its 95 % interval."
    )
    named = {PARTS[name]: cells for name, cells in parts.items()}
    numbers = matrix_table(axes[::-1], table.row_layers, table.column_layers, dict(named))
    return Figure(f"cka-{place}", table_title(table), panels, caption, (7,), numbers)


def table_title(table: LayerTable) -> str:
    """Name the most similar pair of layers where it clears chance."""
    cells = [(cell, i, j) for i, row in enumerate(table.cka) for j, cell in enumerate(row)]
    top, i, j = max(cells, key=lambda cell: cell[0].value)
    band = table.chance.get("cka")
    if band is not None and not top.low > band.p95:
        return "No two layers differ significantly from chance"
    pair = f"{where(table.row_layers[i])} and {where(table.column_layers[j])}"
    return f"{capitalized(pair)} are most alike: {two_digits(top.value)}"
