import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.blank import is_blank
from polyglot.data.readers.batches import BATCH_ROWS, Reading, RowSampler, sampled, stacked
from polyglot.data.readers.columns import resolve_columns
from polyglot.data.readers.formats import read_file
from polyglot.data.readers.lines import BadRows
from polyglot.data.readers.moses import read_moses
from polyglot.errors import DataError

sentence = st.text(
    st.characters(exclude_characters="\n\r\t\0\ufeff", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1
)


def read(path, wanted=(), *, skip=False, given=()):
    bad = BadRows(skip=skip)
    return read_file(path, wanted, bad, given=given).table().to_pydict(), bad


def written(path, text):
    path.write_text(text, "utf-8", newline="")
    return path


def test_columns_are_named_by_any_spelling():
    assert resolve_columns(["eng", "cmn", "zho_Hant", "domain", "FR_alt", "note"], ()) == (
        "en", "zh", "zh-Hant", "domain", "fr_reference", None,
    )  # fmt: skip
    assert resolve_columns(["id", "en"], ()) == (None, "en")
    assert resolve_columns(["id", "en"], ("id", "en")) == ("id", "en")
    assert resolve_columns(["english", "non_english"], ("en", "sw")) == ("en", "sw")
    assert resolve_columns(["english", "non_english"], ()) == ("en", None)
    assert resolve_columns(["fr_alt", "en"], ("en",)) == (None, "en")


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


@pytest.mark.parametrize(
    ("names", "wanted", "both"),
    [
        (["en", "eng"], (), "en and eng are both English"),
        (["fr", "en", "fra"], ("en", "fr"), "fr and fra are both French.*--columns fr,en,-"),
        (["nb", "no"], ("no",), "nb and no are both Norwegian"),
        (["ca", "ca-valencia"], ("ca",), "ca and ca-valencia are both Catalan"),
        (["en-US", "en-GB", "fr"], ("en", "fr"), "en-US and en-GB are both English.*Ask for one of en-US, en-GB"),
        (["english", "en", "fr"], ("en", "fr"), "english and en are both English"),
        (["en", "fr", "domain", "Domain"], ("en", "fr"), "domain and Domain both mean domain"),
        (["fr", "fr_alt", "fra_reference"], ("fr",), "fr_alt and fra_reference both mean fr_reference"),
    ],
)
def test_two_columns_of_one_language_are_an_error_that_names_both(names, wanted, both):
    with pytest.raises(DataError, match=both):
        resolve_columns(names, wanted)


def test_columns_that_nobody_asks_for_may_be_the_same():
    assert resolve_columns(["en", "de", "fr", "fra"], ("de", "en")) == ("en", "de", None, None)


def test_regional_columns_serve_a_language_and_a_language_its_region():
    assert resolve_columns(["en-US", "fr_FR", "en-US_alt"], ("en", "fr")) == ("en", "fr", "en_reference")
    assert resolve_columns(["en", "fr"], ("en-US", "fr-CA")) == ("en-US", "fr-CA")
    assert resolve_columns(["zh-TW", "zh-CN"], ("zh",)) == (None, "zh")
    assert resolve_columns(["zh-TW"], ("zh-Hant",)) == ("zh-Hant",)
    assert resolve_columns(["zh-TW", "sr-Latn", "pt-PT"], ("zh", "sr", "pt-BR")) == (None, None, None)
    assert resolve_columns(["en"], ("en-US", "en-GB")) == (None,)  # one text is not two languages


def test_akan_and_twi_are_two_columns(tmp_path):
    path = written(tmp_path / "a.tsv", "aka_Latn\ttwi_Latn\nakan\ttwi\n")
    assert read(path, ("tw",))[0] == {"tw": ["twi"]}
    assert read(path)[0] == {"ak": ["akan"], "tw": ["twi"]}


def test_short_words_without_a_header_are_text(tmp_path):
    path = written(tmp_path / "a.tsv", "Yes\tOui\nNo\tNon\n")
    assert read(path, ("en", "fr"))[0] == {"en": ["Yes", "No"], "fr": ["Oui", "Non"]}
    assert read(written(tmp_path / "b.tsv", "yes\toui\n"), ("en", "fr"))[0] == {"en": ["yes"], "fr": ["oui"]}
    assert read(written(tmp_path / "c.tsv", "No\tNon\n"), ("no", "fr"))[0] == {"no": ["No"], "fr": ["Non"]}
    assert read(written(tmp_path / "d.txt", "No\nNei\n"), ("no",))[0] == {"no": ["No", "Nei"]}
    with pytest.raises(DataError, match=r"names no languages.*no languages were given.*--columns en,fr "):
        read(path)


@pytest.mark.parametrize("wanted", [("en", "fr"), ("no", "fr")])
def test_a_first_row_that_may_be_a_header_of_other_languages_is_refused_with_the_option(tmp_path, wanted):
    path = written(tmp_path / "a.tsv", "no\tnon\na\tb\n")
    with pytest.raises(DataError, match=rf"it holds no, non.*give --columns {','.join(wanted)}"):
        read(path, wanted)
    assert read(path, wanted, given=wanted)[0] == {wanted[0]: ["no", "a"], "fr": ["non", "b"]}


def test_columns_that_are_no_language_by_their_name_are_left_out_with_a_line(tmp_path, caplog):
    path = written(tmp_path / "a.tsv", "ids\ten\tfr\tsrc\tnote\n1\ta\tb\tx\ty\n")
    assert read(path)[0] == {"en": ["a"], "fr": ["b"]}
    assert caplog.messages == [f"{path}: not read as a language: ids, src. Name the languages if it is one."]
    assert read(path, ("ids", "en"))[0] == {"ids": ["1"], "en": ["a"]}


def test_given_columns_say_what_stands_where(tmp_path):
    path = written(tmp_path / "a.tsv", "1\tGo.\t2\tVa !\tlaw\n")
    given = ("-", "eng", "-", "fra", "domain")
    assert read(path, given=given)[0] == {"en": ["Go."], "fr": ["Va !"], "domain": ["law"]}
    assert read(path, ("fr", "en"), given=given)[0]["fr"] == ["Va !"]
    with pytest.raises(DataError, match=r"has 5 columns, and --columns names 2: en,fr"):
        read(path, given=("en", "fr"))
    with pytest.raises(DataError, match="'score' is no column"):
        read(path, given=("score", "en", "-", "fr", "-"))
    with pytest.raises(DataError, match="no German"):
        read(path, ("en", "de"), given=given)
    with pytest.raises(DataError, match="eng and en are both English"):
        read(path, given=("eng", "-", "en", "fr", "-"))


def test_given_columns_rename_those_of_a_header(tmp_path):
    path = written(tmp_path / "a.csv", "question,answer,n\na,b,1\n")
    assert read(path, ("en", "fr"), given=("question=en", "answer=fr"))[0] == {"en": ["a"], "fr": ["b"]}
    with pytest.raises(DataError, match="no column 'q': it holds question, answer, n"):
        read(path, given=("q=en", "answer=fr"))
    jsonl = written(tmp_path / "a.jsonl", '{"source": "a", "target": "b"}\n')
    assert read(jsonl, given=("target=fr", "source=en"))[0] == {"en": ["a"], "fr": ["b"]}
    parquet = columnar(tmp_path / "a.parquet", pa.table({"source": ["a"], "target": ["b"]}))
    assert read(parquet, given=("en", "fr"))[0] == {"en": ["a"], "fr": ["b"]}


def test_a_header_that_names_the_given_columns_is_no_row(tmp_path):
    assert read(written(tmp_path / "a.tsv", "en\tfr\nx\ty\n"), given=("en", "fr"))[0] == {"en": ["x"], "fr": ["y"]}


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


def test_csv_quotes_and_line_breaks(tmp_path):
    path = written(tmp_path / "a.csv", 'en,fr\n"a, ""b""","c\nd"\n')
    assert read(path)[0] == {"en": ['a, "b"'], "fr": ["c\nd"]}


@pytest.mark.parametrize(
    ("row", "reason"), [('"a"b,c', "not a CSV row"), ("a", "wrong number of cells"), ("a,", "empty line")]
)
def test_bad_csv_rows_are_refused_by_line_or_counted(tmp_path, row, reason):
    path = written(tmp_path / "a.csv", f"en,fr\nx,y\n{row}\nv,w\n")
    with pytest.raises(DataError, match=f"line 3: {reason}"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns == {"en": ["x", "v"], "fr": ["y", "w"]}
    assert bad.counts == {reason: 1}


def test_an_open_quote_does_not_swallow_a_file_silently(tmp_path):
    path = written(tmp_path / "a.csv", 'en,fr\na,"b\n' + "c,d\n" * 60_000)
    with pytest.raises(DataError, match="line 2: not a CSV row"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns == {"en": ["c"] * 60_000, "fr": ["d"] * 60_000}
    assert bad.counts == {"not a CSV row": 1}


@pytest.mark.parametrize("line", ['a 101,"b 101', '"a 101,b 101', '"a ""101,b 101', '"a" 101,b 101'])
def test_a_stray_quote_loses_its_row_only(tmp_path, line):
    rows = [f"a {i},b {i}" for i in range(303)]
    rows[101] = line
    path = written(tmp_path / "a.csv", "\n".join(["en,fr", *rows]) + "\n")
    with pytest.raises(DataError, match="line 103: not a CSV row"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns["fr"] == [f"b {i}" for i in range(303) if i != 101]
    assert bad.counts == {"not a CSV row": 1}


def test_a_quote_that_closes_far_below_is_no_cell_of_many_rows(tmp_path):
    rows = [f"a {i},b {i}" for i in range(30)]
    rows[4], rows[20] = 'a 4,"b 4', 'a 20,b 20"'
    path = written(tmp_path / "a.csv", "\n".join(["en,fr", *rows]) + "\n")
    with pytest.raises(DataError, match=r"line 6: not a CSV row \(a quote opens here and .*: 17 rows are one"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns["en"] == [f"a {i}" for i in range(30) if i != 4]
    assert bad.counts == {"not a CSV row": 1}


def test_the_line_where_the_quote_opens_is_named_in_a_row_of_several_lines(tmp_path):
    path = written(tmp_path / "a.csv", 'en,fr\n"a\nb","c\nd,e\nf,g\n')
    with pytest.raises(DataError, match="line 3: not a CSV row"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns == {"en": ["d", "f"], "fr": ["e", "g"]}
    assert bad.counts == {"not a CSV row": 2}


def test_lines_that_cannot_be_decoded_do_not_shorten_a_quoted_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'en,fr\nx,"one\ntw\xf6\nthree"\nv,w\n')
    columns, bad = read(path, skip=True)
    assert columns == {"en": ["v"], "fr": ["w"]}
    assert bad.counts["not UTF-8"] == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(sentence, sentence), min_size=3, max_size=8), st.data())
def test_rows_kept_and_rows_counted_are_the_rows_of_the_file(tmp_path_factory, pairs, data):
    rows = [f"{a},{b}" for a, b in pairs]
    stray = data.draw(st.integers(0, len(rows) - 1))
    rows = [row.replace('"', "").replace(",", "") + f",{i}" for i, row in enumerate(rows)]
    rows[stray] = f'"{rows[stray]}'
    path = written(tmp_path_factory.mktemp("csv") / "a.csv", "\n".join(["en,fr", *rows]) + "\n")
    columns, bad = read(path, skip=True)
    assert len(columns["en"]) + bad.counts.total() == len(rows)
    assert columns["fr"] == [str(i) for i in range(len(rows)) if i != stray and rows[i].partition(",")[0]]


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


def columnar(path, table):
    (pq.write_table if path.suffix == ".parquet" else pa.feather.write_feather)(table, path)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_columnar_files(tmp_path, name):
    table = pa.table({"english": ["a", "b"], "non_english": ["c", "d"], "score": [1.0, 2.0]})
    assert read(columnar(tmp_path / name, table), ("en", "sw"))[0] == {"en": ["a", "b"], "sw": ["c", "d"]}


def test_structs_of_translations_are_taken_apart(tmp_path):
    rows = pa.array([{"en": "a", "fr": "b"}, {"en": "c", "fr": "d"}])
    path = columnar(tmp_path / "a.parquet", pa.table({"translation": rows}))
    assert read(path)[0] == {"en": ["a", "c"], "fr": ["b", "d"]}


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
@pytest.mark.parametrize("text", [None, "", " "])
def test_columnar_rows_without_text_are_refused_or_counted(tmp_path, name, text):
    path = columnar(tmp_path / name, pa.table({"en": ["a", "b", "c"], "fr": ["x", text, "z"]}))
    with pytest.raises(DataError, match="row 2: empty line"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns == {"en": ["a", "c"], "fr": ["x", "z"]}
    assert bad.counts == {"empty line": 1}


def test_arrow_streams_are_read_too(tmp_path):
    table = pa.table({"en": ["a"], "fr": ["b"]})
    with pa.ipc.new_stream(tmp_path / "a.arrow", table.schema) as writer:
        writer.write_table(table)
    assert read(tmp_path / "a.arrow")[0] == {"en": ["a"], "fr": ["b"]}


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_damaged_columnar_files_say_so(tmp_path, name):
    (tmp_path / name).write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path / name)
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / f"none-{name}")


def test_a_language_column_that_is_no_text_says_so(tmp_path):
    for values in ([["a"]], [1], [1.5], [True], [{"text": "a"}]):
        path = columnar(tmp_path / "a.parquet", pa.table({"en": values, "fr": ["b"]}))
        with pytest.raises(DataError, match=r"cannot be read as text|no English"):
            read(path, ("en", "fr"))
    table = pa.table({"en": pa.array(["a"]).dictionary_encode(), "fr": pa.array([b"b"]), "group": [7]})
    assert read(columnar(tmp_path / "a.parquet", table))[0] == {"en": ["a"], "fr": ["b"], "group": ["7"]}


def test_unknown_formats_say_what_is_known(tmp_path):
    with pytest.raises(DataError, match=r"unknown format \.docx: expected one of \.tsv"):
        read(tmp_path / "a.docx", ("en", "fr"))


def moses(folder, *texts):
    return [written(folder / f"text{i}", text) for i, text in enumerate(texts)]


def test_moses_files_are_aligned_by_line(tmp_path):
    table = read_moses(moses(tmp_path, "a\nb\n", "c\nd"), ("en", "fr"), BadRows()).table()
    assert table.to_pydict() == {"en": ["a", "b"], "fr": ["c", "d"]}


@pytest.mark.parametrize("skip", [False, True])
def test_moses_files_of_different_length_are_never_read(tmp_path, skip):
    paths = moses(tmp_path, "a\nb\nc\n", "d\ne\n")
    with pytest.raises(DataError, match=r"text0 has 3 lines, .*text1 has 2 lines"):
        read_moses(paths, ("en", "fr"), BadRows(skip=skip)).table()


def test_bad_moses_lines_are_dropped_on_both_sides(tmp_path):
    paths = moses(tmp_path, "a\n\nc\nd\n", "e\nf\ng\0\nh\n")
    with pytest.raises(DataError, match=r"line 2: empty line \(no text in English"):
        read_moses(paths, ("en", "fr"), BadRows()).table()
    bad = BadRows(skip=True)
    assert read_moses(paths, ("en", "fr"), bad).table().to_pydict() == {"en": ["a", "d"], "fr": ["e", "h"]}
    assert bad.counts == {"empty line": 1, "NUL byte": 1}


def test_a_moses_row_that_is_bad_on_both_sides_is_lost_once(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    paths[0].write_bytes(b"a\n\xff\nc\n")
    paths[1].write_bytes(b"d\n\0\nf\n")
    bad = BadRows(skip=True)
    assert read_moses(paths, ("en", "fr"), bad).table().to_pydict() == {"en": ["a", "c"], "fr": ["d", "f"]}
    assert bad.counts == {"not UTF-8": 1}


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


def reading_of(n, column="en", step=BATCH_ROWS):
    batches = (pa.record_batch({column: [str(i) for i in range(a, min(a + step, n))]}) for a in range(0, n, step))
    return Reading((column,), batches)


def test_samples_of_streams_are_uniform_ordered_and_flat():
    table = sampled(reading_of(300_000), 1000, seed=4).table()
    rows = [int(row) for row in table["en"].to_pylist()]
    assert rows == sorted(rows)
    assert len(set(rows)) == 1000
    assert abs(sum(rows) / 1000 - 150_000) < 5 * 300_000 / (12 * 1000) ** 0.5
    sampler = RowSampler(10, seed=0)
    for batch in reading_of(5 * BATCH_ROWS).batches:
        sampler.add(batch)
        assert sampler._table.num_rows <= 3 * BATCH_ROWS


def test_samples_do_not_depend_on_batches_and_follow_the_seed():
    def rows(step, seed):
        return sampled(reading_of(1000, step=step), 50, seed).table()["en"].to_pylist()

    assert rows(7, 1) == rows(1000, 1)
    assert rows(7, 1) != rows(7, 2)
    assert sampled(reading_of(30), 50, seed=0).table().num_rows == 30
    assert sampled(reading_of(30), None, seed=0).table().num_rows == 30


def test_stacked_readings_fill_what_one_lacks():
    extra = Reading(("en", "domain"), iter([pa.record_batch({"en": ["x"], "domain": ["law"]})]))
    table = stacked([reading_of(2), extra]).table()
    assert table.to_pydict() == {"en": ["0", "1", "x"], "domain": [None, None, "law"]}


def test_readings_of_different_languages_are_not_stacked():
    with pytest.raises(DataError, match=r"en \| fr"):
        stacked([reading_of(2), reading_of(2, "fr")])
