import gzip
import re

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


TAIWAN_FIRST = (
    '<tu><tuv xml:lang="en"><seg>a</seg></tuv><tuv xml:lang="zh-TW"><seg>火車</seg></tuv>'
    '<tuv xml:lang="zh-CN"><seg>火车</seg></tuv></tu>'
)


def test_regional_forms_are_of_the_script_that_is_asked_for(path):
    assert read(path, HEAD + TAIWAN_FIRST + TAIL, ("en", "zh"))[0] == {"en": ["a"], "zh": ["火车"]}
    assert read(path, HEAD + TAIWAN_FIRST + TAIL, ("en", "zh-Hant"))[0]["zh-Hant"] == ["火車"]
    serbian = HEAD + unit(**{"sr-Latn": "voz", "sr-RS": "воз", "en": "a"}) + TAIL
    assert read(path, serbian, ("en", "sr"))[0] == {"en": ["a"], "sr": ["воз"]}
    with pytest.raises(DataError, match=r"no Chinese \(zh\): it holds en, zh-TW"):
        read(path, HEAD + unit(**{"en": "a", "zh-TW": "火車"}) + TAIL, ("en", "zh"))


def test_the_form_of_the_usual_territory_is_taken_and_a_second_text_is_counted(path):
    content = HEAD + unit(**{"en-GB": "lorry", "en-US": "truck", "fr": "camion"}) + TAIL
    assert read(path, content)[0] == {"en": ["truck"], "fr": ["camion"]}
    twice = '<tuv xml:lang="en"><seg>a</seg></tuv><tuv xml:lang="fr"><seg>b</seg></tuv>'
    columns, bad = read(path, f'{HEAD}<tu>{twice}<tuv xml:lang="fra"><seg>c</seg></tuv></tu>{TAIL}')
    assert columns == {"en": ["a"], "fr": ["b"]}
    assert bad.left_out == {"another text in a language of the same unit": 1}


def test_without_languages_asked_for_those_of_most_units_are_read(path, caplog):
    content = HEAD + unit(en="a", de="b") + "".join(unit(en=f"a {i}", fr=f"b {i}") for i in range(5)) + TAIL
    columns, bad = read(path, content, ())
    assert columns == {"en": [f"a {i}" for i in range(5)], "fr": [f"b {i}" for i in range(5)]}
    assert bad.left_out == {"no French (fr) in the unit": 1}
    assert "en, fr are read, which 5 of 6 rows have together. Not read: German (de) in 1 of 6 rows." in caplog.text


def test_an_error_is_said_where_no_languages_are_asked_for_too(path):
    broken = HEAD + "<tu><tuv xml:lang='en'><seg>a & b</seg></tuv>"
    with pytest.raises(DataError, match=r"line 4: broken XML, the rest of the file is lost \(not well-formed"):
        read(path, broken, ())
    with pytest.raises(DataError, match=r"no translation unit .*line 4: broken XML"):
        read(path, broken, (), skip=True)


def test_units_that_are_lost_are_counted(path):
    content = HEAD + unit(en="a", fr="b") + "<tu>&#0;</tu>" + unit(en="c", fr="d") * 40 + TAIL
    columns, bad = read(path, content, skip=True)
    assert columns == {"en": ["a"], "fr": ["b"]}
    assert bad.counts == {"broken XML, the rest of the file is lost": 41}


@pytest.mark.parametrize("head", [HEAD, "<tmx><body>\n"])
def test_entities_of_html_are_text_and_others_a_bad_row(path, head):
    content = head + unit(en="caf&eacute;&nbsp;au&nbsp;lait", fr="b") + TAIL
    assert read(path, content)[0]["en"] == ["café au lait"]
    content = head + unit(en="a&company;b", fr="c", de="d") + unit(en="e", fr="f") + TAIL
    with pytest.raises(DataError, match=r"an entity that is declared nowhere \(&company;\)"):
        read(path, content)
    columns, bad = read(path, content, skip=True)
    assert columns == {"en": ["e"], "fr": ["f"]}
    assert bad.counts == {"an entity that is declared nowhere": 1}


def test_incomplete_units_are_counted_not_refused(path):
    columns, bad = read(path, HEAD + unit(en="a", fr="b") + unit(en="c", de="d") + TAIL)
    assert columns["en"] == ["a"]
    assert bad.left_out == {"no French (fr) in the unit": 1}


def test_a_memory_without_the_language_says_what_it_holds(path):
    with pytest.raises(DataError, match=r"no French \(fr\): it holds de, en"):
        read(path, HEAD + unit(en="c", de="d") + TAIL)


@pytest.mark.parametrize("wanted", [(), ("en", "fr")])
@pytest.mark.parametrize("content", ["<html/>", "<tmx><body><TU><TUV/></TU></body></tmx>"])
def test_a_file_without_units_is_refused(path, content, wanted):
    with pytest.raises(DataError, match="no translation unit"):
        read(path, content, wanted)


def test_names_may_have_the_prefix_of_a_namespace(path):
    content = HEAD + unit(en="a<ph/>b <hi>c</hi>", fr="d") + unit(en="e", fr="f") + TAIL
    prefixed = re.sub(r"<(/?)(?=tmx|body|tu|seg|ph|hi|header)", r"<\1t:", content)
    prefixed = prefixed.replace("<t:tmx", '<t:tmx xmlns:t="http://www.lisa.org/tmx14"')
    assert read(path, prefixed)[0] == read(path, content)[0] == {"en": ["a b c", "e"], "fr": ["d", "f"]}
    broken = prefixed[: prefixed.rindex("<t:tu>")] + "<t:tu>&#0;</t:tu>" + "<t:tu></t:tu>" * 3
    assert read(path, broken, skip=True)[1].counts.total() == 4


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


@pytest.mark.parametrize("wanted", [(), ("en", "fr")])
def test_names_of_languages_that_are_no_codes_are_said(path, wanted):
    with pytest.raises(DataError, match=r"no translation unit .*names ENGLISH, FRENCH, which are no language codes"):
        read(path, HEAD + unit(ENGLISH="a", FRENCH="b") + TAIL, wanted)
