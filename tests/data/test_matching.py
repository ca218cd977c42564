import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.matching import choose, distance, serving
from polyglot.errors import DataError

CODES = ["en", "en-US", "en-GB", "zh", "zh-CN", "zh-TW", "zh-Hant", "sr", "sr-Latn", "pt", "pt-BR", "pt-PT", "fa-AF"]


@pytest.mark.parametrize(
    ("held", "asked", "expected"),
    [
        ("en", "en", 0), ("en-US", "en", 1), ("en-GB", "en", 2), ("en", "en-GB", 2), ("en-US", "en-GB", None),
        ("zh-TW", "zh", None), ("zh-Hant", "zh", None), ("zh-TW", "zh-Hant", 1), ("zh-HK", "zh-Hant", 2),
        ("zh-CN", "zh", 1), ("yue", "zh", None), ("sr-Latn", "sr", None), ("sr-RS", "sr", 1), ("sr-ME", "sr", None),
        ("pt-PT", "pt-BR", None), ("tw", "ak", None), ("fa-AF", "fa", None), ("ks-Deva", "ks", None),
    ],
)  # fmt: skip
def test_distances(held, asked, expected):
    assert distance(held, asked) == expected


@settings(deadline=None)
@given(st.lists(st.sampled_from(CODES), unique=True), st.lists(st.sampled_from(CODES), unique=True, min_size=1))
def test_no_text_serves_two_languages_and_the_same_code_always_serves(held, wanted):
    found = serving(tuple(held), tuple(wanted))
    assert list(found) == wanted
    used = [code for codes in found.values() for code in codes]
    assert len(used) == len(set(used))
    assert all(found[code] == (code,) for code in wanted if code in held)
    assert all(distance(code, asked) is not None for asked, codes in found.items() for code in codes)


def test_choosing_names_both_of_two():
    assert choose("x", [("eng", "en"), ("fra", "fr")], ("fr", "de")) == {"fr": 1}
    assert choose("x", [("eng", "en"), ("fra", "fr")], ()) == {"en": 0, "fr": 1}
    with pytest.raises(DataError, match=r"x: a\.en and a\.eng are both English \(en\)\. Move one\."):
        choose("x", [("a.en", "en"), ("a.eng", "en")], ("en",), fix="Move one.")
    with pytest.raises(DataError, match=r"Ask for one of en-US, en-GB instead\."):
        choose("x", [("a", "en-GB"), ("b", "en-US")], ("en",))
