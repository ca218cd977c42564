import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polyglot.data.languages import (
    canonical_code,
    canonical_codes,
    describe,
    display_name,
    find_code,
    iso639_3,
    nllb_code,
    usual_script,
)
from polyglot.errors import DataError


@pytest.mark.parametrize(
    ("spellings", "code"),
    [
        (("fr", "fra", "fra_Latn", "FR", "fre", "fr-Latn"), "fr"),
        (("zh", "cmn", "zho", "zho_Hans", "zh-Hans", "chi"), "zh"),
        (("zho_Hant", "zh-Hant"), "zh-Hant"),
        (("sw", "swh", "swa", "swh_Latn"), "sw"),
        (("ar", "ara", "arb", "arb_Arab"), "ar"),
        (("no", "nob", "nb", "nob_Latn"), "no"),
        (("ko", "kor_Hang", "kor"), "ko"),
        (("sr", "srp_Cyrl"), "sr"),
        (("srp_Latn",), "sr-Latn"),
        (("pt-BR", "pt_BR"), "pt-BR"),
        (("yue_Hant", "yue"), "yue"),
    ],
)
def test_spellings_of_one_language_have_one_code(spellings, code):
    assert {canonical_code(spelling) for spelling in spellings} == {code}


@pytest.mark.parametrize("text", ["", "und", "mul", "xx", "qq", "text", "english", "1", "fr_", "a b", "zxx"])
def test_what_is_no_language_is_not_found(text):
    assert find_code(text) is None


@pytest.mark.parametrize(("spelling", "meant"), [("french", "French (fr)"), ("germn", "German (de)"), ("zhh", "(zh)")])
def test_an_unknown_language_gets_a_suggestion(spelling, meant):
    with pytest.raises(DataError, match="unknown language") as raised:
        canonical_code(spelling)
    assert meant in str(raised.value)


def test_one_language_twice_is_refused():
    with pytest.raises(DataError, match="fr and fra_Latn are both French: give different languages"):
        canonical_codes(["fr", "fra_Latn"])


@pytest.mark.parametrize(
    ("code", "nllb"),
    [
        ("en", "eng_Latn"), ("fr", "fra_Latn"), ("zh", "zho_Hans"), ("zh-Hant", "zho_Hant"), ("ru", "rus_Cyrl"),
        ("ar", "arb_Arab"), ("sw", "swh_Latn"), ("ko", "kor_Hang"), ("ja", "jpn_Jpan"), ("no", "nob_Latn"),
        ("fa", "pes_Arab"), ("hi", "hin_Deva"), ("el", "ell_Grek"), ("sq", "als_Latn"), ("et", "est_Latn"),
    ],
)  # fmt: skip
def test_nllb_codes_lead_back_to_the_language(code, nllb):
    assert nllb_code(code) == nllb
    assert canonical_code(nllb) == code


def test_names():
    assert iso639_3("fr") == "fra"
    assert iso639_3("zho_Hant") == "zho"
    assert display_name("deu_Latn") == "German"
    assert describe("zh") == "Chinese (zh)"
    assert usual_script("ru") == "Cyrl"


@settings(deadline=None)
@given(st.text(max_size=12) | st.from_regex(r"\A[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}\Z"))
def test_canonical_codes_are_fixed_points(text):
    code = find_code(text)
    assert code is None or find_code(code) == code
