"""Damaged and hostile files: every reader gives sound rows or one line that says what is wrong."""

import csv
import gzip
import io
import json

import polib
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from polyglot.data.questions import open_questions
from polyglot.data.readers.formats import read_file
from polyglot.data.readers.lines import BadRows
from polyglot.data.readers.moses import read_moses
from polyglot.errors import DataError

from .conftest import require_one_line
from .mutations import damaged, edits

PAIRS = [(f'The number {i} is "here", or not.', f"Le numéro {i} est là.") for i in range(12)]
LINES = "en\tfr\tdomain\n" + "".join(f"{a}\t{b}\tlaw\n" for a, b in PAIRS)


def comma_separated():
    text = io.StringIO()
    csv.writer(text).writerows([("en", "fr"), *PAIRS])
    return text.getvalue().encode()


def columnar(write):
    table = pa.table({"en": [a for a, _ in PAIRS], "fr": [b for _, b in PAIRS], "group": range(len(PAIRS))})
    sink = io.BytesIO()
    write(table, sink)
    return sink.getvalue()


def stream(table, sink):
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def memory():
    units = (
        f'<tu><tuv xml:lang="en"><seg>{a}</seg></tuv><tuv xml:lang="fr"><seg>{b}</seg></tuv></tu>' for a, b in PAIRS
    )
    return f'<?xml version="1.0"?>\n<tmx version="1.4"><body>{"".join(units)}</body></tmx>'.encode()


def catalog():
    file = polib.POFile()
    file.metadata = {"Language": "fr", "Content-Type": "text/plain; charset=utf-8"}
    file.extend(polib.POEntry(msgid=a, msgstr=b) for a, b in PAIRS)
    return file


def contexts():
    paragraphs = [{"context": a, "qas": [{"id": b, "question": b}]} for a, b in PAIRS]
    return json.dumps({"data": [{"paragraphs": paragraphs}]}).encode()


SOUND = {
    "a.tsv": LINES.encode(),
    "a.csv": comma_separated(),
    "a.jsonl": "".join(json.dumps({"translation": {"en": a, "fr": b}}) + "\n" for a, b in PAIRS).encode(),
    "a.parquet": columnar(pq.write_table),
    "plain.arrow": columnar(lambda table, sink: pa.feather.write_feather(table, sink, compression="uncompressed")),
    "packed.arrow": columnar(lambda table, sink: pa.feather.write_feather(table, sink, compression="zstd")),
    "stream.arrow": columnar(stream),
    "a.tmx": memory(),
    "fr.po": str(catalog()).encode(),
    "fr.mo": catalog().to_binary(),
    "a.tsv.gz": gzip.compress(LINES.encode()),
    "a.tsv.zst": pa.compress(LINES.encode(), codec="zstd", asbytes=True),
}


def read_or_refuse(read):
    """Read, and check that rows are whole and of text; an error must be of the one kind, in one line."""
    try:
        table = read().table()
    except DataError as error:
        require_one_line(error)
        return
    table.validate(full=True)
    for column in ("en", "fr"):
        assert all(isinstance(text, str) and text.strip() for text in table[column].to_pylist())


@pytest.mark.parametrize("name", SOUND)
def test_the_undamaged_files_are_read(tmp_path, name):
    (tmp_path / name).write_bytes(SOUND[name])
    table = read_file(tmp_path / name, ("en", "fr"), BadRows()).table()
    assert sorted(zip(table["en"].to_pylist(), table["fr"].to_pylist(), strict=True)) == sorted(PAIRS)


@pytest.mark.parametrize("name", SOUND)
@settings(max_examples=80, deadline=None)
@given(changes=edits)
def test_damaged_files_are_read_or_refused(tmp_path_factory, name, changes):
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(damaged(SOUND[name], changes))
    for skip in (False, True):
        read_or_refuse(lambda skip=skip: read_file(path, ("en", "fr"), BadRows(skip=skip)))


@settings(max_examples=80, deadline=None)
@given(changes=edits)
def test_damaged_moses_files_are_read_or_refused(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "a.en").write_text("".join(f"{a}\n" for a, _ in PAIRS), encoding="utf-8")
    (folder / "a.fr").write_bytes(damaged("".join(f"{b}\n" for _, b in PAIRS).encode(), changes))
    for skip in (False, True):
        paths = [folder / "a.en", folder / "a.fr"]
        read_or_refuse(lambda skip=skip, paths=paths: read_moses(paths, ("en", "fr"), BadRows(skip=skip)))


@settings(max_examples=60, deadline=None)
@given(changes=edits)
def test_damaged_questions_are_read_or_refused(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "xquad.en.json").write_bytes(damaged(contexts(), changes))
    try:
        questions = open_questions(folder, "en", "en")
    except DataError as error:
        require_one_line(error)
    else:
        assert len(questions.queries) == len(questions.relevant)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"data":' * 50_000, b"9" * 10_000, b"\xff\xfe"])
def test_questions_nested_without_end_are_refused(tmp_path, content):
    (tmp_path / "xquad.en.json").write_bytes(content)
    with pytest.raises(DataError, match="not in the format of XQuAD"):
        open_questions(tmp_path, "en", "en")


def test_offsets_that_point_outside_of_an_arrow_file_are_refused(tmp_path):
    """Arrow opens such a file without a word; reading the text would leave the memory of the file."""
    data = bytearray(SOUND["plain.arrow"])
    lengths = [len(b.encode()) for _, b in PAIRS]
    ends = b"".join(sum(lengths[: i + 1]).to_bytes(4, "little") for i in range(3))
    place = bytes(data).index(ends)
    data[place : place + 4] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "a.arrow").write_bytes(data)
    with pytest.raises(DataError, match="cannot be read as text"):
        read_file(tmp_path / "a.arrow", ("en", "fr"), BadRows()).table()


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
@pytest.mark.parametrize("first", [True, False], ids=["header", "row"])
def test_a_row_of_a_million_columns_is_refused_in_one_line(tmp_path, name, first):
    separator = "," if name.endswith("csv") else "\t"
    wide = separator.join(["x"] * 10**6)
    sound = f"en{separator}fr\na{separator}b\n"
    (tmp_path / name).write_text(f"{wide}\n{sound}" if first else f"{sound}{wide}\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_file(tmp_path / name, ("en", "fr"), BadRows()).table()
    assert len(str(error.value)) < 1000


def test_a_record_of_very_many_keys_is_refused_in_one_line(tmp_path):
    record = json.dumps({f"k{i}": "" for i in range(10**5)})
    (tmp_path / "a.jsonl").write_text(record + "\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_file(tmp_path / "a.jsonl", ("en", "fr"), BadRows()).table()
    assert len(str(error.value)) < 1000


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
BOMBS = {
    "billion laughs": f'<!DOCTYPE tmx [<!ENTITY l0 "ha">{LAUGHS}]><tmx><body>&l9;</body></tmx>',
    "quadratic": f'<!DOCTYPE tmx [<!ENTITY a "{"x" * 10**6}">]><tmx><body>{"&a;" * 1000}</body></tmx>',
    "external": '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///dev/zero">]><tmx><body>&a;</body></tmx>',
    "external DTD": '<!DOCTYPE tmx SYSTEM "file:///dev/zero"><tmx><body></body></tmx>',
    "deep": "<tmx>" + "<a>" * 200_000,
    "many attributes": "<tmx " + " ".join(f'a{i}="x"' for i in range(50_000)) + "></tmx>",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_xml_bombs_are_refused(tmp_path, bomb):
    (tmp_path / "a.tmx").write_text(BOMBS[bomb], encoding="utf-8")
    with pytest.raises(DataError):
        read_file(tmp_path / "a.tmx", (), BadRows()).table()


def test_a_packed_file_that_unpacks_to_very_much_is_read_line_by_line(tmp_path):
    """A hundred megabytes of one letter in a hundred kilobytes: one line that is too long, not a full memory."""
    with gzip.open(tmp_path / "a.tsv.gz", "wb", compresslevel=1) as file:
        file.write(b"en\tfr\na\tb\n")
        for _ in range(100):
            file.write(b"x" * 10**6)
    with pytest.raises(DataError, match="line 3: line too long"):
        read_file(tmp_path / "a.tsv.gz", ("en", "fr"), BadRows()).table()
