import pytest
from polyglot.data.readers.lines import BadRows
from polyglot.data.readers.tmx import read_tmx


def text_of(path, segment):
    path.write_text(
        f'<tmx><body><tu><tuv xml:lang="en"><seg>{segment}</seg></tuv>'
        '<tuv xml:lang="fr"><seg>b</seg></tuv></tu></body></tmx>',
        "utf-8",
    )
    return read_tmx(path, ("en", "fr"), BadRows()).table()["en"].to_pylist()[0]


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ("line<ph>&lt;br/&gt;</ph>Second", "line Second"),
        ("line<ph>…</ph>Second", "line Second"),
        ("line.<ph/>Second", "line. Second"),
        ("line<it pos='end'>x</it>Second", "line Second"),
        ("line<ut>x</ut><ut>y</ut>Second", "line Second"),
        ("line<x id='1'/>Second", "line Second"),
        ("one<bpt i='1'>&lt;p&gt;</bpt>two<ept i='1'>&lt;/p&gt;</ept>three", "one two three"),
        ("un<bpt i='1'>&lt;b&gt;</bpt>believ<ept i='1'>&lt;/b&gt;</ept>able", "unbelievable"),
        ("un<hi>believ</hi>able", "unbelievable"),
        ("now<ph>x</ph>!", "now!"),
        ("l’<ph>x</ph>avion", "l’avion"),
        ("(<ph>x</ph>word)", "(word)"),
        ("火<ph>x</ph>车", "火车"),
        ("a <ph>x</ph> b", "a b"),
        ("<ph>x</ph>word<ph>y</ph>", "word"),
        ("a<ph>x<sub>note</sub><hi>y</hi>z</ph>b", "a b"),
        ("a<![CDATA[ & b]]><!-- c -->d", "a & bd"),
    ],
)
def test_codes_are_left_out_and_words_stay_apart(tmp_path, segment, text):
    assert text_of(tmp_path / "a.tmx", segment) == text
