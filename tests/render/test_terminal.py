"""A result in the terminal."""

import dataclasses
from types import SimpleNamespace

import pytest
from polyglot.errors import DataError
from polyglot.render.formatting import percent_interval
from polyglot.render.kinds import terminal_summary
from polyglot.render.terminal import Summary, SummaryColumn, SummaryPart, SummaryTable
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


@pytest.mark.parametrize("width", [200, 80, 42])
def test_no_measure_is_left_out_of_a_narrow_terminal(result, width):
    text = drawn(terminal_summary(result), width)
    direction = result.directions[0]
    for label in ("held-out R²", "chance", "share of best", "P@1", "CSLS", "P@1 backward"):
        assert label in text
    for scores in (direction.rungs["rotation"], direction.rungs["linear"]):
        assert percent_interval(scores.p_at_1_csls) in text
        assert percent_interval(scores.backward.p_at_1) in text


def test_the_least_needed_column_goes_below_first():
    columns = (SummaryColumn("aaaa"), SummaryColumn("bbbb", drop=2), SummaryColumn("cccc", drop=1))
    table = SummaryTable(columns, (("1", "2", "3"),))
    assert table.tables(100) == [(0, 1, 2)]
    assert table.tables(15) == [(0, 2), (0, 1)]
    assert table.tables(1) == [(0, 2), (0, 1)]


def test_rows_of_every_table_begin_with_what_tells_them_apart():
    columns = [SummaryColumn(label) for label in ("asked", "by", "nDCG", "MRR")]
    table = SummaryTable(tuple(columns), (("mapped", "cosine", "1", "2"), ("mapped", "csls", "3", "4")))
    assert table.tables(17) == [(0, 1, 2), (0, 1, 3)]
    assert SummaryTable(tuple(columns[:1]), (("mapped",),)).tables(17) == [(0,)]


def test_wide_letters_count_double():
    table = SummaryTable(
        (SummaryColumn("a"), SummaryColumn("b", drop=1), SummaryColumn("c", drop=2)), (("渡轮", "1", "2"),)
    )
    assert table.tables(10) == [(0, 1, 2)]
    assert table.tables(9) == [(0, 1), (0, 2)]


def test_every_verdict_stands_once_at_the_end_search_before_geometry(result):
    parts = tuple(
        SummaryPart(way, f"Search, {way}: a map helps.", f"Geometry, {way}: a rotation.", None, ())
        for way in ("en → fr", "fr → en")
    )
    lines = drawn(Summary(parts), 80).splitlines()
    assert [line.split(":")[0] for line in lines[-4:]] == [
        f"{what}, {way}" for what in ("Search", "Geometry") for way in ("en → fr", "fr → en")
    ]
    assert sum("a map helps" in line for line in lines) == 2


def test_square_brackets_are_no_markup(result):
    odd = dataclasses.replace(result.directions[0], warnings=("[bold]not bold[/bold] [/]",))
    assert "[bold]not bold[/bold] [/]" in drawn(terminal_summary(dataclasses.replace(result, directions=(odd,))), 100)


def test_an_unknown_result_is_an_error():
    with pytest.raises(DataError, match="polyglot/new/7"):
        terminal_summary(SimpleNamespace(schema="polyglot/new/7"))
