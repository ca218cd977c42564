"""What the tests of readers share: a file is written, and read with what was dropped."""

import pyarrow.parquet as pq
from hypothesis import strategies as st
from polyglot.data.blank import is_blank
from polyglot.data.readers.formats import read_file
from polyglot.data.readers.lines import BadRows
from pyarrow import feather

sentence = st.text(
    st.characters(exclude_characters="\n\r\t\0\ufeff", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1
).filter(lambda text: not is_blank(text))


def read(path, wanted=(), *, skip=False, given=()):
    bad = BadRows(skip=skip)
    return read_file(path, wanted, bad, given=given).table().to_pydict(), bad


def written(path, text):
    path.write_text(text, "utf-8", newline="")
    return path


def columnar(path, table):
    (pq.write_table if path.suffix == ".parquet" else feather.write_feather)(table, path)
    return path
