import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.blank import is_blank
from polyglot.errors import DataError

from .opened import read, written


@pytest.mark.parametrize("record", [{"en": "a", "fra": "b"}, {"translation": {"en": "a", "fr": "b"}, "id": 3}])
def test_json_lines(tmp_path, record):
    path = written(tmp_path / "a.jsonl", json.dumps(record) + "\n\n" + json.dumps(record) + "\n")
    assert read(path, ("en", "fr"))[0] == {"en": ["a", "a"], "fr": ["b", "b"]}


@pytest.mark.parametrize(
    ("value", "reason"),
    [("NaN", "empty line"), ("null", "empty line"), ('" "', "empty line"), ("[]", "not a text"),
     ('["a"]', "not a text"), ('{"text": "a"}', "not a text"), ("3", "not a text"), ("1e3", "not a text"),
     ("true", "not a text"), ("Infinity", "not a text")],
)  # fmt: skip
def test_json_values_that_are_no_text_are_refused_by_line_or_counted(tmp_path, value, reason):
    path = written(tmp_path / "a.jsonl", f'{{"en": "x", "fr": "y"}}\n{{"en": "v", "fr": {value}}}\n')
    with pytest.raises(DataError, match=f"line 2: {reason}"):
        read(path, ("en", "fr"))
    columns, bad = read(path, ("en", "fr"), skip=True)
    assert columns == {"en": ["x"], "fr": ["y"]}
    assert bad.counts == {reason: 1}


def test_groups_and_domains_may_be_numbers(tmp_path):
    path = written(tmp_path / "a.jsonl", '{"en": "x", "fr": "y", "group": 3, "domain": null}\n')
    assert read(path)[0] == {"en": ["x"], "fr": ["y"], "group": ["3"], "domain": [None]}


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(json_values, min_size=1, max_size=6))
def test_of_json_values_only_texts_become_text(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("json") / "a.jsonl"
    written(path, "".join(json.dumps({"en": "x", "fr": value}) + "\n" for value in values))
    columns, bad = read(path, ("en", "fr"), skip=True)
    texts = [value for value in values if isinstance(value, str)]
    assert columns["fr"] == [text.strip() for text in texts if not is_blank(text)]
    assert len(columns["fr"]) + bad.counts.total() == len(values)


def test_json_lines_without_languages_asked_for_keep_those_of_most_rows(tmp_path, caplog):
    rows = [{"en": "a", "de": "b"}, *[{"en": f"a {i}", "fr": f"b {i}"} for i in range(5)]]
    path = written(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    columns, _ = read(path, skip=True)
    assert columns == {"en": [f"a {i}" for i in range(5)], "fr": [f"b {i}" for i in range(5)]}
    assert "Not read: German (de) in 1 of 6 rows" in caplog.text


@pytest.mark.parametrize(
    ("row", "reason"),
    [("{broken", "not JSON"), ("[1]", "not a JSON object"), ('{"en": "a"}', "empty line"), ("[" * 100_000, "not JSON"),
     ('{"en": "\\ud800", "fr": "x"}', "not UTF-8")],
)  # fmt: skip
def test_bad_json_lines_are_refused_by_line_or_counted(tmp_path, row, reason):
    good = '{"en": "x", "fr": "y"}'
    path = written(tmp_path / "a.jsonl", f"{good}\n{row}\n{good}\n")
    with pytest.raises(DataError, match=f"line 2: {reason}"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns["en"] == ["x", "x"]
    assert bad.counts == {reason: 1}


def test_json_without_languages_is_refused(tmp_path):
    with pytest.raises(DataError, match="no column named by a language"):
        read(written(tmp_path / "a.jsonl", '{"text": "a"}\n'))


@pytest.mark.parametrize(
    "row", ['{"en": "a", "fr": "b", "fr": "c"}', '{"translation": {"fr": "b", "en": "a", "fr": "c"}}']
)
def test_a_key_that_stands_twice_is_a_bad_row(tmp_path, row):
    path = written(tmp_path / "a.jsonl", f'{row}\n{{"en": "d", "fr": "e", "meta": {{"x": 1, "x": 2}}}}\n')
    with pytest.raises(DataError, match=r"line 1: a key that stands twice \(fr\)"):
        read(path, ("en", "fr"))
    columns, bad = read(path, ("en", "fr"), skip=True)
    assert columns == {"en": ["d"], "fr": ["e"]}
    assert bad.counts == {"a key that stands twice": 1}


@pytest.mark.parametrize("other", ["null", '"a word"', "[1]"])
def test_a_translation_that_holds_no_languages_is_a_field_like_others(tmp_path, other):
    path = written(tmp_path / "a.jsonl", f'{{"translation": {other}, "en": "a", "fr": "b"}}\n')
    assert read(path, ("en", "fr"))[0] == {"en": ["a"], "fr": ["b"]}
