import io

from polyglot.models.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drawn(monkeypatch, stream, *, visible):
    monkeypatch.setattr("sys.stderr", stream)
    with Progress(3, "encoding", visible=visible) as bar:
        bar.advance(3)
    return stream.getvalue()


def test_a_bar_is_drawn_on_a_terminal(monkeypatch):
    assert "encoding" in drawn(monkeypatch, Terminal(), visible=True)


def test_no_bar_when_quiet_or_not_on_a_terminal(monkeypatch):
    assert drawn(monkeypatch, Terminal(), visible=False) == ""
    assert drawn(monkeypatch, io.StringIO(), visible=True) == ""
