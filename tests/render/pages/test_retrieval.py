"""Pages of searches: complete, escaped, and with titles that say no more than the intervals do."""

import dataclasses

import numpy as np
import pytest
from polyglot.probe.questions.config import QuestionConfig
from polyglot.probe.questions.run import Asked, rank_passages
from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.provenance import Provenance, Side
from polyglot.probe.results.questions import MissedQuestion, QuestionResult
from polyglot.probe.results.retrieval import ErrorShare, WrongAnswer
from polyglot.probe.results.serialization import to_json
from polyglot.probe.retrieval.run import RetrievalConfig, measure
from polyglot.render.kinds import terminal_summary
from polyglot.render.page import render
from polyglot.render.pages import questions as question_retrieval
from polyglot.render.pages import retrieval
from polyglot.render.pages.questions import difference_title
from polyglot.render.pages.retrieval import errors_title, hubs_title, scores_title

SHARE = Interval(0.1, 0.08, 0.12)


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((300, 16))
    found = measure(y + rng.standard_normal((300, 16)), y, config=RetrievalConfig(resamples=100), names=("fr", "en"))
    wrong = (WrongAnswer(3, "<b>où</b>", "where & when", "elsewhere", "other", 0.5, 0.6, 4, 2),)
    errors = (ErrorShare("other", 30, SHARE), ErrorShare("length", 2, Interval(0.01, 0.0, 0.02)))
    directions = tuple(dataclasses.replace(d, wrong=wrong, errors=errors) for d in found.directions)
    return dataclasses.replace(found, directions=directions)


@pytest.fixture(scope="module")
def questions():
    rng = np.random.default_rng(1)
    passages = rng.standard_normal((220, 12))
    relevant = rng.integers(0, 220, 260)
    clean = passages[relevant] + 0.7 * rng.standard_normal((260, 12))
    asked = [Asked("as they are", clean + 2.0 * rng.standard_normal((260, 12))), Asked("through fr-en", clean)]
    rankings = rank_passages(asked, passages, relevant, QuestionConfig(resamples=100))
    missed = (MissedQuestion("Qui <i>?", "A passage.", "Another.", 9),)
    sides = tuple(Side(code, "minilm", "0" * 32) for code in ("fr", "en"))
    record = Provenance("polyglot", sides, "set", "0" * 32, 0, "cpu", "float32", {})
    return QuestionResult("fr", "en", 260, 220, rankings, missed, 100, 20, "fr-en", (), "A sentence.", record)


@pytest.mark.parametrize("name", ["result", "questions"])
def test_every_figure_has_what_a_reader_needs(name, request):
    value = request.getfixturevalue(name)
    module = retrieval if name == "result" else question_retrieval
    view = module.view(to_json(value))
    identifiers = [f.id for f in view.figures] + [p.id for f in view.figures for p in f.panels]
    assert len(identifiers) == len(set(identifiers))
    assert len(view.figures) == (6 if name == "result" else 2)
    for figure in view.figures:
        assert figure.title
        assert figure.caption.endswith(".")
        assert figure.method == (8,)
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows)
        for panel in figure.panels:
            assert panel.label
            assert panel.layout["xaxis"]["title"]["text"]
    headline = module.headline(to_json(value))
    assert headline.verdict
    assert headline.rows


@pytest.mark.parametrize(("name", "hostile"), [("result", "<b>où</b>"), ("questions", "Qui <i>?")])
def test_pages_are_escaped_and_the_same_each_time(name, hostile, request):
    text = to_json(request.getfixturevalue(name))
    page = render(text, plotlyjs="directory")
    assert page == render(text, plotlyjs="directory")
    assert hostile not in page
    assert hostile.replace("<", "&lt;").replace(">", "&gt;") in page
    assert page.count('role="img" aria-label="') == page.count('class="plot"')


def test_the_terminal_shows_every_way(result, questions):
    assert len(terminal_summary(result).parts) == 2
    table = terminal_summary(questions).parts[0].table
    assert [row[0] for row in table.rows] == ["as they are", "through fr-en"] * 2


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Interval(0.02, 0.01, 0.03), "CSLS adds 2.0 points [1.0, 3.0]"),
        (Interval(-0.02, -0.03, -0.01), "CSLS loses 2.0 points [1.0, 3.0]"),
        (Interval(0.01, -0.01, 0.02), "no significant difference"),
    ],
)
def test_the_title_of_scores_follows_the_interval(result, gain, words):
    direction = dataclasses.replace(result.directions[0], gains={"csls": gain})
    assert words in scores_title(direction)


def test_a_kind_of_mistake_leads_only_where_it_surely_does(result):
    direction = result.directions[0]
    assert errors_title(direction).startswith("Most errors are of the type “other”")
    even = (ErrorShare("other", 30, SHARE), ErrorShare("length", 29, SHARE))
    assert (
        errors_title(dataclasses.replace(direction, errors=even))
        == "No type of error is significantly the most frequent"
    )
    none = (ErrorShare("other", 0, Interval(0, 0, 0)),)
    assert errors_title(dataclasses.replace(direction, errors=none)) == "No query fails"


def test_the_title_of_hubs_names_the_greatest(result):
    direction = result.directions[0]
    assert "of the queries; by CSLS the greatest hub of" in hubs_title(direction)


def test_the_title_of_questions_follows_the_interval(questions):
    rankings = [r for r in questions.rankings if r.criterion == "cosine"]
    assert difference_title(rankings).startswith("The map raises nDCG@10 by")
    for change, words in (
        (Interval(-0.1, -0.2, -0.05), "lowers nDCG@10 by 0.10 [0.05, 0.20]"),
        (Interval(0.0, -0.1, 0.1), "no significant difference"),
    ):
        changed = [rankings[0], dataclasses.replace(rankings[1], difference=change)]
        assert words in difference_title(changed)
    assert difference_title(rankings[:1]).startswith("nDCG@10 is")
