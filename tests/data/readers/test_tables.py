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
from polyglot.data.readers.batches import BATCH_ROWS, Reading, RowSampler, sampled, stacked
from polyglot.data.readers.columns import resolve_columns
from polyglot.data.readers.formats import read_file
from polyglot.data.readers.lines import BadRows
from polyglot.data.readers.moses import read_moses
from polyglot.errors import DataError

sentence = st.text(
    st.characters(exclude_characters="\n\r\t\0\ufeff", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1
)


def read(path, wanted=(), *, skip=False):
    bad = BadRows(skip=skip)
    return read_file(path, wanted, bad).table().to_pydict(), bad


def written(path, text):
    path.write_text(text, "utf-8", newline="")
    return path


def test_columns_are_named_by_any_spelling():
    assert resolve_columns(["eng", "cmn", "zho_Hant", "domain", "FR_alt", "note"], ()) == (
        "en", "zh", "zh-Hant", "domain", "fr_reference", None,
    )  # fmt: skip
    assert resolve_columns(["en", "eng"], ()) == ("en", None)
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
    with pytest.raises(DataError, match="not a CSV row"):
        read(path)
    assert read(path, skip=True)[1].counts["not a CSV row"] >= 1


@pytest.mark.parametrize("record", [{"en": "a", "fra": "b"}, {"translation": {"en": "a", "fr": "b"}, "id": 3}])
def test_json_lines(tmp_path, record):
    path = written(tmp_path / "a.jsonl", json.dumps(record) + "\n\n" + json.dumps(record) + "\n")
    assert read(path, ("en", "fr"))[0] == {"en": ["a", "a"], "fr": ["b", "b"]}


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
    path = columnar(tmp_path / "a.parquet", pa.table({"en": [["a"]], "fr": ["b"]}))
    with pytest.raises(DataError, match="cannot be read as text"):
        read(path)


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
