import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.errors import DataError

from .opened import read, sentence, written


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


def test_rows_in_one_cell_are_not_counted_as_one(tmp_path):
    """A quote that opens in a first cell and closes at the end of a row below: one cell where two are expected."""
    for last in (5, 20):
        rows = [f"a {i},b {i}" for i in range(30)]
        rows[4], rows[last] = '"a 4,b 4', f'a {last},b {last}"'
        path = written(tmp_path / "a.csv", "\n".join(["en,fr", *rows]) + "\n")
        with pytest.raises(DataError, match=rf"line 6: not a CSV row .*: {last - 3} rows are one"):
            read(path)
        columns, bad = read(path, skip=True)
        assert columns["en"] == [f"a {i}" for i in range(30) if i != 4]
        assert bad.counts == {"not a CSV row": 1}


def test_a_bad_row_of_several_lines_is_not_taken_apart(tmp_path):
    path = written(tmp_path / "a.csv", 'en,fr\n"one\ntwo, three"\nv,w\n')
    columns, bad = read(path, skip=True)
    assert columns == {"en": ["v"], "fr": ["w"]}
    assert bad.counts == {"wrong number of cells": 1}


def test_where_all_cells_are_quoted_the_line_with_the_open_quote_is_lost_and_named(tmp_path):
    rows = [f'"a {i}","b {i}"' for i in range(8)]
    rows[3] = '"a 3","b 3'
    path = written(tmp_path / "a.csv", "\n".join(["en,fr", *rows]) + "\n")
    with pytest.raises(DataError, match=r"line 5: not a CSV row \(a quote opens here and does not close"):
        read(path)
    columns, bad = read(path, skip=True)
    assert columns["en"] == [f"a {i}" for i in range(8) if i != 3]
    assert bad.counts == {"not a CSV row": 1}


def test_quotes_behind_a_space_are_quotes(tmp_path):
    path = written(tmp_path / "a.csv", 'en, fr\n"a b", "c, d"\ne, f\n')
    assert read(path, ("en", "fr"))[0] == {"en": ["a b", "e"], "fr": ["c, d", "f"]}
    path = written(tmp_path / "b.csv", 'en, fr\n"a", "b\nc, d\n')
    with pytest.raises(DataError, match="line 2: not a CSV row"):
        read(path)


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


DAMAGE = {
    "opens the first cell": lambda row: f'"{row}',
    "opens the second cell": lambda row: row.replace(",", ',"', 1),
    "stands at the end": lambda row: f'{row}"',
    "is lacking at the end": lambda row: row.removesuffix('"'),
    "is lacking at the start": lambda row: row.removeprefix('"'),
}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["{0},{1}", '"{0}","{1}"', '"{0}\n{0}",{1}', '"{0}, ""{0}""",{1}']), min_size=2, max_size=14
    ),
    st.sampled_from(sorted(DAMAGE)),
    st.data(),
)
def test_a_stray_quote_costs_no_row_but_its_own(tmp_path_factory, forms, damage, data):
    rows = [form.format(f"a{i}", f"b{i}") for i, form in enumerate(forms)]
    stray = data.draw(st.integers(0, len(rows) - 1))
    rows[stray] = DAMAGE[damage](rows[stray])
    path = written(tmp_path_factory.mktemp("csv") / "a.csv", "\n".join(["en,fr", *rows]) + "\n")
    columns, bad = read(path, skip=True)
    expected = {
        '"{0}\n{0}",{1}': "a{0}\na{0}",
        '"{0}, ""{0}""",{1}': 'a{0}, "a{0}"',
    }
    whole = [(expected.get(form, "a{0}").format(i), f"b{i}") for i, form in enumerate(forms) if i != stray]
    found = list(zip(columns["en"], columns["fr"], strict=True))
    assert [row for row in found if row in whole] == whole
    assert len(found) + bad.counts.total() >= len(rows)
