"""Data and text made safe inside HTML."""

import json

import hypothesis.strategies as st
from hypothesis import given
from polyglot.render.escaping import to_script_json, without_lone_surrogates

texts = st.text()


@given(st.dictionaries(texts, st.lists(texts)))
def test_any_text_survives_and_cannot_leave_its_script(value):
    embedded = to_script_json(value)
    assert json.loads(embedded) == value
    assert not set("<>&\u2028\u2029") & set(embedded)


def test_keys_are_sorted_so_that_the_order_of_fields_changes_nothing():
    assert to_script_json({"b": 1, "a": 2}) == to_script_json({"a": 2, "b": 1}) == '{"a":2,"b":1}'


def test_numbers_that_json_lacks_are_null():
    assert to_script_json({"a": [float("nan"), float("inf"), 1.5]}) == '{"a":[null,null,1.5]}'


def test_half_a_surrogate_pair_is_replaced():
    assert without_lone_surrogates("a\ud800b") == "a?b"
    assert without_lone_surrogates("a😀b") == "a😀b"
