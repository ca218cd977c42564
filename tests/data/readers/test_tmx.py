import gzip

import pytest
from polyglot.data.readers.lines import BadRows
from polyglot.data.readers.tmx import read_tmx
from polyglot.errors import DataError

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><body>\n'
TAIL = "</body></tmx>\n"


def unit(**texts):
    inner = "".join(f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>' for code, text in texts.items())
    return f"<tu>{inner}</tu>\n"


def read(path, content, wanted=("en", "fr"), *, skip=False):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    bad = BadRows(skip=skip)
    return read_tmx(path, wanted, bad).table().to_pydict(), bad


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tmx"


def test_units_become_rows(path):
    content = HEAD + unit(EN="a &amp; b", fra="c\n  d") + unit(fr="f", en="e") + TAIL
    assert read(path, content)[0] == {"en": ["a & b", "e"], "fr": ["c d", "f"]}
    assert read(path, content, ())[0] == {"en": ["a & b", "e"], "fr": ["c d", "f"]}


def test_packed_memories_are_read(tmp_path):
    content = gzip.compress((HEAD + unit(en="a", fr="b") + TAIL).encode())
    assert read(tmp_path / "a.tmx.gz", content)[0] == {"en": ["a"], "fr": ["b"]}
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path / "b.tmx.gz", content[:-9])


def test_native_codes_are_left_out_and_highlights_kept(path):
    text = 'Press <bpt i="1">&lt;b&gt;</bpt>OK<ept i="1">&lt;/b&gt;</ept> <hi>now</hi>'
    text += "<ph>x<sub>note</sub><hi>y</hi>z</ph>!"
    assert read(path, HEAD + unit(en=text, fr="b") + TAIL)[0]["en"] == ["Press OK now!"]


def test_regional_forms_serve_and_first_translations_win(path):
    variants = (
        '<tuv xml:lang="en-GB"><seg>a</seg></tuv><tuv lang="fr"><seg>b</seg></tuv><tuv lang="fr"><seg>c</seg></tuv>'
    )
    assert read(path, f"{HEAD}<tu>{variants}</tu>{TAIL}")[0] == {"en": ["a"], "fr": ["b"]}


def test_incomplete_units_are_counted_not_refused(path):
    columns, bad = read(path, HEAD + unit(en="a", fr="b") + unit(en="c", de="d") + TAIL)
    assert columns["en"] == ["a"]
    assert bad.left_out == {"no French (fr) in the unit": 1}


def test_a_memory_without_the_language_says_what_it_holds(path):
    with pytest.raises(DataError, match=r"no French \(fr\): it holds de, en"):
        read(path, HEAD + unit(en="c", de="d") + TAIL)


def test_a_file_without_units_is_refused(path):
    with pytest.raises(DataError, match="no translation unit"):
        read(path, "<html/>", ())


def test_empty_segments_are_bad_rows(path):
    content = HEAD + unit(en="a", fr="") + unit(en="c", fr="d") + TAIL
    with pytest.raises(DataError, match="line 4: empty line"):
        read(path, content)
    assert read(path, content, skip=True)[0] == {"en": ["c"], "fr": ["d"]}


@pytest.mark.parametrize("rest", ["<tu><tuv", "</tu>", "\x01", "&nothing;"])
def test_broken_xml_names_the_line_and_the_loss_is_counted(path, rest):
    content = HEAD + unit(en="a", fr="b") + rest
    with pytest.raises(DataError, match=r"line 5: broken XML, the rest of the file is lost"):
        read(path, content)
    columns, bad = read(path, content, skip=True)
    assert columns == {"en": ["a"], "fr": ["b"]}
    assert bad.counts == {"broken XML, the rest of the file is lost": 1}


def test_other_bytes_than_declared_are_broken_xml(path):
    with pytest.raises(DataError, match="broken XML"):
        read(path, (HEAD + unit(en="a", fr="été") + TAIL).encode("latin-1"))


BOMB = (
    '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>\n'
    "<tmx><body>" + unit(en="&c;", fr="b") + TAIL
)
STEAL = '<!DOCTYPE tmx [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n<tmx><body>' + unit(en="&x;", fr="b") + TAIL
PARAMETER = '<!DOCTYPE tmx [<!ENTITY % x SYSTEM "http://localhost/x.dtd"> %x;]>\n<tmx><body>' + TAIL


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("content", [BOMB, STEAL, PARAMETER])
def test_entities_are_refused_whatever_is_skipped(path, content, skip):
    with pytest.raises(DataError, match="declares entities"):
        read(path, content, skip=skip)


def test_endless_segments_are_bad_rows(path):
    content = HEAD + unit(en="x" * (1 << 21), fr="b") + unit(en="c", fr="d") + TAIL
    with pytest.raises(DataError, match="line 4: line too long"):
        read(path, content)
    columns, bad = read(path, content, skip=True)
    assert columns == {"en": ["c"], "fr": ["d"]}
    assert bad.counts == {"line too long": 1}
