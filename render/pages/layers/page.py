"""The page of a layers result: its view, from the result alone."""

from __future__ import annotations

from ....probe.results.intervals import Interval
from ....probe.results.layers import LayersResult, constant_sentence
from ....probe.results.serialization import from_json
from ...charts.layers import TEMPLATE, FindingsView
from ...formatting import MISSING, count, counted, interval, language_name, number, percent, percent_interval
from ...terminal import SummaryColumn, SummaryPart, SummaryTable, rows_with_constant
from ...view import Fact, FigureGroup, Headline, Verdict
from ..provenance import models_of, provenance_facts
from .figures import language_figure, latent_figure, maps_figure, neighbours_figure, retrieval_figure, similarity_figure
from .stress import stress_figure

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a layers result."""
    result = from_json(text, LayersResult)
    groups = [
        FigureGroup("How alike the languages are", (similarity_figure(result), neighbours_figure(result))),
        FigureGroup("How well maps predict", (maps_figure(result), retrieval_figure(result))),
    ]
    if _has_latent(result):
        groups.insert(1, FigureGroup("What maps explain, noise aside", (latent_figure(result),)))
    if any(layer.measures.language_id for layer in result.layers):
        groups.append(FigureGroup("Language identity", (language_figure(result),)))
    if result.stress:
        groups.append(FigureGroup("What stress does to the measures", (stress_figure(result.stress),)))
    source, target = language_name(result.source), language_name(result.target)
    return FindingsView(
        kind="layers",
        title=f"{source} and {target}: at which layers do they agree?",
        question=(
            f"Sentences in {source} and {target} that mean the same, read off every layer of "
            f"{models_of(result.provenance)}: how alike are the two languages there, does a map predict one from the "
            "other, and can the language still be identified?"
        ),
        verdicts=(Verdict(f"{source} ↔ {target}", _story(result), result.warnings),),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(
            *provenance_facts(result.provenance),
            Fact(
                "draws",
                (
                    f"{count(result.resamples)} bootstrap samples of groups; {result.permutations} permutations "
                    f"({result.costly_permutations} for maps and classifier)"
                ),
            ),
        ),
        command=result.provenance.command,
        rows=(
            f"{counted(result.n, 'pair')} in {counted(result.groups, 'group')} of like meaning, "
            f"{len(result.layers)} layers, "
            f"{result.folds} folds by group, {count(result.pool)} candidates in every search, k = {result.neighbours}. "
            f"{constant_sentence(result.constant)}"
        ),
        groups=tuple(groups),
    )


def headline(text: str) -> Headline:
    """Return a layers result in one line."""
    result = from_json(text, LayersResult)
    subject = f"{language_name(result.source)} ↔ {language_name(result.target)}"
    source = result.provenance
    said = result.story[0] if result.story else _story(result)
    return Headline("layers", subject, said, models_of(source), source.corpus, result.n, source.time)


def summary_parts(result: LayersResult) -> tuple[SummaryPart, ...]:
    """Return the table of layers and the story."""
    latent = _has_latent(result)
    columns = (
        SummaryColumn("layer", right=False),
        SummaryColumn("CKA"),
        SummaryColumn("chance", drop=3),
        SummaryColumn("k-NN", drop=2),
        SummaryColumn("linear R²", drop=1),
        *((SummaryColumn("latent rotation", drop=1), SummaryColumn("latent linear", drop=3)) if latent else ()),
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
            *(map(_share, (layer.measures.latent_rotation, layer.measures.latent_linear)) if latent else ()),
            _percent(layer.measures.p_at_1 or layer.measures.p_at_1_mapped),
            _percent(layer.measures.language_id),
        )
        for layer in result.layers
    )
    label = f"{language_name(result.source)} ↔ {language_name(result.target)}"
    heading = f"{label}  ({result.n} pairs, {result.groups} groups, {result.pool} candidates)"
    return (
        SummaryPart(
            heading,
            _story(result),
            "",
            SummaryTable(columns, rows_with_constant(rows, result.constant)),
            result.warnings,
        ),
    )


def _share(estimate: Interval | None) -> str:
    return MISSING if estimate is None else percent_interval(estimate)


def _has_latent(result: LayersResult) -> bool:
    return any(layer.measures.latent_linear for layer in result.layers)


def _percent(estimate: Interval | None) -> str:
    return "" if estimate is None else percent(estimate.value, 1)


def _story(result: LayersResult) -> str:
    return " ".join(result.story) or "No layer stands out from the first and the last."
