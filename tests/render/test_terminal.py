"""A result in the terminal."""

import dataclasses
from types import SimpleNamespace

import pytest
from polyglot.errors import DataError
from polyglot.render.kinds import terminal_summary
from polyglot.render.terminal import SummaryColumn, SummaryTable
from rich.console import Console


def drawn(renderable, width):
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_the_words_are_those_of_the_result(result):
    text = drawn(terminal_summary(result), 200)
    for direction in result.directions:
        assert direction.certificate.sentence in text
        assert "Retrieval agrees" in text
        assert direction.warnings[0] in text
        assert direction.learning_curve is None or direction.learning_curve.sentence in text
    assert "0.611 [0.602, 0.620]" in text
    assert "96\u202f% [95, 97]" in text


@pytest.mark.parametrize("width", [200, 100, 80, 60, 42])
def test_no_number_is_cut_and_no_line_is_too_long(result, width):
    text = drawn(terminal_summary(result), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    assert "−0.410 [−0.419, −0.401]" in text


def test_what_does_not_fit_is_named(result):
    assert "too narrow for" not in drawn(terminal_summary(result), 200)
    narrow = " ".join(drawn(terminal_summary(result), 80).split())
    assert "too narrow for: chance, CSLS, P@1 backward" in narrow


def test_the_least_needed_column_goes_first():
    columns = (SummaryColumn("aaaa"), SummaryColumn("bbbb", drop=2), SummaryColumn("cccc", drop=1))
    table = SummaryTable(columns, (("1", "2", "3"),))
    assert table.fitting(100) == (0, 1, 2)
    assert table.fitting(15) == (0, 2)
    assert table.fitting(1) == (0,)


def test_wide_letters_count_double():
    table = SummaryTable((SummaryColumn("a"), SummaryColumn("b", drop=1)), (("渡轮", "1"),))
    assert table.fitting(7) == (0, 1)
    assert table.fitting(6) == (0,)


def test_square_brackets_are_no_markup(result):
    odd = dataclasses.replace(result.directions[0], warnings=("[bold]not bold[/bold] [/]",))
    assert "[bold]not bold[/bold] [/]" in drawn(terminal_summary(dataclasses.replace(result, directions=(odd,))), 100)


def test_an_unknown_result_is_an_error():
    with pytest.raises(DataError, match="polyglot/new/7"):
        terminal_summary(SimpleNamespace(schema="polyglot/new/7"))
