"""The page of a retrieval result: its view, from the result alone."""

from __future__ import annotations

from ...probe.results.intervals import Interval
from ...probe.results.retrieval import RetrievalResult, Search, SearchScores
from ...probe.results.serialization import from_json
from ..charts.intervals import INTERVAL_COLUMNS, interval_cells
from ..charts.marks import dots, hover
from ..charts.theme import panel, row_axis, row_height, value_axis
from ..formatting import count, identifier, language_name, language_tag, number, percent, percent_interval
from ..terminal import SummaryColumn, SummaryPart, SummaryTable
from ..view import Column, Fact, Figure, FigureGroup, Headline, Table, Verdict
from .provenance import models_of, provenance_facts
from .search_view import (
    CRITERION_NAMES,
    TEMPLATE,
    Mistake,
    Mistakes,
    RetrievalView,
    Way,
    points,
    score_panel,
    score_table,
)

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

WITHOUT = "cosine, without the map"
SCORES = {
    "p_at_1": "P@1",
    "p_at_5": "P@5",
    "p_at_10": "P@10",
    "mrr": "MRR",
    "accuracy": "accuracy, all rows",
    "f1": "weighted F1, all rows",
}


def view(text: str) -> RetrievalView:
    """Return the page's content for the JSON text of a retrieval result."""
    result = from_json(text, RetrievalResult)
    draw = (scores_figure, hubs_figure, errors_figure)
    groups = tuple(
        FigureGroup(_label(d), tuple(one(d, _prefix(d, i)) for one in (draw if d.errors else draw[:2])))
        for i, d in enumerate(result.directions)
    )
    through = f" The source side went through the map {result.through} first." if result.through else ""
    return RetrievalView(
        kind="retrieval",
        title=f"{_subject(result)}: is a translation the nearest neighbour?",
        question=(
            f"Sentences that mean the same, embedded by {models_of(result.provenance)}: of all candidates, is the "
            f"translation the nearest?{through}"
        ),
        verdicts=tuple(Verdict(_label(d), "", d.sentence, "", None, d.warnings) for d in result.directions),
        figures=tuple(figure for group in groups for figure in group.figures),
        facts=(
            *provenance_facts(result.provenance),
            Fact(
                "draws",
                f"{count(result.resamples)} bootstrap samples of groups, the pool fixed; "
                f"{result.permutations} permutations",
            ),
        ),
        command=result.provenance.command,
        rows=" ".join(
            f"{_label(d)}: {count(d.queries)} queries in {count(d.groups)} groups of like meaning, "
            f"{count(d.pool)} distinct candidates."
            for d in result.directions
        ),
        groups=groups,
        mistakes=tuple(_mistakes(d, _prefix(d, i)) for i, d in enumerate(result.directions) if d.wrong),
    )


def headline(text: str) -> Headline:
    """Return a retrieval result in one line."""
    result = from_json(text, RetrievalResult)
    source = result.provenance
    found = "; ".join(
        f"{d.source} → {d.target}: P@1 {percent(d.scores['cosine'].p_at_1.value, 1)}" for d in result.directions
    )
    rows = result.directions[0].queries if result.directions else 0
    return Headline("retrieval", _subject(result), found, models_of(source), source.corpus, rows, source.time)


def summary_parts(result: RetrievalResult) -> tuple[SummaryPart, ...]:
    """Return a table of the criteria for each direction."""
    columns = (
        SummaryColumn("criterion", right=False),
        SummaryColumn("P@1"),
        SummaryColumn("chance", drop=4),
        SummaryColumn("P@10", drop=2),
        SummaryColumn("MRR", drop=3),
        SummaryColumn("accuracy", drop=1),
        SummaryColumn("F1", drop=1),
    )
    return tuple(
        SummaryPart(
            f"{_label(d)}  ({d.queries} queries, {d.groups} groups, {d.pool} candidates)",
            d.sentence,
            "",
            SummaryTable(columns, tuple(_summary_row(name, scores) for name, scores in _searches(d))),
            d.warnings,
        )
        for d in result.directions
    )


def _searches(direction: Search) -> list[tuple[str, SearchScores]]:
    """Return the scores by each criterion, and those without the map where there is one."""
    found = [(CRITERION_NAMES.get(criterion, criterion), scores) for criterion, scores in direction.scores.items()]
    return [*found, (WITHOUT, direction.before["cosine"])] if "cosine" in direction.before else found


def _summary_row(name: str, scores: SearchScores) -> tuple[str, ...]:
    return (
        name,
        percent_interval(scores.p_at_1, 1),
        percent(scores.p_at_1.null_p95, 1),
        percent_interval(scores.p_at_10, 1),
        number(scores.mrr.value),
        percent_interval(scores.accuracy, 1),
        percent_interval(scores.f1, 1),
    )


def _subject(result: RetrievalResult) -> str:
    if not result.directions:
        return "nothing"
    first = result.directions[0]
    return f"{language_name(first.source)} ↔ {language_name(first.target)}"


def _label(direction: Search) -> str:
    return f"{language_name(direction.source)} → {language_name(direction.target)}"


def _prefix(direction: Search, place: int) -> str:
    return f"{identifier(f'{direction.source}-{direction.target}') or 'search'}-{place}"


def scores_title(direction: Search) -> str:
    """State what CSLS changes, if its interval excludes zero."""
    gain = direction.gains.get("csls")
    found = percent_interval(direction.scores["cosine"].p_at_1, 1)
    if gain is None or gain.low <= 0 <= gain.high:
        return f"The translation is nearest for {found}; CSLS makes no significant difference"
    if gain.low > 0:
        return f"The translation is nearest for {found}; CSLS adds {points(gain)}"
    lost = Interval(-gain.value, -gain.high, -gain.low, gain.level)
    return f"The translation is nearest for {found}; CSLS loses {points(lost)}"


def scores_figure(direction: Search, prefix: str) -> Figure:
    """Draw the scores of one direction by every criterion."""
    ways = [Way(way, tuple(getattr(scores, name) for name in SCORES)) for way, scores in _searches(direction)]
    names = list(SCORES.values())
    return Figure(
        f"{prefix}-scores",
        scores_title(direction),
        (score_panel(f"{prefix}-scores-panel", f"Retrieval scores, {_label(direction)}", names, ways),),
        f"How often the right answer is among the first, by cosine, by CSLS and by the ratio margin of xsim, among "
        f"{count(direction.pool)} distinct candidates, with 95{chr(0x202F)}% intervals; a candidate of the same group "
        f"is right. Accuracy and weighted F1 are those of the Tatoeba benchmark: all rows are candidates and only the "
        f"row's own partner is right. The grey bar is chance by cosine, from permuted pairs. CSLS and the margin "
        f"depend on both pools: do not compare them between corpora of other sizes.",
        (8,),
        score_table("criterion", names, ways),
    )


def hubs_title(direction: Search) -> str:
    """Name the greatest hub by cosine, and whether CSLS halves the unevenness."""
    plain = direction.hubs["cosine"]
    csls = direction.hubs.get("csls")
    start = (
        f"One candidate is among the {plain.k} nearest of {percent(plain.largest / direction.queries)} of the queries"
    )
    if csls is None:
        return start
    return f"{start}; by CSLS the greatest hub of {percent(csls.largest / direction.queries)}"


def hubs_figure(direction: Search, prefix: str) -> Figure:
    """Draw how unevenly candidates occur among the nearest."""
    names = [CRITERION_NAMES.get(c, c) for c in direction.hubs]
    hubs = list(direction.hubs.values())
    measures = (
        ("Robin Hood index", "@accent", "circle", [h.robin_hood for h in hubs]),
        ("candidates that are the neighbour of none", "@second", "diamond", [h.antihubs for h in hubs]),
    )
    data = []
    for place, (name, color, symbol, values) in enumerate(measures):
        estimates = [Interval(v, v, v) for v in values]
        rows = [i - 0.12 + 0.24 * place for i in range(len(names))]
        trace = dots(name, rows, estimates, names, color=color, symbol=symbol)
        trace.pop("error_x")
        trace["text"] = [f"{hover(label, e).split(' [')[0]}" for label, e in zip(names, estimates, strict=True)]
        data.append(trace)
    layout = {
        "xaxis": value_axis("share", range=[-0.02, 1.02]),
        "yaxis": row_axis(names),
        "margin": {"l": 12, "r": 16, "t": 62, "b": 12},
    }
    columns = (
        Column("criterion", "name"),
        Column("skew"),
        Column("Robin Hood index"),
        Column("neighbour of none"),
        Column("occurrences of the greatest hub", "count"),
        Column("the greatest hub", "text"),
    )
    rows_of_table = tuple(
        (name, h.skew, h.robin_hood, h.antihubs, h.largest, h.largest_text) for name, h in zip(names, hubs, strict=True)
    )
    label = f"Hubness by criterion, {_label(direction)}"
    return Figure(
        f"{prefix}-hubs",
        hubs_title(direction),
        (panel(f"{prefix}-hubs-panel", label, data, layout, row_height(len(names), 124)),),
        f"How unevenly candidates occur among the {hubs[0].k} nearest of the queries: the Robin Hood index is the "
        f"share of occurrences that would have to move for all candidates to occur equally often. These are properties "
        f"of the whole pool and have no interval.",
        (8,),
        Table(columns, rows_of_table),
    )


def errors_title(direction: Search) -> str:
    """Name the type of error that is significantly the most frequent, if one is."""
    ordered = sorted(direction.errors, key=lambda e: -e.share.value)
    if not ordered or not ordered[0].rows:
        return "No query fails"
    first = ordered[0]
    if len(ordered) == 1 or first.share.low > ordered[1].share.high:
        return f"Most errors are of the type “{first.kind}”: {percent_interval(first.share, 1)} of the queries"
    return "No type of error is significantly the most frequent"


def errors_figure(direction: Search, prefix: str) -> Figure:
    """Draw the share of each type of error."""
    names = [e.kind for e in direction.errors]
    shares = [e.share for e in direction.errors]
    data = [dots("share of queries", range(len(names)), shares, names)]
    layout = {
        "xaxis": value_axis("share of queries whose first answer is wrong", rangemode="tozero"),
        "yaxis": row_axis(names),
    }
    rows = tuple((e.kind, e.rows, *interval_cells(e.share)) for e in direction.errors)
    return Figure(
        f"{prefix}-errors",
        errors_title(direction),
        (
            panel(
                f"{prefix}-errors-panel",
                f"Error types, {_label(direction)}",
                data,
                layout,
                row_height(len(names)),
            ),
        ),
        "Wrong first answers by cosine, sorted by their texts alone, the first kind that holds: numerals or names "
        "differ and the other words are mostly the same; most words are the same; one text is more than twice as long "
        "as the other; none of these. Names are words with a capital inside the sentence, so that German nouns count "
        "too.",
        (8,),
        Table.of((Column("kind", "name"), Column("rows", "count"), *INTERVAL_COLUMNS), rows),
    )


def _mistakes(direction: Search, prefix: str) -> Mistakes:
    return Mistakes(
        f"{prefix}-mistakes",
        f"Wrong answers, {_label(direction)}",
        "Every type of error in turn, the most confident of each first. ✓ marks the right answer, ✗ what was nearer.",
        (language_tag(direction.source), language_tag(direction.target)),
        tuple(
            Mistake(
                w.query,
                w.right,
                w.found,
                f"row {w.row} · {w.kind} · right one at rank {count(w.rank)}, by CSLS {count(w.rank_csls)} · cosine "
                f"{number(w.cosine_right, 2)} against {number(w.cosine_found, 2)}",
            )
            for w in direction.wrong
        ),
    )
