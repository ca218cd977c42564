"""The page of a comparison: its view, from the result alone."""

from __future__ import annotations

from ....probe.results.compare import CompareResult
from ....probe.results.serialization import from_json
from ...charts.layers import TEMPLATE, FindingsView
from ...formatting import capitalized, count, model_name, number
from ...view import Fact, FigureGroup, Headline, Verdict
from ..provenance import provenance_facts
from .amounts import amounts_figure
from .differences import differences_figure
from .measures import measures_figures
from .summary import summary_parts
from .verdicts import geometry_figure, shares_figure

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

JOINER = "\N{WORD JOINER}"
SPACE = "\N{NO-BREAK SPACE}"
KINDS = {
    "polyglot/linear-map/1": "linear maps",
    "polyglot/layers/1": "layers",
    "polyglot/retrieval/1": "retrieval",
    "polyglot/train/1": "training",
}


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a comparison."""
    result = from_json(text, CompareResult)
    amounts = amounts_figure(result)
    verdicts = tuple(figure for figure in (geometry_figure(result), shares_figure(result)) if figure is not None)
    groups = [FigureGroup("The verdicts", verdicts)] if verdicts else []
    groups.append(FigureGroup("Side by side", measures_figures(result)))
    if result.differences:
        groups.append(FigureGroup("The differences", (differences_figure(result),)))
    if amounts is not None:
        groups.append(FigureGroup("What was compared", (amounts,)))
    of = f"  ({', '.join(result.common)})" if result.common else ""
    common = f" All are of {', '.join(result.common)}." if result.common else ""
    paired = sum(one.paired for one in result.differences)
    how = f"{count(paired)} of them paired by row" if paired else "none of them paired by row"
    # A sentence begins with a capital, unless it begins with the code of a language.
    plain = result.sentence.startswith(("none of", "no score"))
    sentence = _unbroken(capitalized(result.sentence) if plain else result.sentence)
    files = (Fact(one.label, f"{one.file}  {one.file_fingerprint}", code=True) for one in result.results)
    numbers = (
        Fact(f"numbers, {one.label}", ", ".join(f"{name} {value}" for name, value in one.facts.items()))
        for one in result.results
    )
    commands = (Fact(f"made by, {one.label}", one.command, code=True) for one in result.results if one.command)
    draws = Fact("draws", f"{count(result.resamples)} bootstrap samples of groups, where differences are paired")
    return FindingsView(
        kind="comparison",
        title=_unbroken(f"{capitalized(_kind(result))} of {_labels(result)}"),
        question=(
            f"{len(result.results)} results of one kind, each score with its interval; differences are taken from "
            f"{result.reference}.{common}"
        ),
        verdicts=(Verdict(_unbroken(f"{_labels(result)}{of}"), sentence, result.warnings),),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(*files, *numbers, *commands, *provenance_facts(result.provenance), draws),
        command=result.provenance.command,
        rows=(
            f"{count(len(result.differences))} differences in one family, {how}; p-values adjusted by Holm's method, "
            f"and a difference holds at {number(1 - result.level, 2)}."
        ),
        groups=tuple(groups),
    )


def headline(text: str) -> Headline:
    """Return a comparison in one line."""
    result = from_json(text, CompareResult)
    source = result.provenance
    models = ", ".join(dict.fromkeys(model for one in result.results for model in one.models))
    rows = max(one.rows for one in result.results)
    subject = f"{', '.join([_kind(result), *result.common])}: {_labels(result)}"
    return Headline("comparison", subject, result.sentence, models, source.corpus, rows, source.time)


def _kind(result: CompareResult) -> str:
    return KINDS.get(result.kind, result.kind)


def _labels(result: CompareResult) -> str:
    """Return what differs between the results, models by the names that titles have for them."""
    return " · ".join(", ".join(map(model_name, one.label.split(", "))) for one in result.results)


def _unbroken(text: str) -> str:
    """Keep a pair of languages on one line."""
    joined = text.replace("–", f"{JOINER}–{JOINER}")
    return joined.replace(" → ", f"{SPACE}→{SPACE}").replace(" ↔ ", f"{SPACE}↔{SPACE}")
