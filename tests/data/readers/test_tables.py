import csv
import gzip
import io
import json
import re

import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.errors import DataError

from .opened import columnar, read, sentence, written


def test_tsv_with_a_header(tmp_path):
    path = written(tmp_path / "a.tsv", 'id\teng\tfra\tdomain\n1\tHe said "no\tIl dit « non »\tlaw\n2\tb\td\t\n')
    columns, _ = read(path, ("fr", "en"))
    assert columns == {"en": ['He said "no', "b"], "fr": ["Il dit « non »", "d"], "domain": ["law", None]}


def test_tsv_without_a_header_takes_the_languages_in_order(tmp_path):
    path = written(tmp_path / "a.tsv", "bonjour\thello\nmerci\tthanks\n")
    assert read(path, ("fr", "en"))[0] == {"fr": ["bonjour", "merci"], "en": ["hello", "thanks"]}


def test_txt_is_tab_separated(tmp_path):
    assert read(written(tmp_path / "a.txt", "a\tb\n"), ("fr", "en"))[0] == {"fr": ["a"], "en": ["b"]}


def test_a_header_that_lacks_a_language_says_what_it_holds(tmp_path):
    path = written(tmp_path / "a.tsv", "en\tfr\nx\ty\n")
    with pytest.raises(DataError, match=r"no German \(de\): it holds en, fr"):
        read(path, ("en", "de"))


@pytest.mark.parametrize("blank", ["\u200b", "\ufeff", "\u2060", "\u00ad\u200d", "\u3164", " \u200b \u00a0", "\u2800"])
@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl", "a.parquet", "a.arrow"])
def test_a_cell_that_shows_nothing_is_empty(tmp_path, name, blank):
    rows = [("x", "y"), ("v", blank), ("z", f"{blank}w")]
    if name.endswith(("parquet", "arrow")):
        path = columnar(tmp_path / name, pa.table({"en": [a for a, _ in rows], "fr": [b for _, b in rows]}))
    elif name.endswith("jsonl"):
        path = written(tmp_path / name, "".join(json.dumps({"en": a, "fr": b}) + "\n" for a, b in rows))
    else:
        separator = "," if name.endswith("csv") else "\t"
        path = written(tmp_path / name, "".join(f"{a}{separator}{b}\n" for a, b in [("en", "fr"), *rows]))
    columns, bad = read(path, skip=True)
    assert columns["en"] == ["x", "z"]
    assert columns["fr"][1].endswith("w")
    assert bad.counts == {"empty line": 1}


@pytest.mark.parametrize("wanted", [(), ("en",), ("en", "fr", "de")])
def test_no_header_and_another_number_of_columns_is_refused(tmp_path, wanted):
    with pytest.raises(DataError, match="names no languages"):
        read(written(tmp_path / "a.tsv", "one cell\tand another\n"), wanted)


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
@pytest.mark.parametrize("wanted", [("en", "fr"), ()])
def test_an_empty_first_line_is_a_bad_row(tmp_path, name, wanted):
    separator = "," if name == "a.csv" else "\t"
    path = written(tmp_path / name, f"\nen{separator}fr\na{separator}b\n")
    with pytest.raises(DataError, match="line 1: empty line"):
        read(path, wanted)
    columns, bad = read(path, wanted, skip=True)
    assert columns == {"en": ["a"], "fr": ["b"]}
    assert bad.counts == {"empty line": 1}


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl"])
def test_empty_files_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="is empty"):
        read(written(tmp_path / name, ""), ("en", "fr"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [("a", "wrong number of cells"), ("a\tb\tc", "wrong number of cells"), ("\tb", "empty line"), ("", "empty line"),
     ("a\t \u00a0", "empty line"), ("a\0\tb", "NUL byte"), ("a\t" + "x" * (1 << 21), "line too long")],
)  # fmt: skip
def test_bad_tsv_rows_are_refused_by_line_or_counted(tmp_path, row, reason):
    path = written(tmp_path / "a.tsv", f"en\tfr\nx\ty\n{row}\nv\tw\n")
    with pytest.raises(DataError, match=f"line 3: {reason}"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns == {"en": ["x", "v"], "fr": ["y", "w"]}
    assert bad.counts == {reason: 1}


def test_mixed_encodings_lose_only_their_rows(tmp_path):
    path = tmp_path / "a.tsv.gz"
    rows = [b"en\tfr\n", "a\té\n".encode(), "b\té\n".encode("latin-1"), "c\té\n".encode("utf-16")]
    path.write_bytes(gzip.compress(b"".join(rows)))
    columns, bad = read(path, skip=True)
    assert columns["en"] == ["a"]
    assert bad.counts.total() >= 2


def test_unknown_formats_say_what_is_known(tmp_path):
    with pytest.raises(DataError, match=r"unknown format \.docx: expected one of \.tsv"):
        read(tmp_path / "a.docx", ("en", "fr"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(sentence, sentence), min_size=1, max_size=5))
def test_every_format_gives_back_any_text(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("formats")
    english, french = map(list, zip(*pairs, strict=True))
    rows = io.StringIO()
    csv.writer(rows).writerows([("en", "fr"), *pairs])
    contents = {
        "a.tsv": "".join(f"{a}\t{b}\n" for a, b in [("en", "fr"), *pairs]),
        "a.csv": rows.getvalue(),
        "a.jsonl": "".join(json.dumps({"en": a, "fr": b}) + "\n" for a, b in pairs),
    }
    for name, content in contents.items():
        assert read(written(folder / name, content), ("en", "fr"))[0] == {"en": english, "fr": french}, name


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["tsv", "csv", "jsonl", "tmx", "po", "mo", "parquet", "arrow"]))
def test_rubbish_raises_data_errors_only(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("rubbish") / f"a.{suffix}"
    path.write_bytes(content)
    for skip in (False, True):
        try:
            read(path, ("en", "fr"), skip=skip)
        except DataError:
            continue


@pytest.mark.parametrize(
    ("name", "first", "said"),
    [
        ("a.csv", "en;fr", "looks semicolon-separated, and its name says commas: save it with commas."),
        ("a.tsv", "Hello;Bonjour", "looks semicolon-separated"),
        ("a.csv", "Hello|Bonjour", "looks bar-separated"),
        ("a.csv", "en\tfr", "save it with commas, or name it .tsv"),
        ("a.tsv", "en,fr", "looks comma-separated"),
        ("a.tsv", "Hello, world", "has 1 cell and names no languages"),
        ("a.tsv", "a;b;c", "has 1 cell and names no languages"),
    ],
)
def test_another_separator_is_named(tmp_path, name, first, said):
    with pytest.raises(DataError, match=re.escape(said)):
        read(written(tmp_path / name, f"{first}\n" * 3), ("en", "fr"))
