"""The page of a study while it runs."""

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
