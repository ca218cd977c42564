"""All codes of FLORES-200 and of ISO 639-3, in both directions and as columns: a language is never another one."""

import itertools
import re
import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polyglot.data.languages import find_code, iso639_3, names_a_language, nllb_code
from polyglot.data.matching import distance
from polyglot.data.readers.columns import resolve_columns
from polyglot.errors import DataError

FLORES_200 = re.findall(
    r"\S+",
    """
    ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi apc_Arab arb_Arab
    arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn
    ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn
    ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek
    eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn
    gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn
    hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn
    kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl
    kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn
    ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Arab
    min_Latn mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn
    nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn pol_Latn por_Latn
    prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh slk_Latn
    slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn
    swh_Latn szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi tpi_Latn
    tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn
    vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zsm_Latn zul_Latn
    """,
)
ISO_639_3 = [
    "".join(letters)
    for letters in itertools.product(string.ascii_lowercase, repeat=3)
    if find_code("".join(letters)) is not None
]


def spelled(code):
    """Codes as files spell them: FLORES-200, with a hyphen, in lower case, and canonical."""
    return st.sampled_from([code, code.replace("_", "-"), code.lower(), find_code(code)])


def test_flores_200_is_whole():
    assert len(FLORES_200) == len(set(FLORES_200)) == 204
    assert len(ISO_639_3) > 7800


def test_all_codes_of_flores_200_differ_and_lead_back():
    assert len({find_code(code) for code in FLORES_200}) == 204
    assert [nllb_code(find_code(code)) for code in FLORES_200] == FLORES_200
    assert all(find_code(find_code(code)) == find_code(code) for code in FLORES_200)
    assert all(map(names_a_language, FLORES_200))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_columns_of_flores_200_are_found_by_any_spelling_and_never_confused(data):
    codes = data.draw(st.lists(st.sampled_from(FLORES_200), min_size=2, max_size=6, unique=True))
    names = [data.draw(spelled(code)) for code in codes]
    asked = data.draw(st.lists(st.sampled_from(codes), min_size=1, unique=True))
    wanted = [find_code(data.draw(spelled(code))) for code in asked]
    resolved = resolve_columns(names, wanted)
    assert [resolved.index(code) for code in wanted] == [codes.index(code) for code in asked]
    assert sum(column is not None for column in resolved) == len(asked)
    everything = resolve_columns(names, (), given=True)
    assert everything == tuple(find_code(code) for code in codes)


def test_id_is_the_number_of_a_row_unless_the_user_names_it():
    assert resolve_columns(["id", "en"], ()) == (None, "en")
    assert resolve_columns(["id", "en"], (), given=True) == ("id", "en")
    assert resolve_columns(["english", "non_english", "ID"], ["en", "fr"], given=True)[:2] == ("en", "fr")


def test_a_flores_column_alone_is_read_for_no_other_language():
    codes = [find_code(code) for code in FLORES_200]
    served = [pair for pair in itertools.permutations(codes, 2) if distance(*pair) is not None]
    assert served == []


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ISO_639_3), st.sampled_from(ISO_639_3))
def test_two_columns_of_iso_639_3_are_two_languages_or_an_error_that_names_both(first, second):
    assume(first != second)
    asked = find_code(first)
    if find_code(second) != asked:
        assert resolve_columns([second, first], [asked]) == (None, asked)
    else:
        with pytest.raises(DataError, match=rf"{second} and {first} are both"):
            resolve_columns([second, first], [asked])


def test_only_retired_codes_and_macrolanguages_share_a_code():
    sharing = {}
    for code in ISO_639_3:
        sharing.setdefault(find_code(code), []).append(code)
    meet = {canonical: codes for canonical, codes in sharing.items() if len(codes) > 1}
    assert meet["zh"] == ["chi", "cmn", "zho"]
    assert meet["no"] == ["nob", "nor"]
    assert not any(set(codes) & {"twi", "aka", "fat", "arz", "quz", "pbu", "fuc"} for codes in meet.values())
    for canonical, codes in meet.items():
        for pair in itertools.combinations(codes, 2):
            with pytest.raises(DataError, match=f"{pair[0]} and {pair[1]} are both"):
                resolve_columns(pair, [canonical])


def test_codes_of_flores_200_have_their_iso_639_3():
    assert [iso639_3(code) for code in ("fra_Latn", "twi_Latn", "aka_Latn", "ceb_Latn")] == ["fra", "twi", "aka", "ceb"]


@pytest.mark.parametrize("name", ["ids", "oui", "yes", "src", "tgt", "url", "log", "bak", "doi", "id", "text", "min"])
def test_short_words_name_no_language_by_themselves(name):
    assert not names_a_language(name)


@pytest.mark.parametrize("name", ["en", "FRA", "ceb", "yue", "lus_Latn", "pt-BR", "nob", "als"])
def test_codes_in_use_name_a_language(name):
    assert names_a_language(name)
