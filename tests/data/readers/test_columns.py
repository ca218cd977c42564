import pyarrow as pa
import pyarrow.feather
import pytest
from polyglot.data.readers.columns import resolve_columns
from polyglot.errors import DataError

from .opened import columnar, read, written


def test_columns_are_named_by_any_spelling():
    assert resolve_columns(["eng", "cmn", "zho_Hant", "domain", "FR_alt", "note"], ()) == (
        "en", "zh", "zh-Hant", "domain", "fr_reference", None,
    )  # fmt: skip
    assert resolve_columns(["id", "en"], ()) == (None, "en")
    assert resolve_columns(["id", "en"], ("id", "en")) == ("id", "en")
    assert resolve_columns(["english", "non_english"], ("en", "sw")) == ("en", "sw")
    assert resolve_columns(["english", "non_english"], ()) == ("en", None)
    assert resolve_columns(["fr_alt", "en"], ("en",)) == (None, "en")


@pytest.mark.parametrize(
    ("names", "wanted", "both"),
    [
        (["en", "eng"], (), "en and eng are both English"),
        (["fr", "en", "fra"], ("en", "fr"), "fr and fra are both French.*--columns fr,en,-"),
        (["nb", "no"], ("no",), "nb and no are both Norwegian"),
        (["ca", "ca-valencia"], ("ca",), "ca and ca-valencia are both Catalan"),
        (["en-US", "en-GB", "fr"], ("en", "fr"), "en-US and en-GB are both English.*Ask for one of en-US, en-GB"),
        (["english", "en", "fr"], ("en", "fr"), "english and en are both English"),
        (["en", "fr", "domain", "Domain"], ("en", "fr"), "domain and Domain both mean domain"),
        (["fr", "fr_alt", "fra_reference"], ("fr",), "fr_alt and fra_reference both mean fr_reference"),
    ],
)
def test_two_columns_of_one_language_are_an_error_that_names_both(names, wanted, both):
    with pytest.raises(DataError, match=both):
        resolve_columns(names, wanted)


def test_english_names_of_the_languages_asked_for_are_a_header(tmp_path):
    path = written(tmp_path / "a.tsv", "English\tFrench\nEnglish\tAnglais\n")
    assert read(path, ("en", "fr"))[0] == {"en": ["English"], "fr": ["Anglais"]}
    path = written(tmp_path / "b.tsv", "English\tAnglais\nFrench\tFrançais\n")
    assert read(path, ("en", "fr"))[0] == {"en": ["English", "French"], "fr": ["Anglais", "Français"]}


def test_columns_that_nobody_asks_for_may_be_the_same():
    assert resolve_columns(["en", "de", "fr", "fra"], ("de", "en")) == ("en", "de", None, None)


def test_regional_columns_serve_a_language_and_a_language_its_region():
    assert resolve_columns(["en-US", "fr_FR", "en-US_alt"], ("en", "fr")) == ("en", "fr", "en_reference")
    assert resolve_columns(["en", "fr"], ("en-US", "fr-CA")) == ("en-US", "fr-CA")
    assert resolve_columns(["zh-TW", "zh-CN"], ("zh",)) == (None, "zh")
    assert resolve_columns(["zh-TW"], ("zh-Hant",)) == ("zh-Hant",)
    assert resolve_columns(["zh-TW", "sr-Latn", "pt-PT"], ("zh", "sr", "pt-BR")) == (None, None, None)
    assert resolve_columns(["en"], ("en-US", "en-GB")) == (None,)  # one text is not two languages


def test_akan_and_twi_are_two_columns(tmp_path):
    path = written(tmp_path / "a.tsv", "aka_Latn\ttwi_Latn\nakan\ttwi\n")
    assert read(path, ("tw",))[0] == {"tw": ["twi"]}
    assert read(path)[0] == {"ak": ["akan"], "tw": ["twi"]}


def test_short_words_without_a_header_are_text(tmp_path):
    path = written(tmp_path / "a.tsv", "Yes\tOui\nNo\tNon\n")
    assert read(path, ("en", "fr"))[0] == {"en": ["Yes", "No"], "fr": ["Oui", "Non"]}
    assert read(written(tmp_path / "b.tsv", "yes\toui\n"), ("en", "fr"))[0] == {"en": ["yes"], "fr": ["oui"]}
    assert read(written(tmp_path / "c.tsv", "No\tNon\n"), ("no", "fr"))[0] == {"no": ["No"], "fr": ["Non"]}
    assert read(written(tmp_path / "d.txt", "No\nNei\n"), ("no",))[0] == {"no": ["No", "Nei"]}
    with pytest.raises(DataError, match=r"names no languages.*no languages were given.*--columns en,fr "):
        read(path)


@pytest.mark.parametrize("wanted", [("en", "fr"), ("no", "fr")])
def test_a_first_row_that_may_be_a_header_of_other_languages_is_refused_with_the_option(tmp_path, wanted):
    path = written(tmp_path / "a.tsv", "no\tnon\na\tb\n")
    with pytest.raises(DataError, match=rf"it holds no, non.*give --columns {','.join(wanted)}"):
        read(path, wanted)
    assert read(path, wanted, given=wanted)[0] == {wanted[0]: ["no", "a"], "fr": ["non", "b"]}


def test_columns_that_are_no_language_by_their_name_are_left_out_with_a_line(tmp_path, caplog):
    path = written(tmp_path / "a.tsv", "ids\ten\tfr\tsrc\tnote\n1\ta\tb\tx\ty\n")
    assert read(path)[0] == {"en": ["a"], "fr": ["b"]}
    assert caplog.messages == [f"{path}: not read as a language: ids, src. Name the languages if it is one."]
    assert read(path, ("ids", "en"))[0] == {"ids": ["1"], "en": ["a"]}


def test_given_columns_say_what_stands_where(tmp_path):
    path = written(tmp_path / "a.tsv", "1\tGo.\t2\tVa !\tlaw\n")
    given = ("-", "eng", "-", "fra", "domain")
    assert read(path, given=given)[0] == {"en": ["Go."], "fr": ["Va !"], "domain": ["law"]}
    assert read(path, ("fr", "en"), given=given)[0]["fr"] == ["Va !"]
    with pytest.raises(DataError, match=r"has 5 columns, and --columns names 2: en,fr"):
        read(path, given=("en", "fr"))
    with pytest.raises(DataError, match="'score' is no column"):
        read(path, given=("score", "en", "-", "fr", "-"))
    with pytest.raises(DataError, match="no German"):
        read(path, ("en", "de"), given=given)
    with pytest.raises(DataError, match="eng and en are both English"):
        read(path, given=("eng", "-", "en", "fr", "-"))


def test_given_columns_rename_those_of_a_header(tmp_path):
    path = written(tmp_path / "a.csv", "question,answer,n\na,b,1\n")
    assert read(path, ("en", "fr"), given=("question=en", "answer=fr"))[0] == {"en": ["a"], "fr": ["b"]}
    with pytest.raises(DataError, match="no column 'q': it holds question, answer, n"):
        read(path, given=("q=en", "answer=fr"))
    jsonl = written(tmp_path / "a.jsonl", '{"source": "a", "target": "b"}\n')
    assert read(jsonl, given=("target=fr", "source=en"))[0] == {"en": ["a"], "fr": ["b"]}
    parquet = columnar(tmp_path / "a.parquet", pa.table({"source": ["a"], "target": ["b"]}))
    assert read(parquet, given=("en", "fr"))[0] == {"en": ["a"], "fr": ["b"]}


def test_a_header_that_names_the_given_columns_is_no_row(tmp_path):
    assert read(written(tmp_path / "a.tsv", "en\tfr\nx\ty\n"), given=("en", "fr"))[0] == {"en": ["x"], "fr": ["y"]}


@pytest.mark.parametrize(
    "names", [("source", "target"), ("src", "tgt"), ("Sentence1", "Sentence2"), ("text", "translation")]
)
def test_a_header_of_roles_is_no_pair_of_sentences(tmp_path, names):
    path = written(tmp_path / "a.tsv", "\t".join(names) + "\na\tb\n")
    with pytest.raises(DataError, match=rf"names no languages: give --columns {names[0]}=en,{names[1]}=fr"):
        read(path, ("en", "fr"))
    assert read(path, ("en", "fr"), given=(f"{names[0]}=en", f"{names[1]}=fr"))[0] == {"en": ["a"], "fr": ["b"]}
    assert read(path, ("en", "fr"), given=("en", "fr"))[0]["en"] == [names[0], "a"]
