import io

import pytest
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


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_nothing_is_said_where_nobody_wants_it(monkeypatch, stream):
    assert drawn(monkeypatch, stream(), visible=False) == ""


def said(monkeypatch, times, **options):
    """Return the lines on a stream that is no terminal, when the clock shows these seconds."""
    stream, clock = io.StringIO(), iter(times)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("polyglot.models.progress.time.monotonic", lambda: next(clock, times[-1]))
    with Progress(4, "encoding", **options) as bar:
        for _ in range(4):
            bar.advance()
        bar.show("loss 1")
    return stream.getvalue().splitlines()


def test_what_is_short_says_nothing(monkeypatch):
    assert said(monkeypatch, [0.0]) == []


def test_lines_come_after_a_second_and_then_every_ten(monkeypatch):
    times = [0.0, 0.5, 2.0, 2.0, 13.0, 13.0]  # made, first item, second item and next line due, third, and so on
    assert said(monkeypatch, times) == ["encoding, 2 of 4", "encoding, 3 of 4"]


def test_a_stage_is_named_at_once(monkeypatch):
    assert said(monkeypatch, [0.0], at_once=True) == ["encoding …"]


def test_what_is_not_counted_has_its_name_alone(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    Progress(0, "loading", at_once=True).close()
    assert "loading …" in stream.getvalue()
    assert "it/s" not in stream.getvalue()
