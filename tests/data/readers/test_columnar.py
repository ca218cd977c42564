import pyarrow as pa
import pyarrow.feather
import pytest
from polyglot.errors import DataError

from .opened import columnar, read


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
