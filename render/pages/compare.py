"""The page of a comparison: its view, from the result alone."""

from __future__ import annotations

from ...probe.results.compare import SHARE, CompareResult, score_name
from ...probe.results.serialization import from_json
from ..charts.layers import TEMPLATE, FindingsView
from ..formatting import count, interval, number, percent, rung_name
from ..terminal import SummaryColumn, SummaryPart, SummaryTable
from ..view import Fact, FigureGroup, Headline, Verdict
from .compare_figures import differences_figure, facts_figure, measures_figures, shares_figure
from .provenance import provenance_facts

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

JOINER = "\N{WORD JOINER}"
SPACE = "\N{NO-BREAK SPACE}"
KINDS = {
    "polyglot/linear-map/1": "linear map",
    "polyglot/layers/1": "layers",
    "polyglot/retrieval/1": "retrieval",
    "polyglot/train/1": "training",
}


def view(text: str) -> FindingsView:
    """Return the page's content for the JSON text of a comparison."""
    result = from_json(text, CompareResult)
    groups = _groups(result)
    return FindingsView(
        kind="comparison",
        title=_unbroken(f"{_kind(result)}: {_labels(result)}"),
        question=_question(result),
        verdicts=(_verdict(result),),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=_facts(result),
        command=result.provenance.command,
        rows=_rows(result),
        groups=groups,
    )


def headline(text: str) -> Headline:
    """Return a comparison in one line."""
    result = from_json(text, CompareResult)
    source = result.provenance
    models = ", ".join(dict.fromkeys(model for one in result.results for model in one.models))
    rows = max(one.rows for one in result.results)
    subject = f"{', '.join([_kind(result), *result.common])}: {_labels(result)}"
    return Headline("comparison", subject, result.sentence, models, source.corpus, rows, source.time)


def summary_parts(result: CompareResult) -> tuple[SummaryPart, ...]:
    """Return a table of the results for each part, and one of the differences."""
    parts = tuple(dict.fromkeys(score.part for one in result.results for score in one.scores))
    tables = [SummaryPart(part, "", "", _scores_table(result, part), ()) for part in parts]
    heading = f"{len(result.differences)} differences from {result.reference}"
    return (*tables, SummaryPart(heading, result.sentence, "", _differences_table(result), result.warnings))


def _scores_table(result: CompareResult, part: str) -> SummaryTable:
    """One row a result; its verdict and the scores that are tested."""
    keys = list(
        dict.fromkeys((s.measure, s.row) for one in result.results for s in one.scores if s.part == part and s.tested)
    )
    judged = {one.label: j for one in result.results for j in one.judgements if j.part == part and j.verdict}
    columns = [SummaryColumn("", right=False)]
    columns += [SummaryColumn("verdict", right=False), SummaryColumn("would have seen", drop=20)] if judged else []
    columns += [
        SummaryColumn(m if m == SHARE else f"{m} ({rung_name(r)})", drop=place) for place, (m, r) in enumerate(keys)
    ]
    rows = []
    for one in result.results:
        found = {(s.measure, s.row): s for s in one.scores if s.part == part}
        judgement = judged.get(one.label)
        words = [judgement.verdict, percent(judgement.smallest_detectable)] if judgement else ["", ""]
        cells = [interval(found[key].estimate) if key in found else "" for key in keys]
        rows.append((one.label, *(words if judged else []), *cells))
    return SummaryTable(tuple(columns), tuple(rows))


def _differences_table(result: CompareResult) -> SummaryTable:
    columns = (
        SummaryColumn("", right=False),
        SummaryColumn("score", right=False),
        SummaryColumn("of", right=False, drop=1),
        SummaryColumn("difference"),
        SummaryColumn("p (Holm)", drop=2),
        SummaryColumn("", right=False),
    )
    rows = tuple(
        (
            one.result,
            score_name(one.measure, one.row),
            one.part,
            interval(one.difference, 1 if one.unit == "points" else 3),
            "< 0.001" if one.p_adjusted < 0.001 else number(one.p_adjusted),
            "holds" if one.holds else "",
        )
        for one in result.differences
    )
    return SummaryTable(columns, rows)


def _groups(result: CompareResult) -> tuple[FigureGroup, ...]:
    shares = shares_figure(result)
    found = [FigureGroup("The verdicts", (shares,))] if shares is not None else []
    found.append(FigureGroup("Side by side", measures_figures(result)))
    if result.differences:
        found.append(FigureGroup("The differences", (differences_figure(result),)))
    facts = facts_figure(result)
    if facts is not None:
        found.append(FigureGroup("What was compared", (facts,)))
    return tuple(found)


def _verdict(result: CompareResult) -> Verdict:
    said = _unbroken(_capital(result.sentence))
    return Verdict(_unbroken(_against(result)), "", said, "", None, result.warnings)


def _question(result: CompareResult) -> str:
    common = f" All are of {', '.join(result.common)}." if result.common else ""
    return (
        f"{len(result.results)} results of one kind, each score with its interval; differences are taken from "
        f"{result.reference}.{common}"
    )


def _rows(result: CompareResult) -> str:
    paired = sum(one.paired for one in result.differences)
    how = f"{count(paired)} of them paired by row" if paired else "none of them paired by row"
    return (
        f"{count(len(result.differences))} differences in one family, {how}; p-values adjusted by Holm's method, "
        f"and a difference holds at {number(1 - result.level, 2)}."
    )


def _facts(result: CompareResult) -> tuple[Fact, ...]:
    files = tuple(Fact(one.label, f"{one.file}  {one.file_fingerprint}", code=True) for one in result.results)
    numbers = tuple(
        Fact(f"numbers, {one.label}", ", ".join(f"{name} {value}" for name, value in one.facts.items()))
        for one in result.results
    )
    commands = tuple(Fact(f"made by, {one.label}", one.command, code=True) for one in result.results if one.command)
    draws = Fact("draws", f"{count(result.resamples)} bootstrap samples of groups, where differences are paired")
    return (*files, *numbers, *commands, *provenance_facts(result.provenance), draws)


def _kind(result: CompareResult) -> str:
    return KINDS.get(result.kind, result.kind)


def _labels(result: CompareResult) -> str:
    return " · ".join(one.label for one in result.results)


def _against(result: CompareResult) -> str:
    return f"{_labels(result)}" + (f"  ({', '.join(result.common)})" if result.common else "")


def _unbroken(text: str) -> str:
    """Keep a pair of languages on one line."""
    joined = text.replace("–", f"{JOINER}–{JOINER}")
    return joined.replace(" → ", f"{SPACE}→{SPACE}").replace(" ↔ ", f"{SPACE}↔{SPACE}")


def _capital(text: str) -> str:
    """Begin a sentence with a capital, unless it begins with the code of a language."""
    return f"N{text[1:]}" if text.startswith(("none of", "no score")) else text
