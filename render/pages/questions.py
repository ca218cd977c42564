"""The page of a question-retrieval result: its view, from the result alone."""

from __future__ import annotations

from ...probe.results.intervals import Interval
from ...probe.results.questions import QuestionResult, Ranking
from ...probe.results.serialization import from_json
from ..formatting import count, interval, language_name, language_tag, number
from ..terminal import SummaryColumn, SummaryPart, SummaryTable
from ..view import Fact, Figure, FigureGroup, Headline, Verdict
from .provenance import models_of, provenance_facts
from .search_view import CRITERION_NAMES, TEMPLATE, Mistake, Mistakes, RetrievalView, Way, score_panel, score_table

__all__ = ["TEMPLATE", "headline", "summary_parts", "view"]

SCORES = {"ndcg_at_10": "nDCG@10", "mrr_at_10": "MRR@10", "recall_at_100": "R@100", "p_at_1": "P@1"}


def view(text: str) -> RetrievalView:
    """Return the page's content for the JSON text of a question-retrieval result."""
    result = from_json(text, QuestionResult)
    criteria = list(dict.fromkeys(r.criterion for r in result.rankings))
    groups = (FigureGroup("Scores", tuple(scores_figure(result, criterion) for criterion in criteria)),)
    mistakes = Mistakes(
        "missed",
        "Questions missed",
        "The questions whose right passage ranks last. ✓ marks the right passage, ✗ the nearest one.",
        (language_tag(result.query_language), language_tag(result.passage_language)),
        tuple(Mistake(m.question, m.right, m.found, f"right one at rank {number(m.rank, 0)}") for m in result.missed),
    )
    return RetrievalView(
        kind="question retrieval",
        title=f"{_subject(result)}: is the passage found that answers?",
        question=(
            f"Questions in {language_name(result.query_language)}, passages in "
            f"{language_name(result.passage_language)}, embedded by {models_of(result.provenance)}: does the right "
            "passage come first?"
        ),
        verdicts=(Verdict(_subject(result), "", result.sentence, "", None, result.warnings),),
        figures=groups[0].figures,
        facts=(
            *provenance_facts(result.provenance),
            Fact(
                "draws",
                (
                    f"{count(result.resamples)} bootstrap samples of questions by passage, the passages fixed; "
                    f"{result.permutations} permutations"
                ),
            ),
        ),
        command=result.provenance.command,
        rows=f"{count(result.questions)} questions, {count(result.passages)} passages, one right passage a question.",
        groups=groups,
        mistakes=(mistakes,) if result.missed else (),
    )


def headline(text: str) -> Headline:
    """Return a question-retrieval result in one line."""
    result = from_json(text, QuestionResult)
    source = result.provenance
    return Headline(
        "question retrieval",
        _subject(result),
        result.sentence,
        models_of(source),
        source.corpus,
        result.questions,
        source.time,
    )


def summary_parts(result: QuestionResult) -> tuple[SummaryPart, ...]:
    """Return a table of the ways to search."""
    columns = (
        SummaryColumn("questions", right=False),
        SummaryColumn("by", right=False),
        SummaryColumn("nDCG@10"),
        SummaryColumn("change", drop=1),
        SummaryColumn("MRR@10", drop=3),
        SummaryColumn("R@100", drop=2),
    )
    rows = tuple(
        (
            r.name,
            CRITERION_NAMES.get(r.criterion, r.criterion),
            interval(r.scores.ndcg_at_10),
            "" if r.difference is None else interval(r.difference),
            interval(r.scores.mrr_at_10),
            interval(r.scores.recall_at_100),
        )
        for r in result.rankings
    )
    heading = f"{_subject(result)}  ({result.questions} questions, {result.passages} passages)"
    return (SummaryPart(heading, result.sentence, "", SummaryTable(columns, rows), result.warnings),)


def _subject(result: QuestionResult) -> str:
    return f"{language_name(result.query_language)} questions, {language_name(result.passage_language)} passages"


def difference_title(rankings: list[Ranking]) -> str:
    """State the change of nDCG@10 by the map, if it is significant."""
    mapped = next((r for r in rankings if r.name.startswith("through ") and r.difference is not None), None)
    if mapped is None or mapped.difference is None:
        first = rankings[0]
        return f"nDCG@10 is {interval(first.scores.ndcg_at_10, 2)} with the questions {first.name}"
    change = mapped.difference
    if change.low <= 0 <= change.high:
        return "The map makes no significant difference to nDCG@10"
    size = (
        Interval(change.value, change.low, change.high)
        if change.value > 0
        else Interval(-change.value, -change.high, -change.low)
    )
    return f"The map {'raises' if change.low > 0 else 'lowers'} nDCG@10 by {interval(size, 2)}"


def scores_figure(result: QuestionResult, criterion: str) -> Figure:
    """Draw the scores of every way of searching."""
    rankings = [r for r in result.rankings if r.criterion == criterion]
    ways = [Way(r.name, tuple(getattr(r.scores, name) for name in SCORES)) for r in rankings]
    names = list(SCORES.values())
    by, title = CRITERION_NAMES.get(criterion, criterion), difference_title(rankings)
    return Figure(
        f"questions-{criterion}",
        f"By {by}: {title if title.startswith('nDCG') else title[:1].lower() + title[1:]}",
        (score_panel(f"questions-{criterion}-panel", f"Scores by {by}", names, ways),),
        f"How early the right passage comes, by {by}, with 95{chr(0x202F)}% intervals that resample questions by "
        f"passage; the grey bar is chance, what permuted questions reach with the first way. Each question has one "
        f"right passage, so that nDCG@10 is 1 / log₂(1 + rank) up to rank 10. Questions in the language of the "
        f"passages show what could be reached.",
        (8,),
        score_table("questions", names, ways),
    )
