import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.blank import VISIBLE, is_blank


@pytest.mark.parametrize("text", [*"\u200b\ufeff\u2060\u00ad\u200d\u3164\u2800\0", " \u3000\n"])
def test_characters_that_are_not_shown_are_no_text(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "…", "0", "。", "\u200bа", "्", "🙂", "\ue000", "\u0600"])
def test_any_character_that_is_shown_is_text(text):
    assert not is_blank(text)


@settings(deadline=None)
@given(st.text())
def test_arrow_and_python_agree(text):
    encodable = text.encode("utf-8", "ignore").decode()
    assert pc.match_substring_regex(pa.array([encodable]), VISIBLE).to_pylist() == [not is_blank(encodable)]


def test_no_letter_digit_or_mark_with_a_shape_is_left_out():
    unseen = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and re.match(VISIBLE, chr(c)) is None]
    shown = [c for c in unseen if unicodedata.category(c)[0] in "LNPS"]
    assert shown == ["\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"]  # fillers, and the empty Braille cell
