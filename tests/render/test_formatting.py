"""Numbers and names in words."""

import math

import pytest
from polyglot.probe.results.intervals import Interval
from polyglot.render.formatting import (
    LONGEST_LABEL,
    count,
    drawn_text,
    interval,
    language_name,
    language_tag,
    number,
    percent,
    percent_interval,
    plain_percent,
    rung_name,
    tidy,
)


def test_a_negative_number_has_a_true_minus_sign():
    assert number(-0.4123) == "−0.412"


def test_a_zero_has_no_sign_however_it_was_rounded():
    assert number(-0.0001, 2) == "0.00"
    assert number(-0.0, 1) == "0.0"


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_a_number_is_a_dash(value):
    assert number(value) == percent(value) == count(value) == "–"


def test_counts_group_thousands_without_a_line_break():
    assert count(1234567) == "1\u202f234\u202f567"


def test_intervals_carry_both_limits():
    estimate = Interval(0.912, 0.894, 0.931)
    assert interval(estimate, 2) == "0.91 [0.89, 0.93]"
    assert percent_interval(estimate) == "91\u202f% [89, 93]"


def test_a_percentage_takes_no_more_digits_than_it_needs():
    assert plain_percent(0.05) == "5\u202f%"
    assert plain_percent(0.075) == "7.5\u202f%"


def test_a_percent_sign_stays_on_the_line_of_its_number():
    assert tidy("91 % [89, 93], n = 4") == "91\u202f% [89, 93], n\u00a0=\u00a04"


@pytest.mark.parametrize(
    ("code", "name"), [("fr", "French"), ("eng_Latn", "English"), ("zz", "zz"), ("<b>", "<b>"), ("", "")]
)
def test_a_language_has_its_english_name_or_else_its_code(code, name):
    assert language_name(code) == name


@pytest.mark.parametrize(
    ("code", "tag"), [("fr", "fr"), ("eng_Latn", "en"), ("zh-hant", "zh-Hant"), ("<b>", ""), ("", ""), ("العربية", "")]
)
def test_a_language_has_the_tag_that_a_browser_knows(code, tag):
    assert language_tag(code) == tag


def test_rung_names_are_words():
    assert rung_name("low_rank") == "low rank"


def test_drawn_text_means_what_it_says_to_plotly():
    assert drawn_text('<b>5 & "6"</b>') == '&lt;b&gt;5 &amp; "6"&lt;/b&gt;'


def test_drawn_text_is_cut_at_a_length_that_a_figure_can_hold():
    assert len(drawn_text("x" * 5000)) == LONGEST_LABEL
    assert drawn_text("x" * 5000).endswith("…")
