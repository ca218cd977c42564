"""The page of a study while it runs."""

import dataclasses

from polyglot.probe.results.intervals import Interval
from polyglot.probe.results.provenance import Provenance
from polyglot.probe.results.study import (
    Predictor,
    StudyCell,
    StudyContrast,
    StudyFamily,
    StudyResult,
    StudyTest,
)
from polyglot.render.pages.study.outcome import outcome_tables
from polyglot.render.progress import ProgressRow, ProgressView, write_progress

ROWS = (ProgressRow("cell-<b>", "layers", "refused", note="no layers & more"), ProgressRow("other", "cka", "open"))


def test_it_shows_every_cell_escaped_and_reads_itself_again_while_it_runs(tmp_path):
    page = write_progress(ProgressView("A <title>", "1 of 2", ROWS), tmp_path / "progress.html")
    text = page.read_text(encoding="utf-8")
    assert "A &lt;title&gt;" in text
    assert "cell-&lt;b&gt;: no layers &amp; more" in text
    assert 'http-equiv="refresh"' in text
    assert "The study" not in text


def test_when_done_it_leads_to_the_study(tmp_path):
    view = ProgressView("A study", "2 of 2", ROWS, study="study.html", again=False)
    text = write_progress(view, tmp_path / "progress.html").read_text(encoding="utf-8")
    assert '<a href="study.html">' in text
    assert 'http-equiv="refresh"' not in text


def test_what_the_cells_say_together_stands_above_them(tmp_path):
    half = Interval(0.5, 0.25, 0.75)
    cell = StudyCell("other", "layers", "minilm", "builtin", "fr", "", "", 0, "k", "cells/k.json")
    known = dataclasses.replace(cell, name="code", expected="shift", verdicts={"a geometry": "shift"})
    family = StudyFamily("helps", "gain", 0.01, (StudyTest("code", "en-qaa", half, 0.001, 0.002, holds=True),))
    contrast = StudyContrast(
        "better", "minilm", "builtin", "fr", ("align", "map"), (0, 1), (0.4, 0.6), half, 0.0, 0.01, 0.03, holds=False
    )
    where = Provenance("polyglot study", (), "builtin", "", 0, "cpu", "", {})
    predictor = Predictor("CKA", "map", 8, 4, half)
    result = StudyResult(
        "A", "1 cell.", "file", "en", 0.05, 0.05, (cell, known), (family,), (contrast,), (predictor,), (), (), where
    )
    tables = outcome_tables(result)
    assert [table.title for table in tables] == [
        "Known answers",
        "helps: gain, margin 0.01",
        "Contrasts of methods, P@1",
        "What goes with a gain",
    ]
    assert [table.short for table in tables] == [
        "0 of 1 answered as expected",
        "1 of 1 hold",
        "0 of 1 hold",
        "1 of 1 correlations differ from 0",
    ]
    assert tables[0].rows == (("code", "shift", "a geometry: shift"),)
    assert tables[1].rows == (("code", "en-qaa", "0.500 [0.250, 0.750]", "0.002", "yes"),)
    assert tables[2].rows[0][2:] == ("0.400, 0.600", "0.500 [0.250, 0.750]", "0.03", "no")
    page = write_progress(ProgressView("A", "1 of 1", ROWS, tables=tables), tmp_path / "progress.html")
    text = page.read_text(encoding="utf-8")
    assert text.index("What goes with a gain") < text.index("cell-&lt;b&gt;")
