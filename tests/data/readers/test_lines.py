import gzip

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.readers.lines import LONGEST_LINE, BadRows, Dropped, bare_path, bare_suffix, text_lines
from polyglot.errors import DataError

PACKED = {"": bytes, ".gz": gzip.compress, ".zst": lambda raw: pa.compress(raw, "zstd", asbytes=True)}


def lines_of(path, content, *, skip=False):
    path.write_bytes(content)
    bad = BadRows(skip=skip)
    return list(text_lines(path, bad)), bad


@pytest.mark.parametrize("suffix", PACKED)
def test_lines_survive_every_packing(tmp_path, suffix):
    content = "\ufeffeins\r\nzwei\u2028halb\n\ndrei".encode()
    found, _ = lines_of(tmp_path / f"a.txt{suffix}", PACKED[suffix](content))
    assert found == ["eins", "zwei\u2028halb", "", "drei"]


def test_archives_of_several_members_are_read_whole(tmp_path):
    pack = PACKED[".zst"]
    assert lines_of(tmp_path / "a.zst", pack(b"a\n") + pack(b"b\n"))[0] == ["a", "b"]
    assert lines_of(tmp_path / "a.gz", gzip.compress(b"a\n") + gzip.compress(b"b\n"))[0] == ["a", "b"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])), max_size=6))
def test_any_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("lines") / "a.txt"
    found, _ = lines_of(path, "".join(f"{text}\n" for text in texts).encode())
    expected = [texts[0].removeprefix("\ufeff"), *texts[1:]] if texts else []
    assert found == expected


def test_bytes_that_are_not_utf8_name_line_and_offset(tmp_path):
    content = b"gut\n" + "schön\n".encode() + "schön\n".encode("latin-1")
    with pytest.raises(DataError, match=r"line 3: not UTF-8 \(byte 14 of the text, value 0xf6"):
        lines_of(tmp_path / "a.txt", content)
    found, bad = lines_of(tmp_path / "a.txt", content, skip=True)
    assert found == ["gut", "schön", None]
    assert bad.dropped() == (Dropped("not UTF-8", 1),)


def test_offsets_count_the_byte_order_mark(tmp_path):
    with pytest.raises(DataError, match=r"line 1: not UTF-8 \(byte 4 "):
        lines_of(tmp_path / "a.txt", b"\xef\xbb\xbfa\xff\n")


def test_nul_bytes_are_bad(tmp_path):
    with pytest.raises(DataError, match=r"line 2: NUL byte \(byte 3"):
        lines_of(tmp_path / "a.txt", b"a\nb\0c\n")
    assert lines_of(tmp_path / "a.txt", b"a\nb\0c\nd", skip=True)[0] == ["a", None, "d"]


@pytest.mark.parametrize("tail", [b"\nnext\n", b""])
def test_lines_without_end_do_not_fill_the_memory(tmp_path, tail):
    content = b"first\n" + b"x" * (10 * LONGEST_LINE) + tail
    with pytest.raises(DataError, match="line 2: line too long"):
        lines_of(tmp_path / "a.txt", content)
    found, bad = lines_of(tmp_path / "a.txt", content, skip=True)
    assert found == ["first", None, *(["next"] if tail else [])]
    assert bad.counts["line too long"] == 1


def test_offsets_go_on_after_a_long_line(tmp_path):
    content = b"x" * (3 * LONGEST_LINE) + b"\n\xff\n"
    bad = BadRows(skip=True)
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    stream = text_lines(path, bad)
    assert next(stream) is None
    bad.skip = False
    with pytest.raises(DataError, match=f"byte {3 * LONGEST_LINE + 1} "):
        next(stream)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_damaged_archives_say_so(tmp_path, suffix):
    whole = PACKED[suffix](b"some text, long enough to be cut\n" * 500)
    for content in (b"no archive at all", whole[: len(whole) // 2]):
        with pytest.raises(DataError, match="damaged"):
            lines_of(tmp_path / f"a{suffix}", content, skip=True)


def test_missing_and_unreadable_files_say_so(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        next(text_lines(tmp_path / "none", BadRows()))
    with pytest.raises(DataError, match="cannot read"):
        next(text_lines(tmp_path, BadRows()))


def test_suffixes_without_packing(tmp_path):
    assert bare_suffix(tmp_path / "a.TSV.gz") == ".tsv"
    assert bare_path(tmp_path / "a.tsv.zst") == tmp_path / "a.tsv"
    assert bare_suffix(tmp_path / "a.en") == ".en"
