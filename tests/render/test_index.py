"""The index of a folder of results."""

import json
import re

import pytest
from polyglot.errors import OutputError
from polyglot.render.index import list_results, render_index, write_index


@pytest.fixture
def folder(tmp_path, result_json):
    (tmp_path / "linear-map").mkdir()
    (tmp_path / "linear-map" / "en-fr.json").write_text(result_json, encoding="utf-8")
    (tmp_path / "linear-map" / "en-fr.html").write_text("page", encoding="utf-8")
    (tmp_path / "linear-map" / "a & b.json").write_text(result_json, encoding="utf-8")
    (tmp_path / "new.json").write_text('{"schema": "polyglot/new/7"}', encoding="utf-8")
    (tmp_path / "other.json").write_text('{"no": "result"}', encoding="utf-8")
    (tmp_path / "broken.json").write_bytes(b"\xff\xfe{")
    return tmp_path


def test_results_are_listed_with_page_and_json(folder):
    listing = list_results(folder)
    assert [(e.page, e.json) for e in listing.entries] == [
        (None, "linear-map/a%20%26%20b.json"),
        ("linear-map/en-fr.html", "linear-map/en-fr.json"),
        (None, "new.json"),
    ]
    assert listing.entries[1].headline.verdict == "en → fr: linear; fr → en: linear"


def test_a_kind_from_the_future_is_listed_as_such(folder):
    assert list_results(folder).entries[2].headline.kind == "polyglot/new/7"


def test_a_result_without_a_page_says_where_it_comes_from(tmp_path):
    record = {"models": [{"model": "minilm"}, {"model": "minilm"}], "corpus": "builtin", "time": "2026-01-01T00:00:00"}
    value = {"schema": "polyglot/new/7", "provenance": record, "sentence": "A shift was fitted."}
    (tmp_path / "a.json").write_text(json.dumps(value), encoding="utf-8")
    (tmp_path / "b.json").write_text('{"schema": "polyglot/new/7", "provenance": [{"models": 3}]}', encoding="utf-8")
    first, second = (entry.headline for entry in list_results(tmp_path).entries)
    assert (first.verdict, first.models, first.corpus) == ("A shift was fitted.", "minilm", "builtin")
    assert second.verdict == "no page for results of this kind"
    assert "2026-01-01 00:00" in render_index(list_results(tmp_path))


def test_files_that_are_no_results_are_named(folder):
    assert list_results(folder).unread == ("broken.json", "other.json")
    assert "Not results: broken.json, other.json." in render_index(list_results(folder))


def test_texts_are_escaped(tmp_path, result_json):
    value = json.loads(result_json)
    value["provenance"]["corpus"] = "<script>alert(1)</script>"
    (tmp_path / "a.json").write_text(json.dumps(value), encoding="utf-8")
    html = render_index(list_results(tmp_path))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_index_is_the_same_twice_and_needs_no_plotly(folder):
    first = write_index(folder).read_text(encoding="utf-8")
    assert write_index(folder).read_text(encoding="utf-8") == first
    assert len(first) < 40_000
    assert re.search(r"default-src 'none'|default-src &#39;none&#39;", first)


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        write_index(tmp_path / "none")


def test_an_empty_folder_has_an_index_too(tmp_path):
    assert "0 results in this folder" in write_index(tmp_path).read_text(encoding="utf-8")
