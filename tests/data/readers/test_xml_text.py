import codecs
from html.entities import html5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.readers.lines import BadRows
from polyglot.data.readers.tmx import read_tmx
from polyglot.errors import DataError

ENCODINGS = (
    *("utf-8", "UTF-16", "utf-16-le", "utf-16-be", "utf-32", "ISO-8859-1", "iso-8859-15", "windows-1252"),
    *("windows-1251", "koi8-r", "Shift_JIS", "EUC-JP", "ISO-2022-JP", "GB2312", "GBK", "GB18030", "Big5", "EUC-KR"),
)
SAMPLE = "aé€Жя火車车あア한글の"  # letters that some of these encodings have


def memory(text, encoding, *, end="</body></tmx>\n"):
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<tmx><body>\n'
        f'<tu><tuv xml:lang="en"><seg>{text}</seg></tuv><tuv xml:lang="fr"><seg>b</seg></tuv></tu>\n{end}'
    )


def read(path, content, *, skip=False, wanted=("en", "fr")):
    path.write_bytes(content)
    bad = BadRows(skip=skip)
    return read_tmx(path, wanted, bad).table().to_pydict(), bad


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ENCODINGS), st.text(st.sampled_from(SAMPLE), min_size=1, max_size=8), st.booleans())
def test_text_in_any_encoding_comes_back(tmp_path_factory, encoding, text, asked):
    text = text.encode(encoding, "ignore").decode(encoding) or "a"
    path = tmp_path_factory.mktemp("xml") / "a.tmx"
    columns, bad = read(path, memory(text, encoding).encode(encoding), wanted=("en", "fr") if asked else ())
    assert columns == {"en": [text], "fr": ["b"]}
    assert bad.dropped() == ()


#: Letters and signs that HTML has a name for; spaces and marks that show nothing aside, which readers tidy.
NAMED = {c: name[:-1] for name, c in html5.items() if name.endswith(";") and len(c) == 1 and c.isprintable()}
FORMS = ("named", "decimal", "hexadecimal")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(NAMED)), st.sampled_from(FORMS)), min_size=1, max_size=8))
def test_entities_and_references_are_the_characters_that_they_name(tmp_path_factory, parts):
    written = {
        "named": lambda c: f"&{NAMED[c]};",
        "decimal": lambda c: f"&#{ord(c)};",
        "hexadecimal": lambda c: f"&#x{ord(c):X};",
    }
    text, escaped = "".join(c for c, _ in parts), "".join(written[form](c) for c, form in parts)
    path = tmp_path_factory.mktemp("xml") / "a.tmx"
    columns, bad = read(path, memory(f"x{escaped}y", "utf-8").encode())
    assert columns == {"en": [f"x{text}y"], "fr": ["b"]}
    assert bad.dropped() == ()


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(ENCODINGS), st.binary(min_size=1, max_size=6), st.integers(0, 10**6), st.booleans())
def test_damage_gives_text_or_one_line_and_never_fewer_rows_silently(tmp_path_factory, encoding, damage, place, skip):
    content = memory("火a" if encoding.lower().startswith(("utf", "gb")) else "a", encoding).encode(encoding)
    place %= len(content)
    path = tmp_path_factory.mktemp("xml") / "a.tmx"
    try:
        columns, bad = read(path, content[:place] + damage + content[place + len(damage) :], skip=skip)
        said = bool(bad.dropped())
    except DataError as error:
        columns, said = {"en": []}, "\n" not in str(error)
    assert len(columns["en"]) == 1 or said


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ENCODINGS), st.integers(1, 10**6))
def test_truncated_files_are_an_error_with_its_line(tmp_path_factory, encoding, cut):
    content = memory("a" * 40, encoding).rstrip().encode(encoding)
    content = content[: -(cut % (len(content) - 40) + 1)]
    with pytest.raises(DataError, match=r"line \d+: broken XML"):
        read(tmp_path_factory.mktemp("xml") / "a.tmx", content)


@pytest.mark.parametrize("name", ["x-unknown", "rot13", "hex", "unicode_escape", "idna"])
def test_encodings_that_are_not_known_are_refused_with_what_to_do(tmp_path, name):
    for skip in (False, True):
        with pytest.raises(DataError, match=f"declares the encoding '{name}', which is not known: convert the file"):
            read(tmp_path / "a.tmx", memory("a", name).encode(), skip=skip)


def test_bytes_of_another_encoding_name_the_line(tmp_path):
    content = memory("火車", "Shift_JIS").encode("big5") + b"\n"
    with pytest.raises(DataError, match=r"line 3: broken XML.*bytes that are not shift_jis"):
        read(tmp_path / "a.tmx", content)


@pytest.mark.parametrize("encoding", ["utf-8", "iso2022_jp"])
def test_units_before_bytes_of_another_encoding_are_kept(tmp_path, encoding):
    units = memory("あ", encoding, end="").encode(encoding) + memory("c", encoding).partition("<body>\n")[2].encode()
    broken = units.replace(b"<seg>c", b"<seg>\xff")
    columns, bad = read(tmp_path / "a.tmx", broken, skip=True)
    assert columns == {"en": ["あ"], "fr": ["b"]}
    assert bad.counts == {"broken XML, the rest of the file is lost": 1}


def test_the_first_bytes_come_before_the_declaration(tmp_path):
    assert read(tmp_path / "a.tmx", memory("é", "UTF-16").encode("utf-8"))[0]["en"] == ["é"]
    marked = codecs.BOM_UTF8 + memory("é", "ISO-8859-1").encode("utf-8")
    assert read(tmp_path / "a.tmx", marked)[0]["en"] == ["é"]


def test_a_character_may_be_cut_by_the_size_of_a_read(tmp_path):
    content = memory("火" * 40_000, "Shift_JIS").encode("shift_jis")
    assert read(tmp_path / "a.tmx", content)[0]["en"] == ["火" * 40_000]
